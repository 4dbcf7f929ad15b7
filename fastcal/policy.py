"""From scores to a decision per query: act, escalate, or say that nothing was found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from fastcal._rules import AbstainBand, Decision, GapCheck, ScoreFloor, select
from fastcal._validate.numbers import instance, one_of
from fastcal.calibration import Calibrator
from fastcal.errors import InvalidValueError
from fastcal.results import RangeResult, SearchResult

if TYPE_CHECKING:
    from fastcal._backend.protocol import Array

__all__ = ["AbstainBand", "Decision", "GapCheck", "Policy", "PolicyResult", "Reason", "ScoreFloor"]

OnEscalate = Literal["rerank", "widen", "human"]


class Reason(IntEnum):
    """Which rule made the decision of a query.

    Examples
    --------
    >>> import fastcal as fc
    >>> fc.Reason(4).name
    'AMBIGUOUS'
    """

    NO_CANDIDATE = 0
    BELOW_FLOOR = 1
    BELOW_BAND = 2
    IN_BAND = 3
    AMBIGUOUS = 4
    ACCEPTED = 5


@dataclass(frozen=True, slots=True, eq=False)
class PolicyResult:
    """What :meth:`Policy.decide` decided, per query.

    Attributes
    ----------
    decisions : ndarray of uint8, shape (n_queries,)
        :class:`Decision` codes.
    reasons : ndarray of uint8, shape (n_queries,)
        :class:`Reason` codes.
    kept : RangeResult
        Candidates that reach the floor and the lower edge of the band.
    probabilities : ndarray of float32, shape (n_queries, k), or None
        Of every candidate, NaN for padding; None without a calibrator.
    next_step : ndarray of str, shape (n_queries,)
        The policy's `on_escalate` where the decision is ESCALATE, else "".

    Examples
    --------
    >>> import numpy as np, fastcal as fc
    >>> found = fc.SearchResult(np.array([[0.75, 0.7]], dtype=np.float32), np.array([[4, 2]]))
    >>> decided = fc.Policy(gap=fc.GapCheck(0.1), on_escalate="human").decide(found)
    >>> decided.next_step.tolist(), decided.kept.ids.tolist()
    (['human'], [4, 2])
    """

    decisions: npt.NDArray[np.uint8]
    reasons: npt.NDArray[np.uint8]
    kept: RangeResult
    probabilities: npt.NDArray[np.float32] | None
    next_step: npt.NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.decisions)

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists, codes by name, padding as None."""
        return {
            "decisions": [Decision(code).name for code in self.decisions],
            "reasons": [Reason(code).name for code in self.reasons],
            "kept": self.kept.to_dict(),
            "probabilities": None if self.probabilities is None else _without_nan(self.probabilities),
            "next_step": self.next_step.tolist(),
        }


