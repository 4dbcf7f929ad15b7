"""Many Python threads on one index that fits the L3 cache, each call on one thread of ours."""

from __future__ import annotations

import threading
import time

import numpy as np

import fastcal as fc
from bench.search import corpora
from bench.search.targets import verdict

SECONDS, CALLERS = 0.5, 8


def concurrent(rounds, n_rows=20_000, dim=384, k=10):
    corpus = corpora.synthetic(n_rows, dim)
    queries = corpora.near_rows(corpus, 64)
    index = fc.Index(corpus, "dot")
    contenders = {"fastcal Index": lambda query: index.search(query, k, num_threads=1)}
    try:
        import faiss

        flat = faiss.IndexFlatIP(dim)
        flat.add(corpus)
        contenders["FAISS IndexFlatIP"] = lambda query: flat.search(query, k)
        prepare = lambda: faiss.omp_set_num_threads(1)  # noqa: E731 -- a setting of each thread
    except ImportError:
        prepare = lambda: None  # noqa: E731
    samples = {(name, callers): [] for name in contenders for callers in (1, CALLERS)}
    for _ in range(rounds):
        for (name, callers), rounds_of in samples.items():
            rounds_of.append(_hammer(contenders[name], queries, callers, prepare))
    results, checks = [], []
    for name in contenders:
        one, many = (_summary(name, callers, samples[name, callers]) for callers in (1, CALLERS))
        results += [one, many]
        if name.startswith("fastcal"):
            checks.append(verdict(f"throughput of {CALLERS} callers against one", many["per_second"] / one["per_second"], 1.6, unit="x"))
            checks.append(verdict(f"p99 / p50 of {CALLERS} callers", many["p99"] / many["p50"], 3.0, unit="x", at_most=True))
    title = f"concurrent callers, num_threads=1 each, 1 query, k={k}, {n_rows:,} x {dim}"
    return {"key": "callers", "title": title, "results": results, "checks": checks, "note": ""}


def _hammer(call, queries, callers, prepare):
    """Calls per second of all callers together, and the seconds of every call."""
    barrier, latencies = threading.Barrier(callers + 1), [[] for _ in range(callers)]

    def loop(mine):
        prepare()
        call(queries[:1])
        barrier.wait()
        end, position = time.perf_counter() + SECONDS, 0
        while (begin := time.perf_counter()) < end:
            position = (position + 1) % len(queries)
            call(queries[position : position + 1])
            mine.append(time.perf_counter() - begin)

    threads = [threading.Thread(target=loop, args=(mine,)) for mine in latencies]
    for thread in threads:
        thread.start()
    barrier.wait()
    begin = time.perf_counter()
    for thread in threads:
        thread.join()
    calls = np.concatenate(latencies)
    return len(calls) / (time.perf_counter() - begin), calls


def _summary(name, callers, samples):
    rates = [rate for rate, _ in samples]
    p50, p99 = np.percentile(np.concatenate([calls for _, calls in samples]), [50, 99]).tolist()
    low, median, high = np.percentile(rates, [25, 50, 75]).tolist()
    return {"name": f"{name}, {callers} callers", "kind": "callers", "per_second": median, "iqr": high - low, "p50": p50, "p99": p99}
