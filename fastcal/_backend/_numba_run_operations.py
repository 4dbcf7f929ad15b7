"""The Numba backend's part on runs: NumPy and Python, nothing is compiled."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fastcal._backend._numba_pool import warn_if_denormals_are_lost
from fastcal._backend._numba_trec import TrecReader, TrecWriter

if TYPE_CHECKING:
    from fastcal._backend._protocol_runs import TrecKind
    from fastcal._backend.protocol import Array


class RunOperations:
    """See :class:`fastcal._backend._protocol_runs.RunOperations`."""

    def trec_reader(self, kind: TrecKind) -> TrecReader:
        return TrecReader(kind)

    def trec_writer(self, queries: bytes, documents: bytes | None, tag: bytes) -> TrecWriter:
        return TrecWriter(queries, documents, tag)

    def list_faults(self, ids: Array, scores: Array | None, offsets: Array, *, higher_is_better: bool) -> int:
        faults = int((ids == -1).any()) + 2 * int((ids < -1).any())
        if scores is None:
            return faults
        worse_first = scores[:-1] < scores[1:] if higher_is_better else scores[:-1] > scores[1:]
        starts = offsets[1:-1]
        worse_first[starts[(starts > 0) & (starts < scores.size)] - 1] = False
        return faults + 4 * int(np.isnan(scores).any()) + 8 * int(worse_first.any())

    def sort_lists(
        self, ids: Array, scores: Array, offsets: Array, out_ids: Array, out_scores: Array, *, higher_is_better: bool, num_threads: int
    ) -> None:
        del num_threads
        warn_if_denormals_are_lost()
        rows = np.repeat(np.arange(offsets.size - 1), np.diff(offsets))
        order = np.lexsort((-scores if higher_is_better else scores, rows))
        out_ids[:], out_scores[:] = ids[order], scores[order]
