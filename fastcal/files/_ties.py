"""What makes lists ambiguous: ties, for tools that sort by score alone, and documents listed twice."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fastcal.run import Run

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


def repeated(run: Run) -> int | None:
    """Return the first position of a run whose document its list holds already; None if there is none."""
    width = int(run.ids.max(initial=0)) + 1
    rows = np.repeat(np.arange(run.n_queries), run.counts())
    if run.n_queries * width < 1 << 62:
        keys = rows * width + run.ids
        ordered = np.sort(keys)
        if (ordered[1:] != ordered[:-1]).all():
            return None
    order = np.lexsort((run.ids, rows))
    same = (rows[order][1:] == rows[order][:-1]) & (run.ids[order][1:] == run.ids[order][:-1])
    return int(order[1:][same].min()) if same.any() else None


def _ordinals(values: Float32) -> Int64:
    """Number float32 in their order, 0 and -0 alike."""
    bits: Any = values.view(np.int32).astype(np.int64)
    found: Int64 = np.where(bits < 0, -(bits & 0x7FFFFFFF), bits)
    return found


def _floats(ordinals: Int64) -> Float32:
    bits = np.where(ordinals < 0, -ordinals | 0x80000000, ordinals)
    return bits.astype(np.uint32).view(np.float32)
