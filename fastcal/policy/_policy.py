"""The policy: floor, probability, band and gap in this order, and what happens to the queries that they cannot settle."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from fastcal._validate.numbers import instance, one_of
from fastcal.calibration import Calibrator, GroupCalibrator
from fastcal.calibration._inputs import check_metric
from fastcal.errors import InvalidTypeError, InvalidValueError
from fastcal.policy._per_class import PerClass, class_of_each
from fastcal.policy._resolve import Reranker, reranked, widened
from fastcal.policy._result import DECISION_OF, PolicyResult, Reason
from fastcal.policy._rules import AbstainBand, BandEdges, Decision, GapCheck, ScoreFloor, above_floor, select
from fastcal.policy._trace import Rules
from fastcal.results import RangeResult, SearchResult

if TYPE_CHECKING:
    from fastcal._backend.protocol import Array

OnEscalate = Literal["rerank", "widen", "human"]
_STEPS = ("rerank", "widen", "human")


@dataclass(frozen=True, slots=True, eq=False)
class Policy:
    """Floor, calibrated probability, band and gap, asked in this order; each is optional, and one for all queries or one per class.

    A query is NOT_FOUND if it has no candidate, none reaches the floor, or none reaches the band's lower edge. It
    is ESCALATE if the best probability lies inside the band, or if it would be accepted but its two best kept
    candidates are too close. Otherwise it is ACT. A candidate of id -1 or with a NaN score is padding and none at all; one whose
    probability is NaN is kept by no band on probabilities.

    Parameters
    ----------
    calibrator : Calibrator or GroupCalibrator, optional
        Fitted before :meth:`decide` is called. The groups of a GroupCalibrator are the classes of the queries.
    band : AbstainBand or PerClass of them, optional
        On probabilities it needs a calibrator; on scores (``space="score"``) none.
    floor : ScoreFloor or PerClass of them, optional
    gap : GapCheck or PerClass of them, optional
        On the raw scores of the kept candidates.
    on_escalate : {"rerank", "widen", "human"}, default "rerank"
        Named in ``next_step`` for queries that escalate, and done by :meth:`resolve`.

    Raises
    ------
    ValueError
        If a band on probabilities is given without `calibrator`, or `on_escalate` is not one of the three.
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

    calibrator: Calibrator | GroupCalibrator | None = None
    band: AbstainBand | PerClass[AbstainBand] | None = None
    floor: ScoreFloor | PerClass[ScoreFloor] | None = None
    gap: GapCheck | PerClass[GapCheck] | None = None
    on_escalate: OnEscalate = "rerank"
    _fixed: Rules | None = field(init=False, repr=False, default=None)
    _metric: str | None = field(init=False, repr=False, compare=False, default=None)  # of raw scores, where a profile knows it

    def __post_init__(self) -> None:
        if self.calibrator is not None and not isinstance(self.calibrator, GroupCalibrator):
            instance(self.calibrator, "calibrator", Calibrator)
        for name, kind in (("band", AbstainBand), ("floor", ScoreFloor), ("gap", GapCheck)):
            rule = getattr(self, name)
            if isinstance(rule, PerClass) and rule.kind is not kind:
                raise InvalidTypeError(f"{name} must be a {kind.__name__} or a PerClass of them, got a PerClass of {rule.kind.__name__}")
            if rule is not None and not isinstance(rule, PerClass):
                instance(rule, name, kind)
        if self.band is not None and self.band.space == "probability" and self.calibrator is None:
            raise InvalidValueError("a band cuts probabilities and needs a calibrator; cut raw scores with floor= or a band of space='score'")
        one_of(self.on_escalate, "on_escalate", _STEPS)
        if self.on_escalate != "rerank" and self.band is None and self.gap is None:
            raise InvalidValueError(f"on_escalate={self.on_escalate!r} has nothing to act on: without a band or a gap no query escalates")
        if not any(isinstance(part, PerClass | GroupCalibrator) for part in (self.calibrator, self.band, self.floor, self.gap)):
            object.__setattr__(self, "_fixed", self._edges([]))

    def decide(self, result: SearchResult, *, classes: npt.ArrayLike | None = None) -> PolicyResult:
        """Decide every query of a search result.

        Parameters
        ----------
        result : SearchResult
        classes : array_like of str or int, shape (n_queries,), optional
            The class of each query; needed if a rule is a :class:`PerClass` or the calibrator a :class:`GroupCalibrator`, and an
            error otherwise.

        Returns
        -------
        PolicyResult

        Raises
        ------
        TypeError
            If `result` is not a SearchResult.
        ValueError
            If the calibrator is not fitted, or gives better scores a lower probability; if `classes` is missing, of another
            length or of no use, or names a class without a rule.

        Examples
        --------
        >>> import numpy as np, fastcal as fc
        >>> found = fc.SearchResult(np.array([[0.6], [0.6]], dtype=np.float32), np.array([[4], [2]]))
        >>> bands = {"en": fc.AbstainBand(0.2, 0.5, space="score"), "de": fc.AbstainBand(0.4, 0.8, space="score")}
        >>> fc.Policy(band=fc.PerClass(bands)).decide(found, classes=["en", "de"]).decisions.tolist()
        [2, 1]
        """
        instance(result, "result", SearchResult)
        names = self._class_names(len(result), classes)
        rules = self._edges(names) if self._fixed is None else self._fixed
        probabilities = self._probabilities(result, names)
        present = result.ids != -1
        np.logical_and(present, result.scores == result.scores, out=present)
        above = present if rules.floor is None else present & above_floor(result, rules.floor)
        codes = None if rules.band is None else _codes(result, above, probabilities, rules, rules.band)
        kept = select(result, above if codes is None else codes > Decision.NOT_FOUND)
        reasons = _reasons(present, above, codes, kept, rules)
        decisions = DECISION_OF[reasons]
        return PolicyResult(decisions, reasons, kept, probabilities, _NEXT[self.on_escalate][decisions], result, rules)

    def resolve(
        self,
        result: SearchResult,
        queries: Sequence[Any] | npt.NDArray[Any],
        *,
        reranker: Reranker | None = None,
        reranker_calibrator: Calibrator | None = None,
        widen: Callable[[Any, int], SearchResult] | None = None,
        classes: npt.ArrayLike | None = None,
    ) -> PolicyResult:
        """Decide every query, send those that escalate where `on_escalate` says, and decide them again.

        The callback is called once per escalated query, in order, and for no other. What it raises, or returns in a form that
        cannot be used, costs that query only: it stays ESCALATE with reason FAILED and its `next_step`, the error is in
        ``escalations``, and an EscalationWarning counts such queries. A KeyboardInterrupt is not held up.

        A query that is still inside the band gets ``next_step="human"``, as does one that is AMBIGUOUS after widening.

        Parameters
        ----------
        result : SearchResult
        queries : sequence, of n_queries
            What the callback understands: texts, vectors, records.
        reranker : callable(query, ids) -> scores
            For ``on_escalate="rerank"``: takes the kept candidates, int64, best first, and returns a finite score for each. Its
            probabilities are asked the band again; kept candidates come in its order. The floor and the gap are in the units of
            the search's scores and are not asked again.
        reranker_calibrator : Calibrator
            Fitted on the reranker's own scores, which another calibrator would misread.
        widen : callable(query, k) -> SearchResult
            For ``on_escalate="widen"``: takes the number of candidates there were and returns a search of one query, as a
            rule a deeper one, which is decided as the first was.
        classes : array_like of str or int, shape (n_queries,), optional
            As for :meth:`decide`.

        Returns
        -------
        PolicyResult

        Raises
        ------
        ValueError
            As :meth:`decide`; if `queries` has another length; with ``on_escalate="human"``; if the band that is to be
            asked again is missing or cuts scores.
        NotFittedError
            If a calibrator is not fitted.
        TypeError
            If a callback or calibrator that is needed is missing, cannot be called or has no use here.

        Warns
        -----
        EscalationWarning
            If a callback failed.

        Examples
        --------
        >>> import numpy as np, fastcal as fc
        >>> platt = fc.PlattCalibrator().fit([0.1, 0.3, 0.4, 0.6, 0.7, 0.9], [0, 0, 1, 0, 1, 1])
        >>> policy = fc.Policy(platt, fc.AbstainBand(0.2, 0.9))
        >>> found = fc.SearchResult(np.array([[0.5, 0.45]], dtype=np.float32), np.array([[4, 2]]))
        >>> logits = fc.PlattCalibrator().fit([-3.0, -1.0, -0.5, 0.5, 1.0, 3.0] * 5, [0, 0, 0, 1, 1, 1] * 5)
        >>> resolved = policy.resolve(found, ["how?"], reranker=lambda query, ids: ids - 1.5, reranker_calibrator=logits)
        >>> fc.Decision(resolved.decisions[0]).name, resolved.kept.ids.tolist()
        ('ACT', [4, 2])
        """
        decided = self.decide(result, classes=classes)
        if not hasattr(queries, "__len__") or len(queries) != len(result):
            got = f"{len(queries)} of them" if hasattr(queries, "__len__") else type(queries).__name__
            raise InvalidValueError(f"queries must be a sequence with the {len(result)} queries of the result, got {got}")
        self._judge_callbacks({"reranker": reranker, "reranker_calibrator": reranker_calibrator, "widen": widen})
        if reranker is not None and reranker_calibrator is not None:
            return reranked(decided, queries, reranker, reranker_calibrator)
        names = None if classes is None else class_of_each(classes, len(result))
        return widened(decided, queries, widen, lambda i, wide: self.decide(wide, classes=None if names is None else [names[i]]))

    def _judge_callbacks(self, given: dict[str, Any]) -> None:
        if self.on_escalate == "human":
            raise InvalidValueError("on_escalate='human' leaves escalated queries to people: decide() names them; there is nothing to call")
        needed = {"rerank": {"reranker", "reranker_calibrator"}, "widen": {"widen"}}[self.on_escalate]
        for name, value in given.items():
            if (value is None) == (name in needed):
                does = "needs" if value is None else "has no use for"
                raise InvalidTypeError(f"on_escalate={self.on_escalate!r} {does} {name}=")
            if name == "reranker_calibrator" and value is not None:
                instance(value, name, Calibrator)
                value.to_dict()  # NotFittedError now, not once per query after paying the reranker
            elif value is not None and not callable(value):
                raise InvalidTypeError(f"{name} must be callable, got {type(value).__name__}")
        if self.on_escalate == "rerank" and (self.band is None or self.band.space == "score"):
            raise InvalidValueError("a reranked query is decided by the band on the reranker's probabilities; this policy has no such band")

    def _class_names(self, n_queries: int, classes: npt.ArrayLike | None) -> list[str | int]:
        if classes is None and self._fixed is not None:
            return []
        if self._fixed is not None:
            raise InvalidValueError("classes= has no use: no rule of this policy is per class")
        if classes is None:
            raise InvalidValueError("classes= is missing: this policy has a rule or a calibrator per class")
        return class_of_each(classes, n_queries)

    def _edges(self, names: list[str | int]) -> Rules:
        floor, band, gap = (rule.edges(names) if isinstance(rule, PerClass) else _edges_of(rule) for rule in (self.floor, self.band, self.gap))
        return Rules(floor, band, "probability" if self.band is None else self.band.space, gap)

    def _probabilities(self, result: SearchResult, names: list[str | int]) -> Array | None:
        if self.calibrator is None:
            return None
        if self._metric is not None:
            check_metric(result.scores, self._metric, None, result.higher_is_better)
        if isinstance(self.calibrator, GroupCalibrator):
            probabilities = self.calibrator.predict(result.scores, names or np.empty(0, np.int64))
        else:
            probabilities = self.calibrator.predict(result.scores)
        rises = self.calibrator.higher_is_better_
        if rises is not None and rises != result.higher_is_better:
            raise InvalidValueError(f"the calibrator has higher_is_better_={rises}, the result higher_is_better={result.higher_is_better}")
        return probabilities


