"""Isotonic regression: the monotone step curve closest to the labels, with linear pieces between the steps."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from fastcal import _backend, _threads
from fastcal._validate.numbers import one_of
from fastcal.calibration._base import Calibrator
from fastcal.errors import InvalidTypeError, InvalidValueError

if TYPE_CHECKING:
    from fastcal._backend.protocol import Array

_OUT_OF_BOUNDS = ("clip", "nan", "raise")


class IsotonicCalibrator(Calibrator):
    """Isotonic regression by pooling adjacent violators (Ayer et al. 1955; Zadrozny & Elkan 2002 for probabilities).

    Equal to ``sklearn.isotonic.IsotonicRegression`` but for the default ``out_of_bounds="clip"``. It makes no
    assumption but monotonicity, needs some thousand labels, and gives probabilities of exactly 0 and 1 at the ends.

    Parameters
    ----------
    out_of_bounds : {"clip", "nan", "raise"}, default "clip"
        What a score outside the training scores gets: the probability at that end, NaN, or a ValueError.
    increasing : bool, default True
        False where lower scores are better (distances).

    Attributes
    ----------
    X_thresholds_, y_thresholds_ : ndarray of float64, shape (n_knots,)
        The curve: scores, strictly increasing, and probabilities.
    base_rate_ : float
        The share of relevant pairs the probabilities are right for.

    Examples
    --------
    >>> import fastcal as fc
    >>> cal = fc.IsotonicCalibrator().fit([0.1, 0.2, 0.3, 0.4], [0, 1, 0, 1])
    >>> cal.predict([0.0, 0.2, 0.35, 0.9]).round(2).tolist()
    [0.0, 0.5, 0.75, 1.0]
    """

    json_type: ClassVar[str] = "isotonic"
    fitted_names: ClassVar[tuple[str, ...]] = ("X_thresholds_", "y_thresholds_", "base_rate_")
    X_thresholds_: Array
    y_thresholds_: Array

    def __init__(self, out_of_bounds: str = "clip", *, increasing: bool = True) -> None:
        self.out_of_bounds = out_of_bounds
        self.increasing = increasing

    @property
    def higher_is_better_(self) -> bool | None:
        """Whether the probability rises with the score; None if it is constant."""
        self._require_fitted()
        first, last = self.y_thresholds_[0], self.y_thresholds_[-1]
        return None if first == last else bool(first < last)

    def _check_params(self) -> None:
        if not isinstance(self.increasing, bool):
            raise InvalidTypeError(f"increasing must be True or False, got {self.increasing!r}")
        one_of(self.out_of_bounds, "out_of_bounds", _OUT_OF_BOUNDS)

    def _fit(self, scores: Array, labels: Array, weights: Array) -> None:
        x, y = np.empty_like(scores), np.empty_like(scores)
        count = _backend.active().isotonic_fit(scores if self.increasing else -scores, labels, weights, x, y)
        self._keep(x[:count].copy(), y[:count].copy())

    def _fit_labels(self, scores: Array, labels: Array) -> bool:
        x, y = np.empty(len(scores)), np.empty(len(scores))
        signed = scores if self.increasing else -scores
        count = _backend.active().isotonic_fit_labels(signed, labels, x, y, num_threads=_threads.resolve(None))
        self._keep(x[:count].copy(), y[:count].copy())
        return True

    def _keep(self, *knots: Array) -> None:
        self.X_thresholds_, self.y_thresholds_ = knots if self.increasing else _mirrored(*knots)

    def _predict(self, scores: Array, out: Array, num_threads: int) -> None:
        outside = None if self.out_of_bounds == "clip" else self._outside(scores)
        x, y = self.X_thresholds_, self.y_thresholds_
        if self.higher_is_better_ is False:
            scores, (x, y) = -scores, _mirrored(x, y)
        _backend.active().isotonic_predict(scores, x, y, out, num_threads=num_threads)
        if outside is not None:
            out[outside] = np.nan

    def _outside(self, scores: Array) -> Array:
        low, high = self.X_thresholds_[0], self.X_thresholds_[-1]
        outside: Array = (scores < low) | (scores > high)
        if self.out_of_bounds == "raise" and outside.any():
            first = int(np.argmax(outside))
            raise InvalidValueError(f"score {scores[first]} at flat position {first} is outside the training scores [{low}, {high}]")
        return outside

    def _shift_log_odds(self, shift: float) -> None:
        half = math.exp(-shift / 2)
        with np.errstate(divide="ignore"):
            odds_against = (1.0 - self.y_thresholds_) / self.y_thresholds_
        self.y_thresholds_ = 1.0 / (1.0 + odds_against * half * half)

    def _restore(self, fitted: dict[str, Any]) -> None:
        x, y = _knots(fitted["X_thresholds_"], "X_thresholds_"), _knots(fitted["y_thresholds_"], "y_thresholds_")
        if len(x) != len(y) or len(x) == 0:
            raise InvalidValueError(f"X_thresholds_ and y_thresholds_ have {len(x)} and {len(y)} knots; expected the same number, at least 1")
        if not (np.diff(x) > 0).all():
            raise InvalidValueError("X_thresholds_ must be strictly increasing")
        steps = np.diff(y if self.increasing else -y)
        if not (steps >= 0).all() or y.min() < 0 or y.max() > 1:
            raise InvalidValueError(f"y_thresholds_ must lie in [0, 1] and {'rise' if self.increasing else 'fall'}")
        self.X_thresholds_, self.y_thresholds_ = x, y


def _mirrored(x: Array, y: Array) -> tuple[Array, Array]:
    """Knots of the curve read from right to left, as a function of minus the score."""
    return np.ascontiguousarray(-x[::-1]), np.ascontiguousarray(y[::-1])


def _knots(values: Any, name: str) -> Array:
    numbers = isinstance(values, list) and all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in values)
    if not numbers:
        raise InvalidTypeError(f"{name} must be a list of numbers")
    array = np.asarray(values, dtype=np.float64)
    if not np.isfinite(array).all():
        raise InvalidValueError(f"{name} must be finite")
    return array
