"""Lists of scores, cut into chunks for threads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastcal._backend import _numba_lists
from fastcal._backend._numba_pool import run, warn_if_denormals_are_lost
from fastcal._backend._numba_search import FirstBad
from fastcal._backend._numba_views import list_chunks, read_only

if TYPE_CHECKING:
    from fastcal._backend.protocol import Array


class ListOperations:
    """See the class of this name in :mod:`fastcal._backend.protocol`."""

    def minmax(self, scores: Array, offsets: Array, on_constant: float, out: Array, *, num_threads: int) -> int:
        warn_if_denormals_are_lost()
        bad, scores, offsets = FirstBad(), read_only(scores), read_only(offsets)

        def work(_slot: int, chunk: tuple[int, int]) -> None:
            found = _numba_lists.minmax(scores, offsets, *chunk, float(on_constant), out)
            if found >= 0:
                bad.report(found)

        run(work, list_chunks(offsets), num_threads)
        return bad.index

    def zscore(self, scores: Array, offsets: Array, ddof: int, out: Array, *, num_threads: int) -> int:
        warn_if_denormals_are_lost()
        bad, scores, offsets = FirstBad(), read_only(scores), read_only(offsets)

        def work(_slot: int, chunk: tuple[int, int]) -> None:
            found = _numba_lists.zscore(scores, offsets, *chunk, int(ddof), out)
            if found >= 0:
                bad.report(found)

        run(work, list_chunks(offsets), num_threads)
        return bad.index
