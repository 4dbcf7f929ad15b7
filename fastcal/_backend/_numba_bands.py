"""Counts and samples of score bands on the Numba backend: every row is scored, NumPy puts the scores into bands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fastcal._backend._numba_pool import ranges, run
from fastcal._backend._numba_search import PADDING, QUERIES_PER_PASS, FirstBad, Queries, rows_per_chunk

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastcal._backend.protocol import Array, Metric

_LAST = np.uint64(2**64 - 1)
_STEP, _MIX_1, _MIX_2 = (np.uint64(c) for c in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))
_30, _27, _31, _1 = (np.uint64(c) for c in (30, 27, 31, 1))


def splitmix64(state: Array, n: Array) -> Array:
    """Output number ``n`` of the splitmix64 generator that starts in ``state``, for uint64 arrays."""
    z = state + (n + _1) * _STEP
    z = (z ^ (z >> _30)) * _MIX_1
    z = (z ^ (z >> _27)) * _MIX_2
    mixed: Array = z ^ (z >> _31)
    return mixed


def bins_of(scores: Array, edges: Array) -> Array:
    """Number of the bin of each score; -1 or n_bins outside of all."""
    bins = np.searchsorted(edges, scores, side="right") - 1
    bins[scores == edges[-1]] = edges.size - 2
    return bins


def histogram(queries: Array, corpus: Array, norms: Array | None, metric: Metric, edges: Array, out: Array, num_threads: int) -> int:
    """See :meth:`fastcal._backend.protocol.Backend.histogram`."""
    counts: dict[int, Array] = {}

    def count(slot: int, first: int, last: int, _start: int, tile: Array) -> None:
        mine = counts.setdefault(slot, np.zeros_like(out))
        for query in range(first, last):
            mine[query] += _counted(bins_of(tile[query - first], edges), out.shape[1])

    bad = _score_all(queries, corpus, norms, metric, num_threads, count)
    if bad < 0:
        out[...] = sum(counts.values())
    return bad


def _counted(bins: Array, n_bins: int) -> Array:
    return np.bincount(bins + 1, minlength=n_bins + 2)[1:-1]


class Samples:
    """The rows of smallest priority in each band of one query, as far as one thread has seen them."""

    def __init__(self, n_bins: int, size: int) -> None:
        self.counts = np.zeros(n_bins, dtype=np.int64)
        self.bars = np.full(n_bins, _LAST)
        self.size = size
        self.parts: list[Array] = [np.empty(0, dtype=[("bin", np.int64), ("priority", np.uint64), ("row", np.int64), ("score", np.float32)])]
        self.waiting = 0

    def offer(self, bins: Array, priorities: Array, rows: Array, scores: Array) -> None:
        """Count the rows of a tile, and keep those that are inside a band and below its bar."""
        self.counts += _counted(bins, self.bars.size)
        inside = (bins >= 0) & (bins < self.bars.size)
        kept = np.flatnonzero(inside)[priorities[inside] <= self.bars[bins[inside]]]
        part = np.empty(kept.size, dtype=self.parts[0].dtype)
        part["bin"], part["priority"], part["row"], part["score"] = bins[kept], priorities[kept], rows[kept], scores[kept]
        self.parts.append(part)
        self.waiting += kept.size
        if self.waiting > max(4096, 2 * self.size):
            self.settle()

    def settle(self) -> Array:
        """Keep the best of each band, by band and priority; returns where each stands in its band."""
        rows = np.concatenate(self.parts)
        rows = rows[np.lexsort((rows["priority"], rows["bin"]))]
        starts = np.searchsorted(rows["bin"], np.arange(self.bars.size))
        places = np.arange(rows.size) - starts[rows["bin"]]
        last = places == self.size - 1
        self.bars[rows["bin"][last]] = rows["priority"][last]
        best = places < self.size
        self.parts, self.waiting = [rows[best]], 0
        kept: Array = places[best]
        return kept


def sample_bands(
    queries: Array,
    corpus: Array,
    norms: Array | None,
    metric: Metric,
    edges: Array,
    seed: int,
    first_row: int,
    outs: tuple[Array, Array, Array, Array],
    num_threads: int,
) -> int:
    """See :meth:`fastcal._backend.protocol.Backend.sample_bands`."""
    n_queries, n_bins, size = outs[1].shape
    numbers = np.arange(n_queries, dtype=np.uint64)
    states = splitmix64(splitmix64(np.full(n_queries, seed, dtype=np.uint64), np.zeros_like(numbers)), numbers)
    found: dict[int, list[Samples]] = {}

    def take(slot: int, first: int, last: int, start: int, tile: Array) -> None:
        rows = np.arange(first_row + start, first_row + start + tile.shape[1])
        mine = found.get(slot) or found.setdefault(slot, [Samples(n_bins, size) for _ in range(n_queries)])
        for query in range(first, last):
            bins = bins_of(tile[query - first], edges)
            mine[query].offer(bins, splitmix64(states[query], rows.astype(np.uint64)), rows, tile[query - first])

    bad = _score_all(queries, corpus, norms, metric, num_threads, take)
    if bad < 0:
        for out, padding in zip(outs, (0, -1, PADDING, _LAST), strict=True):
            out[...] = padding
        for query in range(n_queries):
            merged = Samples(n_bins, size)
            threads = [thread[query] for thread in found.values()]
            outs[0][query] += sum(thread.counts for thread in threads)
            merged.parts += [part for thread in threads for part in thread.parts]
            places = merged.settle()
            best = merged.parts[0]
            for out, field in zip(outs[1:], ("row", "score", "priority"), strict=True):
                out[query, best["bin"], places] = best[field]
    return bad


def _score_all(
    queries: Array, corpus: Array, norms: Array | None, metric: Metric, num_threads: int, take: Callable[[int, int, int, int, Array], None]
) -> int:
    """Call ``take(slot, first query, last query, first row, tile)`` for every tile of scores; returns the first bad row, or -1."""
    prepared, bad = Queries(queries, metric), FirstBad()

    def work(slot: int, chunk: tuple[int, int, int, int]) -> None:
        start, stop, first, last = chunk
        tile = np.empty((last - first, stop - start), dtype=np.float32)
        found = prepared.score(first, last, corpus[start:stop], None if norms is None else norms[start:stop], tile)
        if found >= 0:
            bad.report(start + found)
        elif not bad:
            take(slot, first, last, start, tile)

    blocks = ranges(corpus.shape[0], rows_per_chunk(corpus, min(len(queries), QUERIES_PER_PASS)))
    run(work, [(*block, *part) for block in blocks for part in ranges(len(queries), QUERIES_PER_PASS)], num_threads)
    return bad.index
