"""Range search on the Numba backend: every tile is scored, and what passes the gate is kept."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import numpy as np

from fastcal._backend._numba_pool import ranges, run
from fastcal._backend._numba_search import QUERIES_PER_PASS, FirstBad, Queries, rows_per_chunk

if TYPE_CHECKING:
    from fastcal._backend._numba_gate import Gate
    from fastcal._backend.protocol import Array, Metric


class FoundRange:
    """See :class:`fastcal._backend.protocol.FoundRange`; ``parts`` holds (query, score, id) triples of arrays, unordered."""

    def __init__(self, n_queries: int, limit: int, *, lower_is_better: bool) -> None:
        self.bad = -1
        self.found = 0
        self._n_queries, self._limit, self._lower_is_better = n_queries, limit, lower_is_better
        self._parts: list[tuple[Array, Array, Array]] = []
        self._lock = threading.Lock()

    def add(self, queries: Array, scores: Array, ids: Array) -> None:
        """Count, and keep while the limit allows."""
        with self._lock:
            self.found += len(ids)
            if self.found <= self._limit:
                self._parts.append((queries, scores, ids))
            else:
                self._parts.clear()

    def write(self, out_offsets: Array, out_scores: Array, out_ids: Array) -> None:
        if self._parts:
            queries, scores, ids = (np.concatenate(columns) for columns in zip(*self._parts, strict=True))
        else:
            queries, scores, ids = np.empty(0, np.int64), np.empty(0, np.float32), np.empty(0, np.int64)
        order = np.lexsort((ids, scores if self._lower_is_better else -scores, queries))
        out_offsets[0] = 0
        out_offsets[1:] = np.cumsum(np.bincount(queries, minlength=self._n_queries))
        out_scores[...], out_ids[...] = scores[order], ids[order]


def range_search(
    queries: Array, corpus: Array, norms: Array | None, metric: Metric, ids: Array | None, gate: Gate, limit: int, num_threads: int
) -> FoundRange:
    """See :meth:`fastcal._backend.protocol.Backend.range_search`."""
    prepared, bad = Queries(queries, metric), FirstBad()
    result = FoundRange(len(queries), limit, lower_is_better=metric == "euclidean")
    passes = ranges(len(queries), QUERIES_PER_PASS)

    def work(_slot: int, chunk: tuple[int, int, int, int]) -> None:
        start, stop, first, last = chunk
        tile = np.empty((last - first, stop - start), dtype=np.float32)
        found = prepared.score(first, last, corpus[start:stop], None if norms is None else norms[start:stop], tile)
        if found >= 0:
            bad.report(start + found)
            return
        gate.close(tile, first, last, start, stop)
        query, row = np.nonzero(~np.isnan(tile))
        result.add(query + first, tile[query, row], row + start if ids is None else ids[row + start])

    blocks = ranges(len(corpus), rows_per_chunk(corpus, min(len(queries), QUERIES_PER_PASS)))
    run(work, [(*block, *part) for block in blocks for part in passes], num_threads)
    result.bad = bad.index
    return result
