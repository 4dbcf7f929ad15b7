"""One way to ask the indexes of others for rows: FAISS, hnswlib, usearch, or an object of one's own."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from fastcal._backend.protocol import Array
from fastcal._validate.arrays import as_array, int64_array
from fastcal.errors import InvalidTypeError, InvalidValueError

# What the libraries call their metrics: FAISS by number, hnswlib and usearch by name. All three return squared L2 distances.
_METRICS = {"cosine": "cosine", "cos": "cosine", "dot": "dot", "ip": "dot", "0": "dot", "l2": "l2", "l2sq": "l2", "1": "l2"}


class Found(NamedTuple):
    """What an index returned for each query, (n_queries, k): ids, -1 for none, distinct; scores as it gave them, NaN for none.

    `higher_is_better` is what a result says of itself, or the order of the scores, best first, or else the library; None if nobody does.
    """

    ids: npt.NDArray[np.int64]
    scores: npt.NDArray[np.float32]
    higher_is_better: bool | None


class ForeignIndex:
    """An index of another library, judged before it is asked: some read beyond a query that is too short.

    Attributes
    ----------
    size, dim : int or None
        Rows it holds, and dimensions; None where it does not tell.
    metric : str or None
        "cosine", "dot" or "l2" (squared); another name as it is given; None where it does not tell.
    """

    def __init__(self, index: Any) -> None:
        search = getattr(index, "search", None)
        self._ask, self._knn = (search, False) if callable(search) else (getattr(index, "knn_query", None), True)
        if not callable(self._ask):
            raise InvalidTypeError(f"index must be a fastcal.Index or have search(queries, k) or knn_query(queries, k), got {called(index)}")
        self.name, self.size, self.dim, self.metric = called(index), _size(index), _dim(index), _metric(index)
        if self.size == 0:
            raise InvalidValueError("the index is empty; expected at least one row")

    def search(self, queries: npt.NDArray[np.float32], k: int) -> Found:
        """Return about the best k rows of each query, or all if there are fewer.

        The index returns float scores and integer ids, in either order, (n_queries, k) or of one query (k,); an object with
        ``scores`` and ``ids``; or usearch's matches with ``keys`` and ``distances``.
        """
        if self.dim not in {None, queries.shape[1]}:
            raise InvalidValueError(f"query has {queries.shape[1]} dimensions; expected {self.dim}, those of the index ({self.name})")
        assert self._ask is not None
        returned = self._ask(queries, k if self.size is None else min(k, self.size))
        scores, ids = (np.atleast_2d(part) for part in self._arrays(returned))
        if scores.shape != ids.shape or scores.ndim != 2 or len(ids) != len(queries):
            raise InvalidValueError(
                f"{self.name} returned scores {scores.shape} and ids {ids.shape} for {len(queries)} queries; expected (n_queries, k) of both"
            )
        with np.errstate(over="ignore"):
            scores = scores.astype(np.float32)
        missing = (ids < 0) | np.isnan(scores)
        scores, ids = np.where(missing, np.float32(np.nan), scores), np.where(missing, -1, ids)
        _refuse_twice(ids)
        return Found(ids, scores, self._direction(returned, scores))

    def _arrays(self, found: Any) -> tuple[Array, npt.NDArray[np.int64]]:
        """Return (scores, ids), told apart by name or by dtype."""
        if hasattr(found, "keys") and hasattr(found, "distances"):
            return as_array(found.distances, "distances of the index"), _keys(found)
        if hasattr(found, "scores") and hasattr(found, "ids"):
            found = found.scores, found.ids
        if not isinstance(found, tuple | list) or len(found) != 2:
            raise InvalidTypeError(f"{self.name} returned {type(found).__name__}; expected (scores, ids), two arrays")
        first, second = (as_array(part, "what the index returned") for part in found)
        if first.dtype.kind in "iu" and second.dtype.kind == "f":
            first, second = second, first
        if first.dtype.kind != "f" or second.dtype.kind not in "iu":
            raise InvalidTypeError(f"{self.name} returned dtypes {first.dtype} and {second.dtype}; expected float scores and integer ids")
        return first, int64_array(second, "ids of the index")

    def _direction(self, found: Any, scores: npt.NDArray[np.float32]) -> bool | None:
        """Of hnswlib and usearch all scores are distances; FAISS returns inner products as they are."""
        carried = getattr(found, "higher_is_better", None)
        if isinstance(carried, bool):
            return carried
        steps = np.diff(scores, axis=1)
        falls, rises = bool((steps < 0).any()), bool((steps > 0).any())
        if falls != rises:
            return falls
        if self._knn or hasattr(found, "distances"):
            return False
        return {"dot": True, "l2": False}.get(self.metric or "")


def called(index: Any) -> str:
    """Name the type of an object and the library it comes from, for messages."""
    kind = type(index)
    library = kind.__module__.partition(".")[0]
    return kind.__qualname__ if library in {"builtins", "__main__"} else f"{library}.{kind.__qualname__}"


def _keys(found: Any) -> npt.NDArray[np.int64]:
    """Keys of usearch; counts of a batch tell padding from keys."""
    keys = np.atleast_2d(as_array(found.keys, "keys of the index"))
    counts = getattr(found, "counts", None)
    if counts is None:
        return int64_array(keys, "keys of the index")
    unused = np.arange(keys.shape[1]) >= np.asarray(counts).reshape(-1, 1)
    return np.where(unused, -1, int64_array(np.where(unused, keys.dtype.type(0), keys), "keys of the index"))


def _size(index: Any) -> int | None:
    if hasattr(index, "ntotal"):
        return int(index.ntotal)
    if hasattr(index, "get_current_count"):
        return int(index.get_current_count())
    return len(index) if hasattr(index, "__len__") else None


def _dim(index: Any) -> int | None:
    told = (getattr(index, name, None) for name in ("d", "dim", "ndim"))
    return next((int(given) for given in told if isinstance(given, int | np.integer) and not isinstance(given, bool)), None)


def _metric(index: Any) -> str | None:
    kind = getattr(index, "metric_kind", None)
    told = (getattr(kind, "name", None), *(getattr(index, name, None) for name in ("space", "metric_type", "metric")))
    named = next((given for given in told if isinstance(given, str | int)), None)
    return None if named is None else _METRICS.get(str(named).lower(), str(named))


def _refuse_twice(ids: npt.NDArray[np.int64]) -> None:
    ordered = np.sort(ids, axis=1)
    twice = (ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] >= 0)
    if twice.any():
        raise InvalidValueError(f"the index returned id {ordered[:, 1:][twice][0]} more than once for a query; expected distinct ids")
