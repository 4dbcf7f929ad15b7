"""Fusion, cut into chunks of queries for threads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fastcal._backend import _numba_fusion
from fastcal._backend._numba_pool import run, warn_if_denormals_are_lost
from fastcal._backend._numba_search import NO_FLOATS
from fastcal._backend._numba_views import list_chunks, read_only

if TYPE_CHECKING:
    from fastcal._backend.protocol import Array, FuseMethod


class FusionOperations:
    """See the class of this name in :mod:`fastcal._backend.protocol`."""

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
        warn_if_denormals_are_lost()
        by_rank = method == "rrf"
        before = np.cumsum([0, *(len(run_ids) for run_ids in ids[:-1])], dtype=np.int64)
        starts = read_only(np.stack(offsets).astype(np.int64, copy=False) + before[:, np.newaxis])
        all_ids = read_only(np.concatenate(ids))
        values = NO_FLOATS if by_rank else np.concatenate([np.asarray(s, dtype=np.float64) for s in scores])
        all_scores, run_weights, places = read_only(values), read_only(weights), read_only(out_offsets)

        def work(_slot: int, chunk: tuple[int, int]) -> None:
            _numba_fusion.fuse(
                all_ids, all_scores, starts, run_weights, by_rank, float(k), int(top_k), *chunk, places, out_ids, out_scores, out_counts
            )

        run(work, list_chunks(starts.sum(axis=0)), num_threads)
