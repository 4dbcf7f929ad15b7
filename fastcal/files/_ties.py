"""Ties that tools which sort by score alone cannot see."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Float32 = npt.NDArray[np.float32]
Int64 = npt.NDArray[np.int64]

_APART = 1 << 33  # more than two ordinals can be apart


def untied(scores: Float32, offsets: Int64, *, least: float | None = None) -> Float32:
    """Return lists, best first, of strictly falling scores: each is as it was, or the next float32 below the one before it.

    With ``least``, no score falls below it: those that would are raised until the list ends there.

    >>> untied(np.float32([0.5, 0.5, 0.25]), np.array([0, 3])).tolist()
    [0.5, 0.4999999701976776, 0.25]
    """
    rows = np.repeat(np.arange(offsets.size - 1), np.diff(offsets))
    places = np.arange(scores.size) - offsets[:-1][rows]
    # o[i] = min(s[i], o[i - 1] - 1) over ordinals is the running minimum of s[i] + i, less i.
    falling = np.minimum.accumulate(_ordinals(scores) + places - rows * _APART) - places + rows * _APART
    if least is not None:
        falling = np.maximum(falling, _ordinals(np.array([least], np.float32))[0] + np.diff(offsets)[rows] - 1 - places)
    return _floats(falling)


def _ordinals(values: Float32) -> Int64:
    """Number float32 in their order, 0 and -0 alike."""
    bits: Any = values.view(np.int32).astype(np.int64)
    found: Int64 = np.where(bits < 0, -(bits & 0x7FFFFFFF), bits)
    return found


def _floats(ordinals: Int64) -> Float32:
    bits = np.where(ordinals < 0, -ordinals | 0x80000000, ordinals)
    return bits.astype(np.uint32).view(np.float32)
