"""How systems read weights: each rule returns what the method is given, or says what the system does not take."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fastcal.errors import InvalidValueError

Float64 = npt.NDArray[np.float64]

# OpenSearch compares the sum of the weights with 1 as loosely as this.
_SUM_TOLERANCE = 0.01


def linear(weights: Float64 | None, _n_runs: int) -> Float64 | None:
    """As given, 1 each by default."""
    return weights


def linear_or_even(weights: Float64 | None, n_runs: int) -> Float64 | None:
    """As given, 1 / n each by default."""
    return np.full((1, n_runs), 1 / n_runs) if weights is None else weights


def shares(weights: Float64 | None, n_runs: int) -> Float64 | None:
    """Divided by their sum, 1 / n each by default."""
    return np.full((1, n_runs), 1 / n_runs) if weights is None else weights / weights.sum(axis=-1, keepdims=True)


def shares_of_61(weights: Float64 | None, n_runs: int) -> Float64 | None:
    """Haystack: shares, times 61, so that a document that leads every list scores 1."""
    divided = shares(weights, n_runs)
    return None if divided is None else divided * 61.0


def up_to_one(weights: Float64 | None, _n_runs: int) -> Float64 | None:
    """Each at most 1, 1 each by default."""
    if weights is not None and weights.max() > 1:
        raise InvalidValueError(f"weights must be in [0, 1] for this preset, got {weights.max()}")
    return weights


def up_to_one_summing_to_one(weights: Float64 | None, n_runs: int) -> Float64 | None:
    """Each at most 1 and together 1, 1 each by default."""
    if weights is not None and np.any(np.abs(weights.sum(axis=-1) - 1) > _SUM_TOLERANCE):
        raise InvalidValueError(f"weights must sum to 1 for this preset, got {_shown(weights)}")
    return up_to_one(weights, n_runs)


def _shown(weights: Float64) -> Any:
    return weights[0].tolist() if len(weights) == 1 else f"rows that sum to {weights.sum(axis=-1).tolist()[:5]}"
