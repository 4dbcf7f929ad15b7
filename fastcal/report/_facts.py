"""The sections of a report, each plain JSON: what the library measures, at most a few hundred numbers whatever the size of the run."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from fastcal._clusters import effective_trials, mean_by_query
from fastcal.calibration import GroupCalibrator
from fastcal.intervals import wilson_interval
from fastcal.metrics import (
    calibration_summary,
    judged_at_k,
    precision_recall_at,
    reliability_curve,
    separation,
    threshold_stability,
)
from fastcal.profile import Profile
from fastcal.profile._verdict import FEW_QUERIES
from fastcal.report._sample import Sample, quietly
from fastcal.report._words import edge_texts
from fastcal.run import Qrels

FEW = 30  # selected pairs, or relevant ones, below which a rate is called too few to trust; as choose_threshold
DEPTHS = (1, 10, 100)
LEVELS = 64

Float32 = npt.NDArray[np.float32]


def rate(hits: npt.NDArray[Any], codes: npt.NDArray[np.int64]) -> dict[str, Any]:
    """Return the share of 1s among pairs with its n and its 95 % interval by query; None and (0, 1) of nothing."""
    found, trials = effective_trials(hits, None, codes)
    low, high = wilson_interval(found, trials)
    n = len(hits)
    return {"value": float(hits.mean()) if n else None, "low": float(low), "high": float(high), "n": n, "n_queries": len(np.unique(codes))}


def data_facts(sample: Sample, qrels: Qrels, *, name: str, unjudged: str, min_grade: int, all_queries: bool) -> dict[str, Any]:
    """Return what was measured on: sizes, base rate, and how much of the lists was judged."""
    run, lengths = sample.run, sample.run.counts()
    names = sample.query_ids.astype(str)
    measured = np.isin(qrels.query_ids.astype(str), names)
    relevant = np.add.reduceat(qrels.grades >= min_grade, qrels.offsets[:-1])[measured] if qrels.grades.size else np.zeros(0)
    both = bool((sample.judged & (sample.labels == 0)).any())
    depths = sorted({*(k for k in DEPTHS if k < lengths.max()), int(lengths.max())})
    return {
        "name": name,
        "n_queries": sample.n_queries,
        "n_pairs": len(sample.labels),
        "n_relevant": int(sample.labels.sum()),
        "n_unjudged": int(np.count_nonzero(~sample.judged)),
        "judgements_hold_irrelevant": both,
        "n_relevant_in_qrels": int(relevant.sum()),
        **sample.counts,
        "base_rate": rate(sample.labels, sample.codes),
        "higher_is_better": run.higher_is_better,
        "median_results": float(np.median(lengths)),
        "most_results": int(lengths.max()),
        "unjudged": unjudged,
        "min_grade": min_grade,
        "all_queries": all_queries,
        "judged_at": [_judged(sample, qrels, k, min_grade, both) for k in depths],
    }


def _judged(sample: Sample, qrels: Qrels, k: int, min_grade: int, both: bool) -> dict[str, Any]:
    """Mean over queries with its 95 % interval, and precision under both readings of what nobody judged; None where nothing is judged irrelevant."""
    found = judged_at_k(sample.run, qrels, k, min_grade=min_grade)
    mean, error = mean_by_query(found.judged, None, np.arange(len(found.judged)))
    return {
        "k": k,
        "value": mean,
        "low": max(mean - 1.96 * error, 0.0),
        "high": min(mean + 1.96 * error, 1.0),
        "n_queries": sample.n_queries,
        "precision_irrelevant": found.mean_precision_irrelevant,
        "precision_judged": _or_none(found.mean_precision_judged) if both else None,
    }


def calibration_facts(sample: Sample, probabilities: Float32, profile: Profile) -> dict[str, Any]:
    """Return errors and losses with intervals by query, and the reliability curve."""
    summary = calibration_summary(sample.labels, probabilities, base_rate=profile.calibrator.base_rate_, groups=sample.drawn_by)
    losses = {}
    for name in ("brier", "log_loss"):
        low, high = getattr(summary, f"{name}_interval")
        losses[name] = {"value": _or_none(getattr(summary, name)), "low": _or_none(low), "high": _or_none(high)}
    curve = reliability_curve(sample.labels, probabilities, band="consistency", groups=sample.drawn_by)
    return {"summary": summary.to_dict(), **losses, "reliability": curve.to_dict()}


def _or_none(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def score_facts(sample: Sample) -> dict[str, Any]:
    """Return histograms of the scores that come to the calibrator, and whether a threshold on them can work."""
    low, high = float(sample.scores.min()), float(sample.scores.max())
    n_bins = int(np.clip(np.ceil(np.sqrt(len(sample.scores))), 5, 40))
    edges = np.linspace(low, high, n_bins + 1) if low < high else np.linspace(low - 0.5, low + 0.5, 6)
    kinds = {
        "relevant": sample.labels == 1,
        "irrelevant": (sample.labels == 0) & sample.judged,
        "unjudged": (sample.labels == 0) & ~sample.judged,
    }
    counts = {name: np.histogram(sample.scores[chosen].astype(np.float64), edges)[0].tolist() for name, chosen in kinds.items()}
    told = None
    if sample.labels.min() != sample.labels.max():
        found = separation(sample.labels, sample.scores, sample.higher_is_better, groups=sample.codes)
        told = {"auroc": found.auroc, "auroc_interval": list(found.auroc_interval), "overlap": found.overlap, "best_f1": found.best_f1}
        told |= {"verdict": found.verdict, "note": found.note}
    return {"edges": edges.tolist(), **counts, "separation": told}


def class_facts(sample: Sample, values: Float32, edge: float, target_precision: float | None, better: bool, digits: int) -> dict[str, Any] | None:
    """Return each class's own best threshold beside what the report's threshold does to it."""
    if sample.classes is None:
        return None
    how: dict[str, Any] = {"groups": sample.drawn_by, "higher_is_better": better}
    found = threshold_stability(sample.labels, values, sample.classes, target_precision=target_precision, n_resamples=200, **how)
    rows = []
    for row in found.rows:
        inside = sample.classes == row.name
        labels, mine, codes = sample.labels[inside], values[inside], sample.codes[inside]
        own = None if math.isinf(row.threshold) else row.threshold
        rows.append(
            {"name": str(row.name), "n": row.n, "n_relevant": row.n_relevant, "n_queries": row.n_groups}
            | {"threshold": own, "threshold_text": None if own is None else edge_texts(np.array([own], np.float32), mine, better, digits)[0]}
            | {"threshold_low": _or_none(row.low), "threshold_high": _or_none(row.high)}
            | {"own": None if own is None else at_edge(labels, mine, own, codes, better)}
            | {"here": at_edge(labels, mine, edge, codes, better)}
        )
    return {"target_precision": target_precision, "verdict": found.verdict, "rows": rows}


def at_edge(labels: Any, values: Float32, edge: float, codes: Any, better: bool) -> dict[str, Any]:
    """Return precision and recall at a threshold with intervals, None of nothing, and whether they rest on too few pairs or queries."""
    found = precision_recall_at(labels, values, edge, groups=codes, higher_is_better=better)
    n_relevant = int(labels.sum())
    few = found.n_selected < FEW or n_relevant < FEW or len(np.unique(codes)) < FEW_QUERIES
    told = found.to_dict() | {"n_relevant": n_relevant, "too_few": few}
    return told | ({} if found.n_selected else {"precision": None}) | ({} if n_relevant else {"recall": None})


def validation_facts(sample: Sample, profile: Profile) -> dict[str, Any]:
    """Return the verdict on the profile, and both distributions of scores at the same shares."""
    grouped = isinstance(profile.calibrator, GroupCalibrator)
    report, _ = quietly(
        profile.revalidate,
        scores=sample.scores,
        labels=sample.labels,
        query_ids=sample.query_ids[sample.codes],
        by=sample.classes if grouped else None,
    )
    found: dict[str, Any] = report.to_dict() | {"distributions": None}
    if profile.reference is not None:
        levels = np.linspace(0.0, 1.0, LEVELS + 1)
        then = np.array(profile.reference.quantiles)[:: (len(profile.reference.quantiles) - 1) // LEVELS]
        now = np.quantile(sample.scores.astype(np.float64), levels, method="inverted_cdf")
        found["distributions"] = {"share": levels.tolist(), "reference": then.tolist(), "now": now.tolist()}
        found["reference_size"] = {"n_pairs": profile.reference.n_pairs, "n_queries": profile.reference.n_queries}
    return found


def profile_facts(profile: Profile) -> dict[str, Any]:
    """Return what the profile records, without the distribution and the hashes."""
    kept = profile.to_dict()
    calibrator = kept.pop("calibrator")
    facts = {name: value for name, value in kept.items() if name not in {"format", "schema_version", "reference", "queries"}}
    return facts | {
        "calibrator": {"type": calibrator["type"], "params": calibrator["params"]},
        "claimed_base_rate": profile.calibrator.base_rate_,
        "groups": [str(row.label) for row in profile.calibrator.groups_] if isinstance(profile.calibrator, GroupCalibrator) else None,
    }
