"""Confidence sequences: published values, exact coverage over all looks, and definitions computed the slow way."""

from __future__ import annotations

from fractions import Fraction
from math import comb, log, log1p, sqrt

import numpy as np
import pytest
from dynamic_programs import independent, stopping_rate, without_replacement
from hypothesis import given, settings
from hypothesis import strategies as st

import fastcal as fc
from fastcal.intervals.betting import log_capital


def by_counts(sequence, most):
    """Limits by (misses, hits): they depend on the counts alone."""
    low, high = np.zeros((most + 1, most + 1)), np.ones((most + 1, most + 1))
    for misses in range(most + 1):
        below, above = sequence(np.repeat([0, 1], [misses, most - misses]))
        low[misses, 1 if misses == 0 else 0 : most - misses + 1] = below[max(misses - 1, 0) :]
        high[misses, 1 if misses == 0 else 0 : most - misses + 1] = above[max(misses - 1, 0) :]
    return low, high


def error_rate(limits, truth, steps, looks):
    low, high = limits
    return stopping_rate(steps, lambda n, hits: (low[n - hits, hits] > truth) | (high[n - hits, hits] < truth), looks)


@pytest.mark.parametrize(
    ("hits", "n", "best_at", "low", "high"),
    [
        (700, 1000, 100, 0.651629, 0.745949),
        (15, 50, 50, 0.129556, 0.511896),
        (5, 50, 50, 0.013021, 0.269264),
        (1, 50, 50, 0.0, 0.13489),
        (100, 200, 1, 0.328923, 0.671076),
    ],
)
def test_bernoulli_limits_of_confseq(hits, n, best_at, low, high):
    """uniform_boundaries_unittest.cpp: six digits, towards the outside."""
    found = fc.beta_binomial_sequence(np.repeat([0, 1], [n - hits, hits]), best_at=best_at)
    assert (found[0][-1], found[1][-1]) == pytest.approx((low, high), abs=2.1e-6)


@pytest.mark.parametrize("options", [{}, {"prior": (2.0, 0.5)}, {"best_at": 20}])
def test_beta_binomial_coverage_over_all_looks(options):
    limits = by_counts(lambda labels: fc.beta_binomial_sequence(labels, 0.9, **options), 60)
    errors = [error_rate(limits, rate, independent(rate), range(1, 61)) for rate in (0.03, 0.5, 0.9)]
    assert 0.03 < max(errors) <= 0.1


def test_beta_binomial_limits_solve_their_equation():
    """Beta integral of whole parameters: (n + 1) C(n, S) p^S (1 - p)^(n - S) is 1 - confidence at each limit."""
    labels = np.random.default_rng(5).random(80) < 0.7
    low, high = fc.beta_binomial_sequence(labels, 0.95)
    for n, hits in enumerate(np.cumsum(labels).tolist(), start=1):
        for limit, inner in ((low[n - 1], 0.0), (high[n - 1], 1.0)):
            if limit != inner:
                assert (n + 1) * comb(n, hits) * limit**hits * (1 - limit) ** (n - hits) == pytest.approx(0.05, rel=1e-9)
    assert ((low == 0) == (np.cumsum(labels) == 0)).all()


@given(k=st.integers(1, 40), seed=st.integers(0, 2**32), confidence=st.sampled_from(["0.5", "0.9", "0.99"]))
def test_pool_limits_are_exact(k, seed, confidence):
    rng = np.random.default_rng(seed)
    labels = (rng.permutation(k) < rng.integers(0, k + 1))[: rng.integers(0, k + 1)]
    low, high = fc.without_replacement_sequence(labels, k, float(confidence))
    for n, hits in enumerate(np.cumsum(labels).tolist(), start=1):
        ratios = {m: (n + 1) * Fraction(comb(m, hits) * comb(k - m, n - hits), comb(k, n)) for m in range(hits, k - n + hits + 1)}
        numbers = [m for m, ratio in ratios.items() if ratio >= 1 - Fraction(confidence)]
        assert (round(low[n - 1] * k), round(high[n - 1] * k)) == (numbers[0], numbers[-1])
        assert len(numbers) == numbers[-1] - numbers[0] + 1


def test_pool_coverage_over_all_looks():
    k = 60
    limits = by_counts(lambda labels: fc.without_replacement_sequence(labels, k, 0.9), k)
    errors = [error_rate(limits, m / k, without_replacement(k, m), range(1, k + 1)) for m in range(k + 1)]
    assert 0.03 < max(errors) <= 0.1


def test_pool_limits_of_all_positive_labels():
    low, high = fc.without_replacement_sequence(np.ones(50), 50)
    assert (low >= np.arange(1, 51) / 50 - 1e-15).all()
    assert (low[-1], set(high.tolist())) == (1.0, {1.0})
    big = fc.without_replacement_sequence([1, 0, 1, 1] * 100, 2**40)
    np.testing.assert_allclose(big, fc.beta_binomial_sequence([1, 0, 1, 1] * 100), atol=1e-8)


