"""The monotone probabilities closest to the labels, on the pairs themselves."""

from __future__ import annotations

import numpy as np

from fastcal._backend.protocol import Array
from fastcal.calibration.isotonic import IsotonicCalibrator


def recalibrated(scores: Array, labels: Array, weights: Array | None) -> Array:
    """Return the isotonic fit of the labels at each pair, float64; pairs of equal score share it."""
    counted = labels if weights is None else labels[weights > 0]
    if counted.min() == counted.max():
        return np.full(len(labels), float(counted[0]))
    return IsotonicCalibrator().fit(scores.astype(np.float64), labels, weights).predict(scores.astype(np.float64))
