"""Measures rlhf beside its peers, turn by turn on the same tokens, and writes results.json and RESULTS.md.

compare.sh sets everything up and calls this; README.md says how it is measured.
"""

import argparse
import datetime
import json
import pathlib
import platform
import subprocess
import sys
import tempfile

import page
from cells import DTYPES, JOBS, SIZES, cells, growth_limits
from turns import Worker, alternate, environment, median, ratios

HERE = pathlib.Path(__file__).resolve().parent
ALONE = ("sft_medium", "growth")  # measured without a peer


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    every_dtype = sorted({dtype for dtypes in DTYPES.values() for dtype in dtypes})
    parser.add_argument("--jobs", nargs="+", choices=JOBS + ALONE, default=list(JOBS + ALONE))
    parser.add_argument("--sizes", nargs="+", choices=SIZES, default=list(SIZES))
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--dtypes", nargs="+", choices=every_dtype, help="without: those that have a goal")
    parser.add_argument("--pairs", type=int, default=5, help="turns of each side that count")
    parser.add_argument("--programs", required=True, help="folder of the bench_... programs")
    parser.add_argument("--python", required=True, help="the peers' Python")
    parser.add_argument("--work", required=True, help="folder for what is kept between runs")
    parser.add_argument("--results", default=HERE / "results.json", type=pathlib.Path)
    parser.add_argument("--page", default=HERE / "RESULTS.md", type=pathlib.Path)
    return parser.parse_args()


def machine():
    """What the figures were taken on."""
    with open("/proc/cpuinfo") as file:
        lines = file.read().splitlines()
    model = next((line.split(": ")[1] for line in lines if line.startswith("model name")), platform.machine())
    processors = sum(line.startswith("processor") for line in lines)
    return f"{processors} x {model}, {platform.system()} {platform.release().split('-')[0]}"


def commit():
    """Which version of the tree is measured."""
    said = subprocess.run(["git", "describe", "--always", "--dirty", "--exclude", "*"], cwd=HERE, capture_output=True,
                          text=True)
    return said.stdout.strip() if said.returncode == 0 else "unknown"


def share_of_peak(ours, dtype):
    """Operations a second over the peak: the mean of before and after. None where no peak was measured."""
    peaks = [ours.facts[when].get(dtype) for when in ("peaks_before", "peaks_after")]
    if None in peaks:
        return None, None
    peak = sum(peaks) / 2
    whole = median([turn["operations"] / turn["seconds"] for turn in ours.turns]) / peak
    phases = {name: median([turn["phases"][name]["operations"] / turn["phases"][name]["seconds"]
                            for turn in ours.turns]) / peak for name in ours.turns[0].get("phases", {})}
    return whole, phases


def measure(cell, args, folder):
    """One row of the results."""
    tokens, steps = folder / "tokens.jsonl", cell.turn * (args.pairs + 1)
    common = ["--size", cell.size, "--threads", str(cell.threads)]
    workers = []
    try:
        peers = {}
        for dtype, (script, *more) in cell.peers(pathlib.Path(args.work)).items():
            peers[dtype] = Worker([args.python, HERE / "peers" / script, *common, *more, "--steps", str(steps),
                                   "--dump", tokens], cell.threads, folder / f"{dtype}.log")
            workers.append(peers[dtype])
            peers[dtype].ready()  # one after the other: each writes the same tokens
        ours = Worker([f"{args.programs}/bench_pair", "--job", cell.our_job, "--dtype", cell.dtype, *common,
                       "--tokens", tokens], cell.threads, folder / "ours.log")
        workers.append(ours)
        ours.ready()
        alternate([ours, *peers.values()], cell.turn, args.pairs)
        for worker in workers:
            worker.end()
    finally:
        for worker in workers:
            worker.close()
    best = max(peers, key=lambda dtype: median(peers[dtype].rates()))
    return row(cell, ours, peers[best], best)


def rounded(value):
    return float(f"{value:.4g}") if isinstance(value, float) else value


def row(cell, ours, theirs, their_dtype):
    pairwise = ratios(ours, theirs)
    share, phases = share_of_peak(ours, cell.dtype)
    result = {
        "job": cell.job, "size": cell.size, "threads": cell.threads, "dtype": cell.dtype,
        "unit": ours.facts["unit"] + "/s", "ours": median(ours.rates()), "theirs": median(theirs.rates()),
        "ratio": median(pairwise), "ratio_min": min(pairwise), "ratio_max": max(pairwise),
        "pairs": len(pairwise), "share_of_peak": share,
        "memory_mb": ours.facts["memory_mb"], "their_memory_mb": theirs.facts["memory_mb"],
        "memory_ratio": ours.facts["memory_mb"] / theirs.facts["memory_mb"],
        "their_dtype": their_dtype, "our_version": ours.facts["engine"], "their_version": theirs.facts["engine"],
        "peak_gflops": ours.facts["peaks_before"].get(cell.dtype, 0) / 1e9 or None,
    }
    if cell.threads == 1:
        result["ratio_by_processor_time"] = median(ratios(ours, theirs, "cpu_seconds"))
    if phases:
        result["share_of_peak_by_phase"] = {name: rounded(value) for name, value in phases.items()}
        result["seconds_by_phase"] = {name: rounded(median([t["phases"][name]["seconds"] for t in ours.turns]))
                                      for name in phases}
    if "phases" in theirs.turns[0]:
        result["their_seconds_by_phase"] = {name: rounded(median([t["phases"][name] for t in theirs.turns]))
                                            for name in theirs.turns[0]["phases"]}
    return {key: rounded(value) for key, value in result.items()}


