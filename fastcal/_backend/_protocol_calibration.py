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

    def beta_predict(self, scores: Array, offset: float, slope: float, a: float, b: float, c: float, out: Array, *, num_threads: int) -> None:
        """``out = 1 / (1 + exp(-(a ln u - b ln v + c)))``, flat float32/float64, same dtype; NaN stays.

        ``u = offset + slope * scores`` and ``v = (1 - offset) - slope * scores``, both clipped to [2**-25, 1 - 2**-25].
        """

    def venn_abers_fit(self, scores: Array, labels: Array, weights: Array, out_knots: Array, out_p0: Array, out_p1: Array) -> int:
        """Values of a test object of weight 1 labelled 0 and 1 in the regression of :meth:`isotonic_fit`, for every score.

        Writes the scores at which a value changes (room for all scores) and, for :meth:`step_predict`, the values below, at
        and above each (room for twice as many and one); returns the number of knots.
        """

    def step_predict(self, scores: Array, knots: Array, values: Array, out: Array, *, num_threads: int) -> None:
        """Step curve, flat float32/float64, same dtype; NaN stays.

        ``values[2 * i + 1]`` is at knot i, ``values[2 * i]`` below it and above the one before. Knots rise strictly.
        """

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
        """:meth:`threshold_sweep` of float32 scores that all weigh 1, with rates in place of weights.

        With p the positives of an entry, n its ``selected`` and t the positives of all entries: ``p / n``, ``p / t`` (0 if t is 0)
        and ``p / (n / 2 + t / 2)``, in float64.
        """
