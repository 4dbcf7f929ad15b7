"""The single rules a policy is made of: a band on the probability or the score, a floor on the score, a gap to the next candidate."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from fastcal._denormals import warn_if_denormals_are_lost
from fastcal._validate.arrays import float_array
from fastcal._validate.numbers import flag, float32_number, instance, number, one_of
from fastcal._validate.scores import probability_array
from fastcal.errors import InvalidValueError
from fastcal.results import RangeResult, SearchResult

if TYPE_CHECKING:
    from fastcal._backend.protocol import Array

Space = Literal["probability", "score"]
SPACES = ("probability", "score")


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


class BandEdges(NamedTuple):
    """Edges rounded to float32, one pair for all queries or a column (n_queries, 1) of them, and whether they belong to the better side."""

    low: Any
    high: Any
    inclusive: Any

    def codes(self, values: Array, higher_is_better: bool = True) -> npt.NDArray[np.uint8]:
        """Return a Decision code per float32 value; NaN reaches no edge."""
        lax, strict = (self.low, self.high) if higher_is_better else (self.high, self.low)
        found = reaches(values, lax, self.inclusive, higher_is_better).view(np.uint8)
        return np.add(found, reaches(values, strict, self.inclusive, higher_is_better), out=found)


class FloorEdges(NamedTuple):
    """A floor rounded to float32, one for all queries or a column (n_queries, 1), and whether it is itself enough."""

    floor: Any
    inclusive: Any


class GapEdges(NamedTuple):
    """The least gap in float64, one for all queries or a column (n_queries, 1) of them, and whether it is relative."""

    min_gap: Any
    relative: Any

    def close(self, values: Array) -> npt.NDArray[np.bool_]:
        """Return whether the first two of each row (n_queries, 2) are closer than the gap, or equal."""
        best, second = values[:, :1].astype(np.float64), values[:, 1:2].astype(np.float64)
        with np.errstate(invalid="ignore"):  # inf - inf
            gap = np.abs(best - second)
        unit = np.where(self.relative, np.abs(best), 1.0)
        close: npt.NDArray[np.bool_] = (gap < self.min_gap * unit) | (best == second)
        return close[:, 0]


@dataclass(frozen=True, slots=True)
class AbstainBand:
    """Two edges on the probability, or on the score: act from the better one on, not found beyond the other, escalate in between.

    Edges and values are rounded once to float32, to nearest, and compared exactly: a float64 probability of
    0.3 is not below an edge of 0.3. A threshold from :func:`fastcal.choose_threshold` selects the same pairs here, but
    for float64 probabilities within one float32 step below it.

    Parameters
    ----------
    low, high : float
        ``low <= high``, in [0, 1] for probabilities, finite for scores. Equal edges leave nothing to escalate; edges that differ
        must differ in float32. For distances `low` is the edge to act on.
    space : {"probability", "score"}, default "probability"
        What the edges cut. A policy asks a band on probabilities of its calibrator's, one on scores of the search's.
    inclusive : bool, default True
        Whether a value equal to an edge is on its better side.

    Raises
    ------
    ValueError
        If an edge is NaN or out of range, `low` exceeds `high`, both round to the same float32, or `space` is not one of the two.
    TypeError
        If an edge is not a number or `inclusive` not a bool.

    Examples
    --------
    >>> import fastcal as fc
    >>> fc.AbstainBand(0.3, 0.9).decide([0.1, 0.3, 0.9, float("nan")]).tolist()
    [0, 1, 2, 0]
    >>> fc.AbstainBand(0.3, 0.9, inclusive=False).decide([0.1, 0.3, 0.9, float("nan")]).tolist()
    [0, 0, 1, 0]
    >>> fc.AbstainBand(0.5, 1.25, space="score").decide([0.5, 1.0, 2.0], higher_is_better=False).tolist()
    [2, 1, 0]
    """

    low: float
    high: float
    space: Space = "probability"
    inclusive: bool = True

    def __post_init__(self) -> None:
        one_of(self.space, "space", SPACES)
        flag(self.inclusive, "inclusive")
        for name in ("low", "high"):
            if self.space == "score":
                float32_number(getattr(self, name), name)
            else:
                number(getattr(self, name), name, "a number in [0, 1]", lambda x: 0.0 <= x <= 1.0)
        if self.low > self.high:
            raise InvalidValueError(f"low={self.low} exceeds high={self.high}; expected low <= high")
        if self.low < self.high and np.float32(self.low) == np.float32(self.high):
            raise InvalidValueError(f"low={self.low} and high={self.high} are the same number in float32; expected edges that differ there")

    def decide(self, values: npt.ArrayLike, *, higher_is_better: bool = True) -> npt.NDArray[np.uint8]:
        """Return a :class:`Decision` code per value, uint8 of the same shape; NaN is NOT_FOUND.

        `higher_is_better` is the direction of scores; probabilities have only one. Raises ValueError for a probability outside
        [0, 1] or with ``higher_is_better=False``, TypeError for an array that is not of a float type.
        """
        if self.space == "probability" and not flag(higher_is_better, "higher_is_better"):
            raise InvalidValueError("higher_is_better=False is for scores; this band cuts probabilities")
        given = probability_array(values) if self.space == "probability" else float_array(values, "scores")
        warn_if_denormals_are_lost(given)
        return self.edges().codes(given.astype(np.float32, copy=False), flag(higher_is_better, "higher_is_better"))

    def edges(self) -> BandEdges:
        """Return the edges as they are compared."""
        return BandEdges(np.float32(self.low), np.float32(self.high), self.inclusive)


@dataclass(frozen=True, slots=True)
class ScoreFloor:
    """A bar on the raw score: what is worse than `floor` is no candidate.

    Parameters
    ----------
    floor : float
        Finite; rounded once to float32. A ceiling where the result holds distances.
    inclusive : bool, default True
        Whether a score equal to the floor reaches it.

    Raises
    ------
    ValueError, TypeError
        If `floor` is not a finite number within the range of float32, or `inclusive` not a bool.

    Examples
    --------
    >>> import numpy as np, fastcal as fc
    >>> found = fc.topk(np.eye(2, dtype=np.float32), np.eye(2, dtype=np.float32), k=2)
    >>> fc.ScoreFloor(0.5).apply(found).ids.tolist()
    [0, 1]
    >>> fc.ScoreFloor(1.0, inclusive=False).apply(found).ids.tolist()
    []
    """

    floor: float
    inclusive: bool = True

    def __post_init__(self) -> None:
        float32_number(self.floor, "floor")
        flag(self.inclusive, "inclusive")

    def apply(self, result: SearchResult) -> RangeResult:
        """Keep what reaches the floor, in the direction of ``result.higher_is_better``; padding and NaN are dropped."""
        instance(result, "result", SearchResult)
        return select(result, self.reached_by(result))

    def reached_by(self, result: SearchResult) -> Array:
        """Return which candidates reach the floor, bool (n_queries, k)."""
        present: Array = result.ids != -1
        return np.logical_and(present, above_floor(result, self.edges()), out=present)

    def edges(self) -> FloorEdges:
        """Return the floor as it is compared."""
        return FloorEdges(np.float32(self.floor), self.inclusive)


@dataclass(frozen=True, slots=True)
class GapCheck:
    """A query whose two best candidates score nearly the same is ambiguous.

    Parameters
    ----------
    min_gap : float
        Positive and finite. A gap below it is ambiguous; so is an exact tie. Gaps are taken in float64, of the scores as they
        are: in float32, 0.9 and 0.8 are 0.09999996 apart, which is below 0.1.
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
        object.__setattr__(self, "relative", flag(self.relative, "relative"))

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
        return self.edges().close(values)

    def edges(self) -> GapEdges:
        """Return the gap as it is compared."""
        return GapEdges(self.min_gap, self.relative)


def reaches(values: Array, edge: Any, inclusive: Any, higher_is_better: bool) -> Array:
    """Return which values are at least as good as the edge, or better than it; `edge` and `inclusive` broadcast against `values`."""
    better, no_worse = (np.greater, np.greater_equal) if higher_is_better else (np.less, np.less_equal)
    if isinstance(inclusive, bool):
        at_least: Array = (no_worse if inclusive else better)(values, edge)
        return at_least
    mixed: Array = better(values, edge) | (inclusive & (values == edge))
    return mixed


def above_floor(result: SearchResult, edges: FloorEdges) -> Array:
    """Return which scores reach a floor, whatever their ids."""
    warn_if_denormals_are_lost(result.scores)
    return reaches(result.scores, edges.floor, edges.inclusive, result.higher_is_better)


def select(result: SearchResult, chosen: Array) -> RangeResult:
    """Keep the candidates marked in ``chosen`` (n_queries, k)."""
    offsets = np.zeros(len(chosen) + 1, dtype=np.int64)
    np.add.reduce(chosen, axis=1, dtype=np.int64).cumsum(out=offsets[1:])
    return RangeResult(offsets, result.scores[chosen], result.ids[chosen], result.higher_is_better)
