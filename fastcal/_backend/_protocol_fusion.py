"""The contract's part on fusion."""

from __future__ import annotations

from typing import Protocol

from fastcal._backend._types import Array, FuseMethod


class FusionOperations(Protocol):
    """Several runs become one."""

    def fuse(
        self,
        ids: list[Array],
        scores: list[Array | None],
        offsets: list[Array],
        weights: Array,
        method: FuseMethod,
        k: float,
        top_k: int,
        out_offsets: Array,
        out_ids: Array,
        out_scores: Array,
        out_counts: Array,
        *,
        num_threads: int,
    ) -> None:
        """Fuse runs query by query.

        ``out_offsets`` (n_queries + 1) are upper bounds given by the caller; query ``i`` writes ``out_counts[i]``
        entries from ``out_offsets[i]``. ``top_k`` < 0 keeps the whole union. ``k`` belongs to ``"rrf"``.
        """
