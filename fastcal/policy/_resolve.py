"""Queries that a policy cannot settle: sent to a callback one by one, judged, and decided again."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fastcal._validate.arrays import as_array
from fastcal.calibration import Calibrator
from fastcal.errors import EscalationWarning, InvalidTypeError, InvalidValueError
from fastcal.policy._result import DECISION_OF, Escalation, PolicyResult, Reason
from fastcal.policy._rules import BandEdges, Decision
from fastcal.policy._trace import band_step
from fastcal.results import RangeResult, SearchResult

if TYPE_CHECKING:
    from fastcal._backend.protocol import Array

Reranker = Callable[[Any, npt.NDArray[np.int64]], npt.ArrayLike]
_NO_SCORES, _NO_PROBABILITIES = np.empty(0, np.float64), np.empty(0, np.float32)


def reranked(decided: PolicyResult, queries: Sequence[Any] | Array, reranker: Reranker, calibrator: Calibrator) -> PolicyResult:
    """Ask the reranker about the kept candidates of each escalated query, and the band about its probabilities."""
    draft, band = _Draft(decided), decided.rules.band
    assert decided.probabilities is not None  # the policy judged this
    assert band is not None
    draft.probabilities = decided.probabilities.copy()
    for i in draft.waiting:
        ids, scores = draft.kept[i]
        try:
            found = _judged(reranker(queries[i], ids.copy()), len(ids))
            probabilities = calibrator.predict(found).astype(np.float32)
        except Exception as error:  # noqa: BLE001  (a callback may raise anything, and other queries must not suffer)
            draft.fail(i, "rerank", ids, error)
            continue
        codes = _of_query(band, i).codes(probabilities)
        reason = _REASON_OF[int(codes.max(initial=Decision.NOT_FOUND))]
        asked = band_step(i, probabilities, "probability", higher_is_better=True, reason=reason.name, band=band)
        draft.sent[i] = Escalation("rerank", ids, found, probabilities, steps=(asked,))
        order = np.argsort(found if calibrator.higher_is_better_ is False else -found, kind="stable")
        order = order[codes[order] > Decision.NOT_FOUND]
        draft.kept[i] = ids[order], scores[order]
        draft.probabilities[i] = _placed(decided.result, i, ids, scores, probabilities)
        draft.settle(i, reason)
    return draft.result(decided.result)


def widened(
    decided: PolicyResult,
    queries: Sequence[Any] | Array,
    widen: Callable[[Any, int], SearchResult] | None,
    decide: Callable[[int, SearchResult], PolicyResult],
) -> PolicyResult:
    """Search again for each escalated query, and decide what was found."""
    assert widen is not None  # the policy judged this
    draft, lists = _Draft(decided), {}
    for i in draft.waiting:
        try:
            wide = widen(queries[i], decided.result.ids.shape[1])
            again = decide(i, _one_query(wide, decided.result))
        except Exception as error:  # noqa: BLE001  (as above)
            draft.fail(i, "widen", draft.kept[i][0], error)
            continue
        present = wide.ids[0] != -1
        probabilities = _NO_PROBABILITIES if again.probabilities is None else again.probabilities[0][present]
        seen = wide.ids[0][present], wide.scores[0][present].astype(np.float64), probabilities
        draft.sent[i] = Escalation("widen", *seen, steps=tuple(again.explain(0)[:-1]))
        draft.kept[i] = again.kept.ids, again.kept.scores
        draft.settle(i, Reason(again.reasons[0]))
        lists[i] = again
    return draft.result(*_merged(decided, lists))


class _Draft:
    """The parts of a result while its escalated queries come back one by one."""

    def __init__(self, decided: PolicyResult) -> None:
        self.decided = decided
        self.waiting = np.flatnonzero(decided.decisions == Decision.ESCALATE).tolist()
        self.reasons, self.next_step = decided.reasons.copy(), decided.next_step.copy()
        self.probabilities = decided.probabilities
        self.sent: dict[int, Escalation] = {}
        edges = decided.kept.offsets
        self.kept = [(decided.kept.ids[a:b], decided.kept.scores[a:b]) for a, b in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)]

    def settle(self, i: int, reason: Reason) -> None:
        self.reasons[i] = reason
        self.next_step[i] = "human" if reason in {Reason.IN_BAND, Reason.AMBIGUOUS} else ""

    def fail(self, i: int, step: str, ids: Array, error: Exception) -> None:
        self.reasons[i] = Reason.FAILED
        self.sent[i] = Escalation(step, ids, _NO_SCORES, _NO_PROBABILITIES, f"{type(error).__name__}: {error}")

    def result(self, searched: SearchResult, probabilities: Array | None = None) -> PolicyResult:
        self._warn()
        counts = [len(ids) for ids, _ in self.kept]
        ids = np.concatenate([ids for ids, _ in self.kept], dtype=np.int64) if self.kept else self.decided.kept.ids
        scores = np.concatenate([scores for _, scores in self.kept], dtype=np.float32) if self.kept else self.decided.kept.scores
        kept = RangeResult(np.concatenate(([0], np.cumsum(counts, dtype=np.int64))).astype(np.int64), scores, ids, searched.higher_is_better)
        return replace(
            self.decided,
            decisions=DECISION_OF[self.reasons],
            reasons=self.reasons,
            kept=kept,
            probabilities=self.probabilities if probabilities is None else probabilities,
            next_step=self.next_step,
            result=searched,
            escalations=self.sent,
            first=self.decided,
        )

    def _warn(self) -> None:
        failed = [(i, sent.error) for i, sent in self.sent.items() if sent.error is not None]
        if failed:
            warnings.warn(
                f"{len(failed)} of {len(self.waiting)} escalated queries failed and stay ESCALATE; the first, query {failed[0][0]}: {failed[0][1]}",
                EscalationWarning,
                stacklevel=5,
            )


_REASON_OF = (Reason.BELOW_BAND, Reason.IN_BAND, Reason.ACCEPTED)  # indexed by Decision


def _judged(returned: npt.ArrayLike, n: int) -> npt.NDArray[np.float64]:
    """Return a reranker's scores as float64: one finite number for each candidate."""
    scores = as_array(returned, "the reranker's scores")
    if scores.dtype.kind not in "iuf":
        raise InvalidTypeError(f"the reranker's scores must be numbers, got dtype {scores.dtype}")
    if scores.shape != (n,):
        raise InvalidValueError(f"the reranker's scores must have shape ({n},), one for each candidate, got {scores.shape}")
    if not np.isfinite(scores).all():
        raise InvalidValueError(f"the reranker's scores must be finite, got {scores[~np.isfinite(scores)][0]}")
    return scores.astype(np.float64)


