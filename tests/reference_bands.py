"""Score bands of docs/numerics.md as slow, obvious Python, beside reference.py."""

from __future__ import annotations

import bisect

import reference


def splitmix64(state, n):
    """Output number ``n`` of the generator that starts in ``state``."""
    z = (state + (n + 1) * 0x9E3779B97F4A7C15) % 2**64
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB % 2**64
    return z ^ (z >> 31)


def members(scores, edges):
    """The row numbers of each bin, ascending."""
    bins = [[] for _ in edges[1:]]
    for row, value in enumerate(scores.tolist()):
        if edges[0] <= value <= edges[-1]:
            bins[min(bisect.bisect_right(edges, value), len(bins)) - 1].append(row)
    return bins


def histogram(queries, corpus, row_norms, metric, edges, out_counts, num_threads=1, sketch=None):
    bad = reference.first_bad_row(corpus)
    if bad < 0:
        for query, line in zip(queries, out_counts, strict=True):
            line[...] = [len(rows) for rows in members(reference.score(query, reference.widen(corpus), metric), edges.tolist())]
    return bad


def sample_bands(
    queries, corpus, row_norms, metric, edges, seed, first_row, out_counts, out_rows, out_scores, out_priorities, num_threads=1, sketch=None
):
    bad = histogram(queries, corpus, row_norms, metric, edges, out_counts)
    if bad >= 0:
        return bad
    size = out_rows.shape[2]
    out_rows[...], out_scores[...], out_priorities[...] = -1, reference.PADDING, 2**64 - 1
    for number, query in enumerate(queries):
        scores = reference.score(query, reference.widen(corpus), metric)
        state = splitmix64(splitmix64(seed, 0), number)
        for i, rows in enumerate(members(scores, edges.tolist())):
            drawn = sorted((splitmix64(state, first_row + row), row) for row in rows)[:size]
            for place, (priority, row) in enumerate(drawn):
                out_rows[number, i, place], out_scores[number, i, place], out_priorities[number, i, place] = first_row + row, scores[row], priority
    return -1
