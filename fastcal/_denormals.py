"""Whether the host flushes denormal numbers to zero, and whether that matters to the numbers at hand.

The native core undoes DAZ/FTZ around every call. NumPy and Numba cannot, so what they compute with is looked at, and
a warning says when zeros were read where tiny numbers stand.
"""

from __future__ import annotations

import warnings
from typing import Any, TypeAlias

import numpy as np

from fastcal.errors import FloatEnvironmentWarning

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]

_DENORMAL = np.ones(1, dtype=np.uint64).view(np.float64).item()  # the least one, from bits: this line may run on a flushing host
_ONE = 1.0
# Bit patterns of the smallest normal float32, in each dtype: smaller magnitudes are denormal there or after rounding.
_SMALLEST_NORMAL: dict[Any, Any] = {np.float32: np.uint32(0x00800000), np.float64: np.uint64(0x3810000000000000)}


def denormals_are_lost() -> bool:
    """Whether this thread runs with DAZ or FTZ; about 30 ns."""
    return _DENORMAL * _ONE == 0.0


def warn_if_denormals_are_lost(scores: Array) -> None:
    """Warn when the host flushes denormals and `scores` (float32 or float64) holds some; integers tell, floats would not."""
    if denormals_are_lost() and _holds_denormals(scores):
        warnings.warn(
            "this process flushes denormal numbers to zero (DAZ/FTZ is set, often by a library built with -ffast-math), and some scores "
            "are below 1.2e-38: they count as zero here, so results differ from the documented ones",
            FloatEnvironmentWarning,
            stacklevel=4,
        )


def _holds_denormals(scores: Array) -> bool:
    limit = _SMALLEST_NORMAL[scores.dtype.type]
    bits = np.ascontiguousarray(scores).view(limit.dtype)
    magnitude = bits & (np.iinfo(limit.dtype).max >> 1)
    return bool(((magnitude > 0) & (magnitude < limit)).any())
