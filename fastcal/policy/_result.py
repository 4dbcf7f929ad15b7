"""What a policy decided, and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from fastcal._validate.numbers import integer
from fastcal.errors import InvalidValueError
from fastcal.policy._rules import Decision
from fastcal.policy._trace import Rules, Step, steps_of
from fastcal.results import RangeResult, SearchResult


class Reason(IntEnum):
    """Which rule made the decision of a query.

    FAILED: the query was to be escalated, and the callback raised or returned what cannot be used.

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
    FAILED = 6


DECISION_OF = np.array([0, 0, 0, 1, 1, 2, 1], dtype=np.uint8)  # indexed by Reason


@dataclass(frozen=True, slots=True, eq=False)
class Escalation:
    """What one escalated query was sent to, and what came back.

    Attributes
    ----------
    step : str
        "rerank" or "widen".
    ids : ndarray of int64, shape (n,)
        The candidates sent to a reranker, or found by widening.
    scores : ndarray of float64, shape (n,)
        What came back for them; empty if the step failed.
    probabilities : ndarray of float32, shape (n,)
        By the calibrator of that step; empty if the step failed or has no calibrator.
    error : str or None
        Type and message of what the callback raised, or why its answer could not be used.
    steps : tuple of Step
        The rules that were asked again; empty if the step failed.

    Examples
    --------
    >>> import numpy as np, fastcal as fc
    >>> fc.Escalation("rerank", np.array([4]), np.empty(0), np.empty(0, np.float32), "TimeoutError: 2 s").error
    'TimeoutError: 2 s'
    """

    step: str
    ids: npt.NDArray[np.int64]
    scores: npt.NDArray[np.float64]
    probabilities: npt.NDArray[np.float32]
    error: str | None = None
    steps: tuple[Step, ...] = ()

    def told(self, outcome: str) -> Step:
        """Return this as a step of a trace."""
        if self.error is not None:
            return Step(self.step, outcome, {"candidates": len(self.ids), "error": self.error})
        best = None if not self.probabilities.size or np.isnan(self.probabilities).all() else float(np.nanmax(self.probabilities))
        return Step(self.step, outcome, {"candidates": len(self.ids), "best_probability": best})

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists, NaN as None."""
        scores, probabilities = _without_nan([self.scores, self.probabilities])
        told = {"step": self.step, "ids": self.ids.tolist(), "scores": scores, "probabilities": probabilities, "error": self.error}
        return told | {"steps": [step.to_dict() for step in self.steps]}


@dataclass(frozen=True, slots=True, eq=False)
class PolicyResult:
    """What :meth:`Policy.decide` or :meth:`Policy.resolve` decided, per query.

    Attributes
    ----------
    decisions : ndarray of uint8, shape (n_queries,)
        :class:`Decision` codes.
    reasons : ndarray of uint8, shape (n_queries,)
        :class:`Reason` codes.
    kept : RangeResult
        Candidates that reach the floor and the lower edge of the band, with the scores of the search. Those of a reranked query
        are in the order of the reranker.
    probabilities : ndarray of float32, shape (n_queries, k), or None
        Of every candidate of `result`, NaN for padding; None without a calibrator. In the row of a reranked query, those of the
        reranker's calibrator, and NaN for candidates that it did not see.
    next_step : ndarray of str, shape (n_queries,)
        Where the decision is ESCALATE, what to do: the policy's `on_escalate`, or "human" where that has been done and
        settled nothing. Else "".
    result : SearchResult
        What was decided on; after widening, with the wider lists.
    rules : Rules
        The edges as they were compared, for :meth:`explain`.
    escalations : mapping of int to Escalation
        By query number, what :meth:`Policy.resolve` sent away and got back; empty after :meth:`Policy.decide`.
    first : PolicyResult or None
        The decision before :meth:`Policy.resolve` sent anything away.

    Examples
    --------
    >>> import numpy as np, fastcal as fc
    >>> found = fc.SearchResult(np.array([[0.75, 0.7]], dtype=np.float32), np.array([[4, 2]]))
    >>> decided = fc.Policy(gap=fc.GapCheck(0.1), on_escalate="human").decide(found)
    >>> decided.next_step.tolist(), decided.kept.ids.tolist()
    (['human'], [4, 2])
    >>> for step in decided.explain(0):
    ...     print(step)
    candidates: passed; found 2, best_score 0.75
    gap: AMBIGUOUS; best 0.75, second 0.7, gap 0.05, min_gap 0.1, relative False
    decision: ESCALATE; next_step human
    """

    decisions: npt.NDArray[np.uint8]
    reasons: npt.NDArray[np.uint8]
    kept: RangeResult
    probabilities: npt.NDArray[np.float32] | None
    next_step: npt.NDArray[np.str_]
    result: SearchResult
    rules: Rules = field(repr=False)
    escalations: Mapping[int, Escalation] = field(default_factory=dict)
    first: PolicyResult | None = field(default=None, repr=False)

    def __len__(self) -> int:
        return len(self.decisions)

    def explain(self, i: int) -> list[Step]:
        r"""Return every rule that was asked about query `i`, in order, with the numbers it saw.

        The first decision is traced rule by rule; what :meth:`Policy.resolve` sent away follows with the rules that were asked again,
        then the decision as it stands.
        Raises ValueError if there is no query `i`, TypeError if it is not an integer.

        Examples
        --------
        >>> import numpy as np, fastcal as fc
        >>> found = fc.SearchResult(np.array([[0.75, 0.7]], dtype=np.float32), np.array([[4, 2]]))
        >>> print(*fc.Policy(floor=fc.ScoreFloor(0.8)).decide(found).explain(0), sep="\n")
        candidates: passed; found 2, best_score 0.75
        floor: BELOW_FLOOR; best_score 0.75, floor 0.8, inclusive True, reached_by 0
        decision: NOT_FOUND
        """
        if integer(i, "i", least=0) >= len(self):
            raise InvalidValueError(f"i must be a query below {len(self)}, got {i}")
        asked = self.first or self
        row = slice(*asked.kept.offsets[i : i + 2])
        steps = steps_of(i, asked.result, asked.probabilities, asked.kept.scores[row], Reason(asked.reasons[i]).name, asked.rules)
        if i in self.escalations:
            sent = self.escalations[i]
            steps += [sent.told(Reason(self.reasons[i]).name), *sent.steps]
        next_step = str(self.next_step[i])
        return [*steps, Step("decision", Decision(self.decisions[i]).name, {"next_step": next_step} if next_step else {})]

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists, codes by name, padding as None."""
        return {
            "decisions": [Decision(code).name for code in self.decisions],
            "reasons": [Reason(code).name for code in self.reasons],
            "kept": self.kept.to_dict(),
            "probabilities": None if self.probabilities is None else _without_nan(self.probabilities),
            "next_step": self.next_step.tolist(),
            "escalations": {str(i): sent.to_dict() for i, sent in self.escalations.items()},
            "steps": [[step.to_dict() for step in self.explain(i)] for i in range(len(self))],
        }


def _without_nan(rows: Iterable[npt.NDArray[Any]]) -> list[list[float | None]]:
    return [[None if np.isnan(v) else float(v) for v in row] for row in rows]
