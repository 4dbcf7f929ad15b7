"""What is known of rows before any label: where to begin, and which rows to ask about more often."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fastcal._validate.numbers import float32_number
from fastcal.certificates._inputs import Rows
from fastcal.certificates._pool import Float64, rising
from fastcal.errors import InvalidValueError

WEIGHT_RATIO = 4.0


def spread_weights(probabilities: Float64) -> Float64:
    """Return sqrt(p (1 - p)), what Neyman's allocation samples by, no smaller than a quarter of the largest."""
    spread = np.sqrt(probabilities * (1.0 - probabilities))
    return np.maximum(spread / (spread.max() or 1.0), 1.0 / WEIGHT_RATIO)


def given_start(rows: Rows, threshold: Any, higher_is_better: bool) -> float:
    """Judge a threshold to begin at."""
    start = float(float32_number(threshold, "second_start"))
    if not selected(rows.scores, start, higher_is_better).any():
        best = rows.scores.max() if higher_is_better else rows.scores.min()
        raise InvalidValueError(f"second_start selects no row; got {threshold}, and the best score is {best}")
    return start


def hopeful_start(rows: Rows, probabilities: Float64, hoped: float, higher_is_better: bool) -> float | None:
    """Return the laxest threshold at or beyond which the mean probability is as hoped for."""
    values = rising(rows.scores, higher_is_better)
    rank = np.argsort(-values, kind="stable")
    ordered = values[rank]
    means = np.cumsum(probabilities[rank]) / np.arange(1, rank.size + 1)
    good = np.flatnonzero((means >= hoped) & np.append(ordered[1:] != ordered[:-1], True))
    return float(ordered[good[-1]] if higher_is_better else -ordered[good[-1]]) if good.size else None


def selected(scores: Any, threshold: Any, higher_is_better: bool) -> npt.NDArray[np.bool_]:
    """Return which scores are at or beyond a threshold."""
    return np.asarray(scores >= float(threshold) if higher_is_better else scores <= float(threshold))
