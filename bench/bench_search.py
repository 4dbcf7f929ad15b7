"""The quick check of exact search: fastcal beside FAISS IndexFlatIP and NumPy; ``python -m bench.search`` has all peers.

Every contender's ids are compared with fastcal's before its time counts.
"""

from __future__ import annotations

import numpy as np
import pytest
from threadpoolctl import ThreadpoolController

import fastcal as fc
from bench.search import ours, small
from bench.search.timing import LEAST_AGREEMENT, Truth, held
from bench.search.works import Arena

K = 10
NAMES = [ours.INDEX, "FAISS IndexFlatIP", "NumPy matmul + argpartition"]
THREADS = pytest.mark.parametrize("threads", ours.thread_settings(), ids="{}-threads".format)


def chosen(contenders, name, threads):
    found = [c for c in contenders if (c.name, c.threads) == (name, threads)]
    return found[0] if found else pytest.skip(f"{name} is not installed")


@pytest.fixture(scope="module")
def contenders(corpus, queries):
    return Arena("quick check", corpus, queries, tuple(NAMES)).contenders(K)


@pytest.mark.parametrize("n_queries", [1, 16, 256])
@THREADS
@pytest.mark.parametrize("name", NAMES)
def bench_topk(measure, corpus, queries, contenders, name, threads, n_queries):
    contender, asked = chosen(contenders, name, threads), queries[:n_queries]
    with held(ThreadpoolController(), contender):
        ids = measure(f"search, {n_queries} queries", lambda: contender.call(asked))
    assert Truth(corpus, [asked], K).agreement([ids], contender.kind) >= LEAST_AGREEMENT


@pytest.mark.parametrize("name", ["fastcal-fast", "fastcal-exact", "numpy-matmul"])
def bench_score_matrix(measure, corpus, queries, name):
    rows, out = corpus[:50_000], np.empty((len(queries), 50_000), np.float32)[:, : len(corpus)]
    work = {
        "fastcal-fast": lambda: fc.scores(queries, rows, "dot", out=out),
        "fastcal-exact": lambda: fc.scores(queries, rows, "dot", precision="exact", out=out),
        "numpy-matmul": lambda: np.matmul(queries, rows.T, out=out),
    }
    measure("full matrix, 256 queries x 50,000 rows", work[name])


@THREADS
@pytest.mark.parametrize("name", ["fastcal rescore", "NumPy gather + einsum"])
def bench_rescore(measure, corpus, queries, name, threads):
    contender = chosen(small.rescorers(corpus, queries, 1000), name, threads)
    with held(ThreadpoolController(), contender):
        measure("rescore 1,000 candidates x 256 queries", lambda: contender.call(queries))


@pytest.mark.parametrize("name", NAMES)
def bench_call_overhead(measure, name):
    rows, contenders = small.tiny()
    contender = chosen(contenders, name, 1)
    with held(ThreadpoolController(), contender):
        measure("1,000 calls on 16 rows", lambda: [contender.call(rows[:1]) for _ in range(1000)])
