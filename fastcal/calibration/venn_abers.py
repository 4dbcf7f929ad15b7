"""Inductive Venn-Abers prediction: two probabilities, one of which is calibrated, and one that merges them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from fastcal import _backend
from fastcal._validate.numbers import flag, number
from fastcal.calibration._base import Calibrator
from fastcal.calibration._label_noise import LabelNoise
from fastcal.calibration._odds import shifted
from fastcal.calibration._state import probability_list, rising_list
from fastcal.errors import InvalidValueError

if TYPE_CHECKING:
    from fastcal._backend.protocol import Array


class VennAbersCalibrator(Calibrator):
    """Inductive Venn-Abers predictor (Vovk, Petej & Fedorova 2015), exact for every score, ties included.

    p0 is the isotonic regression, at the test score, of the training pairs and the test pair labelled 0; p1 the same with label 1.
    If training and test pairs are exchangeable, one of the two (that of the true label) is perfectly calibrated, whatever the
    distribution. p1 - p0 tells how much the labels near a score say. :meth:`predict` merges them into
    p1 / (1 - p0 + p1), which minimises the worst regret of the log loss and is never 0 or 1.

    All answers are computed by :meth:`fit`, in O(k log k) for k pairs: both are step functions of the score.

    Parameters
    ----------
    increasing : bool, default True
        False where lower scores are better (distances).

    Attributes
    ----------
    scores_ : ndarray of float64, shape (n,)
        The training scores at which p0 or p1 changes, strictly increasing.
    p0_, p1_ : ndarray of float64, shape (2 n + 1,)
        Entry 2 i + 1 holds at ``scores_[i]``, entry 2 i below it and above the score before; without ``shift_``.
    shift_ : float
        What :meth:`adjust_prior` added to all log-odds.
    base_rate_ : float
        The share of relevant pairs the probabilities are right for.

    Notes
    -----
    `sample_weight` weighs training pairs against the test pair, whose weight is 1: all weights times 10 is ten times the
    evidence, and a narrower interval. A prior moves the log-odds of p0, of p1 and of the merged probability alike.
    `label_noise` is a ValueError: the guarantee is about labels as they are seen, and a corrected curve has none. There is no
    ``partial_fit``: pairs that come later can change every value, so fit again on all pairs.

    Examples
    --------
    >>> import fastcal as fc
    >>> cal = fc.VennAbersCalibrator().fit([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 5.0], [0, 0, 1, 0, 1, 1, 0, 1, 0])
    >>> p0, p1 = cal.predict_interval([4.5, 9.0])
    >>> p0.round(3).tolist(), p1.round(3).tolist()
    ([0.333, 0.5], [0.6, 1.0])
    >>> cal.predict([4.5, 9.0]).round(3).tolist()
    [0.474, 0.667]
    """

    json_type: ClassVar[str] = "venn_abers"
    fitted_names: ClassVar[tuple[str, ...]] = ("scores_", "p0_", "p1_", "shift_", "base_rate_")
    scores_: Array
    p0_: Array
    p1_: Array
    shift_: float

    def __init__(self, *, increasing: bool = True) -> None:
        self.increasing = increasing

    @property
    def higher_is_better_(self) -> bool | None:
        """Whether the probability rises with the score; None if it is constant."""
        self._require_fitted()
        return None if len(self.scores_) == 0 else bool(self.p0_[0] + self.p1_[0] < self.p0_[-1] + self.p1_[-1])

    def predict_interval(self, scores: npt.ArrayLike, num_threads: int | None = None) -> tuple[Array, Array]:
        """Return the probabilities (p0, p1) that each pair is relevant.

        Parameters
        ----------
        scores : array_like of float, any shape
            NaN stays NaN.
        num_threads : int, optional
            The result does not depend on it.

        Returns
        -------
        p0, p1 : ndarray, shape and dtype of `scores`
            p0 <= p1.

        Raises
        ------
        NotFittedError
            Before :meth:`fit`.
        TypeError
            If `scores` is not of a float type.

        Examples
        --------
        >>> import fastcal as fc
        >>> p0, p1 = fc.VennAbersCalibrator().fit([0.0, 1.0], [0, 1]).predict_interval([0.5])
        >>> float(p0[0]), float(p1[0])
        (0.0, 1.0)
        """
        self._require_fitted()
        low, high = (self._map(self._steps(values), scores, None, num_threads) for values in (self.p0_, self.p1_))
        return low, high

    def _steps(self, values: Array) -> Any:
        def mapped(scores: Array, out: Array, num_threads: int) -> None:
            _backend.active().step_predict(scores, self.scores_, shifted(values, self.shift_), out, num_threads=num_threads)

        return mapped

    def _check_params(self) -> None:
        flag(self.increasing, "increasing")

    def _fit(self, scores: Array, labels: Array, weights: Array, noise: LabelNoise | None) -> None:
        if noise is not None:
            raise InvalidValueError("label_noise is not possible with VennAbersCalibrator: its guarantee is about labels as they are seen")
        knots, p0, p1 = np.empty(len(scores)), np.empty(2 * len(scores) + 1), np.empty(2 * len(scores) + 1)
        count = _backend.active().venn_abers_fit(scores if self.increasing else -scores, labels, weights, knots, p0, p1)
        tables = knots[:count].copy(), p0[: 2 * count + 1].copy(), p1[: 2 * count + 1].copy()
        if not self.increasing:
            tables = (0.0 - tables[0][::-1], tables[1][::-1].copy(), tables[2][::-1].copy())
        (self.scores_, self.p0_, self.p1_), self.shift_ = tables, 0.0

    def _predict(self, scores: Array, out: Array, num_threads: int) -> None:
        self._steps(self.p1_ / ((1.0 - self.p0_) + self.p1_))(scores, out, num_threads)

    def _shift_log_odds(self, shift: float) -> None:
        self.shift_ += shift

    def _restore(self, fitted: dict[str, Any]) -> None:
        scores = rising_list(fitted["scores_"], "scores_")
        p0, p1 = (probability_list(fitted[name], name, 2 * len(scores) + 1) for name in ("p0_", "p1_"))
        sign = 1.0 if self.increasing else -1.0
        if not (p0 <= p1).all() or not all((np.diff(sign * p) >= 0.0).all() for p in (p0, p1)):
            raise InvalidValueError(f"p0_ and p1_ must {'rise' if self.increasing else 'fall'}, with p0_ <= p1_")
        self.scores_, self.p0_, self.p1_ = scores, p0, p1
        self.shift_ = number(fitted["shift_"], "shift_", "a finite number", math.isfinite)
