"""Lists of scores, cut into chunks for threads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fastcal._backend import _numba_lists
from fastcal._backend._numba_pool import run, warn_if_denormals_are_lost
from fastcal._backend._numba_search import FirstBad
from fastcal._backend._numba_views import list_chunks, read_only

if TYPE_CHECKING:
    from fastcal._backend.protocol import AffineKind, Array, Ties

# Ties share a rank, and how far between the first and the last of theirs it lies.
TIES = {"ordinal": (False, 0.0), "min": (True, 0.0), "average": (True, 0.5)}


class ListOperations:
    """See the class of this name in :mod:`fastcal._backend.protocol`."""

    def affine_lists(
        self,
        scores: Array,
        offsets: Array,
        kind: AffineKind,
        higher_is_better: bool,
        ddof: int,
        n_sigma: float,
        eps: float,
        tolerance: float,
        on_constant: float,
        on_single: float,
        given: Array | None,
        out: Array,
        *,
        num_threads: int,
    ) -> int:
        warn_if_denormals_are_lost()
        sign = 1.0 if higher_is_better else -1.0
        rule = np.array([_numba_lists.KINDS.index(kind), sign, ddof, n_sigma, eps, tolerance, on_constant, on_single], np.float64)
        pairs = np.full((1, 2), np.nan) if given is None else given
        bad, scores, offsets, rule, pairs = FirstBad(), read_only(scores), read_only(offsets), read_only(rule), read_only(pairs)

        def work(_slot: int, chunk: tuple[int, int]) -> None:
            found = _numba_lists.affine_lists(scores, offsets, *chunk, rule, pairs, out)
            if found >= 0:
                bad.report(found)

        run(work, list_chunks(offsets), num_threads)
        return bad.index

    def rank_lists(
        self, scores: Array, offsets: Array, higher_is_better: bool, ties: Ties, pool: Array | None, out: Array, *, num_threads: int
    ) -> int:
        warn_if_denormals_are_lost()
        bad, scores, offsets, sign = FirstBad(), read_only(scores), read_only(offsets), 1.0 if higher_is_better else -1.0
        pools = read_only(np.zeros(1, np.int64) if pool is None else pool)

        def work(_slot: int, chunk: tuple[int, int]) -> None:
            found = _numba_lists.rank_lists(scores, offsets, *chunk, sign, TIES[ties], pools, out)
            if found >= 0:
                bad.report(found)

        run(work, list_chunks(offsets), num_threads)
        return bad.index

    def order_lists(self, scores: Array, offsets: Array, out: Array, *, num_threads: int) -> None:
        warn_if_denormals_are_lost()
        scores, offsets = read_only(scores), read_only(offsets)

        def work(_slot: int, chunk: tuple[int, int]) -> None:
            _numba_lists.order_lists(scores, offsets, *chunk, out)

        run(work, list_chunks(offsets), num_threads)
