"""Exact binomial limits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastcal as fc

# R's binom, as statsmodels tests it (results_proportion.py).
R = [
    (18, 20, 0.683017286, 0.9876514728),
    (4, 20, 0.0573339971, 0.436614003),
    (4, 200, 0.0054755659, 0.0504136091),
    (190, 200, 0.9099724623, 0.9757658345),
    (0, 30, 0.0, 0.1157033),
]


@pytest.mark.parametrize(("hits", "trials", "low", "high"), R)
def test_limits_of_r(hits: int, trials: int, low: float, high: float) -> None:
    assert fc.clopper_pearson_interval(hits, trials) == pytest.approx((low, high), abs=5e-8)
    mirrored = fc.clopper_pearson_interval(trials - hits, trials)
    assert mirrored == pytest.approx((1 - high, 1 - low), abs=5e-8)


def test_one_sided_limits_and_closed_forms() -> None:
    assert fc.clopper_pearson_interval(100, 200, 0.9)[0] == pytest.approx(0.439641, abs=5e-7)
    assert fc.clopper_pearson_interval(29, 29, 0.9) == pytest.approx((0.05 ** (1 / 29), 1.0), rel=1e-13)
    assert fc.clopper_pearson_interval(0, 0) == (0.0, 1.0)


def test_limits_of_scipy() -> None:
    beta = pytest.importorskip("scipy.stats").beta
    rng = np.random.default_rng(0)
    for trials in (1, 2, 7, 60, 1000, 30_000):
        hits = np.unique(np.concatenate([[0, 1, trials], rng.integers(0, trials + 1, 8)]))
        for confidence in (0.5, 0.95, 0.999999):
            low, high = fc.clopper_pearson_interval(hits, trials, confidence)
            tail, some, most = (1 - confidence) / 2, hits > 0, hits < trials
            np.testing.assert_allclose(low[some], beta.ppf(tail, hits[some], trials - hits[some] + 1), rtol=1e-9)
            np.testing.assert_allclose(1 - high[most], beta.ppf(tail, trials - hits[most], hits[most] + 1), atol=1e-12)
            assert (low[~some] == 0).all()
            assert (high[~most] == 1).all()


@given(st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.floats(0.01, 0.999))
def test_limits_hold_the_rate_and_are_wider_than_the_tail_they_promise(counts: tuple, confidence: float) -> None:
    hits, trials = counts
    low, high = fc.clopper_pearson_interval(hits, trials, confidence)
    assert 0 <= low <= hits / trials <= high <= 1
    wider = fc.clopper_pearson_interval(hits, trials, (1 + confidence) / 2)
    assert wider[0] <= low
    assert high <= wider[1]


def test_bad_counts() -> None:
    cases = (((3, 2), ValueError, "successes exceed trials"), (("3", 4), TypeError, "expected numbers"), ((1, np.inf), ValueError, "finite"))
    for counts, error, message in cases:
        with pytest.raises(error, match=message):
            fc.clopper_pearson_interval(*counts)
    with pytest.raises(ValueError, match="confidence must be a number strictly between 0 and 1"):
        fc.clopper_pearson_interval(1, 2, 1.0)
