"""A profile on labelled lists: the figures of ``fastcal evaluate``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fastcal.cli._labels import Labelled, scores_of
from fastcal.cli._use import names_of
from fastcal.evaluation._bootstrap import mean_interval
from fastcal.evaluation._per_query import Evaluator
from fastcal.intervals.wilson import wilson_interval
from fastcal.metrics import PrecisionRecall, calibration_summary, judged_at_k, precision_recall_at, separation
from fastcal.policy import Decision
from fastcal.profile import Profile, Threshold
from fastcal.results import SearchResult
from fastcal.run import Qrels, Run

_JUDGED_AT = 10


@dataclass(frozen=True)
class AtThreshold:
    """A stored threshold on these lists."""

    threshold: Threshold
    at: PrecisionRecall
    decisions: dict[str, dict[str, Any]]  # of queries: n, share and interval by the name of the decision

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types: the figures of precision_recall_at, and what the profile stores as "stored"."""
        return {"stored": self.threshold.to_dict(), **self.at.to_dict(), "decisions": self.decisions}


def evaluated(
    profile: Profile,
    judged: Labelled,
    qrels: Qrels,
    probabilities: npt.NDArray[np.float32],
    classes: npt.NDArray[Any] | None,
    *,
    measures: Sequence[str],
    escalate_from: float | None,
    min_rel: int,
) -> dict[str, Any]:
    """Return everything that is known of a profile on these lists; intervals are 95 % and by query."""
    labels, queries = judged.labels.labels, judged.groups
    scores, rising = scores_of(judged.run, profile.norm)
    two_classes = 0 < labels.sum() < len(labels)
    return {
        "counts": judged.counts,
        "calibration": calibration_summary(labels, probabilities, groups=queries, base_rate=profile.calibrator.base_rate_),
        "separation": _separation(labels, scores, rising, queries) if two_classes else None,
        "thresholds": [_at(profile, cut, judged, scores, rising, probabilities, classes, escalate_from) for cut in profile.thresholds],
        "judged": _judged(judged.run, qrels, min_rel),
        "measures": {name: _measured(judged.run, qrels, name) for name in measures},
    }


def _separation(labels: npt.NDArray[Any], scores: npt.NDArray[Any], rising: bool, queries: npt.NDArray[Any]) -> dict[str, Any]:
    found = separation(labels, scores, rising, groups=queries).to_dict()
    return {name: value for name, value in found.items() if name not in {"edges", "relevant_share", "irrelevant_share"}}


def _at(
    profile: Profile,
    cut: Threshold,
    judged: Labelled,
    scores: npt.NDArray[Any],
    rising: bool,
    probabilities: npt.NDArray[Any],
    classes: npt.NDArray[Any] | None,
    escalate_from: float | None,
) -> AtThreshold:
    values = probabilities if cut.space == "probability" else scores
    at = precision_recall_at(judged.labels.labels, values, cut.value, groups=judged.groups, higher_is_better=cut.higher_is_better)
    policy = profile.policy(threshold=cut, escalate_from=escalate_from)
    codes = policy.decide(_lists(judged.run, scores, rising), classes=classes).decisions
    n = len(codes)
    told = {}
    for decision in reversed(Decision):
        count = int(np.count_nonzero(codes == decision))
        told[decision.name.lower()] = {"n": count, "share": count / n, "interval": list(wilson_interval(count, n))}
    return AtThreshold(cut, at, told)


def _lists(run: Run, scores: npt.NDArray[Any], rising: bool) -> SearchResult:
    """Return a run as rows, padded at their ends."""
    counts = run.counts()
    inside = np.arange(max(int(counts.max(initial=0)), 1)) < counts[:, np.newaxis]
    rows, ids = np.full(inside.shape, np.nan, np.float32), np.full(inside.shape, -1, np.int64)
    rows[inside], ids[inside] = scores, run.ids
    return SearchResult(rows, ids, rising)


def _judged(run: Run, qrels: Qrels, min_rel: int) -> dict[str, Any]:
    found = judged_at_k(run, qrels, min(_JUDGED_AT, max(int(run.counts().max(initial=0)), 1)), min_grade=min_rel).to_dict()
    return {name: value for name, value in found.items() if not isinstance(value, list)}


def _measured(run: Run, qrels: Qrels, name: str) -> dict[str, Any]:
    """Return the mean of a measure of ir-measures over the queries of a run, with its interval."""
    evaluator = Evaluator(qrels, name)
    here = {str(query) for query in names_of(run).tolist()}
    values = evaluator(run)[[query in here for query in evaluator.query_ids]]
    low, high, _ = mean_interval(values, 1000, 0.95, 0)
    return {"value": float(values.mean()), "interval": [low, high], "n_queries": len(values)}
