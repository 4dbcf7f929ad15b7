"""Log-odds of probabilities, and probabilities moved by log-odds."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from fastcal._backend.protocol import Array


def logit(p: float) -> float:
    """Log-odds of a probability strictly between 0 and 1."""
    return math.log(p) - math.log1p(-p)


def shifted(probabilities: Array, shift: float) -> Array:
    """Return probabilities with `shift` added to their log-odds; 0 and 1 stay, and the order is kept."""
    if shift == 0.0:
        return probabilities
    half = math.exp(-shift / 2)
    with np.errstate(divide="ignore", over="ignore"):
        odds_against = (1.0 - probabilities) / probabilities
        moved: Array = 1.0 / (1.0 + odds_against * half * half)
    return moved
