"""Exact top-10 of unit vectors by inner product: fastcal beside FAISS IndexFlatIP and NumPy, one and all threads.

Every contender's ids are compared with fastcal's before its time counts; float32 libraries may differ in near-ties,
so the share of equal ids must reach 0.999.
"""

from __future__ import annotations

import numpy as np
import pytest

import fastcal as fc

N_QUERIES = [1, 16, 256]
K = 10


def agree(ids, truth):
    assert (np.sort(ids, axis=1) == np.sort(truth, axis=1)).mean() >= 0.999


@pytest.fixture(scope="module")
def truth(corpus, queries):
    return fc.topk(queries, corpus, K, "dot").ids


@pytest.mark.parametrize("n_queries", N_QUERIES)
@pytest.mark.parametrize("threads", [1, None], ids=["1-thread", "all-threads"])
def bench_fastcal_index(measure, corpus, queries, truth, n_queries, threads):
    index = fc.Index(corpus, "dot")
    found = measure(f"search, {n_queries} queries", lambda: index.search(queries[:n_queries], K, num_threads=threads))
    assert np.array_equal(found.ids, truth[:n_queries])


@pytest.mark.parametrize("n_queries", N_QUERIES)
@pytest.mark.parametrize("threads", [1, 0], ids=["1-thread", "all-threads"])
def bench_faiss_flat(measure, corpus, queries, truth, n_queries, threads):
    faiss = pytest.importorskip("faiss")
    index = faiss.IndexFlatIP(corpus.shape[1])
    index.add(corpus)
    faiss.omp_set_num_threads(threads or fc.cpu_info()["usable_cpus"])
    agree(measure(f"search, {n_queries} queries", lambda: index.search(queries[:n_queries], K))[1], truth[:n_queries])


@pytest.mark.parametrize("n_queries", N_QUERIES)
def bench_numpy_argpartition(measure, corpus, queries, truth, n_queries):
    def search():
        scores = queries[:n_queries] @ corpus.T
        best = np.argpartition(-scores, K, axis=1)[:, :K]
        order = np.argsort(-np.take_along_axis(scores, best, 1), axis=1)
        return np.take_along_axis(best, order, 1)

    agree(measure(f"search, {n_queries} queries", search), truth[:n_queries])


@pytest.mark.parametrize("name", ["fastcal-fast", "fastcal-exact", "numpy-matmul"])
def bench_score_matrix(measure, corpus, queries, name):
    rows, out = corpus[:50_000], np.empty((len(queries), 50_000), np.float32)
    work = {
        "fastcal-fast": lambda: fc.scores(queries, rows, "dot", out=out),
        "fastcal-exact": lambda: fc.scores(queries, rows, "dot", precision="exact", out=out),
        "numpy-matmul": lambda: np.matmul(queries, rows.T, out=out),
    }
    measure("full matrix, 256 queries x 50,000 rows", work[name])


@pytest.mark.parametrize("name", ["fastcal", "numpy-einsum"])
def bench_rescore(measure, corpus, queries, name):
    ids = np.random.default_rng(2).integers(0, len(corpus), (len(queries), 1000))
    work = {
        "fastcal": lambda: fc.rescore(queries, corpus, ids, "dot"),
        "numpy-einsum": lambda: np.stack([np.einsum("d,md->m", q, corpus[rows]) for q, rows in zip(queries, ids, strict=True)]),
    }
    measure("rescore 1,000 candidates x 256 queries", work[name])


@pytest.mark.parametrize("name", ["fastcal", "faiss"])
def bench_call_overhead(measure, corpus, queries, name):
    rows, query = corpus[:16], queries[:1]
    if name == "fastcal":
        index = fc.Index(rows, "dot")
        work = lambda: [index.search(query, 5, num_threads=1) for _ in range(1000)]  # noqa: E731
    else:
        faiss = pytest.importorskip("faiss")
        flat = faiss.IndexFlatIP(rows.shape[1])
        flat.add(rows)
        faiss.omp_set_num_threads(1)
        work = lambda: [flat.search(query, 5) for _ in range(1000)]  # noqa: E731
    measure("1,000 calls on 16 rows", work)
