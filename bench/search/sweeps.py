"""Cost as it grows, for the plots: ``python -m bench.search.sweeps --max-rows 4000000`` writes sweeps.json."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

from bench.search import corpora, machine
from bench.search.works import Arena, Work

PEERS = ("FAISS", "NumPy matmul + argpartition", "usearch", "NumKong", "scikit-learn", "ScaNN brute force float32")
ROWS = (10_000, 30_000, 100_000, 300_000, 1_000_000, 2_000_000, 4_000_000)
QUERIES = (1, 4, 16, 64, 256, 1024)
KS = (1, 10, 100, 1000)
DIMS = (64, 128, 256, 384, 768, 1536, 3072)
MIDDLE, LARGE = 250_000, 1_000_000  # rows of the sweeps over queries and dim, and over k
MEMORY_SHARE = 0.4  # of what is available, for the corpus alone; peers that then find no room are skipped


def fitting(n_rows, dim):
    """At most so many rows of this dim."""
    return min(n_rows, int(MEMORY_SHARE * machine.available_memory() / (4 * dim)))


def over_rows(most, rounds, skipped, dim=384):
    most = fitting(most, dim)
    corpus = corpora.synthetic(max((n for n in ROWS if n <= most), default=most), dim)
    for n_rows in (n for n in ROWS if n <= len(corpus)):
        yield n_rows, _point(corpus[:n_rows], Work("rows", 1, 10, 4), rounds, skipped)


def over_queries(most, rounds, skipped, dim=384):
    corpus = corpora.synthetic(fitting(min(most, MIDDLE), dim), dim)
    arena = Arena("sweep", corpus, corpora.near_rows(corpus, max(QUERIES)), PEERS, skipped)
    for n_queries in QUERIES:
        yield n_queries, arena.table(Work("queries", n_queries, 10, max(1, 4 // n_queries)), rounds)


def over_k(most, rounds, skipped, dim=384):
    corpus = corpora.synthetic(fitting(min(most, LARGE), dim), dim)
    arena = Arena("sweep", corpus, corpora.near_rows(corpus, 4), PEERS, skipped)
    for k in KS:
        yield k, arena.table(Work("k", 1, k, 4), rounds)


def over_dim(most, rounds, skipped):
    n_rows = fitting(min(most, MIDDLE), max(DIMS))
    for dim in DIMS:
        yield dim, _point(corpora.synthetic(n_rows, dim), Work("dim", 1, 10, 4), rounds, skipped)


def _point(corpus, work, rounds, skipped):
    return Arena(f"sweep over {work.key}", corpus, corpora.near_rows(corpus, 4), PEERS, skipped).table(work, rounds)


SWEEPS = {"rows": over_rows, "queries": over_queries, "k": over_k, "dim": over_dim}


def main():
    parser = argparse.ArgumentParser(prog="python -m bench.search.sweeps", description=__doc__)
    parser.add_argument("--max-rows", type=int, default=4_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path, default=Path("build/bench"))
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    begin, skipped = time.perf_counter(), {}
    record = {"machine": machine.describe(), "settings": {"rounds": options.rounds}, "skipped": skipped, "sweeps": {}}
    for name, sweep in SWEEPS.items():
        points = record["sweeps"][name] = []
        for x, table in sweep(options.max_rows, options.rounds, skipped):
            points.append({"x": x, "title": table["title"], "results": table["results"]})
            fastest = ", ".join(f"{r['name']} {1e3 * r['median']:.3g} ms" for r in table["results"][:3])
            print(f"{name} = {x:,}: {fastest} ({time.perf_counter() - begin:.0f} s)", flush=True)
            (options.out / "sweeps.json").write_text(json.dumps(record, indent=1), encoding="utf-8")
    print(*(f"not run: {name}: {why}" for name, why in skipped.items()), sep="\n")


if __name__ == "__main__":
    main()
