"""Kernels of fusion: the lists of a query are gathered in a hash table and ranked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fastcal._backend._numba_lanes import kernel

if TYPE_CHECKING:
    from fastcal._backend.protocol import Array

_HASH = -7046029254386353131  # 2**64 / golden ratio, as int64


@kernel
def _goes_after(a: int, b: int, scores: Array, runs: Array, ids: Array) -> bool:
    """Whether document a ranks below document b: score descending, first run, id."""
    if scores[a] != scores[b]:
        return bool(scores[a] < scores[b])
    if runs[a] != runs[b]:
        return bool(runs[a] > runs[b])
    return bool(ids[a] > ids[b])


@kernel
def _sink(heap: Array, size: int, hole: int, scores: Array, runs: Array, ids: Array) -> None:
    """Move the entry at ``hole`` down until its children rank above it (the root ranks last)."""
    entry = heap[hole]
    while 2 * hole + 1 < size:
        child = 2 * hole + 1
        if child + 1 < size and _goes_after(heap[child + 1], heap[child], scores, runs, ids):
            child += 1
        if not _goes_after(heap[child], entry, scores, runs, ids):
            break
        heap[hole] = heap[child]
        hole = child
    heap[hole] = entry


@kernel
def _rank(count: int, keep: int, heap: Array, scores: Array, runs: Array, ids: Array) -> None:
    """Write the best ``keep`` of documents 0..count to ``heap``, best first."""
    for i in range(keep):
        heap[i] = i
    for i in range(keep // 2 - 1, -1, -1):
        _sink(heap, keep, i, scores, runs, ids)
    for i in range(keep, count):
        if keep and _goes_after(heap[0], i, scores, runs, ids):
            heap[0] = i
            _sink(heap, keep, 0, scores, runs, ids)
    for size in range(keep - 1, 0, -1):
        heap[0], heap[size] = heap[size], heap[0]
        _sink(heap, size, 0, scores, runs, ids)


@kernel
def _slot(table: Array, mask: int, ids: Array, identifier: int) -> int:
    """Where ``identifier`` is in the hash table, or the free place where it belongs (linear probing)."""
    mixed = identifier * _HASH
    place = (mixed ^ (mixed >> 32)) & mask
    while table[place] >= 0 and ids[table[place]] != identifier:
        place = (place + 1) & mask
    return int(place)


@kernel
def fuse(
    ids: Array,
    scores: Array,
    starts: Array,
    weights: Array,
    by_rank: bool,
    k: float,
    top_k: int,
    first: int,
    last: int,
    out_offsets: Array,
    out_ids: Array,
    out_scores: Array,
    out_counts: Array,
) -> None:
    """Queries first..last. List (run, query) is ``ids[starts[run, query]:starts[run, query + 1]]``, all runs in one array."""
    n_runs = starts.shape[0]
    longest = 1
    for query in range(first, last):
        longest = max(longest, np.sum(starts[:, query + 1] - starts[:, query]))
    size = 2
    while size < 2 * longest:
        size *= 2
    table = np.full(size, -1, dtype=np.int64)
    places, heap = np.empty(longest, dtype=np.int64), np.empty(longest, dtype=np.int64)
    doc_ids, totals, rounded = np.empty(longest, dtype=np.int64), np.empty(longest), np.empty(longest, dtype=np.float32)
    first_run, last_run = np.empty(longest, dtype=np.int64), np.empty(longest, dtype=np.int64)
    for query in range(first, last):
        count = 0
        for run in range(n_runs):
            begin = starts[run, query]
            for i in range(begin, starts[run, query + 1]):
                place = _slot(table, size - 1, doc_ids, ids[i])
                doc = table[place]
                if doc < 0:
                    doc = count
                    table[place] = doc
                    places[doc], doc_ids[doc], totals[doc] = place, ids[i], 0.0
                    first_run[doc], last_run[doc] = run, -1
                    count += 1
                if last_run[doc] != run:
                    last_run[doc] = run
                    totals[doc] += weights[run] / (k + (i - begin + 1)) if by_rank else weights[run] * scores[i]
        for doc in range(count):
            table[places[doc]] = -1
            rounded[doc] = totals[doc]
            rounded[doc] += np.float32(0.0)
        keep = count if top_k < 0 else min(count, top_k)
        _rank(count, keep, heap, rounded, first_run, doc_ids)
        for i in range(keep):
            out_ids[out_offsets[query] + i] = doc_ids[heap[i]]
            out_scores[out_offsets[query] + i] = rounded[heap[i]]
        out_counts[query] = keep
