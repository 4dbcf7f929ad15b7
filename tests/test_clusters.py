"""Effective trials and resampling by query."""

from __future__ import annotations

import functools
import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastcal as fc
from fastcal import _clusters, metrics

LABELS = st.lists(st.integers(0, 1), min_size=2, max_size=40)


def clustered(n_queries: int, size: int, seed: int, spread: float = 1.5) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels whose log-odds share a part within each query, their probabilities given that part unknown, and query ids."""
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(n_queries), size)
    odds = rng.normal(0, 1, groups.size) + spread * rng.normal(0, 1, n_queries)[groups]
    return (rng.random(groups.size) < 1 / (1 + np.exp(-odds))).astype(np.uint8), odds, groups


# -- effective trials ----------------------------------------------------------------------------------------
@given(LABELS)
def test_queries_of_one_pair_are_pairs(labels: list) -> None:
    y = np.array(labels)
    assert _clusters.effective_trials(y, None, np.arange(len(y))) == pytest.approx((y.sum(), len(y)))
    assert _clusters.effective_trials(y, None, None) == (y.sum(), len(y))


@given(LABELS, st.integers(1, 5), st.booleans())
def test_trials_lie_between_one_and_the_pairs(labels: list, size: int, weighted: bool) -> None:
    y = np.array(labels)
    weights = np.random.default_rng(0).random(len(y)) if weighted else None
    hits, trials = _clusters.effective_trials(y, weights, np.arange(len(y)) // size)
    _, kish = _clusters.effective_trials(y, weights, None)
    rate = np.average(y, weights=weights)
    assert min(1.0, kish) - 1e-12 <= trials <= kish + 1e-9
    assert hits / trials == pytest.approx(rate)
    low, high = fc.wilson_interval(hits, trials)
    assert low < high


@pytest.mark.parametrize("value", [0, 1])
def test_where_all_agree_the_queries_are_the_trials(value: int) -> None:
    labels, groups = np.full(60, value), np.repeat(np.arange(6), 10)
    assert _clusters.effective_trials(labels, None, groups) == (6 * value, 6)


def test_copies_of_a_pair_know_no_more_than_the_pair() -> None:
    y = np.random.default_rng(1).integers(0, 2, 200)
    _, trials = _clusters.effective_trials(np.repeat(y, 7), None, np.repeat(np.arange(200), 7))
    assert trials == pytest.approx(200, rel=0.01)


def test_bins_are_judged_alone() -> None:
    labels, _, groups = clustered(40, 6, seed=3)
    bins, weights = np.arange(240) % 3, np.random.default_rng(0).random(240)
    hits, trials = _clusters.effective_trials_by_bin(bins, 4, labels, weights, groups)
    for at in range(3):
        alone = _clusters.effective_trials(labels[bins == at], weights[bins == at], groups[bins == at])
        assert (hits[at] / trials[at], trials[at]) == pytest.approx((alone[0] / alone[1], alone[1]))
    assert (hits[3], trials[3]) == (0, 0)


def test_the_interval_by_query_covers_and_that_by_pair_does_not() -> None:
    """Of 400 intervals at 95 % of the same rate .5, those by pair miss it about four times too often."""
    missed = np.zeros(2)
    for seed in range(400):
        labels, _, groups = clustered(40, 10, seed)
        for at, codes in enumerate((groups, None)):
            low, high = fc.wilson_interval(*_clusters.effective_trials(labels, None, codes))
            missed[at] += not low <= 0.5 <= high
    assert missed[0] <= 400 * 0.05 + 3 * np.sqrt(400 * 0.05 * 0.95)
    assert missed[1] > 400 * 0.15


# -- resampling --------------------------------------------------------------------------------------------------
def test_every_resample_of_four_queries_is_equally_likely() -> None:
    sums = np.array([[1.0, 2.0], [0.0, 1.0], [3.0, 3.0], [1.0, 5.0]])
    exact = np.array([np.divide(*sums[list(drawn)].sum(axis=0)) for drawn in itertools.product(range(4), repeat=4)])
    hits, total = _clusters.resampled_sums(sums, 40_000, seed=0).T
    for limit in np.quantile(exact, [0.1, 0.5, 0.9]):
        assert np.mean(hits / total <= limit + 1e-12) == pytest.approx(np.mean(exact <= limit + 1e-12), abs=0.011)


def test_a_seed_is_one_result_whatever_the_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    sums = np.random.default_rng(0).integers(0, 9, (37, 2)).astype(float)
    whole = _clusters.resampled_sums(sums, 300, seed=5)
    monkeypatch.setattr(_clusters, "BLOCK", 100)
    np.testing.assert_array_equal(_clusters.resampled_sums(sums, 300, seed=5), whole)
    assert (_clusters.resampled_sums(sums, 300, seed=6) != whole).any()


@pytest.mark.parametrize(
    ("metric", "options"),
    [
        (metrics.brier_score, {}),
        (metrics.log_loss, {}),
        (metrics.brier_skill, {"base_rate": 0.3}),
        (metrics.brier_skill, {}),
        (metrics.expected_calibration_error, {"n_bins": 4}),
        (metrics.expected_calibration_error, {"norm": "max"}),
        (metrics.expected_calibration_error, {"norm": "l2", "n_bins": 3}),
    ],
)
@pytest.mark.parametrize("weighted", [False, True])
def test_the_bootstrap_of_sums_is_that_of_repeated_pairs(metric, options: dict, weighted: bool) -> None:
    labels, odds, groups = clustered(25, 4, seed=1)
    weights = np.random.default_rng(2).random(100) if weighted else None
    given_ = {"groups": groups, "n_resamples": 200, "seed": 4, "sample_weight": weights}
    fast = metrics.bootstrap(metric, labels, 1 / (1 + np.exp(-odds)), **given_, **options)
    slow = metrics.bootstrap(functools.partial(metric), labels, 1 / (1 + np.exp(-odds)), **given_, **options)
    assert fast.to_dict() == pytest.approx(slow.to_dict(), rel=1e-9)
    assert (fast.n, fast.n_groups, fast.interval) == (100, 25, (fast.low, fast.high))
    assert fast.low <= fast.value <= fast.high > fast.low


def test_bootstrap_by_query_is_wider_than_by_pair_and_takes_any_callable() -> None:
    labels, odds, groups = clustered(40, 10, seed=0)
    by_query = metrics.bootstrap(lambda y, p: float(np.mean(y)), labels, odds, groups=groups, n_resamples=400)
    by_pair = metrics.bootstrap(lambda y, p: float(np.mean(y)), labels, odds, n_resamples=400)
    assert by_query.value == by_pair.value == labels.mean()
    assert by_query.high - by_query.low > 1.5 * (by_pair.high - by_pair.low)


@pytest.mark.parametrize(
    ("metric", "truth"),
    [
        (metrics.expected_calibration_error, 0.0),
        (functools.partial(metrics.expected_calibration_error, strategy="quantile"), 0.0),
        (functools.partial(metrics.debiased_calibration_error), 0.0),
        (metrics.expected_calibration_error, 0.09),
    ],
)
def test_intervals_of_calibration_errors_hold_the_truth_and_the_value(metric, truth: float) -> None:
    held = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        p = rng.uniform(0.1, 0.9, (60, 5))
        found = metrics.bootstrap(metric, rng.random((60, 5)) < p + truth, p, groups=np.arange(60), n_resamples=100)
        assert 0.0 <= found.low <= found.value <= found.high <= 1.0
        held += found.low <= truth <= found.high
    assert held >= 16


def test_a_metric_of_ones_own_can_ask_for_mirrored_intervals() -> None:
    labels, odds, groups = clustered(25, 4, seed=1)
    given_ = {"groups": groups, "n_resamples": 100}
    p = 1 / (1 + np.exp(-odds))
    own = metrics.bootstrap(lambda y, p: metrics.expected_calibration_error(y, p, 15), labels, p, interval="mirrored", **given_)
    assert own.to_dict() == pytest.approx(metrics.bootstrap(metrics.expected_calibration_error, labels, p, **given_).to_dict(), rel=1e-9)
    bca = metrics.bootstrap(metrics.expected_calibration_error, labels, p, interval="bca", **given_)
    assert (bca.low, bca.high) != (own.low, own.high)
    for error in (metrics.smooth_ece, metrics.debiased_calibration_error):
        assert metrics.bootstrap(error, labels, p, **given_) == metrics.bootstrap(error, labels, p, interval="mirrored", **given_)
    with pytest.raises(ValueError, match='interval="mirrored" is for metrics between 0 and 1, and this one is'):
        metrics.bootstrap(lambda y, p: 2.0, labels, p, interval="mirrored")
    with pytest.raises(ValueError, match="interval must be one of"):
        metrics.bootstrap(metrics.brier_score, labels, p, interval="basic")  # type: ignore[arg-type]


def test_bad_bootstraps() -> None:
    with pytest.raises(ValueError, match="holds one query"):
        metrics.bootstrap(metrics.brier_score, [0, 1], [0.2, 0.7], groups=["a", "a"])
    with pytest.raises(TypeError, match="metric must be callable, got str"):
        metrics.bootstrap("brier", [0, 1], [0.2, 0.7])  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="n_resamples must be an integer of at least 100"):
        metrics.bootstrap(metrics.brier_score, [0, 1], [0.2, 0.7], n_resamples=99)
    with pytest.raises(ValueError, match="more than half of the resamples"):
        metrics.bootstrap(lambda y, p: np.nan if y.sum() != 2 else 1.0, [0, 0, 0, 1, 1], [0.1] * 5)
