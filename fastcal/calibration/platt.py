"""Platt scaling: a logistic curve through the scores, fitted to smoothed targets."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from fastcal import _backend
from fastcal._validate.numbers import number
from fastcal.calibration._base import Calibrator
from fastcal.calibration._inputs import LOGIT, TakesInput, check_input, log_odds, predict_linear
from fastcal.calibration._label_noise import LabelNoise, base_rate
from fastcal.calibration._newton import fit_logistic, smoothed_targets
from fastcal.errors import InvalidValueError

if TYPE_CHECKING:
    from fastcal._backend.protocol import Array


class PlattCalibrator(TakesInput, Calibrator):
    """Platt scaling: p = 1 / (1 + exp(a s + b)).

    Fitted by Newton's method on the cross-entropy to the smoothed targets (N+ + 1) / (N+ + 2) and 1 / (N- + 2),
    N+ and N- being sums of weights (Lin, Lin & Weng, "A note on Platt's probabilistic outputs for support vector
    machines", Machine Learning 68, 2007), without any other penalty. Scores may be on any scale: an affine change of the scores
    leaves the probabilities as they are (with ``input="logit"``). If all scores are equal, ``a_`` is 0 and every probability is
    the mean of the smoothed targets, the smoothed base rate. No ``partial_fit``: the minimiser depends on every pair.

    Parameters
    ----------
    input : {"logit", "cosine", "prob"}, default "logit"
        What s is made of: the score itself; the log-odds 2 atanh(c) of a cosine c, taken as the probability
        (1 + c) / 2; or the log-odds of a probability. Probabilities are clipped to [2**-25, 1 - 2**-25]; cosines and
        probabilities more than 1e-6 outside their range are a ValueError. The conversion is part of the pass of ``predict``.

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

    def __init__(self, input: str = LOGIT) -> None:  # noqa: A002  (what the score is)
        self.input = input

    @property
    def higher_is_better_(self) -> bool | None:
        """Whether the probability rises with the score; None if it is constant."""
        self._require_fitted()
        return None if self.a_ == 0.0 else self.a_ < 0.0

    def _check_params(self) -> None:
        check_input(self.input)

    def _fit(self, scores: Array, labels: Array, weights: Array, noise: LabelNoise | None) -> None:
        logits = log_odds(scores, self.input)
        targets = smoothed_targets(float(weights.sum()), base_rate(labels, weights, noise))
        if noise is None:
            a, b = _backend.active().platt_fit(logits, np.where(labels > 0, targets[1], targets[0]), weights / weights.max())
        else:
            fit = fit_logistic([logits], labels, weights, intercept=True, targets=targets, noise=noise)
            a, b = -fit.slopes[0], -fit.intercept
        if not (math.isfinite(a) and math.isfinite(b)):
            span = f"{logits.max() - logits.min()} around {logits[0]}"
            raise InvalidValueError(f"scores span only {span}, too little for a slope in float64; rescale them")
        self.a_, self.b_ = a, b

    def _predict(self, scores: Array, out: Array, num_threads: int) -> None:
        predict_linear(scores, self.input, -self.a_, -self.b_, out, num_threads)

    def _shift_log_odds(self, shift: float) -> None:
        self.b_ -= shift

    def _restore(self, fitted: dict[str, Any]) -> None:
        self.a_, self.b_ = (number(fitted[name], name, "a finite number", math.isfinite) for name in ("a_", "b_"))
