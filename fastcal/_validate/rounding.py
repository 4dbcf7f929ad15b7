"""Float32 numbers by their bits: NumPy computes with zeros for denormals where the host has set DAZ/FTZ, integers do not."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fastcal._backend.protocol import Array

_SMALLEST_NORMAL, _DENORMAL_STEPS = 2.0**-126, 2.0**149


def to_float32(values: Array) -> npt.NDArray[np.float32]:
    """Return a copy rounded once to float32, to nearest; what overflows becomes infinite."""
    with np.errstate(over="ignore"):
        rounded = np.array(values, dtype=np.float32, order="C")
    if values.dtype == np.float64:
        tiny = (values != 0.0) & (np.abs(values) < _SMALLEST_NORMAL)
        magnitude = np.rint(np.abs(values[tiny]) * _DENORMAL_STEPS).astype(np.uint32)
        rounded.view(np.uint32)[tiny] = magnitude | np.signbit(values[tiny]).astype(np.uint32) << np.uint32(31)
    return rounded


def order_of(values: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
    """Return integers in the order of the values; both zeros are 0, NaN lies beyond infinity."""
    bits = np.ascontiguousarray(values).view(np.int32).astype(np.int64)
    magnitude = bits & 0x7FFFFFFF
    return np.where(bits < 0, -magnitude, magnitude)
