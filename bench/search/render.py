"""Markdown from the JSON of a run: numbers in the documentation are never typed by hand.

``python -m bench.search.render build/bench/search.json`` prints it; ``--into bench/README.md`` writes it between the
markers of that file.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from bench.search.ours import INDEX
from bench.search.timing import disagrees

BEGIN, END = "<!-- results: begin (written by bench.search.render) -->", "<!-- results: end -->"


def seconds(value):
    for scale, unit in ((1, "s"), (1e3, "ms"), (1e6, "us")):
        if value * scale >= 1:
            return f"{value * scale:.3g} {unit}"
    return f"{value * 1e9:.3g} ns"


def grid(header, rows):
    return ["| " + " | ".join(header) + " |", "|" + "---|" * len(header), *("| " + " | ".join(row) + " |" for row in rows)]


def timed(results):
    ours = next((r["median"] for r in results if r["name"] == INDEX), None) or next(
        (r["median"] for r in results if r["name"].startswith("fastcal")), None
    )
    for r in results:
        agreement = "" if r["agreement"] is None else ("**DISAGREES** " if disagrees(r) else "") + f"{r['agreement']:.4f}"
        ratio = f"{r['median'] / ours:.2f}" if ours else ""
        yield r["name"], f"{r['threads']} of {r['tried']}", seconds(r["median"]), seconds(r["iqr"]), ratio, agreement


def called(results):
    return ((r["name"], f"{r['per_second']:,.0f}", f"{r['iqr']:,.0f}", seconds(r["p50"]), seconds(r["p99"])) for r in results)


def approximated(results):
    return ((r["name"], seconds(r["median"]), seconds(r["iqr"]), f"{r['recall']:.3f}", seconds(r["build"])) for r in results)


LAYOUTS = {
    "callers": (("callers", "calls a second", "iqr", "p50", "p99"), called),
    "approximate": (("index", "median", "iqr", "recall", "build"), approximated),
}
TIMED = (("contender", "threads (tried)", "median", "iqr", "x fastcal", "right ids"), timed)


def line(check):
    sign = "<=" if check["at_most"] else ">="
    aim = "" if check["aim"] is None else f", aim {sign} {check['aim']:g}{check['unit']}"
    return f"- {check['verdict']}: {check['what']}: **{check['value']:.3g}{check['unit']}** (reach {sign} {check['reach']:g}{check['unit']}{aim})"


def table(entry):
    header, rows = LAYOUTS.get(entry["key"], TIMED)
    parts = [f"#### {entry['title']}", "", *grid(header, rows(entry["results"])), ""]
    if entry["checks"]:
        parts += [*map(line, entry["checks"]), ""]
    if entry["note"]:
        parts += [f"{entry['note'][0].upper()}{entry['note'][1:]}.", ""]
    return "\n".join(parts)


def summary(tables):
    checks = [(entry["title"], check) for entry in tables for check in entry["checks"]]
    verdicts = ("aim met", "reached", "MISSED")
    counts = ", ".join(f"{sum(check['verdict'] == v for _, check in checks)} {v}" for v in verdicts)
    missed = [
        f"- {title}: {check['what']}: {check['value']:.3g}{check['unit']}, wanted {check['reach']:g}{check['unit']}"
        for title, check in checks
        if check["verdict"] == "MISSED"
    ]
    return "\n".join([f"Targets: {counts}.", "", *missed, ""])


def document(run):
    m = run["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in m["versions"].items() if version)
    build = f"fastcal {m['fastcal']['version']} ({m['fastcal']['commit']}, {m['fastcal']['isa']})"
    head = [
        f"{m['date']}, {m['cpu']}, {m['cpus']} CPUs, {m['memory_gib']} GiB, {build}; {versions}.",
        f"Median of {run['settings']['rounds']} rounds; the run took {run['seconds'] / 60:.0f} minutes; load average at its start {m['load']}.",
        "",
        *(f"- Not run: {name}: {why}" for name, why in run["skipped"].items()),
        "",
    ]
    return "\n".join([*head, summary(run["tables"]), *map(table, run["tables"])])


def put_between_markers(path, text):
    before, rest = path.read_text(encoding="utf-8").split(BEGIN)
    after = rest.split(END)[1]
    path.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("json", type=Path)
    parser.add_argument("--into", type=Path, help="file with the two markers")
    options = parser.parse_args()
    text = document(json.loads(options.json.read_text(encoding="utf-8")))
    if options.into:
        put_between_markers(options.into, text)
    else:
        print(text)


if __name__ == "__main__":
    main()
