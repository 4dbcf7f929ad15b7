"""The Numba backend: the Protocol over just-in-time kernels, for installs without a compiled extension."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fastcal._backend import _numba_bands, _numba_digest, _numba_range, _numba_search
from fastcal._backend._numba_calibration_operations import CalibrationOperations
from fastcal._backend._numba_evidence import EvidenceOperations
from fastcal._backend._numba_fusion_operations import FusionOperations
from fastcal._backend._numba_gate import Gate
from fastcal._backend._numba_grouped_operations import GroupedOperations
from fastcal._backend._numba_list_operations import ListOperations
from fastcal._backend._numba_pool import ranges, run, warn_if_denormals_are_lost
from fastcal._backend._numba_run_operations import RunOperations
from fastcal._backend._numba_search import FirstBad
from fastcal._backend._numba_views import CHUNK

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastcal._backend.protocol import Array, FoundRange, Metric, Precision


class NumbaBackend(ListOperations, GroupedOperations, FusionOperations, CalibrationOperations, EvidenceOperations, RunOperations):
    """Every operation of :class:`fastcal._backend.protocol.Backend`, whose docstrings hold here."""

    name = "numba"
    isa = "numba"

    def round_to_float32(self, values: Array, out: Array, *, num_threads: int) -> int:
        warn_if_denormals_are_lost()
        bad = FirstBad()

        def work(_slot: int, chunk: tuple[int, int]) -> None:
            start, stop = chunk
            with np.errstate(all="ignore"):
                out[start:stop] = values[start:stop]
            finite = np.isfinite(out[start:stop]).all(axis=1)
            if not finite.all():
                bad.report(start + int(np.argmin(finite)))

        run(work, ranges(values.shape[0], max(1, CHUNK // max(1, values.shape[1]))), num_threads)
        return bad.index

    def row_norms(self, corpus: Array, out: Array, *, num_threads: int) -> int:
        warn_if_denormals_are_lost()
        return _numba_search.row_norms(corpus, out, num_threads)

    def scores(
        self, queries: Array, corpus: Array, row_norms: Array | None, metric: Metric, precision: Precision, out: Array, *, num_threads: int
    ) -> int:
        del precision  # the exact value is within the bound of the fast one
        warn_if_denormals_are_lost()
        return _numba_search.scores(queries, corpus, row_norms, metric, out, num_threads)

    def topk(
        self,
        queries: Array,
        corpus: Array,
        row_norms: Array | None,
        metric: Metric,
        ids: Array | None,
        out_scores: Array,
        out_ids: Array,
        num_threads: int,
        sketch: None = None,
        thresholds: Array | None = None,
        allow: Array | None = None,
    ) -> int:
        assert sketch is None, "this backend makes no sketches"
        warn_if_denormals_are_lost()
        gate = Gate(thresholds, allow, metric, len(queries), len(corpus))
        return _numba_search.topk(queries, corpus, row_norms, metric, ids, gate, out_scores, out_ids, num_threads)

    def range_search(
        self,
        queries: Array,
        corpus: Array,
        row_norms: Array | None,
        metric: Metric,
        ids: Array | None,
        thresholds: Array,
        limit: int,
        *,
        num_threads: int,
        sketch: None = None,
        allow: Array | None = None,
    ) -> FoundRange:
        assert sketch is None, "this backend makes no sketches"
        warn_if_denormals_are_lost()
        gate = Gate(thresholds, allow, metric, len(queries), len(corpus))
        return _numba_range.range_search(queries, corpus, row_norms, metric, ids, gate, limit, num_threads)

    def sketch(
        self,
        corpus: Array,
        metric: Metric,  # noqa: ARG002  (there is nothing to make)
        out_norms: Array,
        *,
        num_threads: int,
        progress: Callable[[int, int], object] | None = None,  # noqa: ARG002  (the caller reports the end)
        out_digests: Array | None = None,
    ) -> tuple[None, int]:
        if out_digests is not None:
            self.digests(corpus, out_digests, num_threads=num_threads)
        bad = self.row_norms(corpus, out_norms, num_threads=num_threads)
        return None, bad

    def digests(self, rows: Array, out: Array, *, num_threads: int) -> None:
        _numba_digest.digests(rows, out, num_threads)

    def guard(self, data: Array, chunk: int, table: Array, name: bytes, origin: int) -> None:
        """There is no guard: whoever opens a file checks all of it."""

    def open_sketch(self, n_rows: int, metric: Metric, sketch4: Array, sketch7: Array, centre: Array, direction: Array, guard: None) -> None:
        """There are no sketches."""

    def histogram(
        self,
        queries: Array,
        corpus: Array,
        row_norms: Array | None,
        metric: Metric,
        edges: Array,
        out_counts: Array,
        *,
        num_threads: int,
        sketch: None = None,
    ) -> int:
        assert sketch is None, "this backend makes no sketches"
        warn_if_denormals_are_lost()
        return _numba_bands.histogram(queries, corpus, row_norms, metric, edges, out_counts, num_threads)

    def sample_bands(
        self,
        queries: Array,
        corpus: Array,
        row_norms: Array | None,
        metric: Metric,
        edges: Array,
        seed: int,
        first_row: int,
        out_counts: Array,
        out_rows: Array,
        out_scores: Array,
        out_priorities: Array,
        *,
        num_threads: int,
        sketch: None = None,
    ) -> int:
        assert sketch is None, "this backend makes no sketches"
        warn_if_denormals_are_lost()
        outs = out_counts, out_rows, out_scores, out_priorities
        return _numba_bands.sample_bands(queries, corpus, row_norms, metric, edges, seed, first_row, outs, num_threads)

    def rescore(self, queries: Array, corpus: Array, ids: Array, metric: Metric, out: Array, *, num_threads: int) -> int:
        warn_if_denormals_are_lost()
        return _numba_search.rescore(queries, corpus, ids, metric, out, num_threads)
