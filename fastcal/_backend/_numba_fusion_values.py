"""Kernels of fusion: what each run says of each document, and how that becomes a score (``docs/numerics.md``)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from fastcal._backend._numba_calibration import exp_minus
from fastcal._backend._numba_lanes import kernel

if TYPE_CHECKING:
    from fastcal._backend.protocol import Array

RECIPROCAL, SQUARE, POWER, POINTS, SCORE = range(5)
SUM, BY_WEIGHTS, MEAN, GEOMETRIC, HARMONIC, LOGISTIC, MIN, MAX, MEDIAN, COPELAND = range(10)
SKIP, LEAST, FILL = range(3)
FIRST, LARGEST, TOTAL, ERROR = range(4)
ABSENT, LISTED, FILLED = range(3)

_LN2_HIGH = float.fromhex("0x1.62e42fee00000p-1")
_LN2_LOW = float.fromhex("0x1.a39ef35793c76p-33")
_SQRT2 = float.fromhex("0x1.6a09e667f3bcdp+0")
_INVERSE_ODD = tuple(1.0 / odd for odd in range(21, 0, -2))
_INVALID = 1e300  # no float32 score
_UNLISTED = 2**62  # behind every place


@kernel
def natural_log(x: float) -> float:
    """ln(x) of a positive normal number."""
    m, exponent = math.frexp(x)
    m, e = 2.0 * m, float(exponent - 1)
    if m > _SQRT2:
        m, e = m * 0.5, e + 1.0
    s = (m - 1.0) / (m + 1.0)
    z = s * s
    p = _INVERSE_ODD[0]
    for i in range(1, 11):
        p = p * z + _INVERSE_ODD[i]
    return e * _LN2_HIGH + (e * _LN2_LOW + 2.0 * s * p)


@kernel
def _power_step(value: int, position: int, parameter: float, power: float) -> float:
    """Phi to the position, by successive multiplication."""
    if value != POWER:
        return 0.0
    return 1.0 - parameter if position == 0 else power * parameter


@kernel
def _entry_value(value: int, position: int, parameter: float, weight: float, count: int, power: float, score: float) -> float:
    if value == SCORE:
        return score
    if value == POINTS:
        return float(count) - float(position)
    if value == POWER:
        return power
    rank = float(position + 1) / weight
    return 1.0 / (parameter + rank) if value == RECIPROCAL else 1.0 / (rank * rank)


@kernel
def spread(
    documents: Array,
    scores: Array,
    begin: int,
    count: int,
    value: int,
    parameter: float,
    divisor: float,
    probabilities: bool,
    missing: int,
    fill: float,
    duplicates: int,
    values: Array,
    states: Array,
    places: Array,
) -> bool:
    """Write what one run says of documents 0..count; whether all its scores are good. A duplicate is -1 - document."""
    good, least, listed, power = True, _INVALID, 0, 0.0
    states[:count] = ABSENT
    places[:count] = -1
    for i in range(documents.size):
        score = 0.0
        if value == SCORE:
            score = float(scores[begin + i])
            good = good and (0.0 <= score <= 1.0 if probabilities else math.isfinite(score))
        power = _power_step(value, i, parameter, power)
        worth = _entry_value(value, i, parameter, divisor, count, power, score)
        doc = documents[i]
        if doc >= 0:
            values[doc], states[doc], places[doc] = worth, LISTED, i
            listed += 1
        elif duplicates == LARGEST:
            values[-1 - doc] = max(values[-1 - doc], worth)
        elif duplicates == TOTAL:
            values[-1 - doc] += worth
    if value == POINTS:
        missing, fill = FILL, float(count - listed + 1) / 2.0
    elif missing == LEAST:
        for doc in range(count):
            if states[doc] == LISTED:
                least = min(least, values[doc])
        missing, fill = (SKIP if listed == 0 else FILL), least
    if missing == FILL:
        for doc in range(count):
            if states[doc] == ABSENT:
                values[doc], states[doc] = fill, FILLED
    return good


@kernel
def _summand(combine: int, parameter: float, base: float, value: float) -> float:
    """The value as it is added up; NaN if it cannot be."""
    if combine == GEOMETRIC:
        return natural_log(value) if value > 0.0 else math.nan
    if combine == HARMONIC:
        return 1.0 / value if value > 0.0 else math.nan
    if combine == LOGISTIC:
        p = min(max(value, parameter), 1.0 - parameter)
        return (natural_log(p) - natural_log(1.0 - p)) - base
    return value


@kernel
def _finish(combine: int, base: float, total: float, weight: float, factor: float) -> float:
    if combine == SUM:
        return total * factor
    if combine == BY_WEIGHTS:
        return total * weight
    if combine == LOGISTIC:
        t = base + total
        e = exp_minus(abs(t))
        return (e if t < 0.0 else 1.0) / (1.0 + e)
    if weight == 0.0:
        return 0.0
    if combine == HARMONIC:
        return weight / total
    mean = total / weight
    if combine == MEAN:
        return mean
    e = exp_minus(abs(mean))
    return e if mean < 0.0 else 1.0 / e


@kernel
def add_up(
    combine: int, parameter: float, base: float, count: int, weights: Array, factors: Array, hits: Array, values: Array, states: Array, totals: Array
) -> None:
    """Combinations that add, weighted. Leaves the weights behind each document in the last row of ``values``."""
    n_runs = weights.size
    behind = values[n_runs]
    totals[:count] = 0.0
    behind[:count] = 0.0
    for run in range(n_runs):
        for doc in range(count):
            state = states[run, doc]
            if state == ABSENT:
                continue
            if combine == BY_WEIGHTS:
                totals[doc] += values[run, doc]
                behind[doc] += weights[run] if state == LISTED else 0.0
                continue
            term = _summand(combine, parameter, base, values[run, doc])
            if not math.isnan(term):
                totals[doc] += weights[run] * term
                behind[doc] += weights[run]
    for doc in range(count):
        totals[doc] = _finish(combine, base, totals[doc], behind[doc], factors[hits[doc]])


@kernel
def choose(combine: int, count: int, n_runs: int, values: Array, states: Array, totals: Array) -> None:
    """Least, largest or median value."""
    chosen = np.empty(n_runs)
    for doc in range(count):
        n = 0
        for run in range(n_runs):
            if states[run, doc] != ABSENT:
                chosen[n] = values[run, doc]
                n += 1
        ordered = np.sort(chosen[:n])
        if combine == MEDIAN:
            totals[doc] = (ordered[(n - 1) // 2] + ordered[n // 2]) / 2.0
        else:
            totals[doc] = ordered[0] if combine == MIN else ordered[n - 1]


@kernel
def pairwise_wins(count: int, weights: Array, places: Array, totals: Array) -> None:
    """Documents beaten by weighted majority; a draw is half a win."""
    for a in range(count):
        twice = -1
        for b in range(count):
            margin = 0.0
            for run in range(weights.size):
                own = places[run, a] if places[run, a] >= 0 else _UNLISTED
                other = places[run, b] if places[run, b] >= 0 else _UNLISTED
                margin += weights[run] * (int(own < other) - int(own > other))
            twice += 2 * int(margin > 0.0) + int(margin == 0.0)
        totals[a] = float(twice) / 2.0


@kernel
def term(combine: int, parameter: float, base: float, weight: float, value: float, factor: float, behind: float) -> float:
    """A run's part in a score."""
    if combine >= MIN:
        return value if combine != COPELAND else math.nan
    if combine == BY_WEIGHTS:
        return value * behind
    share = _summand(combine, parameter, base, value)
    share = weight * (0.0 if math.isnan(share) else share)
    if combine == SUM:
        return share * factor
    if combine == LOGISTIC:
        return share
    return share * (0.0 if behind == 0.0 else 1.0 / behind)
