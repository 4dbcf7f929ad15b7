"""Lists of scores on every backend: minmax and zscore, bit for bit."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from parity import THREADS, blank, call, check
from strategies import score_lists, seeds


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


def test_empty_lists(backend):
    nothing, offsets = np.empty(0, dtype=np.float32), np.zeros(3, dtype=np.int64)
    for op in ("minmax", "zscore"):
        check(backend, op, (nothing, offsets, 0), [like(nothing)])
        check(backend, op, (nothing, offsets[:1], 0), [like(nothing)])
