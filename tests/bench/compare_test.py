"""What compare.py makes of two sides' answers, without either."""

import json
import pathlib
import sys
import tempfile
import types
import unittest

import compare
import page
from cells import Cell, cells
from turns import Worker, alternate, ratios

# A side that does 2 units a step in so many seconds.
SIDE = """
import json, sys
units, seconds = float(sys.argv[1]), float(sys.argv[2])
print(json.dumps({"ready": True, "unit": "tokens"}), flush=True)
for line in sys.stdin:
    word, *count = line.split()
    if word == "end":
        break
    steps = int(count[0])
    print(json.dumps({"seconds": steps * seconds, "cpu_seconds": 1, "units": steps * units}), flush=True)
    seconds += 1
print(json.dumps({"end": True, "memory_mb": 10}), flush=True)
"""

ROW = {"job": "sft", "size": "tiny", "threads": 1, "dtype": "float32", "unit": "tokens/s", "ours": 10.0, "theirs": 4.0,
       "ratio": 2.5, "ratio_min": 2.0, "ratio_max": 3.0, "pairs": 5, "share_of_peak": 0.5, "memory_mb": 1.0,
       "their_memory_mb": 2.0, "memory_ratio": 0.5, "their_dtype": "float32", "our_version": "rlhf 1",
       "their_version": "trl 1", "peak_gflops": 90.0}


class Turns(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.log = pathlib.Path(folder.name) / "log"

    def side(self, units, seconds):
        worker = Worker([sys.executable, "-c", SIDE, str(units), str(seconds)], 1, self.log)
        self.addCleanup(worker.close)
        worker.ready()
        return worker

    def test_ratios_are_of_turns_that_stand_side_by_side(self):
        ours, theirs = self.side(2, 1), self.side(2, 4)
        alternate([ours, theirs], steps=3, pairs=2)
        # The first turn is left out; then 2 and 3 seconds a step against 5 and 6.
        self.assertEqual(ratios(ours, theirs), [5 / 2, 6 / 3])
        ours.end()
        self.assertEqual(ours.facts["memory_mb"], 10)

    def test_unequal_work_is_an_error(self):
        with self.assertRaisesRegex(RuntimeError, r"not the same work: \[2.0, 3.0\] tokens"):
            alternate([self.side(2, 1), self.side(3, 1)], steps=1, pairs=1)

    def test_a_side_that_dies_says_what_it_said(self):
        worker = Worker([sys.executable, "-c", "raise SystemExit('no memory')"], 1, self.log)
        self.addCleanup(worker.close)
        with self.assertRaisesRegex(RuntimeError, "ended with 1:\nno memory"):
            worker.ready()


class Cells(unittest.TestCase):
    def test_without_dtypes_those_with_a_goal_are_chosen(self):
        self.assertEqual([cell.dtype for cell in cells(["sft"], ["tiny", "small"], [1], None)],
                         ["float32", "float32", "bfloat16"])
        self.assertEqual([cell.dtype for cell in cells(["sft"], ["tiny"], [1, 2], ["bfloat16"])], ["bfloat16"] * 2)

    def test_beside_bfloat16_stands_the_better_of_two_where_there_are_two(self):
        self.assertEqual(list(Cell("sft", "small", 1, "bfloat16").peers("work")), ["float32", "bfloat16"])
        self.assertEqual(list(Cell("ppo", "small", 1, "bfloat16").peers("work")), ["float32"])
        self.assertEqual(list(Cell("generate_ctranslate2", "small", 1, "int8").peers("work")), ["int8"])


class Results(unittest.TestCase):
    def test_a_row_measured_again_replaces_itself_alone(self):
        with tempfile.TemporaryDirectory() as folder:
            args = types.SimpleNamespace(results=pathlib.Path(folder) / "results.json", page=pathlib.Path(folder) / "page")
            compare.store(args, [ROW, ROW | {"threads": 2}])
            compare.store(args, [ROW | {"ratio": 9.0}])
            rows = json.loads(args.results.read_text())
            self.assertEqual([(row["threads"], row["ratio"]) for row in rows], [(1, 9.0), (2, 2.5)])
            self.assertIn("| **9** |", args.page.read_text())

    def test_the_page_says_what_falls_short(self):
        self.assertEqual(list(page.shortfalls([ROW])), ["sft tiny float32, 1 thread: 2.5 times the peer, not 5"])
        self.assertEqual(list(page.shortfalls([ROW | {"ratio": 5.0}])), [])
        ppo = ROW | {"job": "ppo", "size": "small", "memory_ratio": 0.8, "share_of_peak_by_phase": {"train": 0.7}}
        self.assertEqual(list(page.shortfalls([ppo])), [
            "ppo small float32, 1 thread: 70% of the peak in training, not 80%",
            "ppo small float32, 1 thread: 0.8 times the peer's memory, not 0.75"])

    def test_growth_beyond_its_limits_falls_short(self):
        row = ROW | {"job": "growth", "case": "mixed_lengths", "value": 1.2}
        self.assertEqual(list(page.shortfalls([row])), ["mixed lengths, tiny: 1.2, not 0.9 .. 1.1"])
        row = ROW | {"job": "growth", "case": "two_threads_sft", "value": 0.95}
        self.assertEqual(list(page.shortfalls([row])), [])


if __name__ == "__main__":
    unittest.main()
