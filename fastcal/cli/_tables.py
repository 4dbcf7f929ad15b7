"""Figures as people read them."""

from __future__ import annotations

import math
from collections.abc import Sequence


def interval(limits: Sequence[float | None] | None) -> str:
    """Return ``[low, high]``, nothing where there is none."""
    if limits is None or any(limit is None or math.isnan(limit) for limit in limits):
        return ""
    low, high = (f"{limit:.4g}" for limit in limits)
    return f"[{low}, {high}]"
