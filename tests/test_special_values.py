"""Zeros, denormals, overflow, distances far from the origin, nothing to search and more than there is."""

from __future__ import annotations

import numpy as np
import pytest
from strategies import METRICS, problem
from vectors import BFLOAT16, PADDING_BITS, same_bytes

import fastcal as fc


@pytest.mark.parametrize("precision", ["fast", "exact"])
def test_zero_vectors(backend, precision):
    queries, corpus = np.zeros((2, 5), dtype=np.float32), np.zeros((3, 5), dtype=np.float32)
    queries[1], corpus[1], corpus[2] = 1.0, -0.0, 1.0
    for metric, expected in (
        ("cosine", [[0, 0, 0], [0, 0, 1]]),
        ("dot", [[0, 0, 0], [0, 0, 5]]),
        ("euclidean", [[0, 0, 5**0.5], [5**0.5, 5**0.5, 0]]),
    ):
        got = fc.scores(queries, corpus, metric, precision=precision)
        np.testing.assert_allclose(got, expected, rtol=1e-6)
        assert not np.signbit(got).any()


@pytest.mark.parametrize("metric", METRICS)
def test_no_negative_zero(backend, metric):
    queries, corpus = np.array([[-0.0, 1.0]], dtype=np.float32), np.array([[1.0, -0.0], [-0.0, -0.0], [-1.0, 0.0]], dtype=np.float32)
    for got in (
        fc.scores(queries, corpus, metric, precision="exact"),
        fc.topk(queries, corpus, 3, metric).scores,
        fc.rescore(queries, corpus, [0, 1, 2], metric),
    ):
        assert not np.signbit(got).any()


def test_denormals_count(backend):
    tiny = np.float32(1e-42)
    corpus = np.array([[tiny, 0], [0, tiny], [-tiny, tiny]], dtype=np.float32)
    query = np.array([tiny, 0], dtype=np.float32)
    for precision in ("fast", "exact"):
        np.testing.assert_allclose(fc.scores(query, corpus, precision=precision), [[1, 0, -(0.5**0.5)]], atol=1e-5)
    assert fc.scores(query, corpus, "euclidean", precision="exact")[0, 0] == 0.0
    assert fc.scores(query, corpus, "euclidean", precision="exact")[0, 2] > 2 * tiny
    assert fc.topk(np.ones(2, np.float32), corpus, 3, "dot").scores[0].tolist() == [tiny, tiny, 0.0]


def test_a_dot_product_beyond_float32_is_infinite(backend):
    corpus = np.array([[3e38, 3e38], [-3e38, -3e38], [1, 0], [3e38, -3e38]], dtype=np.float32)
    for query in (corpus[0], corpus[0].astype(np.float64)):
        scores, ids = fc.topk(query, corpus, 5, "dot")
        assert scores[0, :4].tolist() == [np.inf, np.float32(3e38), 0.0, -np.inf]
        assert ids.tolist() == [[0, 2, 3, 1, -1]]
        assert np.isinf(fc.scores(query, corpus, "dot", precision="exact")).tolist() == [[True, True, False, False]]
    cosine = fc.scores(corpus[:1], corpus)
    np.testing.assert_allclose(cosine, [[1, -1, 0.5**0.5, 0]], atol=1e-6)


def test_distances_far_from_the_origin_are_exact(backend):
    """From norms (a - 2b + c) nothing would be left of these distances."""
    steps = np.array([0.0, 0.0625, 0.125, 0.25, 1.0, 3.0])
    corpus = np.full((6, 300), 1e6, dtype=np.float32)
    corpus[:, 7] += steps.astype(np.float32)
    found = fc.topk(corpus[0], corpus, 6, "euclidean")
    assert found.scores[0].tolist() == steps.tolist()
    assert found.ids[0].tolist() == list(range(6))
    for precision in ("fast", "exact"):
        np.testing.assert_allclose(fc.scores(corpus[0], corpus, "euclidean", precision=precision)[0], steps, rtol=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16", "float64"])
@pytest.mark.parametrize("metric", METRICS)
def test_nothing_to_search(backend, metric, dtype):
    dtype = BFLOAT16 if dtype == "bfloat16" else np.dtype(dtype)
    some, none = np.ones((2, 4), dtype=dtype), np.empty((0, 4), dtype=dtype)
    for precision in ("fast", "exact"):
        assert fc.scores(none, some, metric, precision=precision).shape == (0, 2)
        assert fc.scores(some, none, metric, precision=precision).shape == (2, 0)
        assert fc.scores(none, none, metric, precision=precision).shape == (0, 0)
    assert fc.topk(none, some, 3, metric).ids.shape == (0, 3)
    assert fc.topk(none, none, 3, metric).scores.shape == (0, 3)
    padded = fc.topk(some, none, 3, metric)
    assert (padded.scores.view(np.uint32) == PADDING_BITS).all()
    assert (padded.ids == -1).all()
    assert fc.rescore(none, some, np.empty((0, 5), np.int64), metric).shape == (0, 5)
    assert fc.rescore(some, some, np.empty((2, 0), np.int64), metric).shape == (2, 0)
    assert (fc.rescore(some, none, [[-1], [-1]], metric).view(np.uint32) == PADDING_BITS).all()


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("k", [6, 7, 100])
def test_k_beyond_the_rows_is_padded(backend, metric, k):
    queries, corpus = problem(5, 2, 5, 8)
    scores, ids = fc.topk(queries, corpus, k, metric)
    full = fc.topk(queries, corpus, 5, metric)
    same_bytes(scores[:, :5], full.scores)
    same_bytes(ids[:, :5], full.ids)
    assert (np.ascontiguousarray(scores[:, 5:]).view(np.uint32) == PADDING_BITS).all()
    assert (ids[:, 5:] == -1).all()
