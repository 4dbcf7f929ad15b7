"""The arithmetic of docs/numerics.md that its other pages stand on."""

from __future__ import annotations

import numpy as np

PADDING = np.array([0x7FC00000], dtype=np.uint32).view(np.float32)[0]


def widen(rows):
    """Float64 values of float32, float16 or bfloat16 (uint16 bits) rows; each conversion is exact."""
    if rows.dtype == np.uint16:
        rows = (np.ascontiguousarray(rows).astype(np.uint32) << 16).view(np.float32)
    with np.errstate(all="ignore"):
        return np.ascontiguousarray(rows).astype(np.float64)


def lane_sum(terms):
    """Lane sum along the last axis of float64 ``terms``."""
    with np.errstate(all="ignore"):
        lanes = np.zeros((*terms.shape[:-1], 16))
        for start in range(0, terms.shape[-1], 16):
            part = terms[..., start : start + 16]
            lanes[..., : part.shape[-1]] += part
        for width in (8, 4, 2, 1):
            lanes = lanes[..., :width] + lanes[..., width : 2 * width]
        return lanes[..., 0]


def round_once(values, dtype):
    """Round float64 to ``dtype`` once and drop the sign of zero."""
    with np.errstate(all="ignore"):
        return (np.asarray(values, dtype=np.float64).astype(dtype) + dtype(0.0)).astype(dtype)
