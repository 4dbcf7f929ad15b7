"""Lists of scores on every backend: minmax, zscore and fusion, bit for bit."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from parity import THREADS, blank, call, check
from strategies import runs, score_lists, seeds


def like(scores):
    return blank(len(scores), dtype=scores.dtype)


@given(case=score_lists(infinities=True), on_constant=st.sampled_from([0.0, 0.5, -0.0, 1.0, float("nan")]))
@example(case=(np.ones(2, dtype=np.float32), np.array([0, 2])), on_constant=-0.0)
def test_minmax(backend, case, on_constant):
    scores, offsets = case
    check(backend, "minmax", (scores, offsets, on_constant), [like(scores)])


@given(case=score_lists(infinities=True), ddof=st.sampled_from([0, 1, 2]))
def test_zscore(backend, case, ddof):
    scores, offsets = case
    check(backend, "zscore", (scores, offsets, ddof), [like(scores)])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("op", ["minmax", "zscore"])
def test_many_lists_on_every_thread_count(backend, op, dtype):
    rng = np.random.default_rng(0)
    offsets = np.concatenate([[0], np.cumsum(rng.integers(0, 3000, 300))])
    scores = rng.standard_normal(offsets[-1]).astype(dtype)
    scores.flags.writeable = False
    check(backend, op, (scores, offsets, 0), [like(scores)], THREADS)
    bad = scores.copy()
    bad[offsets[[50, 120, 121]]] = np.inf
    assert check(backend, op, (bad, offsets, 0), [like(scores)], THREADS)[0] >= 50


@given(seed=seeds, size=st.sampled_from([2, 3, 17, 100, 5000]))
def test_zscore_is_close_to_the_exact_moments(backend, seed, size):
    scores = np.random.default_rng(seed).standard_normal(size)
    _, (got,) = call(backend, "zscore", (scores, np.array([0, size]), 0), [like(scores)])
    exact = [Fraction(s) for s in scores.tolist()]
    mean = sum(exact) / size
    variance = sum((s - mean) ** 2 for s in exact) / size
    truth = np.array([float(s - mean) for s in exact]) / float(variance) ** 0.5
    np.testing.assert_allclose(got, truth, rtol=1e-13, atol=1e-14)


@given(case=score_lists())
def test_minmax_spans_the_unit_interval(backend, case):
    scores, offsets = case
    _, (got,) = call(backend, "minmax", (scores, offsets, 0.0), [like(scores)])
    np.testing.assert_array_equal(np.isnan(got), np.isnan(scores))
    for start, stop in itertools.pairwise(offsets):
        values, kept = got[start:stop], scores[start:stop]
        if len(set(kept[~np.isnan(kept)].tolist())) > 1:
            assert np.nanmin(values) == 0.0
            assert np.nanmax(values) == 1.0


@given(case=runs(), method=st.sampled_from(["rrf", "sum"]), k=st.sampled_from([60.0, 1.0, 0.5]), top_k=st.sampled_from([-1, 0, 1, 7, 1000]))
def test_fuse(backend, case, method, k, top_k):
    scores = case.scores if method == "sum" else [None] * len(case.ids)
    bounds = case.out_offsets()
    outs = [blank(bounds[-1], dtype=np.int64), blank(bounds[-1]), blank(len(bounds) - 1, dtype=np.int64)]
    check(backend, "fuse", (case.ids, scores, case.offsets, case.weights, method, k, top_k, bounds), outs)


@pytest.mark.parametrize("method", ["rrf", "sum"])
def test_fuse_many_queries_on_every_thread_count(backend, method):
    rng = np.random.default_rng(1)
    offsets = [np.concatenate([[0], np.cumsum(rng.integers(0, 300, 500))]) for _ in range(3)]
    ids = [rng.integers(0, 400, run[-1]) for run in offsets]
    scores = [rng.standard_normal(run[-1]).astype(dtype) for run, dtype in zip(offsets, (np.float32, np.float32, np.float32), strict=True)]
    bounds = np.sum(offsets, axis=0)
    outs = [blank(bounds[-1], dtype=np.int64), blank(bounds[-1]), blank(500, dtype=np.int64)]
    inputs = (ids, scores if method == "sum" else [None] * 3, offsets, np.array([1.0, 0.3, 2.0]), method, 60.0, 20, bounds)
    check(backend, "fuse", inputs, outs, THREADS)


def test_a_document_listed_twice_counts_once_at_its_best_position(backend):
    ids, offsets = [np.array([7, 7, 3]), np.array([3])], [np.array([0, 3]), np.array([0, 1])]
    outs = [blank(4, dtype=np.int64), blank(4), blank(1, dtype=np.int64)]
    _, (found, scores, counts) = check(backend, "fuse", (ids, [None, None], offsets, np.ones(2), "rrf", 60.0, -1, np.array([0, 4])), outs)
    assert counts.tolist() == [2]
    assert found[:2].tolist() == [3, 7]
    assert scores[:2].tolist() == [np.float32(1 / 63 + 1 / 61), np.float32(1 / 61)]


def test_empty_lists(backend):
    nothing, offsets = np.empty(0, dtype=np.float32), np.zeros(3, dtype=np.int64)
    for op in ("minmax", "zscore"):
        check(backend, op, (nothing, offsets, 0), [like(nothing)])
        check(backend, op, (nothing, offsets[:1], 0), [like(nothing)])
    ids = np.empty(0, dtype=np.int64)
    outs = [blank(0, dtype=np.int64), blank(0), blank(2, dtype=np.int64)]
    check(backend, "fuse", ([ids, ids], [None, None], [offsets, offsets], np.ones(2), "rrf", 60.0, -1, offsets), outs)
