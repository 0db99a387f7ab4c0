"""Prints the results of a comparison as Markdown.

A results file has a line about the machine and then one line of JSON per run: what the program printed, with the
round and the group of the workload put in front.
"""

import json
import sys
from collections import defaultdict
from statistics import median

from facts import GROUPS

TITLES = {
    "child": "One step of training a child network",
    "inference": "One batch through a child network in use",
    "operations": "One operation, forward and backward",
    "controller": "The controller",
    "language": "Recurrent language models: a step of training, and the cell alone",
}
COLUMNS = ["workload", "thr.", "CPU ms", "CPU, NCHW", "CPU, NHWC", "wall", "speed-up", "MiB"]
# Of language models instead, whose workloads name their words per pass.
LANGUAGE_COLUMNS = ["workload", "thr.", "CPU ms", "words / s", "CPU", "wall", "speed-up", "MiB"]
LEGEND = """\
Ratios are PyTorch's time over ours, above 1 where ours is quicker: the median over the rounds and, in brackets, the
least and the largest. CPU ms: process time of one pass of ours and of PyTorch in NCHW, its default, all threads (thr.)
together. CPU: the ratio of those, for PyTorch in NCHW and channels last (NHWC). Wall: the ratio of wall times, NCHW.
Words / s: those of a batch over the wall time of its pass, ours and PyTorch's.
Speed-up: wall time with one thread over that with two, ours and PyTorch's. MiB: how far resident memory rises at its
peak, ours and PyTorch's."""

# Whose runs, by the layout of their maps.
OURS, DEFAULT, CHANNELS_LAST = "nao", "nchw", "nhwc"


def main():
    with open(sys.argv[1]) as file:
        lines = [json.loads(line) for line in file if line.strip()]
    machines = [line["machine"] for line in lines if "machine" in line]
    records = [line for line in lines if "machine" not in line]
    print(header(machines, records))
    print()
    print(LEGEND)
    for group in GROUPS:
        rows = table_rows([record for record in records if record["group"] == group])
        if rows:
            print(f"\n### {TITLES[group]}\n")
            columns = LANGUAGE_COLUMNS if group == "language" else COLUMNS
            print("\n".join(aligned([columns, *rows])))


def header(machines, records):
    versions = {record["version"] for record in records if record["side"] == "pytorch" and "version" in record}
    rounds = max((record["round"] for record in records), default=0)
    parts = []
    for machine in machines:
        parts += [machine["date"], machine["cpu"], f"{machine['cores']} cores", f"commit {machine['commit']}"]
    parts += [f"PyTorch {version}" for version in sorted(versions)]
    return ", ".join([*parts, f"{rounds} round{'s' if rounds != 1 else ''}"])


def table_rows(records):
    """A row per workload, in the order of the file, and number of threads."""
    runs = defaultdict(lambda: defaultdict(dict))
    for record in records:
        runs[record["name"], record["threads"]][record["layout"]][record["round"]] = record
    names = list(dict.fromkeys(record["name"] for record in records))
    keys = sorted(runs, key=lambda key: (names.index(key[0]), key[1]))
    return [table_row(name, threads, runs) for name, threads in keys]


def table_row(name, threads, runs):
    ours, peers, last = (runs[name, threads].get(side, {}) for side in (OURS, DEFAULT, CHANNELS_LAST))
    speed_up = ""
    if threads == 2 and (name, 1) in runs:
        one = [runs[name, 1].get(side, {}) for side in (OURS, DEFAULT)]
        speed_up = pair([speed(*both) for both in zip(one, (ours, peers))], lambda value: f"{value:.2f}")
    of_cpu = [ratio(ours, peers, "cpu_ms"), ratio(ours, last, "cpu_ms")]
    if any("words" in record for record in ours.values()):
        of_cpu = [pair([rate(ours), rate(peers)], lambda value: f"{value:,.0f}"), of_cpu[0]]
    return [
        name,
        str(threads),
        pair([middle(ours, "cpu_ms"), middle(peers, "cpu_ms")], three_digits),
        *of_cpu,
        ratio(ours, peers, "wall_ms"),
        speed_up,
        pair([middle(ours, "peak_mib"), middle(peers, "peak_mib")], lambda value: f"{value:.0f}"),
    ]


def middle(rounds, field):
    return median(record[field] for record in rounds.values()) if rounds else None


def rate(rounds):
    """Words in a second."""
    return median(1e3 * record["words"] / record["wall_ms"] for record in rounds.values()) if rounds else None


def speed(one, two):
    return middle(one, "wall_ms") / middle(two, "wall_ms") if one and two else None


def ratio(ours, peers, field):
    """PyTorch's over ours, round by round."""
    ratios = [peers[key][field] / ours[key][field] for key in ours.keys() & peers.keys()]
    if not ratios:
        return "-"
    return f"{median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})"


def pair(values, form):
    return " / ".join("-" if value is None else form(value) for value in values)


def three_digits(value):
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def aligned(rows):
    """Lines of a Markdown table, its first column to the left and the others to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    lines = []
    for row in [rows[0], rule, *rows[1:]]:
        cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:]))]
        lines.append("| " + " | ".join(cells) + " |")
    return lines


if __name__ == "__main__":
    main()
