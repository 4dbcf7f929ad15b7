"""Kernels of fusion: the lists of a query are gathered in a hash table, combined and ranked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fastcal._backend._numba_fusion_values import (
    ABSENT,
    COPELAND,
    ERROR,
    LISTED,
    LOGISTIC,
    MIN,
    add_up,
    choose,
    pairwise_wins,
    spread,
    term,
)
from fastcal._backend._numba_lanes import kernel

if TYPE_CHECKING:
    from fastcal._backend.protocol import Array

_HASH = -7046029254386353131  # 2**64 / golden ratio, as int64
_SOURCE, _ID, _ID_DESC = range(3)


@kernel
def _goes_after(a: int, b: int, scores: Array, runs: Array, ids: Array) -> bool:
    """Whether document a ranks below document b: score descending, then rising runs, then rising ids."""
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
def _gather(ids: Array, starts: Array, query: int, table: Array, documents: Array, doc_ids: Array, first_run: Array, hits: Array) -> int:
    """Number the documents of a query in order of appearance; an entry that its list has had before is -1 - document."""
    count = at = 0
    last_run = np.full(documents.size, -1, dtype=np.int64)
    table[:] = -1
    for run in range(starts.shape[0]):
        for i in range(starts[run, query], starts[run, query + 1]):
            place = _slot(table, table.size - 1, doc_ids, ids[i])
            doc = table[place]
            if doc < 0:
                doc = count
                table[place] = doc
                doc_ids[doc], first_run[doc], hits[doc] = ids[i], run, 0
                count += 1
            again = last_run[doc] == run
            documents[at] = -1 - doc if again else doc
            last_run[doc] = run
            hits[doc] += not again
            at += 1
    return count


@kernel
def _order(count: int, keep: int, ties: int, heap: Array, scores: Array, runs: Array, ids: Array) -> None:
    """Rank by score and ties; descending ids rise when all their bits are turned."""
    if ties == _SOURCE:
        _rank(count, keep, heap, scores, runs, ids)
    else:
        alike = np.zeros(count, dtype=np.int64)
        _rank(count, keep, heap, scores, alike, ids if ties == _ID else ~ids[:count])


@kernel
def _explain(
    keep: int,
    heap: Array,
    combine: int,
    parameter: float,
    base: float,
    begins: Array,
    shares: Array,
    factors: Array,
    hits: Array,
    values: Array,
    states: Array,
    places: Array,
    first_row: int,
    out_entries: Array,
    out_terms: Array,
) -> None:
    """Write where each run lists the documents kept, and its terms."""
    for i in range(keep):
        doc, row = heap[i], first_row + i
        for run in range(shares.size):
            out_entries[row, run] = begins[run] + places[run, doc] if states[run, doc] == LISTED else -1
            out_terms[row, run] = np.nan if combine >= MIN else 0.0
            if states[run, doc] != ABSENT:
                behind = values[shares.size, doc]
                out_terms[row, run] = term(combine, parameter, base, shares[run], values[run, doc], factors[hits[doc]], behind)


@kernel
def fuse(
    ids: Array,
    scores: Array,
    starts: Array,
    weights: Array,
    factors: Array,
    value: int,
    combine: int,
    parameter: float,
    base: float,
    stretch: bool,
    missing: int,
    fill: float,
    duplicates: int,
    ties: int,
    top_k: int,
    first: int,
    last: int,
    room: Array,
    out_ids: Array,
    out_scores: Array,
    out_counts: Array,
    out_entries: Array,
    out_terms: Array,
    faults: Array,
) -> None:
    """Queries first..last, written from ``room``. List (run, query) is ``ids[starts[run, query]:starts[run, query + 1]]``.

    ``faults`` are the first runs with a bad score and with a document listed twice; n_runs stands for none.
    """
    n_runs = starts.shape[0]
    longest = 1
    for query in range(first, last):
        longest = max(longest, np.sum(starts[:, query + 1] - starts[:, query]))
    size = 2
    while size < 2 * longest:
        size *= 2
    table, documents, heap = np.empty(size, dtype=np.int64), np.empty(longest, dtype=np.int64), np.empty(longest, dtype=np.int64)
    doc_ids, first_run, hits = np.empty(longest, dtype=np.int64), np.empty(longest, dtype=np.int64), np.empty(longest, dtype=np.int64)
    totals, rounded = np.empty(longest), np.empty(longest, dtype=np.float32)
    values, states = np.empty((n_runs + 1, longest)), np.empty((n_runs, longest), dtype=np.int8)
    places, shares = np.empty((n_runs, longest), dtype=np.int64), np.empty(n_runs)
    for query in range(first, last):
        count = _gather(ids, starts, query, table, documents, doc_ids, first_run, hits)
        at = 0
        for run in range(n_runs):
            begin, length = starts[run, query], starts[run, query + 1] - starts[run, query]
            weight = weights[query if weights.shape[0] > 1 else 0, run]
            shares[run] = 1.0 if stretch else weight
            listed = documents[at : at + length]
            good = spread(
                listed,
                scores,
                begin,
                count,
                value,
                parameter,
                weight if stretch else 1.0,
                combine == LOGISTIC,
                missing,
                fill,
                duplicates,
                values[run],
                states[run],
                places[run],
            )
            twice = duplicates == ERROR and (listed < 0).any()
            faults[0], faults[1] = min(faults[0], n_runs if good else run), min(faults[1], run if twice else n_runs)
            at += length
        if combine == COPELAND:
            pairwise_wins(count, shares, places, totals)
        elif combine >= MIN:
            choose(combine, count, n_runs, values, states, totals)
        else:
            add_up(combine, parameter, base, count, shares, factors, hits, values, states, totals)
        for doc in range(count):
            rounded[doc] = totals[doc]
            rounded[doc] += np.float32(0.0)
        out_counts[query] = keep = count if top_k < 0 else min(count, top_k)
        if faults[0] < n_runs:
            continue
        _order(count, keep, ties, heap, rounded, first_run, doc_ids)
        for i in range(keep):
            out_ids[room[query] + i], out_scores[room[query] + i] = doc_ids[heap[i]], rounded[heap[i]]
        if out_entries.size:
            begins = starts[:, query] - starts[:, 0]
            _explain(keep, heap, combine, parameter, base, begins, shares, factors, hits, values, states, places, room[query], out_entries, out_terms)
