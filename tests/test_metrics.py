"""Reliability, calibration error, Brier score and separation."""

from __future__ import annotations

import json
import warnings
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastcal as fc
from fastcal import metrics

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.usefixtures("backend")

BINNED = [metrics.reliability_curve, metrics.expected_calibration_error]
ON_PROBABILITIES = [*BINNED, metrics.brier_score]


def sample(n: int = 500) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    probabilities = rng.beta(0.5, 1.5, n)
    return (rng.random(n) < probabilities**1.5).astype(int), probabilities, rng.uniform(0.1, 5, n)


# -- reliability and calibration error ---------------------------------------------------------------
def test_reliability_curve_of_the_scikit_learn_manual() -> None:
    curve = metrics.reliability_curve([0, 0, 0, 0, 1, 1, 1, 1, 1], [0.1, 0.2, 0.3, 0.4, 0.65, 0.7, 0.8, 0.9, 1.0], n_bins=3)
    assert curve.observed_rate == pytest.approx([0, 0.5, 1])
    assert curve.mean_predicted == pytest.approx([0.2, 0.525, 0.85])
    assert curve.count.tolist() == [3, 2, 4]
    assert curve.lower_edge == pytest.approx([0, 1 / 3, 2 / 3])
    assert curve.upper_edge == pytest.approx([1 / 3, 2 / 3, 1])


@pytest.mark.parametrize("strategy", ["uniform", "quantile"])
@pytest.mark.parametrize("n_bins", [1, 4, 15, 200])
def test_reliability_curve_equals_scikit_learn(strategy: str, n_bins: int) -> None:
    calibration = pytest.importorskip("sklearn.calibration")
    labels, probabilities, _ = sample()
    rate, mean = calibration.calibration_curve(labels, probabilities, n_bins=n_bins, strategy=strategy)
    curve = metrics.reliability_curve(labels, probabilities, n_bins, strategy)  # type: ignore[arg-type]
    np.testing.assert_allclose(curve.observed_rate, rate)
    np.testing.assert_allclose(curve.mean_predicted, mean)
    assert curve.count.sum() == len(labels)
    assert len(curve) == len(rate)


def test_reliability_intervals_are_wilson() -> None:
    labels, probabilities, weights = sample()
    curve = metrics.reliability_curve(labels, probabilities, 5)
    low, high = fc.wilson_interval(curve.observed_rate * curve.count, curve.count)
    np.testing.assert_allclose(curve.interval_low, low)
    np.testing.assert_allclose(curve.interval_high, high)
    weighted = metrics.reliability_curve(labels, probabilities, 5, sample_weight=weights)
    assert (weighted.interval_high - weighted.interval_low > 0.0).all()
    assert weighted.count.tolist() == curve.count.tolist()


@pytest.mark.parametrize("function", [metrics.expected_calibration_error, metrics.brier_score])
def test_whole_weights_are_repetitions(function: Callable[..., float]) -> None:
    labels, probabilities, _ = sample(60)
    weights = np.arange(60) % 4
    repeated = function(np.repeat(labels, weights), np.repeat(probabilities, weights))
    assert function(labels, probabilities, sample_weight=weights) == pytest.approx(repeated)
    assert function(labels, probabilities, sample_weight=weights * 1e-200) == pytest.approx(repeated)


def test_expected_calibration_error_reference_values() -> None:
    probabilities, labels = [0.5, 0.5, 0.5, 0.6, 0.5, 0.6, 0.6, 0.6, 0.6], [0, 1, 0, 1, 0, 1, 1, 1, 0]
    assert metrics.expected_calibration_error(labels, probabilities) == pytest.approx(4 / 9 * 0.25 + 5 / 9 * 0.2)
    assert metrics.expected_calibration_error([0, 1], [0.0, 1.0]) == 0.0
    assert metrics.expected_calibration_error([1, 0], [0.0, 1.0]) == 1.0


@given(st.lists(st.tuples(st.integers(0, 1), st.floats(0, 1)), min_size=1, max_size=40), st.integers(1, 20))
def test_one_bin_is_the_difference_of_means_and_more_bins_only_add(pairs: list, n_bins: int) -> None:
    labels, probabilities = np.array(pairs).T
    one = metrics.expected_calibration_error(labels, probabilities, 1)
    assert one == pytest.approx(abs(labels.mean() - probabilities.mean()), abs=1e-12)
    assert one - 1e-12 <= metrics.expected_calibration_error(labels, probabilities, n_bins) <= 1.0
    assert metrics.expected_calibration_error(labels[::-1], probabilities[::-1], n_bins) == pytest.approx(
        metrics.expected_calibration_error(labels, probabilities, n_bins), abs=1e-12
    )


