"""Isotonic regression: the monotone step curve closest to the labels, with linear pieces between the steps."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from fastcal import _backend
from fastcal._validate.elements import bad_element
from fastcal._validate.numbers import flag, number, one_of
from fastcal.calibration._base import Calibrator
from fastcal.calibration._blocks import Blocks, centred, pool_adjacent_violators, with_pairs_at_both_ends
from fastcal.calibration._label_noise import LabelNoise
from fastcal.calibration._odds import shifted
from fastcal.calibration._state import float_list, rising_list
from fastcal.errors import InvalidValueError

if TYPE_CHECKING:
    from fastcal._backend.protocol import Array

_OUT_OF_BOUNDS = ("clip", "nan", "raise")
_LAPLACE = "laplace"


class IsotonicCalibrator(Calibrator):
    """Isotonic regression by pooling adjacent violators (Ayer et al. 1955; Zadrozny & Elkan 2002 for probabilities).

    Equal to ``sklearn.isotonic.IsotonicRegression`` but for the default ``out_of_bounds="clip"``. It makes no
    assumption but monotonicity, needs some thousand labels, and by default gives probabilities of exactly 0 and 1 at the ends
    and one probability to all scores of a block, which ties pairs that the scores told apart.

    Parameters
    ----------
    out_of_bounds : {"clip", "nan", "raise"}, default "clip"
        What a score outside the training scores (with ``strict=True``: outside the first and the last knot) gets: the
        probability at that end, NaN, or a ValueError.
    increasing : bool, default True
        False where lower scores are better (distances).
    strict : bool, default False
        Centred isotonic regression (Oron & Flournoy 2017): each block becomes one knot at the weighted mean of its scores,
        with straight lines between. Different scores between the first and the last knot then get different
        probabilities (as far as the dtype can tell them apart), so that order is kept there; scores below the first knot and
        above the last one share its probability, as does everything where `bounds` cut the curve off. The mean
        of the fitted probabilities is no longer exactly that of the labels.
    bounds : None, "laplace" or (low, high), default None
        Keeps probabilities away from 0 and 1. "laplace": the first and the last block are given one relevant and one irrelevant pair of
        weight 1 (Laplace's rule of succession, as for likelihood ratios by Brümmer & de Villiers 2011) and what no longer rises
        is pooled: W pairs that were all irrelevant get 1 / (W + 2). A pair of numbers: probabilities are clipped
        to them. Applied before `prior`.

    Attributes
    ----------
    X_thresholds_, y_thresholds_ : ndarray of float64, shape (n_knots,)
        The curve as fitted: scores, strictly increasing, and probabilities.
    shift_ : float
        What `prior` or :meth:`adjust_prior` added to the log-odds of every probability on the curve, between the knots too.
    base_rate_ : float
        The share of relevant pairs the probabilities are right for.

    Notes
    -----
    With `label_noise` the curve seen is inverted and clipped to [0, 1], which is the most likely one. There is no ``partial_fit``:
    pairs that come later can split blocks, so every distinct score would have to be kept; fit again on all pairs.

    Examples
    --------
    >>> import fastcal as fc
    >>> cal = fc.IsotonicCalibrator().fit([0.1, 0.2, 0.3, 0.4], [0, 1, 0, 1])
    >>> cal.predict([0.0, 0.2, 0.35, 0.9]).round(2).tolist()
    [0.0, 0.5, 0.75, 1.0]
    >>> strict = fc.IsotonicCalibrator(strict=True, bounds="laplace").fit([0.1, 0.2, 0.3, 0.4], [0, 1, 0, 1])
    >>> strict.predict([0.0, 0.2, 0.3, 0.9]).round(2).tolist()
    [0.33, 0.44, 0.56, 0.67]
    """

    json_type: ClassVar[str] = "isotonic"
    _read_by_predict: ClassVar[frozenset[str]] = frozenset({"out_of_bounds"})
    fitted_names: ClassVar[tuple[str, ...]] = ("X_thresholds_", "y_thresholds_", "shift_", "base_rate_")
    X_thresholds_: Array
    y_thresholds_: Array
    shift_: float

    def __init__(
        self, out_of_bounds: str = "clip", *, increasing: bool = True, strict: bool = False, bounds: str | tuple[float, float] | None = None
    ) -> None:
        self.out_of_bounds = out_of_bounds
        self.increasing = increasing
        self.strict = strict
        self.bounds = bounds

    @property
    def higher_is_better_(self) -> bool | None:
        """Whether the probability rises with the score; None if it is constant."""
        self._require_fitted()
        first, last = self.y_thresholds_[0], self.y_thresholds_[-1]
        return None if first == last else bool(first < last)

    def _check_params(self) -> None:
        flag(self.increasing, "increasing")
        flag(self.strict, "strict")
        one_of(self.out_of_bounds, "out_of_bounds", _OUT_OF_BOUNDS)
        if self.bounds is not None and not self._smooths():
            _limits(self.bounds)

    def _smooths(self) -> bool:
        return isinstance(self.bounds, str) and self.bounds == _LAPLACE

    def _fit(self, scores: Array, labels: Array, weights: Array, noise: LabelNoise | None) -> None:
        signed = scores if self.increasing else -scores
        x, y = pool_adjacent_violators(signed, labels, weights)
        if noise is not None:
            y = noise.true_share(y)
        if self.strict or self._smooths():
            blocks = Blocks.of_knots(x, y)
            blocks = with_pairs_at_both_ends(blocks, signed, weights) if self._smooths() else blocks
            x, y = centred(blocks, signed, weights) if self.strict else blocks.knots()
        self._keep(x, y)

    def _fit_labels(self, scores: Array, labels: Array, num_threads: int) -> bool:
        if self.strict or self._smooths():
            return False
        x, y = np.empty(len(scores)), np.empty(len(scores))
        signed = scores if self.increasing else -scores
        count = _backend.active().isotonic_fit_labels(signed, labels, x, y, num_threads=num_threads)
        self._keep(x[:count].copy(), y[:count].copy())
        return True

    def _keep(self, x: Array, y: Array) -> None:
        if self.bounds is not None and not self._smooths():
            y = np.clip(y, *_limits(self.bounds))
        self.X_thresholds_, self.y_thresholds_ = (x, y) if self.increasing else _mirrored(x, y)
        self.shift_ = 0.0

    def _predict(self, scores: Array, out: Array, num_threads: int) -> None:
        outside = None if self.out_of_bounds == "clip" else self._outside(scores)
        x, y = self.X_thresholds_, self.y_thresholds_
        if self.higher_is_better_ is False:
            scores, (x, y) = -scores, _mirrored(x, y)
        if self.shift_ == 0.0:
            _backend.active().isotonic_predict(scores, x, y, out, num_threads=num_threads)
        else:  # float64 in between: a probability near 1 has no digits left for its odds in float32
            curve = np.empty(len(scores))
            _backend.active().isotonic_predict(scores.astype(np.float64), x, y, curve, num_threads=num_threads)
            out[:] = shifted(curve, self.shift_)
        if outside is not None:
            out[outside] = np.nan

    def _score_range(self) -> tuple[float, float, bool]:
        return super()._score_range() if self.out_of_bounds == "clip" else (float(self.X_thresholds_[0]), float(self.X_thresholds_[-1]), True)

    def _outside(self, scores: Array) -> Array:
        low, high = self.X_thresholds_[0], self.X_thresholds_[-1]
        outside: Array = (scores < low) | (scores > high)
        if self.out_of_bounds == "raise" and outside.any():
            first = int(np.argmax(outside))
            raise bad_element(
                f"score {scores[first]} at flat position {first} is ", f"outside the training scores [{low}, {high}]", "scores", first, scores[first]
            )
        return outside

    def _shift_log_odds(self, shift: float) -> None:
        self.shift_ += shift

    def _restore(self, fitted: dict[str, Any]) -> None:
        x, y = float_list(fitted["X_thresholds_"], "X_thresholds_"), float_list(fitted["y_thresholds_"], "y_thresholds_")
        if len(x) != len(y) or len(x) == 0:
            raise InvalidValueError(f"X_thresholds_ and y_thresholds_ have {len(x)} and {len(y)} knots; expected the same number, at least 1")
        steps = np.diff(y if self.increasing else -y)
        if not (steps >= 0).all() or y.min() < 0 or y.max() > 1:
            raise InvalidValueError(f"y_thresholds_ must lie in [0, 1] and {'rise' if self.increasing else 'fall'}")
        self.X_thresholds_, self.y_thresholds_ = rising_list(fitted["X_thresholds_"], "X_thresholds_"), y
        self.shift_ = number(fitted["shift_"], "shift_", "a finite number", math.isfinite)


def _mirrored(x: Array, y: Array) -> tuple[Array, Array]:
    """Knots of the curve read from right to left, as a function of minus the score."""
    return np.ascontiguousarray(-x[::-1]), np.ascontiguousarray(y[::-1])


def _limits(bounds: Any) -> tuple[float, float]:
    if not isinstance(bounds, (tuple, list)) or len(bounds) != 2:
        raise InvalidValueError(f"bounds must be None, 'laplace' or two numbers (low, high), got {bounds!r}")
    low, high = (number(bound, "bounds", "two numbers in [0, 1]", lambda x: 0.0 <= x <= 1.0) for bound in bounds)
    if not low < high:
        raise InvalidValueError(f"bounds must be (low, high) with low < high, got {bounds!r}")
    return low, high
