"""Calibrators: fits in one thread, maps in chunks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fastcal._backend import _numba_calibration, _numba_probability_maps, _numba_venn_abers
from fastcal._backend._numba_platt import fit as platt_fit
from fastcal._backend._numba_pool import ranges, run, warn_if_denormals_are_lost
from fastcal._backend._numba_search import NO_FLOATS
from fastcal._backend._numba_views import CHUNK, read_only

if TYPE_CHECKING:
    from fastcal._backend.protocol import Array


class CalibrationOperations:
    """See the class of this name in :mod:`fastcal._backend.protocol`."""

    def platt_fit(self, scores: Array, targets: Array, weights: Array) -> tuple[float, float]:
        warn_if_denormals_are_lost()
        return platt_fit(scores, targets, weights)

    def platt_predict(self, scores: Array, a: float, b: float, out: Array, *, num_threads: int) -> None:
        warn_if_denormals_are_lost()
        scores = read_only(scores)
        predict = _numba_calibration.platt_predict_f32 if scores.dtype == np.float32 else _numba_calibration.platt_predict

        def work(_slot: int, chunk: tuple[int, int]) -> None:
            part = slice(*chunk)
            predict(scores[part], float(a), float(b), out[part])

        run(work, ranges(scores.size, CHUNK), num_threads)

    def isotonic_fit(self, scores: Array, labels: Array, weights: Array, out_x: Array, out_y: Array) -> int:
        warn_if_denormals_are_lost()
        kept = np.flatnonzero(weights != 0.0)
        order = kept[np.argsort(scores[kept], kind="stable")]
        return int(_numba_calibration.isotonic_fit(scores[order], labels[order], weights[order], out_x, out_y))

    def isotonic_fit_labels(self, scores: Array, labels: Array, out_x: Array, out_y: Array, *, num_threads: int) -> int:  # noqa: ARG002
        return self.isotonic_fit(scores.astype(np.float64), labels.astype(np.float64), np.ones(scores.size), out_x, out_y)

    def isotonic_predict(self, scores: Array, knots_x: Array, knots_y: Array, out: Array, *, num_threads: int) -> None:
        warn_if_denormals_are_lost()
        scores, knots_x, knots_y = read_only(scores), read_only(knots_x), read_only(knots_y)

        def work(_slot: int, chunk: tuple[int, int]) -> None:
            part = slice(*chunk)
            _numba_calibration.isotonic_predict(scores[part], knots_x, knots_y, out[part])

        run(work, ranges(scores.size, CHUNK), num_threads)

    def beta_predict(self, scores: Array, offset: float, slope: float, a: float, b: float, c: float, out: Array, *, num_threads: int) -> None:
        warn_if_denormals_are_lost()
        scores = read_only(scores)
        numbers = float(offset), float(slope), float(a), float(b), float(c)

        def work(_slot: int, chunk: tuple[int, int]) -> None:
            part = slice(*chunk)
            _numba_probability_maps.beta_predict(scores[part], *numbers, out[part])

        run(work, ranges(scores.size, CHUNK), num_threads)

    def venn_abers_fit(self, scores: Array, labels: Array, weights: Array, out_knots: Array, out_p0: Array, out_p1: Array) -> int:
        warn_if_denormals_are_lost()
        kept = np.flatnonzero(weights != 0.0)
        order = kept[np.argsort(scores[kept], kind="stable")]
        return int(_numba_venn_abers.fit(scores[order], labels[order], weights[order], out_knots, out_p0, out_p1))

    def step_predict(self, scores: Array, knots: Array, values: Array, out: Array, *, num_threads: int) -> None:
        warn_if_denormals_are_lost()
        scores, knots, values = read_only(scores), read_only(knots), read_only(values)

        def work(_slot: int, chunk: tuple[int, int]) -> None:
            part = slice(*chunk)
            _numba_probability_maps.step_predict(scores[part], knots, values, out[part])

        run(work, ranges(scores.size, CHUNK), num_threads)

    def threshold_sweep(
        self,
        scores: Array,
        labels: Array,
        weights: Array | None,
        out_threshold: Array,
        out_selected: Array,
        out_weight: Array,
        out_positive: Array,
        *,
        num_threads: int,  # noqa: ARG002
    ) -> int:
        warn_if_denormals_are_lost()
        order = np.argsort(-scores, kind="stable")
        return int(
            _numba_calibration.threshold_sweep(
                order,
                read_only(scores),
                read_only(labels),
                read_only(NO_FLOATS if weights is None else weights),
                out_threshold,
                out_selected,
                out_weight,
                out_positive,
            )
        )

    def threshold_rates(
        self,
        scores: Array,
        labels: Array,
        out_threshold: Array,
        out_selected: Array,
        out_precision: Array,
        out_recall: Array,
        out_f1: Array,
        *,
        num_threads: int,
    ) -> int:
        n = self.threshold_sweep(scores, labels, None, out_threshold, out_selected, out_precision, out_recall, num_threads=num_threads)
        selected, positive, f1 = out_precision[:n], out_recall[:n], out_f1[:n]
        total = positive[-1] if n else 0.0
        np.divide(positive, selected / 2 + total / 2, out=f1)
        np.divide(positive, selected, out=selected)
        positive /= total if total > 0 else 1.0
        return n
