"""Methods that compare a score with others of its query or of its document: cohort normalisation and CSLS."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from fastcal._validate import lists as judge
from fastcal._validate.arrays import float_array
from fastcal._validate.numbers import integer
from fastcal.errors import InvalidValueError
from fastcal.normalization._arrays import Lists

Float64: TypeAlias = npt.NDArray[np.float64]


def cohort(lists: Lists, *, cohort_scores: Any = None, document_cohort_scores: Any = None, top_n: Any = None, ddof: Any = 0) -> None:
    """Mean over the sides given of ``(s - mean) / std``, the two of the side's `top_n` best cohort scores."""
    freedom = integer(ddof, "ddof", least=0)
    limit = None if top_n is None else integer(top_n, "top_n", least=1)
    judge.refuse_infinity(lists.scores, lists.offsets)
    scores = lists.oriented().astype(np.float64)
    sides = []
    if cohort_scores is not None:
        mean, std = _moments(lists, cohort_scores, "cohort_scores", lists.n_lists, limit, freedom)
        owners = lists.owners()
        sides.append(_standardised(scores, mean[owners], std[owners]))
    if document_cohort_scores is not None:
        sides.append(_standardised(scores, *_moments(lists, document_cohort_scores, "document_cohort_scores", scores.size, limit, freedom)))
    if not sides:
        raise InvalidValueError("method 'cohort' needs cohort_scores, document_cohort_scores or both, got neither")
    lists.store(sides[0] if len(sides) == 1 else (sides[0] + sides[1]) / 2.0)


def csls(lists: Lists, *, query_means: Any = None, row_means: Any = None) -> None:
    """``2 s - query_mean - row_mean``; means of similarities, or of distances with scores that are distances."""
    if query_means is None or row_means is None:
        raise InvalidValueError("method 'csls' needs query_means and row_means: mean scores to the nearest neighbours, one per list and per score")
    judge.refuse_infinity(lists.scores, lists.offsets)
    of_queries = _flat(query_means, "query_means", lists.n_lists)
    of_rows = _flat(row_means, "row_means", lists.scores.size, ~np.isnan(lists.scores))
    result = 2.0 * lists.scores.astype(np.float64) - of_queries[lists.owners()] - of_rows
    lists.store(result if lists.higher_is_better else -result)


def _moments(lists: Lists, cohort: Any, name: str, rows: int, top_n: int | None, ddof: int) -> tuple[Float64, Float64]:
    """Mean and standard deviation of the best of each row's cohort, scores for which higher is better."""
    values = float_array(cohort, name)
    if values.ndim < 2 or values.size != rows * values.shape[-1] or values.shape[-1] == 0:
        raise InvalidValueError(f"{name} must have shape ({rows}, n_cohort), got {values.shape}")
    if not np.isfinite(values).all():
        raise InvalidValueError(f"{name} must be finite")
    wide = values.reshape(rows, -1).astype(np.float64)
    wide = wide if lists.higher_is_better else -wide
    n = wide.shape[1]
    if top_n is not None and top_n > n:
        raise InvalidValueError(f"top_n must be at most the {n} scores of {name}, got {top_n}")
    if top_n is not None and top_n < n:
        wide = np.partition(wide, n - top_n, axis=1)[:, n - top_n :]
    if wide.shape[1] <= ddof:
        raise InvalidValueError(f"ddof must be below the {wide.shape[1]} scores of {name} that count, got {ddof}")
    varies = wide.min(axis=1) != wide.max(axis=1)  # the sum of equal numbers rounds: their standard deviation need not be 0
    return wide.mean(axis=1), np.where(varies, wide.std(axis=1, ddof=ddof), 0.0)


def _standardised(scores: Float64, mean: Float64, std: Float64) -> Float64:
    """0.0 where the cohort does not vary; NaN stays."""
    still = (std == 0.0) & ~np.isnan(scores)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(still, 0.0, (scores - mean) / std)


def _flat(values: Any, name: str, size: int, needed: npt.NDArray[np.bool_] | None = None) -> Float64:
    array = float_array(values, name)
    if array.size != size:
        raise InvalidValueError(f"{name} must hold {size} numbers, got shape {array.shape}")
    flat = array.reshape(-1).astype(np.float64)
    bad = ~np.isfinite(flat) if needed is None else needed & ~np.isfinite(flat)
    if bad.any():
        raise InvalidValueError(f"{name} must be finite, got {flat[bad][0]} at position {int(bad.argmax())}")
    return flat
