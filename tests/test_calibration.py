"""Platt and isotonic calibrators against published values, scikit-learn and their own algebra."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastcal as fc

pytestmark = pytest.mark.usefixtures("backend")

PITUITARY_X = [8, 8, 8, 10, 10, 10, 12, 12, 12, 14, 14]


def sample(n: int = 400, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=n)
    return scores, (rng.random(n) < 1 / (1 + np.exp(-2 * scores - 0.5))).astype(int)


@st.composite
def labelled(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scores on a coarse grid (ties happen), labels of both classes, integer weights from 1 to 4."""
    n = draw(st.integers(4, 40))
    scores = np.array(draw(st.lists(st.integers(-20, 20), min_size=n, max_size=n)), dtype=np.float64) / 8
    labels = np.array([0, 1, *draw(st.lists(st.integers(0, 1), min_size=n - 2, max_size=n - 2))])
    weights = np.array(draw(st.lists(st.integers(1, 4), min_size=n, max_size=n)), dtype=np.float64)
    return scores, labels, weights


def brute_force_pava(y: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Min-max formula: the fit at i is the max over starts a <= i of the min over ends b >= i of the mean of a..b."""
    n = len(y)
    mean = [[np.average(y[a : b + 1], weights=w[a : b + 1]) if a <= b else np.nan for b in range(n)] for a in range(n)]
    return np.array([max(min(mean[a][b] for b in range(i, n)) for a in range(i + 1)) for i in range(n)])


# -- Platt -------------------------------------------------------------------------------------------
def test_platt_reaches_the_exact_optimum_of_the_reference_case() -> None:
    cal = fc.PlattCalibrator().fit([5.0, -4.0, 1.0], [1, 0, 0])
    assert cal.a_ == pytest.approx(-0.2026144896184756, abs=1e-10)
    assert cal.b_ == pytest.approx(0.6523666389984493, abs=1e-10)
    assert (cal.a_, cal.b_) == pytest.approx((-0.20261354391187855, 0.65236314980010512), abs=1e-3)


@pytest.mark.parametrize("weighted", [False, True])
def test_platt_equals_scikit_learn(weighted: bool) -> None:
    calibration = pytest.importorskip("sklearn.calibration")
    scores, labels = sample()
    weights = np.random.default_rng(1).uniform(0.1, 3, len(scores)) if weighted else None
    theirs = calibration._SigmoidCalibration().fit(scores, labels, sample_weight=weights)
    ours = fc.PlattCalibrator().fit(scores, labels, sample_weight=weights)
    assert (ours.a_, ours.b_) == pytest.approx((theirs.a_, theirs.b_), abs=1e-4)
    np.testing.assert_allclose(ours.predict(scores), theirs.predict(scores), atol=2e-5)


def test_platt_gradient_vanishes_with_smoothed_targets() -> None:
    scores, labels = sample()
    cal = fc.PlattCalibrator().fit(scores, labels)
    positive, negative = labels.sum(), (1 - labels).sum()
    targets = np.where(labels == 1, (positive + 1) / (positive + 2), 1 / (negative + 2))
    residual = targets - cal.predict(scores)
    assert abs(residual.sum()) < 1e-9
    assert abs(residual @ scores) < 1e-9


@given(labelled(), st.floats(0.01, 1000), st.floats(-100, 100), st.booleans())
def test_platt_predictions_ignore_the_scale_of_the_scores(data: tuple, scale: float, offset: float, flip: bool) -> None:
    scores, labels, weights = data
    moved = (-scale if flip else scale) * scores + offset
    before = fc.PlattCalibrator().fit(scores, labels, weights).predict(scores)
    after = fc.PlattCalibrator().fit(moved, labels, weights).predict(moved)
    np.testing.assert_allclose(after, before, atol=1e-7)


@pytest.mark.parametrize("scale", [1e-300, 1e-30, 1.0, 1e30, 1e300])
def test_platt_survives_huge_tiny_and_separable_scores(scale: float) -> None:
    scores, labels = np.linspace(-1, 1, 50), np.repeat([0, 1], 25)
    probabilities = fc.PlattCalibrator().fit(scores * scale, labels).predict(scores * scale)
    np.testing.assert_allclose(probabilities, fc.PlattCalibrator().fit(scores, labels).predict(scores), atol=1e-9)
    assert probabilities[0] < 0.1
    assert probabilities[-1] > 0.9


@pytest.mark.parametrize("factor", [1e12, 1e300])
def test_platt_survives_huge_weights(factor: float) -> None:
    scores, labels = sample(100)
    heavy = fc.PlattCalibrator().fit(scores, labels, np.full(100, factor))
    heavier = fc.PlattCalibrator().fit(scores, labels, np.full(100, 2 * factor))
    assert heavy.a_ == pytest.approx(heavier.a_)
    assert heavy.a_ < -1.0


def test_platt_refuses_scores_too_close_for_a_slope() -> None:
    with pytest.raises(ValueError, match="rescale"):
        fc.PlattCalibrator().fit([0.0, 5e-324, 1e-323, 2e-323], [0, 0, 1, 1])


def test_platt_recovers_the_posterior_of_two_equal_variance_normals() -> None:
    rng = np.random.default_rng(3)
    scores = np.concatenate([rng.normal(0.2, 0.1, 30_000), rng.normal(0.4, 0.1, 10_000)])
    cal = fc.PlattCalibrator().fit(scores, np.repeat([0, 1], [30_000, 10_000]))
    assert cal.a_ == pytest.approx(-20, rel=0.05)
    assert cal.b_ == pytest.approx(6 + math.log(3), rel=0.05)


def test_platt_on_equal_scores_gives_the_smoothed_base_rate() -> None:
    cal = fc.PlattCalibrator().fit([0.5] * 4, [0, 0, 0, 1])
    assert cal.a_ == 0.0
    assert cal.higher_is_better_ is None
    assert cal.predict([0.5, 9.0]) == pytest.approx((2 / 3 + 3 * (1 / 5)) / 4)


def test_platt_at_the_ends() -> None:
    cal = fc.PlattCalibrator().fit(*sample())
    assert cal.higher_is_better_ is True
    low, high, padding = cal.predict([-np.inf, np.inf, np.nan])
    assert low < 1e-300
    assert high == 1.0
    assert np.isnan(padding)


# -- isotonic ----------------------------------------------------------------------------------------
@pytest.mark.parametrize("out_of_bounds", ["clip", "nan"])
@pytest.mark.parametrize("increasing", [True, False])
@pytest.mark.parametrize("weighted", [False, True])
def test_isotonic_equals_scikit_learn(increasing: bool, weighted: bool, out_of_bounds: str) -> None:
    isotonic = pytest.importorskip("sklearn.isotonic")
    scores, labels = sample(300)
    scores = np.round(scores if increasing else -scores, 1)
    weights = np.random.default_rng(1).integers(0, 4, len(scores)).astype(float) if weighted else None
    theirs = isotonic.IsotonicRegression(increasing=increasing, out_of_bounds=out_of_bounds).fit(scores, labels, sample_weight=weights)
    ours = fc.IsotonicCalibrator(out_of_bounds, increasing=increasing).fit(scores, labels, weights)
    np.testing.assert_allclose(ours.X_thresholds_, theirs.X_thresholds_, rtol=1e-14)
    np.testing.assert_allclose(ours.y_thresholds_, theirs.y_thresholds_, rtol=1e-12)
    grid = np.linspace(-5, 5, 1001)
    np.testing.assert_allclose(ours.predict(grid), theirs.predict(grid), rtol=1e-12, atol=1e-15)
    assert ours.higher_is_better_ is increasing


@given(labelled())
def test_isotonic_equals_the_min_max_formula_and_keeps_the_weighted_mean(data: tuple) -> None:
    scores, labels, weights = data
    cal = fc.IsotonicCalibrator().fit(scores, labels, weights)
    unique, group = np.unique(scores, return_inverse=True)
    w = np.bincount(group, weights)
    np.testing.assert_allclose(cal.predict(unique), brute_force_pava(np.bincount(group, weights * labels) / w, w), atol=1e-12)
    assert weights @ cal.predict(scores) == pytest.approx(weights @ labels)
    assert (np.diff(cal.predict(np.linspace(-3, 3, 101))) >= 0).all()


def test_isotonic_ties_are_one_group() -> None:
    cal = fc.IsotonicCalibrator().fit([float(x) for x in PITUITARY_X], [0, 1, 1, 1, 0, 1, 0, 0, 0, 1, 1])
    assert cal.predict([8.0, 10.0, 12.0, 14.0]) == pytest.approx([4 / 9] * 3 + [1.0])


def test_isotonic_near_equal_and_denormal_scores_stay_finite() -> None:
    near = fc.IsotonicCalibrator().fit([0.0, 1.0, 1.0 + 1e-16, 2.0], [0, 0, 1, 1])
    assert near.X_thresholds_.tolist() == [0.0, 1.0, 2.0]
    assert near.y_thresholds_.tolist() == [0.0, 0.5, 1.0]
    tiny = fc.IsotonicCalibrator().fit([0.0, 4.1e-320, 4.4e-314, 1.0], [0, 1, 0, 1])
    assert np.isfinite(tiny.predict([0.0, 1e-320, 1e-316, 0.5])).all()


def test_isotonic_on_equal_scores_has_one_knot() -> None:
    cal = fc.IsotonicCalibrator().fit([0.5] * 4, [0, 0, 0, 1])
    assert (cal.X_thresholds_.tolist(), cal.y_thresholds_.tolist()) == ([0.5], [0.25])
    assert cal.predict([0.0, 0.5, 1.0]).tolist() == [0.25] * 3


def test_isotonic_out_of_bounds() -> None:
    cal = fc.IsotonicCalibrator().fit([0.0, 1.0], [0, 1])
    assert cal.predict([-1.0, 2.0]).tolist() == [0.0, 1.0]
    assert np.isnan(cal.set_params(out_of_bounds="nan").predict([-1.0, 2.0])).all()
    cal.set_params(out_of_bounds="raise")
    assert np.isnan(cal.predict([0.5, np.nan])[1])
    with pytest.raises(ValueError, match=r"2\.0 at flat position 1 is outside the training scores \[0\.0, 1\.0\]"):
        cal.predict([0.5, 2.0])
    with pytest.raises(ValueError, match="'clip', 'nan', 'raise'"):
        fc.IsotonicCalibrator(out_of_bounds="extrapolate").fit([0.0, 1.0], [0, 1])
    with pytest.raises(TypeError, match="increasing"):
        fc.IsotonicCalibrator(increasing="auto").fit([0.0, 1.0], [0, 1])  # type: ignore[arg-type]


def test_repr_names_what_differs_from_the_defaults() -> None:
    assert repr(fc.IsotonicCalibrator(out_of_bounds="nan")) == "IsotonicCalibrator(out_of_bounds='nan')"
