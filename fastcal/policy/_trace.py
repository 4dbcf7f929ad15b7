"""The trace of one query: each rule that was asked, what it said, and the numbers it saw."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fastcal.policy._rules import BandEdges, FloorEdges, GapEdges, reaches

if TYPE_CHECKING:
    from fastcal._backend.protocol import Array
    from fastcal.results import SearchResult


@dataclass(frozen=True, slots=True)
class Step:
    """One rule asked about one query.

    Attributes
    ----------
    rule : str
        "candidates", "floor", "band", "gap", "rerank", "widen" or "decision".
    outcome : str
        "passed", or the name of the :class:`Reason` or :class:`Decision` it led to.
    numbers : dict
        What was compared, as plain JSON types.

    Examples
    --------
    >>> import fastcal as fc
    >>> print(fc.Step("floor", "passed", {"best_score": 0.75, "floor": 0.5}))
    floor: passed; best_score 0.75, floor 0.5
    """

    rule: str
    outcome: str
    numbers: dict[str, Any]

    def __str__(self) -> str:
        told = ", ".join(f"{name} {_short(value)}" for name, value in self.numbers.items())
        return f"{self.rule}: {self.outcome}; {told}" if told else f"{self.rule}: {self.outcome}"

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types."""
        return {"rule": self.rule, "outcome": self.outcome, "numbers": dict(self.numbers)}


class Rules(NamedTuple):
    """The edges that a decision was made with, and what the band cut."""

    floor: FloorEdges | None
    band: BandEdges | None
    space: str
    gap: GapEdges | None


def steps_of(i: int, result: SearchResult, probabilities: Array | None, kept_scores: Array, reason: str, rules: Rules) -> list[Step]:
    """Return the steps of query `i` as far as it got: `reason` is the rule that ended it, or ACCEPTED."""
    scores, higher = result.scores[i], result.higher_is_better
    present = (result.ids[i] != -1) & ~np.isnan(scores)
    found = int(np.count_nonzero(present))
    best = _best(scores[present], higher)
    steps = [Step("candidates", _said(reason, "NO_CANDIDATE"), {"found": found, "best_score": best})]
    if rules.floor is not None and reason != "NO_CANDIDATE":
        floor, inclusive = (_at(edge, i) for edge in rules.floor)
        present &= reaches(scores, np.float32(floor), inclusive, higher)
        numbers = {"best_score": best, "floor": floor, "inclusive": inclusive, "reached_by": int(np.count_nonzero(present))}
        steps.append(Step("floor", _said(reason, "BELOW_FLOOR"), numbers))
    if rules.band is not None and reason not in {"NO_CANDIDATE", "BELOW_FLOOR"}:
        by_score = rules.space == "score" or probabilities is None
        values = scores if by_score or probabilities is None else probabilities[i]
        steps.append(band_step(i, values[present], rules.space, higher or not by_score, reason, rules.band))
    if rules.gap is not None and reason in {"AMBIGUOUS", "ACCEPTED"}:
        steps.append(_gap_step(i, kept_scores, reason, rules.gap))
    return steps


def band_step(i: int, values: Array, space: str, higher_is_better: bool, reason: str, band: BandEdges) -> Step:
    """Return what the band of query `i` said to the values of its candidates."""
    low, high, inclusive = (_at(edge, i) for edge in band)
    best = _best(values[~np.isnan(values)], higher_is_better)
    return Step("band", _said(reason, "BELOW_BAND", "IN_BAND"), {f"best_{space}": best, "low": low, "high": high, "inclusive": inclusive})


def _gap_step(i: int, kept_scores: Array, reason: str, gap: GapEdges) -> Step:
    least, relative = (_at(edge, i) for edge in gap)
    if len(kept_scores) < 2:
        return Step("gap", "passed", {"best": float(kept_scores[0]), "second": None, "min_gap": least, "relative": relative})
    best, second = (float(score) for score in kept_scores[:2])
    numbers = {"best": best, "second": second, "gap": abs(best - second), "min_gap": least, "relative": relative}
    return Step("gap", _said(reason, "AMBIGUOUS"), numbers)


def _said(reason: str, *verdicts: str) -> str:
    return reason if reason in verdicts else "passed"


def _best(values: Array, higher_is_better: bool) -> float | None:
    if not values.size:
        return None
    return float(values.max() if higher_is_better else values.min())


def _at(edge: Any, i: int) -> Any:
    """Return the edge of query `i` as a plain number, of one for all queries or of a column."""
    return (edge[i] if np.ndim(edge) else np.asarray(edge)).reshape(()).item()


def _short(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