# -- Brier -------------------------------------------------------------------------------------------
def test_brier_reference_value() -> None:
    assert metrics.brier_score([0, 0, 0, 1, 1, 1], [0.4, 0.3, 0.2, 0.1, 0.5, 0.9]) == pytest.approx(0.2266667, abs=5e-8)


def test_brier_equals_scikit_learn() -> None:
    theirs = pytest.importorskip("sklearn.metrics").brier_score_loss
    labels, probabilities, weights = sample()
    assert metrics.brier_score(labels, probabilities) == pytest.approx(theirs(labels, probabilities))
    assert metrics.brier_score(labels, probabilities, weights) == pytest.approx(theirs(labels, probabilities, sample_weight=weights))


def test_calibration_does_not_raise_the_training_brier_score() -> None:
    labels, probabilities, _ = sample()
    fitted = fc.IsotonicCalibrator().fit(probabilities, labels).predict(probabilities)
    assert metrics.brier_score(labels, fitted) <= metrics.brier_score(labels, probabilities)
    assert metrics.expected_calibration_error(labels, fitted, 1) == pytest.approx(0.0, abs=1e-12)


# -- separation --------------------------------------------------------------------------------------
@pytest.mark.parametrize("weighted", [False, True])
def test_auroc_equals_scikit_learn(weighted: bool) -> None:
    theirs = pytest.importorskip("sklearn.metrics").roc_auc_score
    labels, probabilities, weights = sample()
    scores = np.round(probabilities, 1).astype(np.float32)
    weights = weights if weighted else None
    assert metrics.separation(labels, scores, sample_weight=weights).auroc == pytest.approx(theirs(labels, scores, sample_weight=weights))


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 8)), max_size=30))
def test_separation_by_brute_force(pairs: list) -> None:
    labels, scores = np.array([(0, 3), (1, 4), *pairs], dtype=np.float64).T
    relevant, other = scores[labels == 1], scores[labels == 0]
    found = metrics.separation(labels, scores)
    wins = (relevant[:, None] > other).mean() + (relevant[:, None] == other).mean() / 2
    cuts = [(labels[scores >= t].mean(), labels[scores >= t].sum() / labels.sum()) for t in scores]
    assert found.auroc == pytest.approx(wins)
    assert found.best_balance == pytest.approx(max(min(cut) for cut in cuts))
    assert found.best_f1 == pytest.approx(max(2 * p * r / (p + r) if p + r else 0 for p, r in cuts))
    assert found.prevalence == labels.mean()
    assert found.n == len(labels)
    assert 0.0 <= found.overlap <= 1.0 + 1e-12
    mirrored = metrics.separation(labels, -scores, higher_is_better=False)
    assert mirrored.auroc_interval == pytest.approx(found.auroc_interval)
    assert (mirrored.note is None) == (found.note is None)
    assert numbers(mirrored) == pytest.approx(numbers(found) | {"overlap": pytest.approx(mirrored.overlap), "note": mirrored.note})


def numbers(found: metrics.Separation) -> dict:
    """The entries that are not sequences."""
    return {name: value for name, value in found.to_dict().items() if not isinstance(value, list)}


def test_separation_ignores_the_scale_of_the_weights() -> None:
    labels, probabilities, weights = sample(200)
    plain = metrics.separation(labels, probabilities, sample_weight=weights)
    for scale in (1e-300, 1e300):
        scaled = metrics.separation(labels, probabilities, sample_weight=weights * scale)
        assert scaled.auroc_interval == pytest.approx(plain.auroc_interval)
        assert numbers(scaled) == pytest.approx(numbers(plain))
        np.testing.assert_allclose(scaled.relevant_share, plain.relevant_share)


def test_overlap() -> None:
    labels = np.repeat([0, 1], 200)
    assert metrics.separation(labels, np.concatenate([np.linspace(0, 1, 200), np.linspace(2, 3, 200)])).overlap == 0.0
    assert metrics.separation(labels, np.tile(np.linspace(0, 1, 200), 2)).overlap == pytest.approx(1.0)
    constant = metrics.separation(labels, np.full(400, 0.5))
    assert (constant.overlap, constant.auroc) == (1.0, 0.5)


def test_a_fine_auroc_at_low_prevalence_does_not_separate() -> None:
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], [20_000, 20])
    found = metrics.separation(labels, rng.normal(size=20_020) + 2.3 * labels)
    assert found.auroc > 0.9
    assert found.verdict == "these scores cannot separate"
    few = metrics.separation([0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9])
    assert few.verdict == "a threshold can work"
    assert few.note is not None
    assert few.note.startswith("too few pairs to be sure")


