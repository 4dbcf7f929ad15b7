"""Judges scores beside labels and weights. NaN scores are padding."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from fastcal._backend.protocol import Array
from fastcal._denormals import warn_if_denormals_are_lost
from fastcal._validate.arrays import as_array, float_array
from fastcal._validate.elements import refuse
from fastcal._validate.groups import as_groups
from fastcal._validate.numbers import FLOAT32_MAX, flag
from fastcal.errors import InvalidTypeError, InvalidValueError


class Pairs(NamedTuple):
    """Scored and labelled pairs without padding: flat float scores, uint8 labels, float64 weights or None, group codes or None."""

    scores: Array
    labels: Array
    weights: Array | None
    groups: Array | None = None


def probability_array(values: npt.ArrayLike, name: str = "probabilities") -> Array:
    """Return float ``values`` that all lie in [0, 1] or are NaN (padding)."""
    array = float_array(values, name)
    refuse((array < 0) | (array > 1), array, name, "a probability in [0, 1], or NaN for padding")
    return array


# -- pairs --------------------------------------------------------------------------------------------
def pairs(scores: npt.ArrayLike, labels: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None, groups: npt.ArrayLike | None = None) -> Pairs:
    """Return the pairs whose score is not NaN; scores must be finite, labels 0 or 1, weights finite and >= 0."""
    values = float_array(scores, "scores")
    if not _all_finite(values):
        refuse(np.isinf(values), values, "scores", "a finite number, or NaN for padding")
    return _unpadded(values, "scores", labels, sample_weight, groups)


def probability_pairs(
    labels: npt.ArrayLike, probabilities: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None, groups: npt.ArrayLike | None = None
) -> Pairs:
    """Return the pairs whose probability is not NaN, in scikit-learn's argument order."""
    return _unpadded(probability_array(probabilities), "probabilities", labels, sample_weight, groups)


def require_both_classes(labels: Array, weights: Array | None = None) -> None:
    """Raise unless labels of positive weight include a 0 and a 1."""
    counted = labels if weights is None else labels[weights > 0]
    positives = int(np.count_nonzero(counted))
    if positives in {0, len(counted)}:
        raise InvalidValueError(f"labels holds one class only: {len(counted)} labels, all {counted[0]}; expected 0s and 1s")


def directed_scores(scores: Any, higher_is_better: bool) -> npt.ArrayLike:
    """Return bare scores as they are, and those of a search result after comparing directions."""
    flag(higher_is_better, "higher_is_better")
    carried = getattr(scores, "higher_is_better", None)
    if carried is None:
        return scores  # type: ignore[no-any-return]
    if carried != higher_is_better:
        raise InvalidValueError(f"the scores come with higher_is_better={carried}, the call says higher_is_better={higher_is_better}")
    return scores.scores  # type: ignore[no-any-return]


def float32_floor(scores: Array) -> Array:
    """Return the largest float32 that is <= each score.

    For every float32 threshold t, ``score >= t`` holds exactly when ``float32_floor(score) >= t``: a threshold
    chosen among the floors selects the same pairs from the scores as they were given.
    """
    beyond = np.abs(scores) > FLOAT32_MAX
    if beyond.any():
        raise InvalidValueError(f"scores[{beyond.argmax()}] is {scores[beyond][0]}; expected a number within the range of float32")
    rounded = scores.astype(np.float32)
    above = rounded > scores
    rounded[above] = np.nextafter(rounded[above], np.float32(-np.inf))
    return rounded + np.float32(0.0)


def _unpadded(values: Array, name: str, labels: npt.ArrayLike, sample_weight: npt.ArrayLike | None, groups: npt.ArrayLike | None) -> Pairs:
    warn_if_denormals_are_lost(values)
    marks = as_array(labels, "labels")
    if values.ndim == 2 and values.shape == (*marks.shape, 1):
        values = values[:, 0]  # a column of scores beside flat labels, as scikit-learn hands it over
    marks = _beside(marks, "labels", values, name)
    kept = True if _all_finite(values) else ~np.isnan(values)
    if not np.any(kept):
        raise InvalidValueError(f"{name} is empty" if values.size == 0 else f"{name} holds nothing but NaN (padding); expected at least one pair")
    if not _only_0_and_1(marks):
        refuse(kept & (marks != 0) & (marks != 1), marks, "labels", "0 or 1")
    weights = None if sample_weight is None else _weights(sample_weight, values, name, kept)
    codes = None if groups is None else _flat(as_groups(groups, values.shape, beside=name).codes, kept)
    return Pairs(_flat(values, kept), _flat(marks, kept).astype(np.uint8), weights, codes)


def _all_finite(values: Array) -> bool:
    """Whether there are values, all of them finite; NaN passes through both reductions."""
    return values.size > 0 and bool(np.isfinite(values.min()) and np.isfinite(values.max()))


def _only_0_and_1(marks: Array) -> bool:
    """Whether integers are all 0 or 1: no other has only the lowest bit."""
    return marks.dtype.kind == "b" or (marks.dtype.kind in "iu" and bool(np.bitwise_or.reduce(marks, axis=None) in {0, 1}))


def _flat(array: Array, kept: Array | bool) -> Array:
    """Return the kept entries, contiguous; no copy if all are."""
    return np.require(array, requirements=["C", "A"]).reshape(-1) if kept is True else array[kept]


def _weights(sample_weight: npt.ArrayLike, values: Array, name: str, kept: Array | bool) -> Array:
    weights = _beside(sample_weight, "sample_weight", values, name).astype(np.float64)
    refuse(kept & ~((weights >= 0) & (weights < np.inf)), weights, "sample_weight", "a finite number of at least 0")
    total = float(np.sum(weights, where=kept))
    if not 0.0 < total < np.inf:
        raise InvalidValueError(f"sample_weight sums to {total}; expected a positive finite sum")
    return _flat(weights, kept)


def _beside(given: npt.ArrayLike, name: str, values: Array, values_name: str) -> Array:
    array = as_array(given, name)
    if array.shape != values.shape:
        raise InvalidValueError(f"{name} has shape {array.shape}; expected {values.shape}, the shape of {values_name}")
    if array.dtype.kind not in "biuf":
        raise InvalidTypeError(f"{name} has dtype {array.dtype}; expected numbers")
    return array
