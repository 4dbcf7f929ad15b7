"""One run of every table: ``python -m bench.search --rows 1000000 --out build/bench`` writes search.json and search.md."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

from bench.search import machine, render
from bench.search.sections import SECTIONS
from bench.search.timing import disagrees


def parsed():
    parser = argparse.ArgumentParser(prog="python -m bench.search", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--out", type=Path, default=Path("build/bench"))
    parser.add_argument("--sections", nargs="+", choices=SECTIONS, default=list(SECTIONS), help="default: all")
    parser.add_argument("--approximate-rows", type=int, help="rows of the approximate indexes (default: --rows)")
    return parser.parse_args()


def main():
    options = parsed()
    options.out.mkdir(parents=True, exist_ok=True)
    begin, skipped, tables = time.perf_counter(), {}, []
    settings = {"rows": options.rows, "rounds": options.rounds, "sections": options.sections}
    record = {"machine": machine.describe(), "settings": settings, "skipped": skipped, "tables": tables, "seconds": 0.0}
    for name in options.sections:
        for table in SECTIONS[name](options, skipped):
            tables.append(table)
            record["seconds"] = time.perf_counter() - begin
            print(f"{render.table(table)}\n({record['seconds']:.0f} s)\n", flush=True)
            (options.out / "search.json").write_text(json.dumps(record, indent=1), encoding="utf-8")
    (options.out / "search.md").write_text(render.document(record), encoding="utf-8")
    print(render.summary(tables), *(f"not run: {name}: {why}" for name, why in skipped.items()), sep="\n")
    wrong = [f"{table['title']}: {r['name']}" for table in tables for r in table["results"] if "agreement" in r and disagrees(r)]
    if wrong:
        raise SystemExit("contenders that disagree with fastcal's ids:\n" + "\n".join(wrong))


if __name__ == "__main__":
    main()
