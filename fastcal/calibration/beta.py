"""Beta calibration: a logistic curve in ln p and -ln(1 - p), which can bend either end of a probability."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from fastcal._validate.numbers import number, one_of
from fastcal.calibration._base import Calibrator
from fastcal.calibration._inputs import TakesInput, chances, check_input, predict_beta
from fastcal.calibration._label_noise import LabelNoise, base_rate
from fastcal.calibration._newton import HARD, Fit, fit_logistic, smoothed_targets

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastcal._backend.protocol import Array

_PARAMETERS = ("abm", "am", "ab")


class BetaCalibrator(TakesInput, Calibrator):
    """Beta calibration (Kull, Silva Filho & Flach 2017): log-odds a ln p - b ln(1 - p) + c with a, b >= 0.

    Fitted as an unpenalised logistic regression on [ln p, -ln(1 - p)]; a coefficient below 0 is dropped and the rest fitted
    again, so that the curve never falls. It contains the identity (a = b = 1, c = 0), the curves of Platt and temperature
    scaling on log-odds (a = b), and others that Platt scaling cannot draw. If the probabilities separate the labels, or
    under `label_noise`, labels are replaced by Platt's smoothed targets, so that the coefficients stay finite. If labels do not
    rise with p at all, a = b = 0. No ``partial_fit``: the minimiser depends on every pair.

    Parameters
    ----------
    parameters : {"abm", "am", "ab"}, default "abm"
        All three; a = b; or c = (a - b) ln 2, which keeps p = 1/2 where it is.
    input : {"prob", "cosine", "logit"}, default "prob"
        What a score is: a probability, a cosine (taken as the probability (1 + c) / 2) or log-odds.
        Probabilities are clipped to [2**-25, 1 - 2**-25] as :class:`PlattCalibrator` says, so that 0 and 1 are fine;
        log-odds are clipped with them at about 17.3, and cost a second pass.

    Attributes
    ----------
    a_, b_, c_ : float
        The coefficients.
    base_rate_ : float
        The share of relevant pairs the probabilities are right for.

    Examples
    --------
    >>> import fastcal as fc
    >>> cal = fc.BetaCalibrator().fit([0.1, 0.3, 0.6, 0.8, 0.9, 0.2], [0, 1, 0, 1, 1, 0])
    >>> cal.predict([0.0, 0.3, 0.6, 1.0]).round(2).tolist()
    [0.0, 0.28, 0.59, 1.0]
    """

    json_type: ClassVar[str] = "beta"
    fitted_names: ClassVar[tuple[str, ...]] = ("a_", "b_", "c_", "base_rate_")
    a_: float
    b_: float
    c_: float

    def __init__(self, parameters: str = "abm", *, input: str = "prob") -> None:  # noqa: A002  (what the score is)
        self.parameters = parameters
        self.input = input

    @property
    def higher_is_better_(self) -> bool | None:
        """Whether the probability rises with the score; None if it is constant."""
        self._require_fitted()
        return True if self.a_ > 0.0 or self.b_ > 0.0 else None

    def _check_params(self) -> None:
        one_of(self.parameters, "parameters", _PARAMETERS)
        check_input(self.input)

    def _fit(self, scores: Array, labels: Array, weights: Array, noise: LabelNoise | None) -> None:
        chance, against = chances(scores, self.input)
        separable = chance[labels > 0].min() >= chance[labels == 0].max()
        soft = noise is not None or separable
        targets = smoothed_targets(float(weights.sum()), base_rate(labels, weights, noise)) if soft else HARD

        def fitted(*columns: Array) -> Fit:
            return fit_logistic(columns, labels, weights, intercept=self.parameters != "ab", targets=targets, noise=noise)

        if self.parameters == "am":
            best = _rising(fitted, np.log(chance) - np.log(against))
            self.a_, self.b_, self.c_ = best.slopes[0], best.slopes[0], best.intercept
        elif self.parameters == "abm":
            best = _rising(fitted, np.log(chance), -np.log(against))
            self.a_, self.b_, self.c_ = *best.slopes, best.intercept
        else:
            self.a_, self.b_ = _rising(fitted, np.log(2.0 * chance), -np.log(2.0 * against)).slopes
            self.c_ = (self.a_ - self.b_) * math.log(2.0)

    def _predict(self, scores: Array, out: Array, num_threads: int) -> None:
        predict_beta(scores, self.input, (self.a_, self.b_, self.c_), out, num_threads)

    def _shift_log_odds(self, shift: float) -> None:
        self.c_ += shift

    def _restore(self, fitted: dict[str, Any]) -> None:
        self.a_, self.b_ = (number(fitted[name], name, "a finite number of at least 0", lambda x: 0.0 <= x < math.inf) for name in ("a_", "b_"))
        self.c_ = number(fitted["c_"], "c_", "a finite number", math.isfinite)


def _rising(fitted: Callable[..., Fit], *columns: Array) -> Fit:
    """Return the best fit whose slopes are not negative.

    The loss is convex: if one slope of the free minimum is negative, it is 0 at the bounded one; if both are, at least one.
    """
    free = fitted(*columns)
    if min(free.slopes) >= 0.0:
        return free
    bounded = [fitted()._replace(slopes=[0.0] * len(columns))]
    for i, column in enumerate(columns if len(columns) > 1 else ()):
        fit = fitted(column)
        if fit.slopes[0] > 0.0:
            bounded.append(fit._replace(slopes=[fit.slopes[0] if j == i else 0.0 for j in range(len(columns))]))
    return min(bounded, key=lambda fit: fit.loss)
