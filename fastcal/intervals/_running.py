"""What confidence sequences share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fastcal._validate.numbers import flag

if TYPE_CHECKING:
    from fastcal._clusters import Float64


def intersected(low: Float64, high: Float64, running: bool) -> tuple[Float64, Float64]:
    """Return the sequence, or with `running` the intersection of each interval with all before it."""
    if not flag(running, "running"):
        return low, high
    return np.maximum.accumulate(low), np.minimum.accumulate(high)