def capital(values, m, delta, cap):
    """Log capital after each value, as in the paper, in plain Python."""
    total, count, squares, logs = 0.0, 0, 0.0, []
    money = 0.0
    for t, x in enumerate(values, start=1):
        variance = (0.25 + squares) / (count + 1) if count else 0.25
        bet = min(sqrt(2 * log(2 / delta) / (variance * t * log1p(t))), cap / m)
        money += log1p(bet * (x - m))
        logs.append(money)
        total, count = total + x, count + 1
        squares += (x - (0.5 + total) / (count + 1)) ** 2
    return logs


@settings(max_examples=30)
@given(values=st.lists(st.floats(0, 1), min_size=1, max_size=40), confidence=st.sampled_from([0.6, 0.95]), cap=st.sampled_from([0.5, 0.75]))
def test_betting_limits_are_the_outermost_cells_not_rejected(values, confidence, cap):
    cells, level = 40, log(2 / (1 - confidence))
    low, high = fc.betting_sequence(values, confidence, cap=cap, resolution=1 / cells)
    for limits, mirrored in ((low, False), (1 - high, True)):
        seen = [1 - x for x in values] if mirrored else values
        table = np.array([capital(seen, m / cells, 1 - confidence, cap) for m in range(1, cells + 1)])
        assert (np.diff(table, axis=0) <= 1e-9).all()
        rejected = [max((m for m in range(1, cells + 1) if column[m - 1] >= level), default=0) for column in table.T]
        assert np.round(limits * cells).tolist() == rejected


def test_betting_on_labels():
    """First looks at which all-positive labels certify 0.9."""
    ones = np.ones(60)
    assert [int(np.argmax(log_capital(ones, 0.9, delta=d) >= -log(d))) + 1 for d in (0.05, 0.1)] == [38, 29]
    low, high = fc.betting_sequence(np.full(300, 0.4), resolution=1e-4)
    fine = fc.betting_sequence(np.full(300, 0.4), resolution=1e-2)
    assert (fine[0] <= low).all()
    assert (high <= fine[1]).all()
    assert high[-1] - low[-1] < 0.05  # values without spread: far below the 0.16 of labels


def test_betting_coverage_over_all_looks():
    """Every sequence of ten values of three sizes, each weighted with its probability."""
    sizes, chances = np.array([0.0, 0.3, 1.0]), np.array([0.1, 0.5, 0.4])
    truth, wrong = float(sizes @ chances), 0.0
    for code in range(3**8):
        digits = np.array([code // 3**i % 3 for i in range(8)])
        low, high = fc.betting_sequence(sizes[digits], 0.6, resolution=0.01)
        wrong += chances[digits].prod() * bool((low > truth).any() or (high < truth).any())
    assert 0.0 < wrong <= 0.4


@pytest.mark.parametrize(
    "sequence", [fc.beta_binomial_sequence, fc.betting_sequence, lambda x, **options: fc.without_replacement_sequence(x, 500, **options)]
)
def test_running_intersection_and_empty_input(sequence):
    labels = np.random.default_rng(2).random(200) < 0.6
    low, high = sequence(labels)
    assert ((low >= 0) & (low <= high) & (high <= 1)).all()
    kept = sequence(labels, running=True)
    np.testing.assert_array_equal(kept, (np.maximum.accumulate(low), np.minimum.accumulate(high)))
    assert [part.shape for part in sequence(labels[:0])] == [(0,), (0,)]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: fc.beta_binomial_sequence([0, 0.5]), ValueError, "labels must be 0 or 1"),
        (lambda: fc.beta_binomial_sequence([1], prior=(1, 0)), ValueError, "prior must be two numbers from 1e-6 to 1e6"),
        (lambda: fc.beta_binomial_sequence([1], prior=1), TypeError, "prior must be a pair"),
        (lambda: fc.beta_binomial_sequence([1], prior=(1, 1), best_at=5), TypeError, "exclude each other"),
        (lambda: fc.beta_binomial_sequence([1], best_at=0), ValueError, "best_at must be an integer of at least 1"),
        (lambda: fc.beta_binomial_sequence([1], running=1), TypeError, "running must be True or False"),
        (lambda: fc.without_replacement_sequence([1, 1], 1), ValueError, "population must be at least the 2 labels"),
        (lambda: fc.without_replacement_sequence([1, 1], 9, 1.0), ValueError, "confidence"),
        (lambda: fc.betting_sequence([0.2, 1.01]), ValueError, "values must be within"),
        (lambda: fc.betting_sequence([0.2, np.nan]), ValueError, "values must be within"),
        (lambda: fc.betting_sequence([[0.2]]), TypeError, "flat array"),
        (lambda: fc.betting_sequence([0.2], resolution=0.7), ValueError, "resolution must be a number from 1e-6 to 0.5"),
        (lambda: fc.betting_sequence([0.2], cap=1.0), ValueError, "cap must be"),
        (lambda: log_capital([0.2], 0.0), ValueError, "null_mean must be"),
    ],
)
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message):
        call()
