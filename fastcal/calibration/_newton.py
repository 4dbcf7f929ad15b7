"""Logistic curves of one to three coefficients by Newton's method, with soft targets and labels that may be wrong.

A relevant pair is worth t1 log-odds against the curve and an irrelevant one t0 (1 and 0, or Platt's smoothed targets): with
log-odds x, ln f_y(x) = t_y x - softplus(x). The label seen is drawn from the true one with known chances, so its log-likelihood is
ln sum_y P(seen | y) f_y(x). Its EM algorithm would fit soft targets (1 - r) t0 + r t1, r = P(relevant | seen, x), again and
again; Newton's method on the same function gets there in a few steps. Where the noise bends the function the wrong way, the step
is that of EM (Fisher scoring on the complete labels); no step that does not lower the loss is taken.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from fastcal.calibration._label_noise import LabelNoise

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fastcal._backend.protocol import Array

HARD = (0.0, 1.0)
_NO_NOISE = LabelNoise(0.0, 0.0)
_MAX_STEPS = 500
_GRADIENT_TOLERANCE = 1e-14  # per unit of weight
# A step that promises less than this share of the loss is judged by the gradient: its decrease is lost in rounding.
_TRUSTED = 1e-9
_SINGULAR = 1e-13


class Fit(NamedTuple):
    """The coefficients of the columns, the intercept (0.0 without one), and minus the log-likelihood, in units of the largest weight."""

    slopes: list[float]
    intercept: float
    loss: float


class _Point(NamedTuple):
    loss: float
    gradient: Array
    hessian: Array
    complete: Array  # the Hessian if the true labels were known: positive semi-definite


def smoothed_targets(weight: float, rate: float) -> tuple[float, float]:
    """Platt's targets of irrelevant and relevant pairs, of which there are `weight` in all."""
    return 1.0 / (weight * (1.0 - rate) + 2.0), (weight * rate + 1.0) / (weight * rate + 2.0)


def fit_logistic(
    columns: Sequence[Array],
    labels: Array,
    weights: Array,
    *,
    intercept: bool,
    targets: tuple[float, float] = HARD,
    noise: LabelNoise | None = None,
) -> Fit:
    """Return the most likely log-odds, linear in the columns.

    A column without spread (or all 0, without an intercept) gets coefficient 0; among collinear columns the smallest
    coefficients in standard units are chosen.
    """
    weights = weights / weights.max()
    centres = [float(np.average(c, weights=weights)) if intercept else 0.0 for c in columns]
    centred = [c - centre for c, centre in zip(columns, centres, strict=True)]
    units = [float(np.abs(c).max()) or 1.0 for c in centred]
    scaled = [c / unit for c, unit in zip(centred, units, strict=True)]
    design = [*scaled, np.ones_like(labels)] if intercept else scaled
    problem = _Likelihood(design, labels, weights, targets, noise or _NO_NOISE)
    best, loss = _minimise(problem, np.zeros(len(design)))
    slopes = [float(b) / unit for b, unit in zip(best, units, strict=False)]
    offset = sum(slope * centre for slope, centre in zip(slopes, centres, strict=True))
    return Fit(slopes, float(best[-1]) - offset if intercept else 0.0, loss)


class _Likelihood:
    """Minus the log-likelihood and its derivatives."""

    def __init__(self, design: list[Array], labels: Array, weights: Array, targets: tuple[float, float], noise: LabelNoise) -> None:
        self._design, self._weights, self._targets = design, weights, targets
        with np.errstate(divide="ignore"):
            called_relevant = np.log([1.0 - noise.false_negative, noise.false_positive])
            called_irrelevant = np.log([noise.false_negative, 1.0 - noise.false_positive])
        called = np.where(labels > 0, called_relevant[:, None], called_irrelevant[:, None])
        self._if_relevant, self._if_irrelevant = called
        self.tolerance = _GRADIENT_TOLERANCE * float(weights.sum())

    def at(self, coefficients: Array) -> _Point:
        t0, t1 = self._targets
        x = np.zeros_like(self._weights)
        for coefficient, column in zip(coefficients, self._design, strict=True):
            x += coefficient * column
        relevant, irrelevant = self._if_relevant + t1 * x, self._if_irrelevant + t0 * x
        seen = np.logaddexp(relevant, irrelevant)
        share = np.exp(relevant - seen)
        e = np.exp(-np.abs(x))
        p = np.where(x > 0, 1.0, e) / (1.0 + e)
        loss = float((self._weights * (np.maximum(x, 0.0) + np.log1p(e) - seen)).sum())
        gradient = self._sums(self._weights * (p - (t0 + (t1 - t0) * share)))
        curvature = self._weights * (e / (1.0 + e) ** 2)
        complete = self._products(curvature)
        missing = self._weights * share * (1.0 - share) * (t1 - t0) ** 2
        return _Point(loss, gradient, complete - self._products(missing) if missing.any() else complete, complete)

    def _sums(self, values: Array) -> Array:
        return np.array([(values * column).sum() for column in self._design])

    def _products(self, values: Array) -> Array:
        return np.array([self._sums(values * column) for column in self._design])


def _minimise(problem: _Likelihood, start: Array) -> tuple[Array, float]:
    here, point = start, problem.at(start)
    for _ in range(_MAX_STEPS):
        if np.abs(point.gradient).max(initial=0.0) <= problem.tolerance:
            break
        step = _downhill(point)
        promised = -float(point.gradient @ step)
        if not promised > 0.0:
            break
        if promised <= _TRUSTED * point.loss:
            then = problem.at(here + step)
            if not np.abs(then.gradient).max() < np.abs(point.gradient).max():
                break
            here, point = here + step, then
            continue
        length = 1.0
        while not (then := problem.at(here + length * step)).loss <= point.loss - 1e-4 * length * promised:
            length /= 2.0
            if length < 1e-12:
                return here, point.loss
        here, point = here + length * step, then
    return here, point.loss


def _downhill(point: _Point) -> Array:
    """Newton's step; that of the complete labels where the function is not convex."""
    values, axes = np.linalg.eigh(point.hessian)
    if values[0] < -_SINGULAR * abs(values[-1]) or values[-1] <= 0.0:
        values, axes = np.linalg.eigh(point.complete)
    inverse = np.divide(1.0, values, out=np.zeros_like(values), where=values > _SINGULAR * values[-1])
    step: Array = -(axes @ (inverse * (axes.T @ point.gradient)))
    return step
