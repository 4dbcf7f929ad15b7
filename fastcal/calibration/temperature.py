"""Temperature scaling: one number that makes log-odds more or less sure of themselves."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from fastcal._validate.numbers import number
from fastcal.calibration._base import Calibrator
from fastcal.calibration._inputs import LOGIT, TakesInput, check_input, log_odds, predict_linear
from fastcal.calibration._label_noise import LabelNoise, base_rate
from fastcal.calibration._newton import HARD, fit_logistic, smoothed_targets
from fastcal.errors import InvalidValueError

if TYPE_CHECKING:
    from fastcal._backend.protocol import Array


class TemperatureCalibrator(TakesInput, Calibrator):
    """Temperature scaling (Guo et al. 2017): p = 1 / (1 + exp(-s / T)), T > 0, for scores that are log-odds already.

    The log loss is convex in 1/T and is minimised by Newton's method until its gradient is gone in float64. There is no
    intercept: a score of 0 stays at 1/2 (before a prior), so scores that are off by a constant want :class:`PlattCalibrator`.

    Where no temperature above 0 is best, one rule each: if labels do not rise with the scores (no signal, or reversed),
    T is infinite and every probability 1/2; if the sign of the scores tells all labels, or under `label_noise`, labels are replaced
    by Platt's smoothed targets, so that T does not fall to 0. Scores must rise with relevance; negate distances.
    No ``partial_fit``: the minimiser depends on every pair.

    Parameters
    ----------
    input : {"logit", "cosine", "prob"}, default "logit"
        What a score is: log-odds (any number), a cosine c (taken as log-odds 2 atanh(c)) or a probability. Cosines and
        probabilities are clipped as :class:`PlattCalibrator` says.

    Attributes
    ----------
    temperature_ : float
        T; infinite where the scores say nothing.
    slope_, shift_ : float
        1/T, and what :meth:`adjust_prior` added to the log-odds.
    base_rate_ : float
        The share of relevant pairs the probabilities are right for.

    Examples
    --------
    >>> import fastcal as fc
    >>> cal = fc.TemperatureCalibrator().fit([-4.0, -2.0, 1.0, 3.0, -3.0, 4.0], [0, 1, 0, 1, 0, 1])
    >>> round(cal.temperature_, 2)
    2.02
    >>> cal.predict([-4.0, 0.0, 4.0]).round(2).tolist()
    [0.12, 0.5, 0.88]
    """

    json_type: ClassVar[str] = "temperature"
    fitted_names: ClassVar[tuple[str, ...]] = ("slope_", "shift_", "base_rate_")
    slope_: float
    shift_: float

    def __init__(self, input: str = LOGIT) -> None:  # noqa: A002  (what the score is)
        self.input = input

    @property
    def temperature_(self) -> float:
        """T of p = 1 / (1 + exp(-s / T))."""
        self._require_fitted()
        return 1.0 / self.slope_ if self.slope_ > 0.0 else math.inf

    @property
    def higher_is_better_(self) -> bool | None:
        """Whether the probability rises with the score; None if it is constant."""
        self._require_fitted()
        return True if self.slope_ > 0.0 else None

    def _check_params(self) -> None:
        check_input(self.input)

    def _fit(self, scores: Array, labels: Array, weights: Array, noise: LabelNoise | None) -> None:
        logits = log_odds(scores, self.input)
        told_by_sign = bool((np.where(labels > 0, logits, -logits) >= 0.0).all())
        soft = noise is not None or told_by_sign
        targets = smoothed_targets(float(weights.sum()), base_rate(labels, weights, noise)) if soft else HARD
        slope = fit_logistic([logits], labels, weights, intercept=False, targets=targets, noise=noise).slopes[0]
        if not math.isfinite(slope):
            raise InvalidValueError(f"scores reach only to {np.abs(logits).max()}, too little for a slope in float64; rescale them")
        self.slope_, self.shift_ = max(slope, 0.0), 0.0

    def _predict(self, scores: Array, out: Array, num_threads: int) -> None:
        predict_linear(scores, self.input, self.slope_, self.shift_, out, num_threads)

    def _shift_log_odds(self, shift: float) -> None:
        self.shift_ += shift

    def _restore(self, fitted: dict[str, Any]) -> None:
        slope = number(fitted["slope_"], "slope_", "a finite number of at least 0", lambda x: 0.0 <= x < math.inf)
        self.slope_, self.shift_ = slope, number(fitted["shift_"], "shift_", "a finite number", math.isfinite)
