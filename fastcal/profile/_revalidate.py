"""New scores, with labels or without, against what a profile recorded."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from fastcal._clusters import numbered
from fastcal._validate.arrays import float_array
from fastcal._validate.elements import within
from fastcal._validate.groups import as_groups
from fastcal._validate.scores import pairs
from fastcal.calibration import Calibrator, GroupCalibrator
from fastcal.errors import InvalidTypeError, InvalidValueError, ProfileWarning
from fastcal.metrics import calibration_summary, precision_recall_at
from fastcal.profile._recalibration import Codes, Float64, Labelled, base_rate_of, calibration_test, gain_of, moved_to
from fastcal.profile._reference import Reference, drift_from
from fastcal.profile._report import Recalibration, RevalidationReport, ThresholdCheck
from fastcal.profile._threshold import Threshold
from fastcal.profile._verdict import FEW_QUERIES, FEW_SELECTED, RESAMPLES, Labels, by_drift, by_labels

if TYPE_CHECKING:
    from fastcal._backend.protocol import Array


class Recorded(NamedTuple):
    """What a profile has to be held against."""

    calibrator: Calibrator | GroupCalibrator
    thresholds: tuple[Threshold, ...]
    training_base_rate: float
    n_queries: int | None
    reference: Reference | None


class Asked(NamedTuple):
    """Judged input, flat and without padding."""

    scores: Float64
    labels: npt.NDArray[np.uint8] | None
    weights: Float64 | None
    codes: Codes
    by: npt.NDArray[Any] | None
    places: npt.NDArray[np.int64]  # positions in what was given
    width: int | None  # columns, where scores came as rows (n_queries, k)


def predicted(calibrator: Calibrator | GroupCalibrator, scores: npt.ArrayLike, by: npt.ArrayLike | None) -> Array:
    """Return probabilities, by group where the calibrator has groups; `by` of no use is an error."""
    if isinstance(calibrator, GroupCalibrator):
        if by is None:
            raise InvalidTypeError("by= is missing: the profile's calibrator tells groups apart")
        values = float_array(scores, "scores")
        return calibrator.predict(values, np.full(values.shape, by) if np.ndim(by) == 0 else by)
    if by is not None:
        raise InvalidTypeError("by= has no use: the profile has one calibrator for all pairs")
    return calibrator.predict(scores)


def as_asked(scores: npt.ArrayLike, labels: Any, query_ids: Any, by: Any, sample_weight: Any) -> Asked:
    """Judge scores and what stands beside them; rows are queries where nobody names the queries."""
    values = float_array(scores, "scores")
    if query_ids is None and values.ndim != 2:
        raise InvalidValueError(f"scores has shape {values.shape}; give query_ids=, or one row per query: pairs of one query are not independent")
    queries = np.arange(len(values)) if query_ids is None else query_ids
    sample = pairs(values, np.zeros(values.shape, np.uint8) if labels is None else labels, sample_weight, queries)
    assert sample.groups is not None
    codes, _ = numbered(sample.groups, len(sample.scores))
    kept = ~np.isnan(values)
    told = None
    if by is not None:
        groups = as_groups(by, values.shape, "by")
        told = groups.labels[groups.codes[kept]]
    return Asked(
        sample.scores.astype(np.float64),
        None if labels is None else sample.labels,
        sample.weights,
        codes,
        told,
        np.flatnonzero(kept),
        values.shape[1] if values.ndim == 2 else None,
    )


def revalidated(recorded: Recorded, asked: Asked, n_seen: int | None) -> RevalidationReport:
    """Hold the profile against the pairs."""
    drift = None if recorded.reference is None else drift_from(recorded.reference, asked.scores, asked.weights, asked.codes)
    with within(asked.places):
        probabilities = predicted(recorded.calibrator, asked.scores, asked.by).astype(np.float64)
    n_queries, claimed = int(asked.codes.max()) + 1, recorded.calibrator.base_rate_
    notes = _notes(asked, n_queries)
    if asked.labels is None:
        if drift is None:
            raise InvalidValueError("this profile holds no reference scores, so scores without labels tell nothing; give labels")
        verdict, reasons = by_drift(drift)
        told: dict[str, Any] = {"base_rate": None, "base_rate_interval": None, "prior_shift": False, "calibration": None, "thresholds": ()}
    else:
        found = _labels(recorded, Labelled(asked.scores, asked.labels, probabilities, asked.weights, asked.codes), claimed)
        verdict, reasons = by_labels(found)
        told = {"base_rate": found.base_rate.rate, "base_rate_interval": (found.base_rate.low, found.base_rate.high)}
        told |= {"prior_shift": found.prior_shift, "calibration": found.calibration, "thresholds": found.thresholds}
        if drift is not None and by_drift(drift)[0] != "keep":
            notes = [*by_drift(drift, labelled=True)[1], *notes]
    return RevalidationReport(
        verdict=verdict,
        reasons=(*reasons, *notes),
        n_pairs=len(asked.scores),
        n_queries=n_queries,
        claimed_base_rate=claimed,
        training_base_rate=recorded.training_base_rate,
        drift=drift,
        n_seen=n_seen,
        **told,
    )


def _labels(recorded: Recorded, sample: Labelled, claimed: float) -> Labels:
    rate = base_rate_of(sample)
    summary = calibration_summary(
        sample.labels, sample.probabilities, groups=sample.codes, sample_weight=sample.weights, base_rate=claimed, n_resamples=RESAMPLES
    )
    gain = gain_of(sample, rate.rate, claimed)
    calibration = Recalibration(
        p_value=calibration_test(sample, recorded.n_queries).p_value,
        ece=summary.ece,
        constant_ece=summary.constant_ece,
        ece_interval=None if math.isnan(summary.ece_interval[0]) else summary.ece_interval,
        miscalibration=None if math.isnan(gain.miscalibration) else gain.miscalibration,
        brier_skill=None if math.isnan(gain.brier_skill) else gain.brier_skill,
        worse_than_constant=gain.worse_than_constant,
    )
    confidence = 1.0 - 0.05 / max(sum(threshold.promised is not None for threshold in recorded.thresholds), 1)
    checks = tuple(_checked(threshold, sample, confidence) for threshold in recorded.thresholds)
    return Labels(calibration, rate, checks, claimed, moved_to(sample, claimed, rate.rate), gain)


def _checked(threshold: Threshold, sample: Labelled, confidence: float) -> ThresholdCheck:
    """Measure a threshold on float32 values, as a policy compares them."""
    values = (sample.probabilities if threshold.space == "probability" else sample.scores).astype(np.float32)
    edge = np.float32(threshold.value)
    if not threshold.inclusive:
        edge = np.nextafter(edge, np.float32(np.inf if threshold.higher_is_better else -np.inf))
    at = precision_recall_at(
        sample.labels,
        values,
        float(edge),
        groups=sample.codes,
        sample_weight=sample.weights,
        higher_is_better=threshold.higher_is_better,
        confidence=confidence,
    )
    kind, promised = threshold.promised or (None, None)
    measurable = sample.labels.any() if kind == "recall" else at.n_selected >= FEW_SELECTED
    if kind is None or not measurable:
        return ThresholdCheck(threshold.value, threshold.space, kind, promised, None, None, at.n_selected, None)
    achieved, interval = (at.recall, at.recall_interval) if kind == "recall" else (at.precision, at.precision_interval)
    low, high = float(interval[0]), float(interval[1])
    return ThresholdCheck(
        threshold.value, threshold.space, kind, promised, float(achieved), (low, high), at.n_selected, bool(high >= (promised or 0.0))
    )


def _notes(asked: Asked, n_queries: int) -> list[str]:
    notes = []
    if n_queries < FEW_QUERIES:
        notes.append(
            f"{n_queries} {'query shows' if n_queries == 1 else 'queries show'} little: below {FEW_QUERIES}, keep only means that nothing was refuted"
        )
    if asked.labels is not None and asked.labels.min() == asked.labels.max():
        notes.append(f"every label is {asked.labels[0]}: only the level of the probabilities can be judged, not their order")
    return notes


def warn_of_depth(width: int | None, top_k: int | None, stacklevel: int) -> None:
    """Warn of rows of another depth than the training lists; what is not given as rows does not show its depth."""
    if width is not None and top_k is not None and width != top_k:
        warnings.warn(
            f"scores holds {width} per row, the lists of the profile top_k={top_k}: its probabilities are for that depth",
            ProfileWarning,
            stacklevel=stacklevel,
        )


def warn_of_seen(n_seen: int, n_queries: int, stacklevel: int) -> None:
    """Warn that figures on training queries flatter."""
    if n_seen:
        warnings.warn(
            f"{n_seen} of {n_queries} queries are among those the profile was fitted on: figures on them are better than on new ones",
            ProfileWarning,
            stacklevel=stacklevel,
        )
