"""Platt scaling: a logistic curve through the scores, fitted to smoothed targets."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from fastcal import _backend
from fastcal._validate.numbers import number
from fastcal.calibration._base import Calibrator, logit
from fastcal.errors import InvalidValueError

if TYPE_CHECKING:
    from fastcal._backend.protocol import Array


class PlattCalibrator(Calibrator):
    """Platt scaling: p = 1 / (1 + exp(a s + b)).

    Fitted by Newton's method on the cross-entropy to the smoothed targets (N+ + 1) / (N+ + 2) and 1 / (N- + 2),
    N+ and N- being sums of weights (Lin, Lin & Weng, "A note on Platt's probabilistic outputs for support vector
    machines", Machine Learning 68, 2007). Scores may be on any scale: an affine change of the scores leaves the
    probabilities as they are. If all scores are equal, ``a_`` is 0 and every probability is the mean of the
    smoothed targets, the smoothed base rate.

    Attributes
    ----------
    a_, b_ : float
        ``a_`` is negative where higher scores are better.
    base_rate_ : float
        The share of relevant pairs the probabilities are right for.

    Examples
    --------
    >>> import fastcal as fc
    >>> cal = fc.PlattCalibrator().fit([0.2, 0.4, 0.6, 0.8], [0, 1, 0, 1])
    >>> cal.predict([0.2, 0.8]).round(2).tolist()
    [0.35, 0.65]
    """

    json_type: ClassVar[str] = "platt"
    fitted_names: ClassVar[tuple[str, ...]] = ("a_", "b_", "base_rate_")
    a_: float
    b_: float

    @property
    def higher_is_better_(self) -> bool | None:
        """Whether the probability rises with the score; None if it is constant."""
        self._require_fitted()
        return None if self.a_ == 0.0 else self.a_ < 0.0

    def _check_params(self) -> None:
        """There are none."""

    def _fit(self, scores: Array, labels: Array, weights: Array) -> None:
        targets = _smoothed_targets(labels, weights)
        low, high = float(scores.min()), float(scores.max())
        if low == high:
            self.a_, self.b_ = 0.0, -logit(float(np.average(targets, weights=weights)))
            return
        middle, half = low / 2 + high / 2, high / 2 - low / 2
        slope, intercept = _backend.active().platt_fit((scores - middle) / half, targets, weights / weights.max())
        a, b = slope / half, intercept - slope * (middle / half)
        if not (math.isfinite(a) and math.isfinite(b)):
            raise InvalidValueError(f"scores span only {high - low} around {middle}, too little for a slope in float64; rescale them")
        self.a_, self.b_ = a, b

    def _predict(self, scores: Array, out: Array, num_threads: int) -> None:
        _backend.active().platt_predict(scores, self.a_, self.b_, out, num_threads=num_threads)

    def _shift_log_odds(self, shift: float) -> None:
        self.b_ -= shift

    def _restore(self, fitted: dict[str, Any]) -> None:
        self.a_, self.b_ = (number(fitted[name], name, "a finite number", math.isfinite) for name in ("a_", "b_"))


def _smoothed_targets(labels: Array, weights: Array) -> Array:
    positive = float(weights @ labels)
    negative = float(weights @ (1.0 - labels))
    return np.where(labels > 0, (positive + 1.0) / (positive + 2.0), 1.0 / (negative + 2.0))
