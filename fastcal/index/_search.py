"""The searches of an index: the best k rows, and all rows above a threshold."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fastcal import _backend, _threads
from fastcal._backend.protocol import Array
from fastcal._validate import gates
from fastcal._validate import vectors as validate
from fastcal._validate.numbers import integer
from fastcal.errors import InvalidValueError
from fastcal.index._merge import BestSoFar, Range, merge_ranges
from fastcal.index._segment import Segment
from fastcal.index._state import State, memory, n_rows, raise_changed
from fastcal.results import RangeResult, SearchResult, search_result

_NO_LIMIT = 2**62


class Searched(State):
    """Top-k and range search over the segments."""

    def search(
        self,
        queries: Any,
        k: int,
        *,
        threshold: Any = None,
        allow: Any = None,
        out: tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]] | None = None,
        num_threads: int | None = None,
    ) -> SearchResult:
        """Find the exact best k rows of each query; see :func:`fastcal.topk` for what is promised.

        Parameters
        ----------
        queries : array_like of float, shape (n_queries, dim) or (dim,)
        k : int
            At least 1; results are padded with id -1 and score NaN where fewer rows qualify.
        threshold : float or array_like of float, shape (n_queries,), optional
            Return only rows with score >= threshold (euclidean: distance <= threshold). Rounded once to float32.
        allow : array_like of bool, shape (n_rows,) or (n_queries, n_rows), or of int ids, optional
            Return only these rows. Applied inside the scan: the result is the best k *of the allowed rows*. Integers are
            ids as results return them; external ids that the index does not hold allow nothing.
        out : (ndarray of float32, ndarray of int64), each of shape (n_queries, k), optional
            Where to write scores and ids. Untouched when an error is raised.
        num_threads : int, optional

        Returns
        -------
        SearchResult
            Unpacks as ``(scores, ids)``.

        Raises
        ------
        ValueError, TypeError
            Bad queries or k, as in :func:`fastcal.topk`; a threshold that is not finite; a mask of the wrong shape or dtype, row
            numbers out of range.
        CorpusChangedError
            A row is noticed to differ from the one the index was built from: it was looked at, and is not finite or scores
            outside its bounds. Rows that are ruled out unread and changes within the bounds go unnoticed (:meth:`verify`
            notices both), so do not write to an indexed corpus. One that shrinks on disk while it is mapped ends the process
            (SIGBUS).

        Examples
        --------
        >>> import numpy as np, fastcal as fc
        >>> index = fc.Index(np.eye(3, dtype=np.float32), metric="dot")
        >>> scores, ids = index.search([[0.0, 2.0, 1.0]], k=2)
        >>> scores.tolist(), ids.tolist()
        ([[2.0, 1.0]], [[1, 2]])
        >>> index.search([[0.0, 2.0, 1.0]], k=2, threshold=0.5, allow=[0, 2]).ids.tolist()
        [[2, -1]]
        """
        count = integer(k, "k", least=1)
        backend, threads, segments = _backend.active(), _threads.resolve(num_threads), self._segments
        vectors = self._judge_queries(queries, backend)
        inputs = () if out is None else (*memory(segments), vectors)
        out_scores, out_ids = validate.output_pair(out, (len(vectors), count), inputs)
        floor = None if threshold is None else gates.thresholds(threshold, len(vectors))
        mask = None if allow is None else self._mask(allow, len(vectors), segments)
        best = BestSoFar(out_scores, out_ids, floor, lower_is_better=not self._higher_is_better) if len(segments) > 1 else None
        for segment in segments:
            scores, ids = (out_scores, out_ids) if best is None else best.blank()
            bad = backend.topk(
                vectors,
                segment.rows,
                segment.norms,
                self._metric,
                segment.ids,
                scores,
                ids,
                threads,
                segment.sketch_for(backend),
                floor if best is None else best.floor,
                _part(mask, segment),
            )
            if bad >= 0:
                raise_changed(segment, bad)
            if best is not None:
                best.take(scores, ids, 0 if segment.ids is not None else segment.first)
        if best is not None:
            best.write()
        return search_result(out_scores, out_ids, self._higher_is_better)

    def range_search(
        self, queries: Any, threshold: Any, *, limit: int | None = None, allow: Any = None, num_threads: int | None = None
    ) -> RangeResult:
        """Find every row that scores at least the threshold (euclidean: lies within it), best first.

        Parameters
        ----------
        queries : array_like of float, shape (n_queries, dim) or (dim,)
        threshold : float or array_like of float, shape (n_queries,)
            Inclusive, rounded once to float32.
        limit : int, optional
            The most rows that may be returned over all queries together.
        allow : array_like of bool or int, optional
            As in :meth:`search`.
        num_threads : int, optional

        Returns
        -------
        RangeResult
            ``offsets``, ``scores`` and ``ids``; ties by lower id.

        Raises
        ------
        ValueError
            More than `limit` rows qualify (the message says how many), or bad input as in :meth:`search`.
        TypeError
            As in :meth:`search`.
        CorpusChangedError
            As in :meth:`search`.

        Examples
        --------
        >>> import numpy as np, fastcal as fc
        >>> index = fc.Index(np.array([[1, 0], [0, 1], [1, 1]], dtype=np.float32))
        >>> found = index.range_search([[1.0, 0.0], [0.0, -1.0]], 0.5)
        >>> found.offsets.tolist(), found.ids.tolist()
        ([0, 2, 2], [0, 2])
        """
        most = limit_of(limit)
        found, parts = self._reaching(queries, threshold, most, allow, num_threads)
        if found > most:
            raise beyond(found, most)
        offsets, scores, ids = merge_ranges(parts, lower_is_better=not self._higher_is_better)
        return RangeResult(offsets, scores, ids, higher_is_better=self._higher_is_better)

    def _reaching(self, queries: Any, threshold: Any, limit: int, allow: Any = None, num_threads: int | None = None) -> tuple[int, list[Range]]:
        """Return how many rows reach the threshold and, unless these are more than the limit, those of each segment."""
        backend, threads, segments = _backend.active(), _threads.resolve(num_threads), self._segments
        vectors = self._judge_queries(queries, backend)
        floor = gates.thresholds(threshold, len(vectors))
        mask = None if allow is None else self._mask(allow, len(vectors), segments)
        found, parts = 0, list[Range]()
        for segment in segments:
            part = backend.range_search(
                vectors,
                segment.rows,
                segment.norms,
                self._metric,
                segment.ids,
                floor,
                max(0, limit - found),
                num_threads=threads,
                sketch=segment.sketch_for(backend),
                allow=_part(mask, segment),
            )
            if part.bad >= 0:
                raise_changed(segment, part.bad)
            found += part.found
            if found <= limit:
                offsets, scores, ids = np.empty(len(vectors) + 1, np.int64), np.empty(part.found, np.float32), np.empty(part.found, np.int64)
                part.write(offsets, scores, ids)
                parts.append((offsets, scores, ids if segment.ids is not None else ids + segment.first))
        return found, parts

    def _mask(self, allow: Any, n_queries: int, segments: tuple[Segment, ...]) -> npt.NDArray[np.bool_]:
        total = n_rows(segments)
        return gates.allowed(allow, n_queries, total, lambda ids: self._rows_of(ids, segments, total))

    def _rows_of(self, ids: Array, segments: tuple[Segment, ...], total: int) -> Array:
        if not self._has_ids:
            return gates.rows_in_range(ids, total)
        return np.concatenate([segment.first + segment.by_id.rows_of(ids) for segment in segments if segment.by_id is not None])


def limit_of(limit: Any) -> int:
    """Return the most rows of a range search."""
    return _NO_LIMIT if limit is None else integer(limit, "limit", least=0)


def beyond(found: int, limit: int) -> InvalidValueError:
    """Return the error of a range search that found more rows."""
    return InvalidValueError(f"{found} rows reach the threshold, more than limit = {limit}; raise the threshold or the limit")


def _part(mask: npt.NDArray[np.bool_] | None, segment: Segment) -> npt.NDArray[np.bool_] | None:
    """The columns of a mask that belong to a segment."""
    return None if mask is None else np.ascontiguousarray(mask[:, segment.first : segment.first + len(segment)])
