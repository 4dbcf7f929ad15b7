"""Normalisation and fusion beside NumPy and a Python dict."""

from __future__ import annotations

import numpy as np
import pytest

import fastcal as fc


@pytest.fixture(scope="module")
def scores():
    return np.random.default_rng(0).random((1000, 10_000), dtype=np.float32)


@pytest.mark.parametrize("name", ["fastcal", "numpy", "numpy-in-place", "copy"])
def bench_minmax(measure, scores, name):
    out = np.empty_like(scores)

    def plain():
        low = scores.min(axis=1, keepdims=True)
        return (scores - low) / (scores.max(axis=1, keepdims=True) - low)

    def in_place():
        low = scores.min(axis=1, keepdims=True)
        np.subtract(scores, low, out=out)
        return np.divide(out, scores.max(axis=1, keepdims=True) - low, out=out)

    work = {"fastcal": lambda: fc.minmax(scores, out=out), "numpy": plain, "numpy-in-place": in_place, "copy": lambda: np.copyto(out, scores)}
    measure("minmax of 1,000 x 10,000 float32", work[name])


@pytest.mark.parametrize("name", ["fastcal", "numpy", "numpy-in-place"])
def bench_zscore(measure, scores, name):
    out = np.empty_like(scores)

    def plain():
        return (scores - scores.mean(axis=1, keepdims=True)) / scores.std(axis=1, keepdims=True)

    def in_place():
        np.subtract(scores, scores.mean(axis=1, keepdims=True), out=out)
        return np.divide(out, scores.std(axis=1, keepdims=True), out=out)

    measure("zscore of 1,000 x 10,000 float32", {"fastcal": lambda: fc.zscore(scores, out=out), "numpy": plain, "numpy-in-place": in_place}[name])


def dict_rrf(lists, k=60.0):
    fused = {}
    for ids in lists:
        for rank, doc in enumerate(ids, start=1):
            fused[doc] = fused.get(doc, 0.0) + 1.0 / (k + rank)
    return sorted(fused.items(), key=lambda entry: -entry[1])


def lists_of(n_queries, n_lists, length):
    rng = np.random.default_rng(0)
    return [np.stack([rng.permutation(3 * length)[:length] for _ in range(n_queries)]) for _ in range(n_lists)]


@pytest.mark.parametrize("name", ["fastcal", "python-dict"])
def bench_rrf_one_query(measure, name):
    lists = lists_of(1, 2, 100)
    runs, plain = [fc.Run(ids) for ids in lists], [ids[0].tolist() for ids in lists]
    work = {"fastcal": lambda: [fc.rrf(runs) for _ in range(100)], "python-dict": lambda: [dict_rrf(plain) for _ in range(100)]}
    measure("rrf, 100 calls of 1 query x 2 lists x 100", work[name])


@pytest.mark.parametrize("name", ["fastcal", "python-dict"])
def bench_rrf_batch(measure, name):
    lists = lists_of(1000, 3, 1000)
    runs, plain = [fc.Run(ids) for ids in lists], [ids.tolist() for ids in lists]
    work = {"fastcal": lambda: fc.rrf(runs), "python-dict": lambda: [dict_rrf(query) for query in zip(*plain, strict=True)]}
    measure("rrf, 1,000 queries x 3 lists x 1,000", work[name], rounds=3)
