"""Fusion, cut into chunks of queries for threads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from fastcal._backend import _numba_fusion, _types
from fastcal._backend._numba_list_operations import ListOperations
from fastcal._backend._numba_pool import run, warn_if_denormals_are_lost
from fastcal._backend._numba_search import NO_FLOATS
from fastcal._backend._numba_views import list_chunks, read_only

if TYPE_CHECKING:
    from fastcal._backend._types import AffineRule, Array, FuseCombine, FuseDuplicates, FuseMissing, FuseTies, FuseValue


class FusionOperations:
    """See the class of this name in :mod:`fastcal._backend.protocol`."""

    def fuse(
        self,
        ids: list[Array],
        scores: list[Array | None],
        offsets: list[Array],
        norms: list[AffineRule | None] | None,
        weights: Array,
        factors: Array,
        value: FuseValue,
        combine: FuseCombine,
        parameter: float,
        base: float,
        stretch: bool,
        missing: FuseMissing,
        fill: float,
        duplicates: FuseDuplicates,
        ties: FuseTies,
        top_k: int,
        out_offsets: Array,
        out_ids: Array,
        out_scores: Array,
        out_entries: Array | None,
        out_terms: Array | None,
        num_threads: int,
    ) -> int:
        warn_if_denormals_are_lost()
        if norms is not None:
            scores = [s if rule is None else _normalised(s, o, rule, num_threads) for s, o, rule in zip(scores, offsets, norms, strict=True)]
        n_runs, lengths = len(ids), np.stack([np.diff(run_offsets) for run_offsets in offsets])
        before = np.cumsum([0, *(len(run_ids) for run_ids in ids[:-1])], dtype=np.int64)
        starts = read_only(np.stack(offsets).astype(np.int64, copy=False) + before[:, np.newaxis])
        values = NO_FLOATS if value != "score" else np.concatenate([np.asarray(s, dtype=np.float64) for s in scores])
        most = lengths.sum(axis=0)
        room = read_only(np.concatenate(([0], np.cumsum(most if top_k < 0 else np.minimum(most, top_k)))))
        counts, faults = np.zeros(room.size - 1, np.int64), np.full(2, n_runs, np.int64)
        words = (
            (value, _types.FuseValue),
            (combine, _types.FuseCombine),
            (missing, _types.FuseMissing),
            (duplicates, _types.FuseDuplicates),
            (ties, _types.FuseTies),
        )
        value_, combine_, missing_, duplicates_, ties_ = (get_args(names).index(word) for word, names in words)
        inputs = (read_only(np.concatenate(ids)), read_only(values), starts, read_only(weights), read_only(factors), value_, combine_)
        plan = (float(parameter), float(base), bool(stretch), missing_, float(fill), duplicates_, ties_, int(top_k))
        entries = np.empty((0, n_runs), np.int64) if out_entries is None else out_entries
        terms = np.empty((0, n_runs)) if out_terms is None else out_terms

        fuse: Any = _numba_fusion.fuse

        def work(_slot: int, chunk: tuple[int, int]) -> None:
            found = np.full(2, n_runs, np.int64)
            fuse(*inputs, *plan, *chunk, room, out_ids, out_scores, counts, entries, terms, found)
            np.minimum(faults, found, out=faults)

        run(work, list_chunks(starts.sum(axis=0)), num_threads)
        _close_ranks(room, counts, (out_ids, out_scores, entries, terms))
        out_offsets[0] = 0
        np.cumsum(counts, out=out_offsets[1:])
        return int(faults[0]) if faults[0] < n_runs else (n_runs + int(faults[1]) if faults[1] < n_runs else -1)


def _normalised(scores: Array | None, offsets: Array, rule: AffineRule, num_threads: int) -> Array:
    """Return scores as affine_lists maps them; if it refuses a list, NaN, which no method takes."""
    assert scores is not None
    out = np.empty_like(scores)
    bad = ListOperations().affine_lists(scores, offsets, *rule, None, out, num_threads=num_threads)
    return out if bad < 0 else np.full_like(out, np.nan)


def _close_ranks(room: Array, counts: Array, outs: tuple[Array, ...]) -> None:
    """Move the lists, written from ``room``, one behind the other."""
    if np.array_equal(np.diff(room), counts):
        return
    kept = np.repeat(room[:-1] - np.cumsum(counts) + counts, counts) + np.arange(counts.sum())
    for out in outs:
        if len(out):
            out[: kept.size] = out[kept]
