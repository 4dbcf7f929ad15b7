"""The contract's part on fusion."""

from __future__ import annotations

from typing import Protocol

from fastcal._backend._types import AffineRule, Array, FuseCombine, FuseDuplicates, FuseMissing, FuseTies, FuseValue


class FusionOperations(Protocol):
    """Several runs become one."""

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
        """Fuse runs query by query, by the formulas of docs/numerics.md; hand every argument over by position.

        ``scores`` are float32, None where ``value`` is one of ranks. ``norms``, only of scores, are what ``affine_lists`` does to
        each run's lists before, None for nothing; no kind "given". ``weights`` are float64 (1 or n_queries, n_runs),
        ``factors`` float64 (n_runs + 1,). ``parameter`` is k, phi or the clip of probabilities, ``base`` the log-odds of the
        prior. ``top_k`` < 0 keeps the whole union. Writes int64 ``out_offsets`` (n_queries + 1,), and lists to ``out_ids``
        and ``out_scores``, one behind the other; there is room for all entries or, if that is less, for ``top_k`` a query.
        ``out_entries`` int64 and ``out_terms`` float64 (room, n_runs), both or neither, receive the position in ``ids[r]`` of
        each document, or -1, and the term of run r. Returns -1, or the first run with a bad score or a list without a norm, or else n_runs plus the
        first run with a document listed twice under "error"; outputs are unspecified then.
        """
