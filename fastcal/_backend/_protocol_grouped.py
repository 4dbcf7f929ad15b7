"""The contract's part on rows of a table that belong to groups, as candidates belong to queries."""

from __future__ import annotations

from typing import Protocol

from fastcal._backend._types import Array


class GroupedOperations(Protocol):
    """Fewer than 2^31 rows. Keys are int64 ``values`` (n,), or texts: uint8 ``values`` and int32 or int64 ``offsets`` (n + 1,) into them."""

    def number_rows(self, values: Array, offsets: Array | None, out_codes: Array, out_firsts: Array) -> int:
        """Rank each row's key among the distinct keys, texts by their bytes; return how many there are.

        int32 ``out_codes`` (n,): the ranks; int32 ``out_firsts`` (n,): the first row of each rank, as many as there are.
        """

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
        """Write the best ``most`` rows of each group to int32 ``out`` (n,), groups ascending, best first; return how many in all.

        int32 ``codes`` (n,) below ``groups``. The order within a group: float32 ``on`` descending, the better float32 score, the lower
        document (a key), the earlier row. Rows whose ``on`` or score is NaN, or whose bool ``keep`` is not set, have no place.
        """

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
        """Take rows that cannot be among the best of their query out of bool ``keep`` (n,); return how many are left.

        int64 ``places`` (groups,): the query of each group in the state, or -1. The rows shown to a query change its state: uint64 ``keys``
        (m, room), ``room > depth``, of which int32 ``sizes`` (m,) are taken. A key orders as :meth:`top_rows` does, short of documents, the
        best being the greatest; it is put there if it exceeds the query's bar, uint64 ``bars`` (m,). When there is no more room, the best
        ``depth`` keys stay, in no order, and the least of them is the bar. Rows below the bar leave ``keep``, as do those without a place.
        """

    def exact_moments(
        self, codes: Array, scores: Array, out_counts: Array, out_least: Array, out_greatest: Array, out_sums: Array | None, out_squares: Array | None
    ) -> int:
        """Sum up the float32 scores of each group, NaN left out; return the first infinite one, or -1.

        int64 counts and float32 extremes (groups,), infinity and -infinity where there is none, a zero as 0.0; exact sums as two's
        complement integers, least significant word first: uint64 (groups, 6) in units of 2^-149 and, of the squares, (groups, 10) in units
        of 2^-298. Either may be None.
        """
