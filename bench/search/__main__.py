"""One run of every table: ``python -m bench.search --rows 1000000 --out build/bench``."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

from bench.search import approximate, callers, corpora, machine, ours, render, small, works
from bench.search.peers import FEW
from bench.search.targets import verdict
from bench.search.timing import disagrees
from bench.search.works import K100, MANY, ONE, ONE_WIDE, SIXTEEN, Arena, untargeted

N_QUERIES = 256


def run(options, skipped):
    """Yield every table; at most one large corpus is alive at a time."""
    rounds = options.rounds
    yield small.overhead(rounds)
    for n_rows in small.SIZES:
        yield small.throw_away(rounds, n_rows)
        yield small.throw_away_cosine(rounds, n_rows)
    yield callers.concurrent(rounds)

    corpus = corpora.synthetic(options.rows, 384)
    queries = corpora.near_rows(corpus, N_QUERIES)
    arena = Arena("synthetic", corpus, queries, skipped=skipped)
    searched = {}
    for work in (ONE, K100, SIXTEEN, MANY):
        searched[work.key] = arena.table(work, rounds)
        yield searched[work.key]
    yield small.integer_peak(rounds, searched[MANY.key]["results"], options.rows)
    yield small.building(corpus, rounds, arena.build_seconds)
    yield small.rescoring(corpus, queries, rounds)
    yield from works.small_corpora(corpus, queries, rounds, skipped)
    hard = corpora.near_rows(corpus, N_QUERIES, corpora.HARD_NOISE)
    arena.name, arena.queries = f"synthetic, hard case: queries with noise {corpora.HARD_NOISE}", hard
    yield from works.tables(arena, untargeted(ONE, MANY), rounds)
    del arena
    if not options.no_approximate:
        part = corpus[: options.approximate_rows]
        yield approximate.curves(part, corpora.near_rows(part, 100), rounds, skipped)

    queries = corpora.shift(corpus, queries)
    arena = Arena("synthetic shifted", corpus, queries, FEW, skipped)
    for table in works.tables(arena, untargeted(ONE, MANY), rounds):
        yield with_isotropic(table, searched[table["key"].split(" on ")[0]])
    del arena, corpus

    folder = corpora.data_folder()
    if folder is None:
        skipped["real embeddings"] = "no folder of collections (FASTCAL_DATA)"
    else:
        corpus, queries = corpora.real(folder, options.rows, N_QUERIES)
        arena = Arena("real, enlarged", corpus, queries, FEW, skipped)
        plain = {}
        for work in (ONE, K100, SIXTEEN, MANY):
            plain[work.key] = arena.table(work, rounds)
            yield plain[work.key]
        del arena
        queries = corpora.shift(corpus, queries)
        arena = Arena("real, enlarged and shifted", corpus, queries, FEW, skipped)
        for table in works.tables(arena, untargeted(ONE, MANY), rounds):
            yield with_isotropic(table, plain[table["key"].split(" on ")[0]])
        del arena, corpus

    corpus = corpora.synthetic(options.rows, 768)
    arena = Arena("synthetic", corpus, corpora.near_rows(corpus, N_QUERIES), skipped=skipped)
    yield from works.tables(arena, (ONE_WIDE, K100, SIXTEEN, MANY), rounds)


def with_isotropic(table, plain):
    """Add the check that anisotropy costs at most half as much again."""
    times = [next(r["median"] for r in each["results"] if r["name"] == ours.INDEX) for each in (table, plain)]
    table["checks"].append(verdict("time against the same corpus not shifted", times[0] / times[1], 1.5, unit="x", at_most=True))
    return table


def main():
    parser = argparse.ArgumentParser(prog="python -m bench.search", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--out", type=Path, default=Path("build/bench"))
    parser.add_argument("--approximate-rows", type=int, default=None, help="rows of the approximate indexes (default: --rows)")
    parser.add_argument("--no-approximate", action="store_true")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    begin, skipped, tables = time.perf_counter(), {}, []
    settings = {"rows": options.rows, "rounds": options.rounds}
    record = {"machine": machine.describe(), "settings": settings, "skipped": skipped, "tables": tables, "seconds": 0.0}
    for table in run(options, skipped):
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
