"""Fusion beside a Python dict."""

from __future__ import annotations

import numpy as np
import pytest

import fastcal as fc


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
