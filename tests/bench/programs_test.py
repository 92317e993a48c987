"""The programs start, answer when asked and work on the tokens that they are given.

    python3 programs_test.py FOLDER_OF_THE_PROGRAMS
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

FOLDER = pathlib.Path(sys.argv.pop(1))


def pair(*options, asked="step 1\nstep 2\nend\n"):
    return subprocess.run([FOLDER / "bench_pair", *options], input=asked, capture_output=True, text=True)


def answers(*options):
    return [json.loads(line) for line in pair(*options).stdout.splitlines()]


class Programs(unittest.TestCase):
    def test_a_turn_is_as_many_steps_as_were_asked_for(self):
        ready, one, two, end = answers("--job", "generate", "--dtype", "int8")
        self.assertTrue(ready["ready"])
        self.assertEqual((one["units"], two["units"]), (32 * 48, 2 * 32 * 48))
        self.assertEqual(two["operations"], 2 * one["operations"])
        self.assertEqual(end["steps"], 3)
        self.assertGreater(end["memory_mb"], 0)
        self.assertGreater(end["peaks_after"]["float32"], 0)

    def test_responses_of_ppo_end_where_the_tokens_say(self):
        with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
            for row in range(32):
                file.write(json.dumps({"prompt": [3] * 16, "responses": [], "ends_after": 8 + row}) + "\n")
            file.flush()
            ready, one, *_ = answers("--job", "ppo_ragged", "--tokens", file.name)
        self.assertEqual(ready["unit"], "episodes")
        self.assertEqual(one["units"], 32)
        self.assertEqual(sorted(one["phases"]), ["generate", "score", "train"])
        # 15 tokens of each prompt are read, and each token of a response is made, in five layers; a token
        # looks at itself and at all before it, but for the last, which nobody reads.
        dim, kv, hidden, made = 64, 32, 172, sum(range(8, 40))
        seen = sum(length * (length + 1) // 2 for length in range(15 + 8, 15 + 40))
        qkv, rest = dim * (dim + 2 * kv), dim * dim + 3 * dim * hidden
        read = 2 * 15 * 32 * (5 * qkv + 4 * rest)
        self.assertEqual(one["phases"]["generate"]["operations"], read + 2 * made * (5 * (qkv + rest) + dim * 512) + 5 * 4 * dim * seen)

    def test_rankings_read_their_tokens_from_a_file(self):
        with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
            for _ in range(2):
                file.write(json.dumps({"prompt": [3, 4], "responses": [[5], [6], [7], [8], [9], [10]]}) + "\n")
            file.flush()
            _, one, two, _ = answers("--job", "ranking6", "--tokens", file.name)
        self.assertEqual((one["units"], two["units"]), (2, 4))

    def test_what_cannot_work_is_an_error(self):
        for options, message in (
            (["--job", "sft", "--dtype", "int8"], "dtype of sft: expected float32 or bfloat16"),
            (["--job", "dpo"], "job: expected generate, sft, reward, ranking6, ppo or ppo_ragged, got dpo"),
            (["--job", "sft", "--tokens", "no such file"], "tokens of a job: expected a file that can be read"),
        ):
            done = pair(*options)
            self.assertEqual(done.returncode, 1)
            self.assertIn(message, done.stderr)

    def test_each_job_is_a_case_of_a_program(self):
        cases = set()
        for name in ("generation", "sft", "reward", "ppo", "growth", "peak"):
            listed = subprocess.run([FOLDER / f"bench_{name}", "--benchmark_list_tests"], capture_output=True, text=True)
            cases |= {case.split("/")[0] for case in listed.stdout.split()}
        jobs = {"generate", "sft", "reward", "ranking6", "ppo", "ppo_ragged"}
        self.assertEqual(cases - jobs, {
            "matrix_product", "log_prob_memory", "ragged_generation", "mixed_lengths", "four_times_the_tokens",
            *(f"two_threads_{job}" for job in jobs - {"ppo_ragged"})})
        self.assertLessEqual(jobs, cases)


if __name__ == "__main__":
    unittest.main()
