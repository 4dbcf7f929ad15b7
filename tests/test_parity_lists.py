"""Lists of scores on every backend: normalisation and order, bit for bit."""

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


KINDS = ("minmax", "max", "sum", "l2", "zscore", "dbsf", "given")
# higher_is_better, ddof, n_sigma, eps, tolerance, on_constant, on_single
PLAIN = (True, 0, 3.0, 0.0, 0.0, 0.0, -np.inf)


@st.composite
def rules(draw):
    """The numbers of a rule, by which lists are normalised."""
    fill = st.sampled_from([0.0, 0.5, -0.0, 1.0, float("nan"), np.inf])
    eps, tolerance = draw(st.sampled_from([(0.0, 0.0), (1e-9, 0.0), (0.0, 1e-6)]))
    ddof, n_sigma = draw(st.sampled_from([0, 1, 2])), draw(st.sampled_from([3.0, 0.5]))
    return draw(st.booleans()), ddof, n_sigma, eps, tolerance, draw(fill), draw(fill | st.just(-np.inf))


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data(), case=score_lists(infinities=True))
def test_affine_lists(backend, kind, data, case):
    scores, offsets = case
    given = None
    if kind == "given" or (kind == "minmax" and data.draw(st.booleans())):
        rng = np.random.default_rng(data.draw(seeds))
        given = rng.choice([0.0, -1.0, 0.3, 1e-3, 7.0, *([np.nan] if kind == "minmax" else [])], (len(offsets) - 1, 2))
    check(backend, "affine_lists", (scores, offsets, kind, *data.draw(rules()), given), [like(scores)])


@example(case=(np.ones(2, dtype=np.float32), np.array([0, 2])))
@given(case=score_lists())
def test_a_constant_of_minus_zero_is_zero(backend, case):
    scores, offsets = case
    check(backend, "affine_lists", (scores, offsets, "minmax", *PLAIN[:5], -0.0, -np.inf, None), [like(scores)])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", ["minmax", "sum", "l2", "zscore"])
def test_many_lists_on_every_thread_count(backend, kind, dtype):
    rng = np.random.default_rng(0)
    lengths = rng.integers(0, 3000, 300)
    lengths[17] = 300_001  # several threads share it
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    scores = rng.standard_normal(offsets[-1]).astype(dtype)
    scores[rng.random(scores.size) < 0.01] = np.nan
    scores.flags.writeable = False
    rule = (kind, *PLAIN, None)
    check(backend, "affine_lists", (scores, offsets, *rule), [like(scores)], THREADS)
    bad = scores.copy()
    bad[offsets[[50, 120, 121]]] = np.inf
    assert check(backend, "affine_lists", (bad, offsets, *rule), [like(scores)], THREADS)[0] >= 50
    bad[offsets[18] - 1] = -np.inf
    assert check(backend, "affine_lists", (bad, offsets, *rule), [like(scores)], THREADS)[0] == 17


@given(seed=seeds, size=st.sampled_from([2, 3, 17, 100, 5000]), shift=st.sampled_from([0.0, 1e6]))
def test_zscore_is_close_to_the_exact_moments(backend, seed, size, shift):
    scores = np.random.default_rng(seed).standard_normal(size) + shift
    _, (got,) = call(backend, "affine_lists", (scores, np.array([0, size]), "zscore", *PLAIN, None), [like(scores)])
    exact = [Fraction(s) for s in scores.tolist()]
    mean = sum(exact) / size
    variance = sum((s - mean) ** 2 for s in exact) / size
    truth = np.array([float(s - mean) for s in exact]) / float(variance) ** 0.5
    np.testing.assert_allclose(got, truth, rtol=1e-13, atol=1e-14 + 4e-16 * shift / float(variance) ** 0.5)  # half an ulp of the mean


@given(case=score_lists())
def test_minmax_spans_the_unit_interval_and_is_close_to_its_formula(backend, case):
    scores, offsets = case
    _, (got,) = call(backend, "affine_lists", (scores, offsets, "minmax", *PLAIN, None), [like(scores)])
    np.testing.assert_array_equal(np.isnan(got), np.isnan(scores))
    for start, stop in itertools.pairwise(offsets):
        values, kept = got[start:stop], scores[start:stop].astype(np.longdouble)
        if len(set(kept[~np.isnan(kept)].tolist())) > 1:
            assert np.nanmin(values) == 0.0
            assert np.nanmax(values) == 1.0
            truth = (kept - np.nanmin(kept)) / (np.nanmax(kept) - np.nanmin(kept))
            ulps = np.abs(values - truth) / np.spacing(np.maximum(values, np.finfo(values.dtype).tiny))
            assert np.nanmax(ulps) <= (1.0 if values.dtype == np.float32 else 3.0)  # float64: three roundings, each of at most one ulp


@given(case=score_lists(infinities=True), up=st.booleans(), ties=st.sampled_from(["ordinal", "min", "average"]), pools=st.booleans())
def test_rank_lists(backend, case, up, ties, pools):
    scores, offsets = case
    pool = np.diff(offsets) + np.arange(1, len(offsets)) if pools else None
    check(backend, "rank_lists", (scores, offsets, up, ties, pool), [like(scores)])


@given(case=score_lists(infinities=True))
def test_order_lists(backend, case):
    scores, offsets = case
    check(backend, "order_lists", (scores, offsets), [blank(len(scores), dtype=np.int64)])


def test_empty_lists(backend):
    nothing, offsets = np.empty(0, dtype=np.float32), np.zeros(3, dtype=np.int64)
    for bounds in (offsets, offsets[:1]):
        check(backend, "affine_lists", (nothing, bounds, "minmax", *PLAIN, None), [like(nothing)])
        check(backend, "order_lists", (nothing, bounds), [blank(0, dtype=np.int64)])
