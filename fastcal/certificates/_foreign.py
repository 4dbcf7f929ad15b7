"""One way to ask any index for rows: ours, FAISS, hnswlib, usearch, or an object of one's own."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastcal._backend.protocol import Array
from fastcal._validate.arrays import as_array
from fastcal._validate.numbers import flag
from fastcal.errors import InvalidTypeError, InvalidValueError
from fastcal.index import Index
from fastcal.results import SearchResult


def search_any(index: Any, queries: Any, k: int, higher_is_better: bool | None = None) -> SearchResult:
    """Return what an index finds for queries (n_queries, dim), padded with id -1 and NaN, each id at most once per query.

    `index` has ``search(queries, k)``, or hnswlib's ``knn_query(queries, k)``, which returns ids and scores in either order, a
    :class:`SearchResult`, or usearch's matches. `k` is lowered to the size of an index that tells it. Which direction is better
    is read off the order of the scores, best first, unless it is given; ids are not negative.
    """
    if isinstance(index, Index):
        _agree(index.metric != "euclidean", higher_is_better)
        return index.search(queries, k)
    size = size_of(index)
    found = _asked(index, queries, k if size is None else max(1, min(k, size)))
    carried = getattr(found, "higher_is_better", None)
    if carried is not None:
        _agree(carried, higher_is_better)
    scores, ids = _arrays(found)
    scores, ids = np.atleast_2d(scores).astype(np.float32), np.atleast_2d(ids).astype(np.int64)
    if scores.shape != ids.shape or scores.ndim != 2 or len(ids) != len(queries):
        raise InvalidValueError(
            f"the index returned scores {scores.shape} and ids {ids.shape} for {len(queries)} queries; expected (n_queries, k) of both"
        )
    missing = (ids < 0) | np.isnan(scores) | (np.abs(scores) >= np.finfo(np.float32).max)  # FAISS pads with id -1 and the largest float
    scores, ids = np.where(missing, np.float32(np.nan), scores), np.where(missing, -1, ids)
    _refuse_twice(ids)
    better = _direction(scores) if higher_is_better is None and carried is None else bool(carried if carried is not None else higher_is_better)
    return SearchResult(scores, ids, better)


def size_of(index: Any) -> int | None:
    """Return how many rows an index holds, if it tells."""
    if hasattr(index, "ntotal"):
        return int(index.ntotal)
    if hasattr(index, "get_current_count"):
        return int(index.get_current_count())
    return len(index) if hasattr(index, "__len__") else None


def _asked(index: Any, queries: Any, k: int) -> Any:
    ask = getattr(index, "search", None) or getattr(index, "knn_query", None)
    if not callable(ask):
        raise InvalidTypeError(f"index must be a fastcal.Index or have search(queries, k) or knn_query(queries, k), got {type(index).__name__}")
    return ask(queries, k)


def _arrays(found: Any) -> tuple[Array, Array]:
    """Return (scores, ids), told apart by their dtypes."""
    if hasattr(found, "keys") and hasattr(found, "distances"):  # usearch; counts of a batch tell padding from keys
        ids = np.atleast_2d(np.asarray(found.keys)).astype(np.int64)
        counts = getattr(found, "counts", None)
        if counts is not None:
            ids[np.arange(ids.shape[1]) >= np.asarray(counts).reshape(-1, 1)] = -1
        return np.asarray(found.distances), ids
    try:
        first, second = (as_array(part, "what the index returned") for part in found)
    except (TypeError, ValueError):
        raise InvalidTypeError(f"the index must return scores and ids, two arrays; got {type(found).__name__}") from None
    kinds = first.dtype.kind, second.dtype.kind
    if kinds[0] == "f" and kinds[1] in "iu":
        return first, second
    if kinds[1] == "f" and kinds[0] in "iu":
        return second, first
    raise InvalidTypeError(f"the index must return float scores and integer ids, got dtypes {first.dtype} and {second.dtype}")


def _direction(scores: Array) -> bool:
    """Whether the scores fall; an index returns the best first."""
    steps = np.diff(scores, axis=1)
    falls, rises = bool((steps < 0).any()), bool((steps > 0).any())
    if falls == rises:
        order = "in no order" if falls else "all equal"
        raise InvalidValueError(f"the index returned scores {order}: expected them best first, or say higher_is_better=True or False")
    return falls


def _agree(carried: bool, given: bool | None) -> None:
    if given is not None and flag(given, "higher_is_better") != carried:
        raise InvalidValueError(f"the index has higher_is_better={carried}, the call says higher_is_better={given}")


def _refuse_twice(ids: Array) -> None:
    ordered = np.sort(ids, axis=1)
    twice = (ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] >= 0)
    if twice.any():
        raise InvalidValueError(f"the index returned id {ordered[:, 1:][twice][0]} more than once for a query; expected distinct ids")