@pytest.mark.parametrize("rate", [0.02, 0.3, 0.6, 0.95])
def test_the_verdict_is_measured_from_what_a_cut_at_random_reaches(rate: float) -> None:
    """Noise and constants never separate, whatever the base rate; far apart is far apart, and turned round gets a hint."""
    rng = np.random.default_rng(0)
    labels = rng.random(2000) < rate
    for useless in (rng.random(2000), np.full(2000, 0.5)):
        assert metrics.separation(labels, useless).verdict == "these scores cannot separate"
    scores = rng.normal(size=2000) + 4 * labels
    found, turned = metrics.separation(labels, scores), metrics.separation(labels, -scores)
    assert (found.verdict, found.note) == ("a threshold can work", None)
    assert turned.verdict == "these scores cannot separate"
    assert turned.note == "the scores look reversed; higher_is_better=False may be meant"
    assert metrics.separation(labels, scores, higher_is_better=False).note == turned.note.replace("False", "True")


def test_separation_bad_input() -> None:
    for labels in ([1, 1], [0, 0]):
        with pytest.raises(ValueError, match="one class only"):
            metrics.separation(labels, [0.1, 0.2])
    result = fc.SearchResult(np.array([[0.25, 0.5]], np.float32), np.array([[4, 2]]), higher_is_better=False)
    with pytest.raises(ValueError, match="higher_is_better=False"):
        metrics.separation([[1, 0]], result)  # type: ignore[arg-type]
    assert metrics.separation([[1, 0]], result, higher_is_better=False).auroc == 1.0  # type: ignore[arg-type]


# -- input of all --------------------------------------------------------------------------------------
@pytest.mark.parametrize("function", ON_PROBABILITIES)
@pytest.mark.parametrize(
    ("labels", "probabilities", "message"),
    [
        ([0, 1], [0.5, 1.5], r"probabilities\[1\] is 1.5; expected a probability in \[0, 1\]"),
        ([0, 1], [-0.1, 0.5], r"probabilities\[0\] is -0.1"),
        ([0, 1], [0.5, np.inf], r"probabilities\[1\] is inf"),
        ([0, 1, 1], [0.5, 0.5], "shape"),
        ([0, 2], [0.5, 0.5], r"labels\[1\] is 2"),
        ([], [], "probabilities is empty"),
        ([1], [np.nan], "nothing but NaN"),
    ],
)
def test_bad_probabilities(function: Callable[..., object], labels: list, probabilities: list, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        function(labels, probabilities)


@pytest.mark.parametrize("function", ON_PROBABILITIES)
def test_swapped_arguments_are_noticed(function: Callable[..., object]) -> None:
    with pytest.raises(TypeError, match=r"probabilities must be float32 or float64 .* got dtype int64"):
        function(np.array([0.2, 0.7]), np.array([0, 1]))


@pytest.mark.parametrize("function", ON_PROBABILITIES)
def test_padding_shape_and_dtype_do_not_matter(function: Callable[..., object]) -> None:
    labels, probabilities, _ = sample(60)
    probabilities = probabilities.astype(np.float32)
    padded = np.append(labels, -1).reshape(1, -1), np.append(probabilities, np.float32(np.nan)).reshape(1, -1)
    plain, other = function(labels, probabilities), function(*padded)
    assert str(getattr(plain, "to_dict", lambda: plain)()) == str(getattr(other, "to_dict", lambda: other)())


@pytest.mark.parametrize("function", BINNED)
def test_bad_bins(function: Callable[..., object]) -> None:
    for n_bins in (0, -1):
        with pytest.raises(ValueError, match="n_bins must be an integer of at least 1"):
            function([0, 1], [0.2, 0.7], n_bins)
    for n_bins in (2.5, True, "5"):
        with pytest.raises(TypeError, match="n_bins"):
            function([0, 1], [0.2, 0.7], n_bins)
    with pytest.raises(ValueError, match="'uniform', 'quantile'; got 'mass'"):
        function([0, 1], [0.2, 0.7], strategy="mass")


def test_one_class_and_constant_probabilities_have_values() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert metrics.expected_calibration_error([1, 1], [0.75, 0.75]) == 0.25
        assert metrics.expected_calibration_error([1, 1], [0.75, 0.75], strategy="quantile") == 0.25
        assert metrics.brier_score([0, 0], [0.5, 0.5]) == 0.25


def test_results_are_json() -> None:
    labels, probabilities, weights = sample()
    for result in (metrics.reliability_curve(labels, probabilities, sample_weight=weights), metrics.separation(labels, probabilities)):
        assert json.loads(json.dumps(result.to_dict(), allow_nan=False)) == result.to_dict()


def test_everything_selected_is_of_one_query() -> None:
    """One query shows nothing of the spread between queries: the interval says so, without a numeric warning."""
    found = metrics.precision_recall_at([1, 0, 1], [0.9, 0.8, 0.1], 0.5, groups=[1, 1, 2])
    assert found.precision_interval == pytest.approx(fc.wilson_interval(0.5, 1))