@dataclass(frozen=True, slots=True, eq=False)
class Policy:
    """Floor, calibrated probability, band and gap, asked in this order; each is optional.

    A query is NOT_FOUND if it has no candidate, none reaches the floor, or none reaches the band's lower edge. It
    is ESCALATE if the best probability lies inside the band, or if it would be accepted but its two best kept
    candidates are too close. Otherwise it is ACT.

    Parameters
    ----------
    calibrator : Calibrator, optional
        Fitted before :meth:`decide` is called.
    band : AbstainBand, optional
        Needs a calibrator.
    floor : ScoreFloor, optional
    gap : GapCheck, optional
        On the raw scores of the kept candidates.
    on_escalate : {"rerank", "widen", "human"}, default "rerank"
        Named in ``next_step`` for queries that escalate.

    Raises
    ------
    ValueError
        If `band` is given without `calibrator`, or `on_escalate` is not one of the three.
    TypeError
        If a part is of another type.

    Examples
    --------
    >>> import numpy as np, fastcal as fc
    >>> found = fc.topk(np.eye(2, dtype=np.float32), np.eye(2, dtype=np.float32), k=2)
    >>> decided = fc.Policy(floor=fc.ScoreFloor(0.5), gap=fc.GapCheck(0.1)).decide(found)
    >>> [fc.Decision(code).name for code in decided.decisions]
    ['ACT', 'ACT']
    """

    calibrator: Calibrator | None = None
    band: AbstainBand | None = None
    floor: ScoreFloor | None = None
    gap: GapCheck | None = None
    on_escalate: OnEscalate = "rerank"

    def __post_init__(self) -> None:
        for name, kind in (("calibrator", Calibrator), ("band", AbstainBand), ("floor", ScoreFloor), ("gap", GapCheck)):
            if getattr(self, name) is not None:
                instance(getattr(self, name), name, kind)
        if self.band is not None and self.calibrator is None:
            raise InvalidValueError("a band cuts probabilities and needs a calibrator; cut raw scores with floor=")
        one_of(self.on_escalate, "on_escalate", ("rerank", "widen", "human"))
        if self.on_escalate != "rerank" and self.band is None and self.gap is None:
            raise InvalidValueError(f"on_escalate={self.on_escalate!r} has nothing to act on: without a band or a gap no query escalates")

    def decide(self, result: SearchResult) -> PolicyResult:
        """Decide every query of a search result.

        Raises
        ------
        TypeError
            If `result` is not a SearchResult.
        ValueError
            If the calibrator is not fitted, or gives better scores a lower probability.
        """
        instance(result, "result", SearchResult)
        probabilities = self._probabilities(result)
        present = result.ids != -1
        above = present if self.floor is None else self.floor.reached_by(result)
        codes = self._codes(above, probabilities)
        kept = select(result, codes > Decision.NOT_FOUND)
        reasons = self._reasons(present, above, codes, kept)
        decisions = _DECISION_OF[reasons]
        next_step = np.where(decisions == Decision.ESCALATE, self.on_escalate, "")
        return PolicyResult(decisions, reasons, kept, probabilities, next_step)

    def _probabilities(self, result: SearchResult) -> Array | None:
        if self.calibrator is None:
            return None
        probabilities = self.calibrator.predict(result.scores)
        rises = self.calibrator.higher_is_better_
        if rises is not None and rises != result.higher_is_better:
            raise InvalidValueError(f"the calibrator has higher_is_better_={rises}, the result higher_is_better={result.higher_is_better}")
        return probabilities

    def _codes(self, above: Array, probabilities: Array | None) -> Array:
        """Decision code of each candidate, gap aside."""
        if self.band is None or probabilities is None:
            return np.where(above, np.uint8(Decision.ACT), np.uint8(Decision.NOT_FOUND))
        return np.where(above, self.band.decide(probabilities), np.uint8(Decision.NOT_FOUND))

    def _reasons(self, present: Array, above: Array, codes: Array, kept: RangeResult) -> Array:
        """Reason code of each query: the furthest rule its best candidate got to."""
        reasons = np.full(len(codes), Reason.ACCEPTED, dtype=np.uint8)
        if self.gap is not None:
            reasons[self.gap.ambiguous(_best_two(kept))] = Reason.AMBIGUOUS
        best = codes.max(axis=1, initial=Decision.NOT_FOUND)
        reasons[best == Decision.ESCALATE] = Reason.IN_BAND
        reasons[best == Decision.NOT_FOUND] = Reason.BELOW_BAND
        reasons[~above.any(axis=1)] = Reason.BELOW_FLOOR
        reasons[~present.any(axis=1)] = Reason.NO_CANDIDATE
        return reasons


_DECISION_OF = np.array([0, 0, 0, 1, 1, 2], dtype=np.uint8)  # indexed by Reason


def _best_two(kept: RangeResult) -> Array:
    """Scores (n_queries, 2) of the first two rows of each query, padded with NaN."""
    places = kept.offsets[:-1, None] + np.arange(2)
    padded = np.concatenate((kept.scores, np.full(2, np.nan, dtype=np.float32)))
    return np.where(places < kept.offsets[1:, None], padded[places], np.float32(np.nan))


def _without_nan(values: Array) -> list[list[float | None]]:
    return [[None if np.isnan(v) else float(v) for v in row] for row in values]
