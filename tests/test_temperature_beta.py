"""Temperature and beta calibration beside their definitions, grids and scikit-learn."""

from __future__ import annotations

import math

import numpy as np
import pytest
from calibrators import labelled_scores, sample
from hypothesis import given

import fastcal as fc


def log_loss(p, labels, weights=1.0):
    return float((weights * -np.log(np.where(labels > 0, p, 1 - p))).sum())


def logits(p):
    return np.log(p) - np.log1p(-p)


# -- temperature ------------------------------------------------------------------------------------------
@pytest.mark.parametrize("scale", [1e-300, 1e-6, 1.0, 1e6, 1e300])
def test_temperature_is_at_the_optimum_on_every_scale(scale):
    p, labels = sample()
    scores, weights = logits(p), np.linspace(0.5, 2.0, 400)
    cal = fc.TemperatureCalibrator().fit(scores * scale, labels, weights)
    residual = weights * (cal.predict(scores * scale) - labels) * scores
    assert abs(residual.sum()) < 1e-10 * np.abs(residual).sum()
    assert cal.temperature_ / scale == pytest.approx(0.5, rel=0.2)


def test_temperature_never_makes_the_log_loss_worse_and_beats_a_fine_grid():
    rng = np.random.default_rng(5)
    for sharpness in (0.05, 0.3, 1.0, 4.0, 30.0):  # far from 1: where fixed steps of gradient descent do not arrive
        truth = rng.normal(size=3000)
        labels = (rng.random(3000) < 1 / (1 + np.exp(-truth))).astype(int)
        scores = truth * sharpness
        cal = fc.TemperatureCalibrator().fit(scores, labels)
        assert cal.temperature_ == pytest.approx(sharpness, rel=0.15)
        reached = log_loss(cal.predict(scores), labels)
        x = scores[:, None] * np.geomspace(0.5, 2.0, 101) / cal.temperature_
        assert reached <= (np.logaddexp(0.0, x) - labels[:, None] * x).sum(axis=0).min() + 1e-9


def test_temperature_without_an_optimum_above_zero():
    scores, labels = np.array([-2.0, -1.0, 1.0, 3.0]), np.array([0, 0, 1, 1])
    reversed_ = fc.TemperatureCalibrator().fit(scores, 1 - labels)
    assert reversed_.temperature_ == math.inf
    assert reversed_.predict(scores).tolist() == [0.5] * 4
    assert reversed_.higher_is_better_ is None
    assert reversed_.adjust_prior(0.2).predict(9.0) == pytest.approx(0.2)
    told_by_sign = fc.TemperatureCalibrator().fit(scores, labels)
    x = scores / told_by_sign.temperature_
    targets = np.where(labels > 0, 3 / 4, 1 / 4)
    assert abs(((1 / (1 + np.exp(-x)) - targets) * scores).sum()) < 1e-12
    assert fc.TemperatureCalibrator().fit([0.0, 0.0], [0, 1]).temperature_ == math.inf
    with pytest.raises(ValueError, match="rescale"):
        fc.TemperatureCalibrator().fit([-5e-324, 5e-324], [0, 1])


# -- beta -------------------------------------------------------------------------------------------------
def oracle(p, labels, weights, parameters):
    """Unpenalised logistic regression by scikit-learn; a negative coefficient is dropped and the rest fitted again."""
    linear = pytest.importorskip("sklearn.linear_model")

    def fit(*columns):
        model = linear.LogisticRegression(C=np.inf, fit_intercept=parameters != "ab", tol=1e-12, max_iter=10_000, solver="newton-cholesky")
        model.fit(np.column_stack(columns), labels, sample_weight=weights)
        return [*model.coef_[0], float(np.ravel(model.intercept_)[0]) if parameters != "ab" else 0.0]

    if parameters == "am":
        a, c = fit(logits(p))
        return a, a, c
    factor = 2.0 if parameters == "ab" else 1.0
    first, second = np.log(factor * p), -np.log(factor * (1 - p))
    a, b, c = fit(first, second)
    if a < 0:
        a, (b, c) = 0.0, fit(second)
    elif b < 0:
        b, (a, c) = 0.0, fit(first)
    return a, b, (a - b) * math.log(2.0) if parameters == "ab" else c


