"""The Numba backend: the Protocol over just-in-time kernels, for installs without a compiled extension."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

import numpy as np

from fastcal._backend import _numba_bands, _numba_calibration, _numba_digest, _numba_lists, _numba_range, _numba_search
from fastcal._backend._numba_gate import Gate
from fastcal._backend._numba_platt import fit as platt_fit
from fastcal._backend._numba_pool import ranges, run, warn_if_denormals_are_lost
from fastcal._backend._numba_search import NO_FLOATS, FirstBad

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastcal._backend.protocol import Array, FoundRange, FuseMethod, Metric, Precision

# Elements of one chunk of an elementwise map or of normalised lists: about 1 ms.
_CHUNK = 1 << 17


class NumbaBackend:
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

        run(work, ranges(values.shape[0], max(1, _CHUNK // max(1, values.shape[1]))), num_threads)
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

    def minmax(self, scores: Array, offsets: Array, on_constant: float, out: Array, *, num_threads: int) -> int:
        warn_if_denormals_are_lost()
        bad, scores, offsets = FirstBad(), _read_only(scores), _read_only(offsets)

        def work(_slot: int, chunk: tuple[int, int]) -> None:
            found = _numba_lists.minmax(scores, offsets, *chunk, float(on_constant), out)
            if found >= 0:
                bad.report(found)

        run(work, _list_chunks(offsets), num_threads)
        return bad.index

    def zscore(self, scores: Array, offsets: Array, ddof: int, out: Array, *, num_threads: int) -> int:
        warn_if_denormals_are_lost()
        bad, scores, offsets = FirstBad(), _read_only(scores), _read_only(offsets)

        def work(_slot: int, chunk: tuple[int, int]) -> None:
            found = _numba_lists.zscore(scores, offsets, *chunk, int(ddof), out)
            if found >= 0:
                bad.report(found)

        run(work, _list_chunks(offsets), num_threads)
        return bad.index

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
        starts = _read_only(np.stack(offsets).astype(np.int64, copy=False) + before[:, np.newaxis])
        all_ids = _read_only(np.concatenate(ids))
        values = NO_FLOATS if by_rank else np.concatenate([np.asarray(s, dtype=np.float64) for s in scores])
        all_scores, run_weights, places = _read_only(values), _read_only(weights), _read_only(out_offsets)

        def work(_slot: int, chunk: tuple[int, int]) -> None:
            _numba_lists.fuse(
                all_ids, all_scores, starts, run_weights, by_rank, float(k), int(top_k), *chunk, places, out_ids, out_scores, out_counts
            )

        run(work, _list_chunks(starts.sum(axis=0)), num_threads)

    def platt_fit(self, scores: Array, targets: Array, weights: Array) -> tuple[float, float]:
        warn_if_denormals_are_lost()
        return platt_fit(scores, targets, weights)

    def platt_predict(self, scores: Array, a: float, b: float, out: Array, *, num_threads: int) -> None:
        warn_if_denormals_are_lost()
        scores = _read_only(scores)

        def work(_slot: int, chunk: tuple[int, int]) -> None:
            part = slice(*chunk)
            _numba_calibration.platt_predict(scores[part], float(a), float(b), out[part])

        run(work, ranges(scores.size, _CHUNK), num_threads)

    def isotonic_fit(self, scores: Array, labels: Array, weights: Array, out_x: Array, out_y: Array) -> int:
        warn_if_denormals_are_lost()
        kept = np.flatnonzero(weights != 0.0)
        order = kept[np.argsort(scores[kept], kind="stable")]
        return int(_numba_calibration.isotonic_fit(scores[order], labels[order], weights[order], out_x, out_y))

    def isotonic_predict(self, scores: Array, knots_x: Array, knots_y: Array, out: Array, *, num_threads: int) -> None:
        warn_if_denormals_are_lost()
        scores, knots_x, knots_y = _read_only(scores), _read_only(knots_x), _read_only(knots_y)

        def work(_slot: int, chunk: tuple[int, int]) -> None:
            part = slice(*chunk)
            _numba_calibration.isotonic_predict(scores[part], knots_x, knots_y, out[part])

        run(work, ranges(scores.size, _CHUNK), num_threads)

    def threshold_sweep(
        self, scores: Array, labels: Array, weights: Array | None, out_threshold: Array, out_selected: Array, out_weight: Array, out_positive: Array
    ) -> int:
        warn_if_denormals_are_lost()
        order = np.argsort(-scores, kind="stable")
        return int(
            _numba_calibration.threshold_sweep(
                order,
                _read_only(scores),
                _read_only(labels),
                _read_only(NO_FLOATS if weights is None else weights),
                out_threshold,
                out_selected,
                out_weight,
                out_positive,
            )
        )


def _read_only(array: Array) -> Array:
    """A read-only view, so that one compiled version of a kernel serves writable and read-only inputs."""
    view = array.view()
    view.flags.writeable = False
    return view


def _list_chunks(offsets: Array) -> list[tuple[int, int]]:
    """Cut lists into chunks of about ``_CHUNK`` elements; a list is never split."""
    n_lists = offsets.size - 1
    if n_lists < 1:
        return []
    n_chunks = math.ceil((int(offsets[-1]) - int(offsets[0]) + n_lists) / _CHUNK)
    if n_chunks <= 1:
        return [(0, n_lists)]
    cuts = np.unique(np.searchsorted(offsets, offsets[0] + np.arange(n_chunks + 1) * _CHUNK, side="left").clip(0, n_lists))
    bounds = sorted({0, n_lists, *(int(cut) for cut in cuts)})
    return list(itertools.pairwise(bounds))
