"""Where the first round looks, and how wide: the pool, its tail and what the caller knows."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from fastcal._validate.arrays import float_array
from fastcal._validate.numbers import flag, float32_number, number
from fastcal._validate.scores import directed_scores, float32_floor
from fastcal.errors import InvalidTypeError, InvalidValueError
from fastcal.labelling._fingerprint import fingerprint
from fastcal.probing._rounds import Float32, Rows
from fastcal.probing._sampling import gaussian_weights, kish

_LEAST_ROWS = 1.5


class ScoredPool(NamedTuple):
    """Rows without padding, what a state compares, and how many positions there are."""

    rows: Rows
    fingerprint: str
    size: int


class Prior(NamedTuple):
    """First anchor and width in the direction of the rows, and the tail's statistic."""

    anchor: float
    sigma: float
    tail_statistic: float


def scored_pool(scores: Any, higher_is_better: bool) -> ScoredPool:
    """Judge scores; NaN is padding, distances are turned round."""
    if scores is None:
        raise InvalidTypeError("scores must be an array of float, a Run or a search result, got None")
    given = directed_scores(scores, higher_is_better)
    if given is None:
        raise InvalidTypeError("scores come from a Run without scores; expected one with scores")
    values = float_array(given, "scores")
    flat = values.reshape(-1)
    positions = np.flatnonzero(~np.isnan(flat))
    if not positions.size:
        raise InvalidValueError("scores hold nothing to label: they are empty or all NaN (padding)")
    return ScoredPool(Rows(_rising(flat[positions], higher_is_better, "scores"), positions), fingerprint(values), flat.size)


def prior(rows: Float32, anchor: Any, tail_scores: Any, tail_weight: Any, tail_z: Any, sigma: Any, higher_is_better: bool) -> Prior:
    """Refine the anchor by the tail: ``(1 - tail_weight) * anchor + tail_weight * (mean + tail_z * sd)``; `rows` are best first.

    What is computed is rounded to float32, so that a state is taken up on machines whose sums differ in the last bit.
    """
    share = number(tail_weight, "tail_weight", "a number in [0, 1]", lambda x: 0.0 <= x <= 1.0)
    z = number(tail_z, "tail_z", "a finite number", np.isfinite)
    tail = rows[rows.size // 2 :] if tail_scores is None else _tail(tail_scores, higher_is_better)
    mean, spread = float(tail.mean(dtype=np.float64)), float(tail.std(dtype=np.float64))
    sign = 1 if higher_is_better else -1
    guess = _guess(rows) if anchor is None else sign * _anchor(anchor, sign * rows)
    statistic = mean + z * spread
    centre = float(np.clip(np.float32((1 - share) * guess + share * statistic), rows[-1], rows[0]))
    width = float(np.float32(spread)) or float(np.float32(rows.std(dtype=np.float64))) or 1.0
    return Prior(centre, width if sigma is None else _sigma(sigma, rows, centre), statistic)


def _anchor(given: Any, scores: Float32) -> float:
    anchor, low, high = float(float32_number(given, "anchor")), float(scores.min()), float(scores.max())
    if not 2 * low - high <= anchor <= 2 * high - low:
        raise InvalidValueError(f"anchor must lie near the scores, within [{low:g}, {high:g}] or as far again beyond, got {given!r}")
    return anchor


def _sigma(given: Any, rows: Float32, anchor: float) -> float:
    """Judge a width: a Gaussian wider than the scores looks nowhere, one without two rows under it everywhere at once."""
    sigma = number(given, "sigma", "a positive finite number", lambda x: 0.0 < x < np.inf)
    extent = float(rows[0]) - float(rows[-1])
    if sigma > extent > 0:
        raise InvalidValueError(f"sigma must be at most {extent:g}, the range of the scores, got {given!r}")
    with np.errstate(over="ignore", invalid="ignore"):
        chosen = kish(gaussian_weights(rows, anchor, sigma))
    if extent > 0 and not chosen >= _LEAST_ROWS:
        raise InvalidValueError(
            f"sigma={given!r} is too narrow: around {anchor:g} the weights choose among {chosen:.3g} rows, expected {_LEAST_ROWS:g}"
        )
    return sigma


def _guess(rows: Float32) -> float:
    """Halfway between the median and the mean of the best 1 %."""
    best = rows[: max(1, rows.size // 100)]
    return float(np.median(rows.astype(np.float64)) + best.mean(dtype=np.float64)) / 2


def _tail(tail_scores: Any, higher_is_better: bool) -> Float32:
    values = float_array(tail_scores, "tail_scores").reshape(-1)
    kept = values[~np.isnan(values)]
    if not kept.size:
        raise InvalidValueError("tail_scores are empty or all NaN (padding); expected at least one score")
    return _rising(kept, higher_is_better, "tail_scores")


def _rising(values: Any, higher_is_better: bool, name: str) -> Float32:
    """Return float32 of which higher is better, that every float32 threshold tells apart as it does the values."""
    flag(higher_is_better, "higher_is_better")
    if np.isinf(values).any():
        raise InvalidValueError(f"{name} hold an infinity; expected finite numbers, or NaN for padding")
    return float32_floor(values if higher_is_better else -values)