@pytest.mark.parametrize("parameters", ["abm", "am", "ab"])
@pytest.mark.parametrize("shape", ["sharp", "bent left", "bent right"])
def test_beta_equals_unpenalised_logistic_regression(parameters, shape):
    rng = np.random.default_rng(11)
    p = rng.beta(1.5, 1.5, 3000)
    truth = {"sharp": 1 / (1 + ((1 - p) / p) ** 3), "bent left": p**4, "bent right": 1 - (1 - p) ** 4}[shape]
    labels, weights = (rng.random(3000) < truth).astype(int), rng.uniform(0.2, 2.0, 3000)
    cal = fc.BetaCalibrator(parameters).fit(p, labels, weights)
    assert (cal.a_, cal.b_, cal.c_) == pytest.approx(oracle(p, labels, weights, parameters), rel=1e-5, abs=1e-5)


def test_beta_drops_a_negative_coefficient():
    rng = np.random.default_rng(2)
    p = rng.uniform(0.02, 0.98, 4000)
    for falls_in_ln_p in (True, False):
        odds = -0.8 * np.log(p) - 3.0 * np.log1p(-p) - 4 if falls_in_ln_p else 3.0 * np.log(p) + 0.8 * np.log1p(-p) + 3
        labels = (rng.random(4000) < 1 / (1 + np.exp(-odds))).astype(int)
        cal = fc.BetaCalibrator().fit(p, labels)
        assert (cal.a_, cal.b_, cal.c_) == pytest.approx(oracle(p, labels, None, "abm"), rel=1e-5, abs=1e-5)
        assert (cal.a_ == 0.0) == falls_in_ln_p
        assert (cal.b_ == 0.0) != falls_in_ln_p


def test_beta_contains_the_identity():
    rng = np.random.default_rng(3)
    p = rng.uniform(0.01, 0.99, 200_000)
    cal = fc.BetaCalibrator().fit(p, (rng.random(p.size) < p).astype(int))
    assert (cal.a_, cal.b_, cal.c_) == pytest.approx((1.0, 1.0, 0.0), abs=0.05)
    same = fc.calibrator_from_dict(cal.to_dict() | {"fitted": {"a_": 1.0, "b_": 1.0, "c_": 0.0, "base_rate_": 0.5}})
    np.testing.assert_allclose(same.predict(p), p, rtol=1e-14)


@given(labelled_scores())
def test_beta_is_the_bounded_minimum(data):
    """No small feasible change of the coefficients lowers the loss, whatever was dropped; never falls; always finite."""
    p, labels, weights = data
    cal = fc.BetaCalibrator().fit(p, labels, weights)
    assert np.isfinite([cal.a_, cal.b_, cal.c_]).all()
    assert min(cal.a_, cal.b_) >= 0.0
    if p[labels > 0].min() >= p[labels == 0].max():
        return  # fitted to smoothed targets

    def loss(a, b, c):
        x = a * np.log(p) - b * np.log1p(-p) + c
        return (weights * (np.logaddexp(0.0, x) - labels * x)).sum()

    best = loss(cal.a_, cal.b_, cal.c_)
    for step in ((1e-3, 0, 0), (0, 1e-3, 0), (0, 0, 1e-3), (1e-3, 1e-3, 0), (1e-3, -1e-3, 0)):
        for sign in (1, -1):
            a, b, c = (x + sign * d for x, d in zip((cal.a_, cal.b_, cal.c_), step, strict=True))
            assert loss(max(a, 0.0), max(b, 0.0), c) >= best - 1e-9 * abs(best)


@pytest.mark.parametrize("parameters", ["abm", "am", "ab"])
def test_beta_of_reversed_constant_and_separable_probabilities(parameters):
    p = np.array([0.1, 0.2, 0.8, 0.9])
    reversed_ = fc.BetaCalibrator(parameters).fit(p, [1, 1, 0, 0], [1, 1, 1, 3])
    assert (reversed_.a_, reversed_.b_, reversed_.higher_is_better_) == (0.0, 0.0, None)
    assert reversed_.predict(0.3) == pytest.approx(0.5 if parameters == "ab" else 1 / 3)
    constant = fc.BetaCalibrator(parameters).fit([0.3] * 4, [0, 1, 0, 0])
    assert constant.predict(0.3) == pytest.approx((2 / 3 + 3 / 5) / 4)  # the mean of the smoothed targets
    separable = fc.BetaCalibrator(parameters).fit(p, [0, 0, 1, 1])
    assert np.isfinite(separable.a_ + separable.b_ + separable.c_)
    q = separable.predict([0.0, *p, 1.0])
    assert (np.diff(q) >= 0).all()
    assert q[2] < 0.5 < q[3]
