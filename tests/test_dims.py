"""``dims=``: the first coordinates of longer vectors."""

from __future__ import annotations

import numpy as np
import pytest
from strategies import METRICS, problem
from vectors import BFLOAT16, integers, same_bytes, same_result

import fastcal as fc


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("dims", [1, 16, 17, 39, 40])
def test_dims_is_slicing(backend, metric, dims):
    queries, corpus = problem(11, 3, 200, 40)
    ids = np.array([[1, 2], [3, -1], [5, 6]])
    cut_queries, cut_corpus = queries[:, :dims].copy(), corpus[:, :dims].copy()
    same_result(fc.topk(queries, corpus, 9, metric, dims=dims), fc.topk(cut_queries, cut_corpus, 9, metric))
    same_bytes(fc.rescore(queries, corpus, ids, metric, dims=dims), fc.rescore(cut_queries, cut_corpus, ids, metric))
    for precision in ("fast", "exact"):
        got = fc.scores(queries, corpus, metric, dims=dims, precision=precision)
        same_bytes(got, fc.scores(cut_queries, cut_corpus, metric, precision=precision))
    same_result(fc.topk(queries, corpus, 9, metric, dims=np.int32(dims)), fc.topk(cut_queries, cut_corpus, 9, metric))


def test_dims_renormalises_cosine_only(backend):
    corpus = np.array([[0.6, 0.0, 0.8], [0.8, 0.6, 0.0]], dtype=np.float32)
    assert fc.scores(corpus[:1], corpus, dims=1, precision="exact")[0].tolist() == [1.0, 1.0]
    np.testing.assert_allclose(fc.scores(corpus[:1], corpus, "dot", dims=1), [[0.36, 0.48]], rtol=1e-6)
    np.testing.assert_allclose(fc.scores(corpus[:1], corpus, "euclidean", dims=1), [[0.0, 0.2]], atol=1e-7)


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16", "float64"])
def test_coordinates_behind_dims_are_not_read(backend, dtype):
    queries, corpus = integers()
    queries, corpus = (a.astype(BFLOAT16 if dtype == "bfloat16" else dtype) for a in (queries, corpus))
    expected = fc.topk(queries[:, :4].copy(), corpus[:, :4].copy(), 5)
    queries[0, 4:], corpus[3, 4:] = np.nan, np.inf
    same_result(fc.topk(queries, corpus, 5, dims=4), expected)
    same_result(fc.Index(corpus, dims=4).search(queries, 5), expected)
