"""Nanoseconds a row of the steps of bulk rescoring, beside NumPy, pyarrow and polars: ``python bench/bench_bulk.py [rows]``."""

from __future__ import annotations

import statistics
import sys
import time

import numpy as np
import polars as pl
import pyarrow as pa

import fastcal as fc
from fastcal.bulk import QueryStatistics, Rescorer, TopRows
from fastcal.bulk._best_so_far import BestSoFar
from fastcal.bulk._keys import Keys, grouped

ROWS_PER_QUERY, BEST = 1000, 100


def table_of(n, kind, seed=0):
    """Candidates: queries together or scattered, documents integers or texts."""
    rng = np.random.default_rng(seed)
    queries = np.arange(n) // ROWS_PER_QUERY
    if kind == "scattered":
        queries = rng.permutation(queries)
    docs = rng.integers(0, 1 << 40, n)
    columns = {"query_id": queries, "doc_id": docs, "score": rng.standard_normal(n).astype(np.float32)}
    return pa.table(columns | ({"doc_id": pa.array(docs).cast(pa.string())} if kind == "texts" else {}))


def works(table):
    """Name and function of every step and contender."""
    queries, docs, scores = (table[name].to_numpy() for name in ("query_id", "doc_id", "score"))
    platt = fc.PlattCalibrator().fit([-1.0, -0.5, 0.5, 1.0], [0, 0, 1, 1])
    profile = fc.Profile("m", "cosine", platt, fc.Threshold(0.5))
    frame = pl.from_arrow(table)

    def lexsort():
        order = np.lexsort((docs, -scores, queries))
        ranked = queries[order]
        return order[np.arange(len(order)) - np.searchsorted(ranked, ranked) < BEST]

    def arrow_sort():
        keys = [("query_id", "ascending"), ("score", "descending"), ("doc_id", "ascending")]
        return pa.compute.sort_indices(table, sort_keys=keys)

    def polars_head():
        ordered = frame.sort("query_id", "score", "doc_id", descending=[False, True, False])
        return ordered.group_by("query_id", maintain_order=True).head(BEST)

    def stream():
        rescorer = Rescorer(profile, top_k=BEST)
        best = BestSoFar(BEST, len(table), higher_is_better=True, memory=1 << 28)
        for start in range(0, len(table), 1 << 20):
            rescorer.partial(table.slice(start, 1 << 20), best)

    yield "numbers of queries", lambda: grouped(Keys.of_integers(queries))
    yield "calibrator", lambda: platt.predict(scores, num_threads=1)
    yield "statistics of zscore", lambda: QueryStatistics("zscore").update(table)
    yield f"best {BEST} (TopRows)", lambda: TopRows(BEST, on="score").reduce(table)
    yield f"Rescorer, floor and best {BEST}", lambda: Rescorer(profile, top_k=BEST, floor=-1.0)(table)
    yield "Rescorer.partial with bars", stream
    yield "numpy lexsort and cut", lexsort
    yield "pyarrow sort_indices alone", arrow_sort
    yield "polars sort and group_by head", polars_head


def nanoseconds(work, n, repeats=3):
    """Median CPU time a row."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return statistics.median(times) / n * 1e9


def main():
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 4_000_000
    for kind in ("together", "scattered", "texts"):
        print(f"{n:,} rows, {ROWS_PER_QUERY} a query, {kind}")
        for name, work in works(table_of(n, kind)):
            print(f"  {name:34}{nanoseconds(work, n):8.1f} ns/row", flush=True)


if __name__ == "__main__":
    main()
