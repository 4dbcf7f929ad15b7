"""Intervals for one look: published values, exact tails by fractions, bad counts."""

from __future__ import annotations

import math
from fractions import Fraction
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastcal as fc
from fastcal.intervals._counts import log_hypergeometric


def test_jeffreys_limits():
    beta = pytest.importorskip("scipy.stats").beta
    assert fc.jeffreys_interval(100, 200, 0.9)[0] == pytest.approx(0.4421138, abs=5e-8)
    assert fc.jeffreys_interval(0, 0) == (0.0, 1.0)
    hits, trials = np.array([0, 0.3, 1, 18, 29, 30, 5e5]), np.array([30, 30, 30, 30, 30, 30, 1e6])
    low, high = fc.jeffreys_interval(hits, trials, 0.99)
    np.testing.assert_allclose(low[1:], beta.ppf(0.005, hits + 0.5, trials - hits + 0.5)[1:], rtol=1e-9)
    np.testing.assert_allclose(high[hits < trials], beta.ppf(0.995, hits + 0.5, trials - hits + 0.5)[hits < trials], rtol=1e-9)
    assert (low[0], high[5]) == (0.0, 1.0)


def possible(hits, n, k, tail):
    """Every number of positives neither of whose tails is less probable than `tail`, by exact fractions."""

    def at_least(hits, positives):
        ways = sum(comb(positives, x) * comb(k - positives, n - x) for x in range(hits, n + 1) if x <= positives)
        return Fraction(ways, comb(k, n))

    pools = range(hits, k - n + hits + 1)
    return [m for m in pools if at_least(hits, m) >= tail and at_least(n - hits, k - m) >= tail]


@given(k=st.integers(1, 25), data=st.data(), confidence=st.sampled_from(["0.5", "0.8", "0.95", "0.999"]))
def test_hypergeometric_limits_are_exact(k, data, confidence):
    n = data.draw(st.integers(0, k))
    hits = data.draw(st.integers(0, n))
    numbers = possible(hits, n, k, (1 - Fraction(confidence)) / 2)
    low, high = fc.hypergeometric_interval(hits, n, k, float(confidence))
    assert (low, high) == (numbers[0] / k, numbers[-1] / k)
    assert len(numbers) == numbers[-1] - numbers[0] + 1


def test_hypergeometric_limits_of_arrays_and_large_pools():
    exact = pytest.importorskip("scipy.stats").hypergeom
    hits = np.array([[0, 3], [17, 20]])
    low, high = fc.hypergeometric_interval(hits, 20, np.array([50, 20_000]))
    assert low.shape == high.shape == (2, 2)
    for (i, j), h in np.ndenumerate(hits):
        assert (low[i, j], high[i, j]) == fc.hypergeometric_interval(int(h), 20, (50, 20_000)[j])
    low, high = fc.hypergeometric_interval(700, 1000, 10**7, 0.95)
    first, last = round(low * 10**7), round(high * 10**7)
    assert exact.sf(699, 10**7, first, 1000) >= 0.025 > exact.sf(699, 10**7, first - 1, 1000)
    assert exact.cdf(700, 10**7, last, 1000) >= 0.025 > exact.cdf(700, 10**7, last + 1, 1000)
    np.testing.assert_allclose((low, high), fc.clopper_pearson_interval(700, 1000), atol=1e-5)
    assert fc.hypergeometric_interval(3, 7, 7) == (3 / 7, 3 / 7)


def test_probability_of_counts_of_a_huge_pool():
    """Against the product over the draws, and its neighbours against ratios of whole numbers."""
    k, positives, n = 10**9, 95 * 10**7, 100
    at = [np.array([float(x)]) for x in (n, positives, k)]
    chances = [math.exp(log_hypergeometric(np.array([float(hits)]), *at)[0]) for hits in (100, 99, 95)]
    draws = np.arange(n, dtype=np.float64)
    exact = math.exp(np.log1p(-(k - positives) / (k - draws)).sum())
    assert chances[0] == pytest.approx(exact, rel=1e-11)
    assert chances[1] == pytest.approx(exact * float(Fraction(n * (k - positives), positives - n + 1)), rel=1e-11)
    ways = Fraction(comb(100, 95) * math.prod(range(k - positives - 4, k - positives + 1)), math.prod(range(positives - 99, positives - 94)))
    assert chances[2] == pytest.approx(exact * float(ways), rel=1e-11)


def test_bad_counts():
    cases = (
        ((1, 2, 1), ValueError, "population must be at least 1, at least trials"),
        ((0, 0, 0), ValueError, "population must be at least 1"),
        ((1.5, 2, 9), ValueError, "whole numbers"),
        ((3, 2, 9), ValueError, "successes exceed trials"),
        ((1, 2, 2**41), ValueError, "at most 2\\*\\*40"),
        ((1, 2, "9"), TypeError, "expected numbers"),
        ((1, [2, 3], [9, 9, 9]), ValueError, "shapes that broadcast"),
    )
    for counts, error, message in cases:
        with pytest.raises(error, match=message):
            fc.hypergeometric_interval(*counts)
    for interval in (fc.jeffreys_interval, fc.wilson_interval):
        with pytest.raises(ValueError, match="confidence must be a number strictly between 0 and 1"):
            interval(1, 2, 0)
        with pytest.raises(ValueError, match="finite and not negative"):
            interval(-1, 2)
