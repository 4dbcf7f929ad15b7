"""The fewest labels that can keep a promise: how many positives in a row it takes."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np

from fastcal._validate.numbers import fraction, integer
from fastcal.errors import InvalidValueError
from fastcal.intervals.evidence import log_evidence, log_evidence_iid

_TIE = 1e-12  # of a logarithm: a level that is met exactly counts as met


def single_look_floor(population: int, null_hits: int, delta: float) -> int:
    """Fewest draws without replacement that, all positive, refute "at most `null_hits` positive" at level `delta`.

    The fewest labels with which any procedure whatever can promise more than `null_hits` positives: with fewer, a pool that has
    only `null_hits` shows nothing but positives with a probability above `delta`, ``C(K0, n) / C(k, n)``.

    Parameters
    ----------
    population : int
        Rows in the pool, at least 1.
    null_hits : int
        Below `population`; negative: 0 labels are enough.
    delta : float
        Strictly between 0 and 1.

    Returns
    -------
    int
        At most ``null_hits + 1``.

    Raises
    ------
    ValueError
        If no number of positives exceeds `null_hits`, or `delta` is out of range.

    Examples
    --------
    >>> from fastcal.intervals.floors import single_look_floor
    >>> [single_look_floor(k, k * 9 // 10 - 1, 0.05) for k in (50, 100, 200, 500, 10**8)]
    [19, 23, 26, 28, 29]
    """
    k, hits, level = _pool(population, null_hits, delta)
    return _least(lambda n: _log_all_positive(k, hits, n) <= level + _TIE, hits + 1)


def single_look_floor_iid(null_rate: float, delta: float) -> int:
    """:func:`single_look_floor` of independent pairs, against a rate of at most `null_rate`: least n with null_rate**n <= delta.

    Examples
    --------
    >>> from fastcal.intervals.floors import single_look_floor_iid
    >>> single_look_floor_iid(0.9, 0.05), single_look_floor_iid(0.9, 0.1)
    (29, 22)
    """
    return max(1, math.ceil((math.log(fraction(delta, "delta")) + _TIE) / math.log(fraction(null_rate, "null_rate")) - _TIE))


def sequential_floor(population: int, null_hits: int, delta: float) -> int:
    """Fewest draws that, all positive, lift :func:`~fastcal.intervals.evidence.log_evidence` to ``log(1 / delta)``.

    More than :func:`single_look_floor`: the price of being allowed to look after each label. Parameters, result and errors
    are those of that function.

    Examples
    --------
    >>> from fastcal.intervals.floors import sequential_floor
    >>> [sequential_floor(k, k * 9 // 10 - 1, 0.05) for k in (50, 200, 10**8)]
    [24, 36, 43]
    """
    k, hits, level = _pool(population, null_hits, delta)
    return _least(lambda n: float(log_evidence(np.ones(n, np.uint8), k, hits, start=n - 1)[0]) >= -level, hits + 1)


def sequential_floor_iid(null_rate: float, delta: float, *, shape: float = 1.0) -> int:
    """:func:`sequential_floor` of independent pairs: of :func:`~fastcal.intervals.evidence.log_evidence_iid`.

    Examples
    --------
    >>> from fastcal.intervals.floors import sequential_floor_iid
    >>> sequential_floor_iid(0.9, 0.05), sequential_floor_iid(0.9, 0.05, shape=0.5)
    (43, 36)
    """
    level = -math.log(fraction(delta, "delta"))
    return _least(lambda n: float(log_evidence_iid(np.ones(n, np.uint8), null_rate, shape=shape, start=n - 1)[0]) >= level)


def _pool(population: int, null_hits: int, delta: float) -> tuple[int, int, float]:
    """The population, null_hits of at least -1, and ln(delta)."""
    k, hits = integer(population, "population", 1), integer(null_hits, "null_hits", -(2**53))
    if hits >= k:
        raise InvalidValueError(f"null_hits must be below population: no pool of {k} rows has more than {hits} positives")
    return k, max(hits, -1), math.log(fraction(delta, "delta"))


def _log_all_positive(k: int, hits: int, n: int) -> float:
    """Log probability that n of k rows are all among `hits`: the product over the fewer of n draws and k - hits misses."""
    if n > hits:
        return -math.inf
    few, many = sorted((n, k - hits))
    return float(np.log1p(-many / (k - np.arange(few, dtype=np.float64))).sum())


def _least(enough: Callable[[int], bool], most: int | None = None) -> int:
    """Least n >= 1 that is enough (0 if `most` is 0), where more is never worse; by doubling and halving. `most` is enough."""
    if most == 0:
        return 0
    high: int = next(n for n in (2**j for j in itertools.count()) if (most is not None and n >= most) or enough(n))
    low, high = high // 2, high if most is None else min(high, most)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high
