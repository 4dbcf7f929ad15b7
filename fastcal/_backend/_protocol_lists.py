"""The contract's part on lists of scores."""

from __future__ import annotations

from typing import Protocol

from fastcal._backend._types import AffineKind, Array, Ties


class ListOperations(Protocol):
    """Flat float32/float64 ``scores``; list i is ``[offsets[i], offsets[i + 1])`` of int64 ``offsets`` (n_lists + 1,)."""

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
        """Per list (s - centre) / scale, the two by ``kind``; the first list with infinite scores or statistics, or -1.

        NaN is skipped and stays. Without ``higher_is_better`` the list -s is normalised. ``eps`` > 0 is the least scale; else a list
        whose scale is at most ``tolerance`` is constant. ``on_constant`` and ``on_single`` (lists of one score) are values to fill in;
        infinity: the scores stay as they are; ``on_single`` of -infinity: no different from other lists. ``given`` is float64
        (n_lists, 2), C-contiguous: (centre, scale) for kind "given"; for "minmax" (low, high) of the scores, NaN for the list's own.
        """

    def rank_lists(
        self, scores: Array, offsets: Array, higher_is_better: bool, ties: Ties, pool: Array | None, out: Array, *, num_threads: int
    ) -> int:
        """Write 1 - rank / pool, ranks from 0 and NaN as it is; the first list with an infinity, or -1.

        ``pool`` is int64 (n_lists,), positive, or None for the number of scores of each list that are not NaN.
        """

    def order_lists(self, scores: Array, offsets: Array, out: Array, *, num_threads: int) -> None:
        """Write the positions of each list's entries to int64 ``out``, descending, ties by position, NaN last."""
