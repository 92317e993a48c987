"""RESULTS.md, made from the rows of results.json: nothing in it is typed."""

from cells import GOALS, GROWTH, MEMORY_GOALS, SHARE_GOALS, growth_limits

COMMAND = "bash tests/bench/compare.sh"


def cell_of(row):
    return row["job"], row["size"], row["dtype"]


def number(value, digits=3):
    """Three digits that count; thousands with commas."""
    if value is None:
        return ""
    if abs(value) >= 10 ** (digits - 1):
        return f"{float(f'{value:.{digits}g}'):,.0f}"
    return f"{value:.{digits}g}"


def share(value):
    return "" if value is None else f"{value:.0%}"


def table(header, rows):
    lines = [header, ["---"] * len(header), *rows]
    return ["| " + " | ".join(line) + " |" for line in lines]


def each(rows, field):
    return sorted({row[field] for row in rows if row.get(field)})


def head(rows):
    peaks = [(row["threads"], row["dtype"], row["peak_gflops"]) for row in rows if row.get("peak_gflops")]
    by_kind = {}
    for threads, dtype, peak in peaks:
        by_kind.setdefault((threads, dtype), []).append(peak)
    said = [f"{number(min(values))} .. {number(max(values))} GFLOP/s {dtype} on {threads} thread{'s' * (threads > 1)}"
            for (threads, dtype), values in sorted(by_kind.items())]
    return [
        "# Speed, measured", "",
        f"Written by `{COMMAND}`; README.md says how it is measured and what the columns mean.", "",
        f"- Machine: {'; '.join(each(rows, 'machine'))}",
        f"- Peak of its matrix products, least and greatest of all runs: {'; '.join(said)}",
        f"- Ours: {', '.join(each(rows, 'our_version'))}; commit {', '.join(each(rows, 'commit'))}",
        f"- Theirs: {', '.join(each(rows, 'their_version'))}",
        f"- Measured: {', '.join(each(rows, 'measured'))}", ""]


def beside_peers(rows):
    lines = []
    for row in rows:
        goal = GOALS.get(cell_of(row))
        their_dtype = "" if row["their_dtype"] == row["dtype"] else f" ({row['their_dtype']})"
        lines.append([
            row["job"], row["size"], str(row["threads"]), row["dtype"], f"{number(row['ours'])} {row['unit']}",
            number(row["theirs"]) + their_dtype, f"**{number(row['ratio'])}**",
            f"{number(row['ratio_min'])} .. {number(row['ratio_max'])}",
            number(row.get("ratio_by_processor_time")), "" if goal is None else f">= {goal:g}",
            share(row["share_of_peak"]), f"{number(row['memory_mb'])} / {number(row['their_memory_mb'])}"])
    return table(["job", "size", "threads", "dtype", "ours", "theirs", "ratio", "least .. greatest",
                  "by processor time", "goal", "share of peak", "MB, ours / theirs"], lines)


def phases(rows):
    lines = []
    for row in rows:
        for phase in ("generate", "score", "train"):
            ours, theirs = row["seconds_by_phase"][phase], row["their_seconds_by_phase"][phase]
            lines.append([row["job"], row["size"], str(row["threads"]), row["dtype"], phase, f"{number(ours)} s",
                          f"{number(theirs)} s", number(theirs / ours), share(row["share_of_peak_by_phase"][phase])])
    return table(["job", "size", "threads", "dtype", "phase", "ours", "theirs", "ratio", "share of peak"], lines)


def alone(rows):
    lines = [[row["job"], row["size"], str(row["threads"]), row["dtype"], f"{number(row['ours'])} {row['unit']}",
              share(row["share_of_peak"]), number(row["memory_mb"])] for row in rows]
    return table(["job", "size", "threads", "dtype", "ours", "share of peak", "MB"], lines)


def bounds(least, greatest):
    if least is None:
        return f"<= {greatest:g}"
    return f">= {least:g}" if greatest is None else f"{least:g} .. {greatest:g}"


def growth(rows):
    lines = []
    for row in rows:
        details = ", ".join(f"{name.replace('_', ' ')} {number(value)}" for name, value in row.items()
                            if name.startswith(("MB_", "gain")))
        lines.append([row["case"].replace("_", " "), row["size"], number(row["value"]),
                      bounds(row["least"], row["greatest"]), details])
    legend = [f"- {case.replace('_', ' ')}: {what}" for case, (what, _, _) in GROWTH.items()]
    return legend + [""] + table(["case", "size", "value", "limit", "of it"], lines)


def shortfalls(rows):
    """A sentence for every goal that a row misses."""
    for row in rows:
        name = f"{row['job']} {row['size']} {row['dtype']}, {row['threads']} thread{'s' * (row['threads'] > 1)}"
        if row["job"] == "growth":
            _, least, greatest = growth_limits(row["case"])
            if (least is not None and row["value"] < least) or (greatest is not None and row["value"] > greatest):
                yield f"{row['case'].replace('_', ' ')}, {row['size']}: {number(row['value'])}, not {bounds(least, greatest)}"
            continue
        goal = GOALS.get(cell_of(row))
        if goal is not None and row["ratio"] < goal:
            yield f"{name}: {number(row['ratio'])} times the peer, not {goal:g}"
        goal = SHARE_GOALS.get(cell_of(row))
        reached, what = row["share_of_peak"], ""
        if row["job"] == "ppo":
            reached, what = row["share_of_peak_by_phase"]["train"], " in training"
        if goal is not None and reached < goal:
            yield f"{name}: {share(reached)} of the peak{what}, not {share(goal)}"
        goal = MEMORY_GOALS.get(cell_of(row))
        if goal is not None and row["memory_ratio"] > goal:
            yield f"{name}: {number(row['memory_ratio'])} times the peer's memory, not {goal:g}"


def written(rows):
    """The page."""
    paired = [row for row in rows if row.get("theirs") is not None]
    sections = [
        ("Beside the peers", beside_peers, paired),
        ("PPO by phase", phases, [row for row in paired if "their_seconds_by_phase" in row]),
        ("Against the machine alone", alone, [row for row in rows if "theirs" in row and row["theirs"] is None]),
        ("Growth", growth, [row for row in rows if row["job"] == "growth"]),
    ]
    lines = head(rows)
    missed = [f"- {line}" for line in shortfalls(rows)]
    lines += ["## What falls short", "", *(missed or ["Nothing of what is measured here."]), ""]
    for title, section, chosen in sections:
        if chosen:
            lines += [f"## {title}", "", *section(chosen), ""]
    return "\n".join(lines).rstrip() + "\n"