def _edges_of(rule: AbstainBand | ScoreFloor | GapCheck | None) -> Any:
    return None if rule is None else rule.edges()


def _codes(result: SearchResult, above: Array, probabilities: Any, rules: Rules, band: BandEdges) -> Array:
    """Decision code of each candidate, gap aside."""
    values, higher_is_better = (result.scores, result.higher_is_better) if rules.space == "score" else (probabilities, True)
    codes = band.codes(values, higher_is_better)
    return np.multiply(codes, above, out=codes)


def _reasons(present: Array, above: Array, codes: Array | None, kept: RangeResult, rules: Rules) -> Array:
    """Reason code of each query: the furthest rule its best candidate got to."""
    reasons = np.full(len(above), Reason.ACCEPTED, dtype=np.uint8)
    if rules.gap is not None:
        reasons[rules.gap.close(_best_two(kept))] = Reason.AMBIGUOUS
    if codes is not None:
        best = np.maximum.reduce(codes, axis=1, initial=Decision.NOT_FOUND)
        reasons[best == Decision.ESCALATE] = Reason.IN_BAND
        reasons[best == Decision.NOT_FOUND] = Reason.BELOW_BAND
    if rules.floor is not None:
        reasons[~np.logical_or.reduce(above, axis=1)] = Reason.BELOW_FLOOR
    reasons[~np.logical_or.reduce(present, axis=1)] = Reason.NO_CANDIDATE
    return reasons


_NEXT = {step: np.array(["", step, ""], dtype="<U6") for step in _STEPS}  # indexed by Decision


def _best_two(kept: RangeResult) -> Array:
    """Scores (n_queries, 2) of the first two rows of each query, padded with NaN."""
    places = kept.offsets[:-1, None] + np.arange(2)
    padded = np.concatenate((kept.scores, np.full(2, np.nan, dtype=np.float32)))
    return np.where(places < kept.offsets[1:, None], padded[places], np.float32(np.nan))