def _of_query(band: BandEdges, i: int) -> BandEdges:
    low, high, inclusive = (edge[i] if np.ndim(edge) else edge for edge in band)
    return BandEdges(low, high, inclusive)


def _placed(result: SearchResult, i: int, ids: Array, scores: Array, values: Array) -> Array:
    """Values of the kept candidates of query `i` at their places in its row, which they follow in order; NaN elsewhere.

    An id may stand in a row twice; of places with the same id and score either all are kept or none.
    """
    placed: Array = np.full(result.ids.shape[1], np.nan, dtype=np.float32)
    row, at = list(zip(result.ids[i].tolist(), result.scores[i].tolist(), strict=True)), -1
    for candidate, value in zip(zip(ids.tolist(), scores.tolist(), strict=True), values, strict=True):
        at = row.index(candidate, at + 1)
        placed[at] = value
    return placed


def _one_query(wide: Any, first: SearchResult) -> SearchResult:
    if not isinstance(wide, SearchResult):
        raise InvalidTypeError(f"widen must return a SearchResult, got {type(wide).__name__}")
    if len(wide) != 1:
        raise InvalidValueError(f"widen must return a search of one query, got {len(wide)}")
    if wide.higher_is_better != first.higher_is_better:
        raise InvalidValueError(f"widen returned higher_is_better={wide.higher_is_better}, the first search has {first.higher_is_better}")
    return wide


def _merged(decided: PolicyResult, lists: dict[int, PolicyResult]) -> tuple[SearchResult, Array | None]:
    """Put the wider lists into the rows of the first search, padded to the longest, and their probabilities beside them."""
    first = decided.result
    k = max([first.ids.shape[1], *(again.result.ids.shape[1] for again in lists.values())])
    scores, ids = _padded(first.scores, k, np.nan), _padded(first.ids, k, -1)
    probabilities = None if decided.probabilities is None else _padded(decided.probabilities, k, np.nan)
    for i, again in lists.items():
        scores[i], ids[i] = _padded(again.result.scores, k, np.nan)[0], _padded(again.result.ids, k, -1)[0]
        if probabilities is not None and again.probabilities is not None:
            probabilities[i] = _padded(again.probabilities, k, np.nan)[0]
    return SearchResult(scores, ids, first.higher_is_better), probabilities


def _padded(rows: Array, k: int, filler: float) -> Array:
    wide = np.full((len(rows), k), filler, dtype=rows.dtype)
    wide[:, : rows.shape[1]] = rows
    return wide