def measure_medium(args, folder):
    """The row of SFT at `medium`, against the machine alone."""
    ours = Worker([f"{args.programs}/bench_pair", "--job", "sft", "--size", "medium"], 1, folder / "ours.log")
    try:
        ours.ready()
        alternate([ours], 1, 2)
        ours.end()
    finally:
        ours.close()
    share, _ = share_of_peak(ours, "float32")
    result = {"job": "sft", "size": "medium", "threads": 1, "dtype": "float32", "unit": "tokens/s",
              "ours": median(ours.rates()), "theirs": None, "ratio": None, "share_of_peak": share,
              "memory_mb": ours.facts["memory_mb"], "our_version": ours.facts["engine"],
              "peak_gflops": ours.facts["peaks_before"]["float32"] / 1e9}
    return [{key: rounded(value) for key, value in result.items()}]


def measure_growth(args, folder):
    """The rows of bench_growth."""
    output = folder / "growth.json"
    done = subprocess.run([f"{args.programs}/bench_growth", f"--benchmark_out={output}"], env=environment(2),
                          capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"bench_growth ended with {done.returncode}:\n{done.stderr}")
    rows = []
    for case in json.loads(output.read_text())["benchmarks"]:
        name, size = case["name"].split("/")[:2]
        what, least, greatest = growth_limits(name)
        details = {key: rounded(case[key]) for key in sorted(case) if key.startswith(("MB_", "gain"))}
        rows.append({"job": "growth", "case": name, "size": size, "threads": 2 if "gain" in case else 1,
                     "dtype": "float32", "value": rounded(case["value"]), "least": least, "greatest": greatest,
                     **details})
    return rows


# --- keeping ------------------------------------------------------------------------------------


def key(row):
    return tuple(row.get(name) for name in ("job", "case", "size", "threads", "dtype"))


def place(row):
    """Where a row stands in the results."""
    job = JOBS.index(row["job"]) if row["job"] in JOBS else len(JOBS)
    return job, row.get("case", ""), (*SIZES, "medium").index(row["size"]), row["threads"], row["dtype"]


def store(args, rows):
    """Puts rows in the place of those that they measure again, and writes both files."""
    known = json.loads(args.results.read_text()) if args.results.exists() else []
    stamp = {"machine": machine(), "commit": commit(),
             "measured": datetime.date.today().isoformat()}
    merged = {key(row): row for row in known} | {key(row): row | stamp for row in rows}
    everything = sorted(merged.values(), key=place)
    args.results.write_text("[\n" + ",\n".join(json.dumps(row) for row in everything) + "\n]\n")
    args.page.write_text(page.written(everything))


def said(row):
    """A row in a line for who waits."""
    if "value" in row:
        return f"{row['case']} {row['size']} {row['value']:g}"
    if row["theirs"] is None:
        return f"{row['ours']:g} {row['unit']}, {row['share_of_peak']:.0%} of the peak"
    return (f"{row['ours']:g} against {row['theirs']:g} {row['unit']}, ratio {row['ratio']:.3g} "
            f"({row['ratio_min']:.3g} .. {row['ratio_max']:.3g})")


def plan(args):
    """All that is to be measured: a name, and a function from a folder to rows."""
    for cell in cells([job for job in JOBS if job in args.jobs], args.sizes, args.threads, args.dtypes):
        yield (f"{cell.job} {cell.size} {cell.threads} thread(s) {cell.dtype}",
               lambda folder, cell=cell: [measure(cell, args, folder)])
    if "sft_medium" in args.jobs:
        yield "sft medium", lambda folder: measure_medium(args, folder)
    if "growth" in args.jobs:
        yield "growth", lambda folder: measure_growth(args, folder)


def main():
    args = options()
    pathlib.Path(args.work).mkdir(parents=True, exist_ok=True)
    planned, failed = list(plan(args)), []
    for number, (name, work) in enumerate(planned, 1):
        print(f"[{number}/{len(planned)}] {name}: ", end="", flush=True)
        try:
            with tempfile.TemporaryDirectory() as folder:
                rows = work(pathlib.Path(folder))
        except RuntimeError as error:
            failed.append(name)
            print(f"FAILED\n{error}", flush=True)
            continue
        print("\n    ".join(said(row) for row in rows), flush=True)
        store(args, rows)
    if failed:
        sys.exit(f"not measured: {', '.join(failed)}")


if __name__ == "__main__":
    main()
