"""Drop-in equality: Platt with scikit-learn's sigmoid, isotonic with its IsotonicRegression, and where they differ."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import fastcal as fc

calibration = pytest.importorskip("sklearn.calibration")
isotonic = pytest.importorskip("sklearn.isotonic")
svm = pytest.importorskip("sklearn.svm")


def sample(n=600, seed=0):
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=n)
    return scores, (rng.random(n) < 1 / (1 + np.exp(-2 * scores - 0.5))).astype(int), rng.uniform(0.1, 3, n)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 25.0, 1e6])
@pytest.mark.parametrize("weighted", [False, True])
def test_platt_is_their_sigmoid_on_any_scale(scale, weighted):
    scores, labels, weights = sample()
    given = (scores * scale, labels, weights if weighted else None)
    theirs = calibration._SigmoidCalibration().fit(*given)
    ours = fc.PlattCalibrator().fit(*given)
    np.testing.assert_allclose(
        ours.predict(given[0]), theirs.predict(given[0]), atol=5e-5 if scale >= 1 else 5e-3
    )  # theirs stops early on tiny scores
    assert loss(ours, *given) <= loss(theirs, *given) + 1e-12


def loss(model, scores, labels, weights):
    """What both minimise: cross-entropy to the smoothed targets."""
    w = np.ones(len(scores)) if weights is None else weights
    positive, negative = w @ labels, w @ (1 - labels)
    t = np.where(labels == 1, (positive + 1) / (positive + 2), 1 / (negative + 2))
    p = model.predict(scores)
    return -np.average(t * np.log(p) + (1 - t) * np.log1p(-p), weights=w)


def test_platt_works_as_the_calibrator_inside_calibrated_classifier_cv(monkeypatch):
    """CalibratedClassifierCV asks its calibrator for fit(scores, labels, weights) and predict(scores): ours has both."""
    scores, labels, weights = sample()
    X = np.stack([scores, np.random.default_rng(1).normal(size=len(scores))], axis=1)

    def probabilities():
        model = calibration.CalibratedClassifierCV(svm.LinearSVC(dual=False), method="sigmoid", cv=3, ensemble=False)
        return model.fit(X, labels, sample_weight=weights).predict_proba(X)[:, 1]

    theirs = probabilities()
    monkeypatch.setattr(calibration, "_SigmoidCalibration", fc.PlattCalibrator)
    np.testing.assert_allclose(probabilities(), theirs, atol=1e-4)


@pytest.mark.parametrize("out_of_bounds", ["clip", "nan"])
@pytest.mark.parametrize("increasing", [True, False])
@pytest.mark.parametrize("grid", [None, 0.5], ids=["distinct", "ties"])
@pytest.mark.parametrize("scale", [1.0, 1e300, 1e-6])
def test_isotonic_is_their_isotonic(out_of_bounds, increasing, grid, scale):
    scores, labels, weights = sample()
    scores = (scores if grid is None else np.round(scores / grid) * grid) * scale
    theirs = isotonic.IsotonicRegression(out_of_bounds=out_of_bounds, increasing=increasing)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # scipy's interpolation overflows on 1e300
        theirs = theirs.fit(scores, labels, weights)
        asked = np.linspace(-5, 5, 501) * scale
        expected = theirs.predict(asked)
    ours = fc.IsotonicCalibrator(out_of_bounds, increasing=increasing).fit(scores, labels, weights)
    np.testing.assert_allclose(ours.y_thresholds_, theirs.y_thresholds_, rtol=1e-9, atol=1e-15)
    np.testing.assert_allclose(ours.predict(asked), expected, rtol=1e-9, atol=1e-12)


def test_isotonic_on_float32_keeps_the_dtype_and_their_values():
    scores, labels, weights = sample()
    single = scores.astype(np.float32)
    theirs = isotonic.IsotonicRegression(out_of_bounds="clip").fit(single, labels, weights).predict(single)
    ours = fc.IsotonicCalibrator().fit(single, labels, weights).predict(single)
    assert ours.dtype == theirs.dtype == np.float32
    np.testing.assert_allclose(ours, theirs, atol=2e-6)
    exact = fc.IsotonicCalibrator().fit(single.astype(float), labels, weights).predict(single.astype(float))
    assert np.abs(ours - exact).max() <= 2.0**-24  # theirs fits in float32, ours in float64


def test_isotonic_refuses_what_theirs_refuses_outside_the_training_scores():
    scores, labels, _ = sample()
    for model in (isotonic.IsotonicRegression(out_of_bounds="raise"), fc.IsotonicCalibrator("raise")):
        model.fit(scores, labels)
        with pytest.raises(ValueError, match=r"outside the training scores|below the interpolation range"):
            model.predict(np.array([scores.min() - 1.0]))


def test_documented_differences():
    """Defaults and limits on which the twins part; docs of IsotonicCalibrator and this test name all of them."""
    scores, labels, _ = sample()
    outside = np.array([-99.0, 99.0])
    assert np.isnan(isotonic.IsotonicRegression().fit(scores, labels).predict(outside)).all()
    assert fc.IsotonicCalibrator().fit(scores, labels).predict(outside).tolist() == [0.0, 1.0]
    tiny = isotonic.IsotonicRegression().fit(scores * 1e-300, labels)  # it takes scores closer than 1e-15 for equal
    assert len(tiny.X_thresholds_) == 1
    assert len(fc.IsotonicCalibrator().fit(scores * 1e-300, labels).X_thresholds_) == len(fc.IsotonicCalibrator().fit(scores, labels).X_thresholds_)
    with pytest.raises(ValueError, match="expected 0 or 1"):
        fc.IsotonicCalibrator().fit(scores, labels + 0.5)  # probabilities of labels, not any regression
    with pytest.raises(ValueError, match="NaN"):
        isotonic.IsotonicRegression().fit(np.append(scores, np.nan), np.append(labels, 0))
    padded = fc.IsotonicCalibrator().fit(np.append(scores, np.nan), np.append(labels, 0))  # NaN is padding
    assert padded.to_dict() == fc.IsotonicCalibrator().fit(scores, labels).to_dict()
    with pytest.raises(ValueError, match="one class only"):
        fc.PlattCalibrator().fit(scores, np.ones(len(scores)))
