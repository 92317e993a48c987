"""RESULTS.md, made from results.json: nothing in it is typed."""

from cells import GOALS


def written(rows):
    lines = ["# Speed, measured", "", "| job | size | threads | dtype | ours | theirs | ratio | goal | share |",
             "|---|---|---|---|---|---|---|---|---|"]
    for row in rows:
        goal = GOALS.get((row["job"], row["size"], row["dtype"]), "")
        lines.append(f"| {row['job']} | {row['size']} | {row['threads']} | {row['dtype']} | {row['ours']:g} | "
                     f"{row['theirs']:g} {row['unit']} | {row['ratio']:g} | {goal} | {row['share_of_peak']} |")
    return "\n".join(lines) + "\n"
