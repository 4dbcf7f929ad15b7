"""The contract's part on lists of scores."""

from __future__ import annotations

from typing import Protocol

from fastcal._backend._types import Array


class ListOperations(Protocol):
    """Flat float32/float64 ``scores``; list i is ``[offsets[i], offsets[i + 1])`` of int64 ``offsets`` (n_lists + 1,)."""

    def minmax(self, scores: Array, offsets: Array, on_constant: float, out: Array, *, num_threads: int) -> int:
        """Per list (s - min) / (max - min); NaN is skipped and stays; first list holding an infinity, or -1."""

    def zscore(self, scores: Array, offsets: Array, ddof: int, out: Array, *, num_threads: int) -> int:
        """Per list (s - mean) / std; NaN is skipped and stays; first list whose moments are not finite, or -1."""
