"""The contract's part on calibration."""

from __future__ import annotations

from typing import Protocol

from fastcal._backend._types import Array


class CalibrationOperations(Protocol):
    """Float64 fits, and maps that keep the dtype."""

    def platt_fit(self, scores: Array, targets: Array, weights: Array) -> tuple[float, float]:
        """Newton's method on the weighted cross-entropy of p = 1 / (1 + exp(a s + b)); returns (a, b)."""

    def platt_predict(self, scores: Array, a: float, b: float, out: Array, *, num_threads: int) -> None:
        """``out = 1 / (1 + exp(a * scores + b))``, flat float32/float64, same dtype."""

    def isotonic_fit(self, scores: Array, labels: Array, weights: Array, out_x: Array, out_y: Array) -> int:
        """Weighted PAVA, increasing; writes the knots and returns their number."""

    def isotonic_fit_labels(self, scores: Array, labels: Array, out_x: Array, out_y: Array, *, num_threads: int) -> int:
        """:meth:`isotonic_fit` of float32 or float64 scores and uint8 labels 0 and 1, all of weight 1, to the bit."""

    def isotonic_predict(self, scores: Array, knots_x: Array, knots_y: Array, out: Array, *, num_threads: int) -> None:
        """Linear interpolation between knots, clipped to the end values, flat float32/float64, same dtype."""

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
        num_threads: int,
    ) -> int:
        """Cumulative counts at each distinct score, highest first; returns how many distinct scores there are.

        ``labels`` uint8; ``out_threshold`` has the dtype of ``scores``; ``out_selected`` int64; ``out_weight`` and
        ``out_positive`` float64: total and positive weight of everything scored at least the threshold.
        """
