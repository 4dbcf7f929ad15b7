"""Labels that are wrong at known rates: the truth is found again, by the most likely curve."""

from __future__ import annotations

import numpy as np
import pytest
from calibrators import CALIBRATORS, fresh, labelled_scores, sample
from hypothesis import given

import fastcal as fc
from fastcal.calibration._newton import fit_logistic, smoothed_targets

NOISE = (0.15, 0.25)
METHODS = [c for c in CALIBRATORS if not isinstance(c, fc.VennAbersCalibrator)]


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def noisy(n, seed=0, noise=NOISE):
    """Scores in (0, 1), true labels, and those of a labeller of those rates."""
    rng = np.random.default_rng(seed)
    t = rng.normal(size=n)
    relevant = rng.random(n) < sigmoid(1.5 * t - 2.0)
    called = np.where(relevant, rng.random(n) >= noise[1], rng.random(n) < noise[0])
    return sigmoid(t), relevant.astype(int), called.astype(int)


@pytest.mark.parametrize("template", METHODS, ids=repr)
def test_biased_without_right_with(template):
    """The curve of the labeller's labels, corrected, is that of the true labels; uncorrected it is far from it."""
    scores, relevant, called = noisy(40_000)
    if template.get_params().get("input") == "logit":
        scores = np.log(scores) - np.log1p(-scores) - 1.0  # some of either sign: these have no intercept, or want none
    true = fresh(template).fit(scores, relevant)
    without, corrected = fresh(template).fit(scores, called), fresh(template).fit(scores, called, label_noise=NOISE)
    assert without.base_rate_ == pytest.approx(called.mean())
    assert abs(corrected.base_rate_ - true.base_rate_) < 0.012 < 0.05 < abs(without.base_rate_ - true.base_rate_)
    wrong, right = (np.abs(cal.predict(scores) - true.predict(scores)).mean() for cal in (without, corrected))
    assert right < 0.02
    assert wrong > 4 * right


@given(labelled_scores())
def test_isotonic_is_the_inverted_curve(data):
    _, labels, weights = data
    seen = weights @ labels / weights.sum()
    if not 0.1 < seen < 0.8:
        return
    plain, corrected = fc.IsotonicCalibrator().fit(*data), fc.IsotonicCalibrator().fit(*data, label_noise=(0.1, 0.2))
    np.testing.assert_array_equal(corrected.y_thresholds_, ((plain.y_thresholds_ - 0.1) / (1 - 0.1 - 0.2)).clip(0, 1))
    assert corrected.base_rate_ == pytest.approx((seen - 0.1) / 0.7)


def em(x, labels, weights, noise, targets, steps=4000):
    """Soft targets from the present curve, one Newton step towards them, again and again."""
    theta = np.zeros(2)
    design = np.stack([x, np.ones_like(x)])
    if_relevant, if_irrelevant = (np.where(labels > 0, 1 - noise[1], noise[1]), np.where(labels > 0, noise[0], 1 - noise[0]))
    for _ in range(steps):
        eta = theta @ design
        p = sigmoid(eta)
        r = if_relevant * np.exp(targets[1] * eta)
        r = r / (r + if_irrelevant * np.exp(targets[0] * eta))
        gradient = design @ (weights * (targets[0] + (targets[1] - targets[0]) * r - p))
        step = np.linalg.solve((design * (weights * p * (1 - p))) @ design.T, gradient)
        theta = theta + step
        if np.abs(step).max() < 1e-10:
            break
    return theta


def test_newton_finds_what_em_finds():
    for seed in range(2):
        scores, _, labels = noisy(300, seed)
        x, weights = np.log(scores) - np.log1p(-scores), np.random.default_rng(seed).uniform(0.2, 1.0, 300)
        weights /= weights.max()
        for targets in ((0.0, 1.0), smoothed_targets(300.0, 0.4)):
            noise = fc.calibration._label_noise.LabelNoise(*NOISE)
            fit = fit_logistic([x], labels, weights, intercept=True, targets=targets, noise=noise)
            assert (fit.slopes[0], fit.intercept) == pytest.approx(em(x, labels, weights, NOISE, targets), rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("template", METHODS, ids=repr)
def test_overstated_noise_gives_finite_curves(template):
    """Separable labels under rates that explain every error: the smoothed targets keep the coefficients finite."""
    scores = np.linspace(0.05, 0.95, 40)
    labels = np.where(scores > 0.5, 1, 0)
    cal = fresh(template).fit(scores, labels, label_noise=(0.2, 0.3))
    assert np.isfinite(cal.predict(scores)).all()
    assert np.isfinite(np.hstack([np.ravel(v) for v in cal.to_dict()["fitted"].values()])).all()
    assert (np.diff(cal.predict(scores)) >= -1e-12).all() or isinstance(cal, fc.HistogramCalibrator)


@pytest.mark.parametrize(
    ("rates", "error", "message"),
    [
        ((0.5, 0.5), ValueError, "sum to less than 1"),
        ((-0.1, 0.0), ValueError, "label_noise must be two rates of at least 0"),
        ((float("nan"), 0.0), ValueError, "label_noise must be two rates"),
        (("a", 0.0), TypeError, "label_noise must be two rates"),
        (0.1, TypeError, "label_noise must be two numbers"),
        ((0.1,), TypeError, "label_noise must be two numbers"),
        ((0.6, 0.0), ValueError, r"of the labels are relevant, and label_noise=\(0.6, 0.0\) expects 0.6 by error alone"),
        ((0.0, 0.5), ValueError, r"of the labels are irrelevant, .* expects 0.5 by error alone"),
    ],
)
@pytest.mark.parametrize("template", [fc.PlattCalibrator(), fc.IsotonicCalibrator(), fc.HistogramCalibrator()], ids=repr)
def test_bad_rates(template, rates, error, message):
    cal = fresh(template).fit(*sample(100))
    before = cal.to_dict()
    labels = np.repeat([1, 0], 50) if rates != (0.0, 0.5) else np.repeat([1, 0], [60, 40])
    with pytest.raises(error, match=message):
        cal.fit(np.linspace(0.1, 0.9, 100), labels, label_noise=rates)
    assert cal.to_dict() == before
