"""Search on the Numba backend: blocks of rows, widened to float32 where needed, scored and ranked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fastcal._backend import _numba_kernels as kernels
from fastcal._backend._numba_pool import ranges, run

if TYPE_CHECKING:
    from fastcal._backend._numba_gate import Gate
    from fastcal._backend.protocol import Array, Metric

METRIC_CODES: dict[Metric, int] = {"dot": kernels.DOT, "cosine": kernels.COSINE, "euclidean": kernels.EUCLIDEAN}
PADDING = np.array([0x7FC00000], dtype=np.uint32).view(np.float32)[0]
NO_FLOATS = np.empty(0, dtype=np.float64)
NO_IDS = np.empty(0, dtype=np.int64)

# 4 M multiply-adds take 0.6-2 ms on one core of an EPYC 9004: long enough to hide the interpreter, short enough for Ctrl-C.
CHUNK_WORK = 1 << 22
# Widened rows should stay in the second-level cache.
WIDEN_ELEMENTS = 1 << 18
QUERIES_PER_PASS = 64
HEAP_ENTRIES = 1 << 22


def address(array: Array) -> int:
    """Where the first element is."""
    pointer: int = array.__array_interface__["data"][0]
    return pointer


def as_float32(rows: Array) -> Array:
    """``rows`` as float32: a view of float32, an exact copy of float16 and bfloat16 (uint16 bits)."""
    if rows.dtype == np.float32:
        return rows
    if rows.dtype == np.uint16:
        return np.left_shift(rows, 16, dtype=np.uint32, order="C").view(np.float32)
    halves = np.ascontiguousarray(rows).view(np.uint16).ravel()
    wide = np.empty(rows.shape, dtype=np.uint32)
    halves.flags.writeable = False
    kernels.widen_float16(halves, wide.reshape(-1))
    return wide.view(np.float32)


def rows_per_chunk(corpus: Array, n_queries: int) -> int:
    """Rows that make one chunk of work for ``n_queries`` queries."""
    dim = max(1, int(corpus.shape[1]))
    limit = CHUNK_WORK if corpus.dtype == np.float32 else WIDEN_ELEMENTS
    return max(1, min(CHUNK_WORK // (dim * max(1, n_queries)), limit // dim))


class FirstBad:
    """The smallest bad index reported by any chunk; chunks are taken in order, so later ones may be skipped."""

    def __init__(self) -> None:
        self._found: list[int] = []

    def report(self, index: int) -> None:
        """Remember ``index``, which is already relative to the whole input."""
        self._found.append(index)

    def __bool__(self) -> bool:
        return bool(self._found)

    @property
    def index(self) -> int:
        """The smallest index reported, or -1."""
        return min(self._found, default=-1)


class Queries:
    """Float64 copies of the queries, and their norms."""

    def __init__(self, queries: Array, metric: Metric) -> None:
        n_queries, dim = queries.shape
        self.metric = METRIC_CODES[metric]
        self.values = np.ascontiguousarray(queries, dtype=np.float64)
        self.norms = np.empty(n_queries, dtype=np.float64)
        narrow = np.ascontiguousarray(queries)
        kernels.row_norms(address(narrow), narrow.strides[0], n_queries, dim, self.norms)

    def score(self, start: int, stop: int, rows: Array, norms: Array | None, tile: Array) -> int:
        """Fill ``tile`` with the scores of queries start..stop against ``rows``; first bad row of the block, or -1."""
        narrow = as_float32(rows)
        n_rows, dim = narrow.shape
        row_norms = NO_FLOATS if norms is None else np.ascontiguousarray(norms)
        first_query = address(self.values) + start * dim * 8
        bad: int = kernels.score_tile(
            first_query, stop - start, self.norms[start:stop], address(narrow), narrow.strides[0], n_rows, dim, row_norms, self.metric, tile
        )
        return bad


def row_norms(corpus: Array, out: Array, num_threads: int) -> int:
    """See :meth:`fastcal._backend.protocol.Backend.row_norms`."""
    bad = FirstBad()

    def work(_slot: int, chunk: tuple[int, int]) -> None:
        start, stop = chunk
        rows = as_float32(corpus[start:stop])
        norms = np.empty(stop - start, dtype=np.float64)
        found = kernels.row_norms(address(rows), rows.strides[0], stop - start, rows.shape[1], norms)
        out[start:stop] = norms
        if found >= 0:
            bad.report(start + found)

    run(work, ranges(corpus.shape[0], rows_per_chunk(corpus, 1)), num_threads)
    return bad.index


def scores(queries: Array, corpus: Array, norms: Array | None, metric: Metric, out: Array, num_threads: int) -> int:
    """Exact scores, whatever the precision asked for: the promise of ``"fast"`` is a bound."""
    prepared, bad = Queries(queries, metric), FirstBad()
    n_queries = queries.shape[0]
    passes = ranges(n_queries, QUERIES_PER_PASS)

    def work(_slot: int, chunk: tuple[int, int, int, int]) -> None:
        start, stop, first, last = chunk
        tile = np.empty((last - first, stop - start), dtype=np.float32)
        found = prepared.score(first, last, corpus[start:stop], None if norms is None else norms[start:stop], tile)
        if found >= 0:
            bad.report(start + found)
        else:
            out[first:last, start:stop] = tile

    blocks = ranges(corpus.shape[0], rows_per_chunk(corpus, min(n_queries, QUERIES_PER_PASS)))
    run(work, [(*block, *part) for block in blocks for part in passes], num_threads)
    return bad.index


class Heaps:
    """The best entries of every query of one pass, one heap per thread and query."""

    def __init__(self, n_queries: int, capacity: int, slots: int) -> None:
        self.keys = np.empty((slots, n_queries, capacity), dtype=np.float32)
        self.ids = np.empty((slots, n_queries, capacity), dtype=np.int64)
        self.sizes = np.zeros((slots, n_queries), dtype=np.int64)

    def push(self, slot: int, tile: Array, first_row: int, external: Array, lower_is_better: bool) -> None:
        """Offer a tile to the heaps of one thread."""
        kernels.push_tile(tile, tile.shape[1], first_row, external, lower_is_better, self.keys[slot], self.ids[slot], self.sizes[slot])

    def best(self, query: int, k: int) -> tuple[Array, Array]:
        """Keys and ids of the best ``k`` entries over all threads, best first."""
        filled = [(slot, int(size)) for slot, size in enumerate(self.sizes[:, query]) if size]
        if not filled:
            return np.empty(0, dtype=np.float32), NO_IDS
        keys = np.concatenate([self.keys[slot, query, :size] for slot, size in filled])
        ids = np.concatenate([self.ids[slot, query, :size] for slot, size in filled])
        order = np.lexsort((ids, -keys))[:k]
        return keys[order], ids[order]


def topk(
    queries: Array,
    corpus: Array,
    norms: Array | None,
    metric: Metric,
    ids: Array | None,
    gate: Gate,
    out_scores: Array,
    out_ids: Array,
    num_threads: int,
) -> int:
    """See :meth:`fastcal._backend.protocol.Backend.topk`; a pass over the rows serves as many queries as its heaps allow."""
    prepared = Queries(queries, metric)
    (n_queries, k), n_rows = out_ids.shape, corpus.shape[0]
    best_scores = np.full((n_queries, k), PADDING, dtype=np.float32)
    best_ids = np.full((n_queries, k), -1, dtype=np.int64)
    capacity = min(k, n_rows)
    slots = max(1, min(num_threads, -(-n_rows // rows_per_chunk(corpus, n_queries))))
    per_pass = max(1, min(QUERIES_PER_PASS, HEAP_ENTRIES // max(1, capacity * slots)))
    for first, last in ranges(n_queries, per_pass):
        heaps = Heaps(last - first, capacity, slots)
        bad = _fill(prepared, first, last, corpus, norms, ids, gate, heaps, slots)
        if bad >= 0:
            return bad
        for query in range(first, last):
            keys, found = heaps.best(query - first, k)
            best_scores[query, : keys.size] = (-keys if metric == "euclidean" else keys) + np.float32(0.0)
            best_ids[query, : keys.size] = found
    out_scores[...] = best_scores
    out_ids[...] = best_ids
    return -1


def _fill(
    prepared: Queries,
    first: int,
    last: int,
    corpus: Array,
    norms: Array | None,
    ids: Array | None,
    gate: Gate,
    heaps: Heaps,
    num_threads: int,
) -> int:
    """Offer every row that passes the gate to the queries first..last; returns the first bad row, or -1."""
    bad = FirstBad()
    external = NO_IDS if ids is None else np.ascontiguousarray(ids)

    def work(slot: int, chunk: tuple[int, int]) -> None:
        start, stop = chunk
        if bad:
            return
        tile = np.empty((last - first, stop - start), dtype=np.float32)
        found = prepared.score(first, last, corpus[start:stop], None if norms is None else norms[start:stop], tile)
        if found >= 0:
            bad.report(start + found)
        else:
            gate.close(tile, first, last, start, stop)
            heaps.push(slot, tile, start, external[start:stop], prepared.metric == kernels.EUCLIDEAN)

    run(work, ranges(corpus.shape[0], rows_per_chunk(corpus, last - first)), num_threads)
    return bad.index


def rescore(queries: Array, corpus: Array, ids: Array, metric: Metric, out: Array, num_threads: int) -> int:
    """Exact scores of the rows named by ``ids``, which are gathered block by block; only they are read."""
    prepared, bad = Queries(queries, metric), FirstBad()
    n_queries, width = ids.shape
    step = rows_per_chunk(corpus, 16)
    chunks = [(query, start, stop) for query in range(n_queries) for start, stop in ranges(width, step)]

    def work(_slot: int, chunk: tuple[int, int, int]) -> None:
        query, start, stop = chunk
        wanted = ids[query, start:stop]
        present = wanted >= 0
        rows = wanted[present]
        tile = np.empty((1, rows.size), dtype=np.float32)
        found = prepared.score(query, query + 1, np.ascontiguousarray(corpus[rows]), None, tile) if rows.size else -1
        if found >= 0:
            bad.report(lowest_bad_row(corpus, rows[found:]))
            return
        line = np.full(stop - start, PADDING, dtype=np.float32)
        line[present] = tile[0]
        out[query, start:stop] = line

    run(work, chunks, num_threads)
    return bad.index


def lowest_bad_row(corpus: Array, rows: Array) -> int:
    """The lowest of ``rows``, one of which is bad, that holds NaN or infinity."""
    finite = np.isfinite(as_float32(corpus[rows])).all(axis=1)
    return int(rows[~finite].min())
