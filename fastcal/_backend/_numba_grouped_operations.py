"""Rows of a table that belong to groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fastcal._backend import _numba_grouped
from fastcal._backend._numba_pool import run, warn_if_denormals_are_lost
from fastcal._backend._numba_views import list_chunks, read_only

if TYPE_CHECKING:
    from fastcal._backend.protocol import Array

_NO_OFFSETS = np.empty(0, np.int64)


class GroupedOperations:
    """See the class of this name in :mod:`fastcal._backend.protocol`."""

    def number_rows(self, values: Array, offsets: Array | None, out_codes: Array, out_firsts: Array) -> int:
        if offsets is None:
            _, firsts, codes = np.unique(values, return_index=True, return_inverse=True)
            out_codes[...], out_firsts[: len(firsts)] = codes.reshape(-1), firsts
            return len(firsts)
        offsets = offsets.astype(np.int64, copy=False)  # one type, one compilation
        size: int = _numba_grouped.number_texts(read_only(values), read_only(offsets), out_codes, out_firsts)
        firsts = out_firsts[:size].copy()
        bounds = zip(offsets[firsts].tolist(), offsets[firsts + 1].tolist(), strict=True)
        texts = [values[start:stop].tobytes() for start, stop in bounds]
        order = np.array(sorted(range(size), key=texts.__getitem__), np.int32)
        ranks = np.empty(size, np.int32)
        ranks[order] = np.arange(size, dtype=np.int32)
        out_firsts[:size], out_codes[...] = firsts[order], ranks[out_codes]
        return size

    def top_rows(
        self,
        codes: Array,
        groups: int,
        on: Array,
        scores: Array,
        higher_is_better: bool,
        keep: Array | None,
        doc_values: Array,
        doc_offsets: Array | None,
        most: int,
        out: Array,
        *,
        num_threads: int,
    ) -> int:
        warn_if_denormals_are_lost()
        on, scores, docs = read_only(on), read_only(scores), read_only(doc_values)
        bounds = read_only(_NO_OFFSETS if doc_offsets is None else doc_offsets.astype(np.int64, copy=False))
        offsets = np.zeros(groups + 1, np.int64)
        rows = _numba_grouped.gather(read_only(codes), on, scores, read_only(np.empty(0, np.bool_) if keep is None else keep), offsets)
        starts = np.concatenate(([0], np.cumsum(np.minimum(np.diff(offsets), most))))
        sign = 1 if higher_is_better else -1

        def work(_slot: int, chunk: tuple[int, int]) -> None:
            _numba_grouped.top_rows(rows, offsets, starts, *chunk, on, scores, sign, docs, bounds, out)

        run(work, list_chunks(offsets), num_threads)
        return int(starts[-1])

    def sift_rows(
        self,
        codes: Array,
        on: Array,
        scores: Array,
        higher_is_better: bool,
        places: Array,
        keep: Array,
        depth: int,
        bars: Array,
        keys: Array,
        sizes: Array,
    ) -> int:
        warn_if_denormals_are_lost()
        codes, on, scores, places = (read_only(each) for each in (codes, on, scores, places))
        left: int = _numba_grouped.sift_rows(codes, on, scores, higher_is_better, places, keep, depth, bars, keys, sizes)
        return left

    def exact_moments(
        self, codes: Array, scores: Array, out_counts: Array, out_least: Array, out_greatest: Array, out_sums: Array | None, out_squares: Array | None
    ) -> int:
        warn_if_denormals_are_lost()
        out_counts[...], out_least[...], out_greatest[...] = 0, np.inf, -np.inf
        sums = np.zeros((0 if out_sums is None else len(out_counts), _numba_grouped.SUM_DIGITS), np.int64)
        squares = np.zeros((0 if out_squares is None else len(out_counts), _numba_grouped.SQUARE_DIGITS), np.int64)
        bad: int = _numba_grouped.add_up(read_only(codes), read_only(scores), out_counts, out_least, out_greatest, sums, squares)
        for digits, out in ((sums, out_sums), (squares, out_squares)):
            if bad < 0 and out is not None:
                _numba_grouped.carry(digits, out)
        return bad
