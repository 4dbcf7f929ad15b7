"""The single rules a policy is made of: a band on the probability, a floor on the score, a gap to the next candidate."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fastcal._denormals import warn_if_denormals_are_lost
from fastcal._validate.arrays import float_array
from fastcal._validate.numbers import float32_number, instance, number
from fastcal._validate.scores import probability_array
from fastcal.errors import InvalidValueError
from fastcal.results import RangeResult, SearchResult

if TYPE_CHECKING:
    from fastcal._backend.protocol import Array


class Decision(IntEnum):
    """What to do with a candidate or a query; the codes order from no to yes.

    Examples
    --------
    >>> import fastcal as fc
    >>> fc.Decision(2).name
    'ACT'
    """

    NOT_FOUND = 0
    ESCALATE = 1
    ACT = 2


@dataclass(frozen=True, slots=True)
class AbstainBand:
    """Two edges on the probability: act from `high` on, not found below `low`, escalate in between.

    Edges and probabilities are rounded once to float32, to nearest, and compared exactly: a float64 probability of
    0.3 is not below an edge of 0.3. A threshold from :func:`fastcal.choose_threshold` selects the same pairs here, but
    for float64 probabilities within one float32 step below it.

    Parameters
    ----------
    low, high : float
        In [0, 1], ``low <= high``. Equal edges leave nothing to escalate; edges that differ must differ in float32.

    Raises
    ------
    ValueError
        If an edge is NaN or outside [0, 1], `low` exceeds `high`, or both round to the same float32.
    TypeError
        If an edge is not a number.

    Examples
    --------
    >>> import fastcal as fc
    >>> fc.AbstainBand(0.3, 0.9).decide([0.1, 0.3, 0.9, float("nan")]).tolist()
    [0, 1, 2, 0]
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        for name in ("low", "high"):
            number(getattr(self, name), name, "a number in [0, 1]", lambda x: 0.0 <= x <= 1.0)
        if self.low > self.high:
            raise InvalidValueError(f"low={self.low} exceeds high={self.high}; expected low <= high")
        if self.low < self.high and np.float32(self.low) == np.float32(self.high):
            raise InvalidValueError(f"low={self.low} and high={self.high} are the same number in float32; expected edges that differ there")

    def decide(self, probabilities: npt.ArrayLike) -> npt.NDArray[np.uint8]:
        """Return a :class:`Decision` code per probability, uint8 of the same shape; NaN is NOT_FOUND.

        Raises ValueError for a probability outside [0, 1], TypeError for an array that is not of a float type.
        """
        given = probability_array(probabilities)
        warn_if_denormals_are_lost(given)
        rounded = given.astype(np.float32, copy=False)
        codes: npt.NDArray[np.uint8] = (rounded >= np.float32(self.low)).astype(np.uint8) + (rounded >= np.float32(self.high))
        return codes


@dataclass(frozen=True, slots=True)
class ScoreFloor:
    """A bar on the raw score: what is worse than `floor` is no candidate.

    Parameters
    ----------
    floor : float
        Finite; rounded once to float32; inclusive. A ceiling where the result holds distances.

    Raises
    ------
    ValueError, TypeError
        If `floor` is not a finite number within the range of float32.

    Examples
    --------
    >>> import numpy as np, fastcal as fc
    >>> found = fc.topk(np.eye(2, dtype=np.float32), np.eye(2, dtype=np.float32), k=2)
    >>> fc.ScoreFloor(0.5).apply(found).ids.tolist()
    [0, 1]
    """

    floor: float

    def __post_init__(self) -> None:
        float32_number(self.floor, "floor")

    def apply(self, result: SearchResult) -> RangeResult:
        """Keep what reaches the floor, in the direction of ``result.higher_is_better``; padding is dropped."""
        instance(result, "result", SearchResult)
        return select(result, self.reached_by(result))

    def reached_by(self, result: SearchResult) -> Array:
        """Return which candidates reach the floor, bool (n_queries, k)."""
        warn_if_denormals_are_lost(result.scores)
        floor = np.float32(self.floor)
        reaches = result.scores >= floor if result.higher_is_better else result.scores <= floor
        present: Array = result.ids != -1
        return np.logical_and(reaches, present, out=present)


@dataclass(frozen=True, slots=True)
class GapCheck:
    """A query whose two best candidates score nearly the same is ambiguous.

    Parameters
    ----------
    min_gap : float
        Positive and finite. A gap below it is ambiguous; so is an exact tie. Gaps are taken in float64.
    relative : bool, default False
        Measure the gap in units of the best score's absolute value.

    Raises
    ------
    ValueError, TypeError
        If `min_gap` is not a positive finite number or `relative` not a bool.

    Examples
    --------
    >>> import fastcal as fc
    >>> fc.GapCheck(0.125).ambiguous([[0.75, 0.5], [0.75, 0.7], [0.75, float("nan")]]).tolist()
    [False, True, False]
    """

    min_gap: float
    relative: bool = False

    def __post_init__(self) -> None:
        number(self.min_gap, "min_gap", "a positive finite number", lambda x: 0.0 < x < np.inf)
        instance(self.relative, "relative", bool)

    def ambiguous(self, scores: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Compare the first two scores of each row of `scores` (n_queries, k), best first; return bool (n_queries,).

        Distances work as well: the gap is an absolute difference. A row with one candidate is never ambiguous.
        Raises ValueError for other than two dimensions, TypeError for an array that is not of a float type.
        """
        values = float_array(scores, "scores")
        if values.ndim != 2:
            raise InvalidValueError(f"scores has shape {values.shape}; expected (n_queries, k)")
        if values.shape[1] < 2:
            return np.zeros(len(values), dtype=np.bool_)
        warn_if_denormals_are_lost(values)
        best, second = values[:, :2].astype(np.float64).T
        with np.errstate(invalid="ignore"):  # inf - inf
            gap = np.abs(best - second)
        least = self.min_gap * np.abs(best) if self.relative else self.min_gap
        close: npt.NDArray[np.bool_] = (gap < least) | (best == second)
        return close


def select(result: SearchResult, chosen: Array) -> RangeResult:
    """Keep the candidates marked in ``chosen`` (n_queries, k)."""
    offsets = np.concatenate(([0], np.cumsum(chosen.sum(axis=1)))).astype(np.int64)
    return RangeResult(offsets, result.scores[chosen], result.ids[chosen], result.higher_is_better)
