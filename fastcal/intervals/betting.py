"""Bets on a bounded mean: a test martingale and the confidence sequence that comes with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fastcal._validate.arrays import as_array
from fastcal._validate.numbers import fraction, number
from fastcal.errors import InvalidTypeError, InvalidValueError
from fastcal.intervals._running import intersected

if TYPE_CHECKING:
    from fastcal._clusters import Float64

_BLOCK = 1 << 18  # numbers held at once: 2 MiB


def betting_sequence(
    values: npt.ArrayLike, confidence: float = 0.95, *, cap: float = 0.75, resolution: float = 1e-3, running: bool = False
) -> tuple[Float64, Float64]:
    """Confidence sequence of a mean of values in [0, 1], not only of 0 and 1: an interval after every value.

    With the chosen probability the mean lies in all the intervals at once, so one may look after each value and stop for any
    reason. For independent values of one mean, such as one loss per query of queries drawn independently: the promise is then
    about future queries. Values from a pool without replacement, or pairs of the same query, are not independent.

    Parameters
    ----------
    values : array_like, shape (n_values,)
        Within [0, 1], in the order drawn.
    confidence : float, default 0.95
        Strictly between 0 and 1.
    cap : float, default 0.75
        Largest share of the capital that is put at risk, strictly between 0 and 1.
    resolution : float, default 1e-3
        Limits are multiples of this (of 1 / ceil(1 / resolution)), rounded outwards; from 1e-6 to 0.5. Time is in proportion
        to its inverse: some 40 ms for 1,000 values at 1e-3.
    running : bool, default False
        Intersect each interval with all before it. Just as valid, and usually shorter here; where the sequence has erred the
        intersection may become empty (low > high).

    Returns
    -------
    low, high : ndarray of float64, shape (n_values,)
        Within [0, 1].

    Raises
    ------
    ValueError
        If a value is not within [0, 1], or a parameter is out of range.
    TypeError
        If a value is not a number.

    Notes
    -----
    The hedged capital process of Waudby-Smith & Ramdas (2024) with their predictable plug-in bets: mean m is outside once half
    the capital of :func:`log_capital` against means up to m, or of its mirror image, reaches 1 / (1 - confidence).
    Capital falls with m, so that the set is an interval.

    Examples
    --------
    >>> import fastcal as fc
    >>> low, high = fc.betting_sequence([0.9, 1.0, 0.8, 0.95, 0.85] * 20)
    >>> round(float(low[-1]), 3), round(float(high[-1]), 3)
    (0.855, 0.925)
    """
    alpha = 1 - fraction(confidence, "confidence")
    x, share = _values(values), fraction(cap, "cap")
    cells = int(np.ceil(1 / number(resolution, "resolution", "a number from 1e-6 to 0.5", lambda r: 1e-6 <= r <= 0.5)))
    low, high = _rejected(x, alpha, share, cells) / cells, (cells - _rejected(1 - x, alpha, share, cells)) / cells
    return intersected(low, high, running)


def log_capital(values: npt.ArrayLike, null_mean: float, *, delta: float = 0.05, cap: float = 0.75) -> Float64:
    """Log of the capital of bets against "the mean of values in [0, 1] is at most `null_mean`", after each value.

    While the null holds, the chance that it ever reaches ``log(1 / delta)`` is at most delta, whenever one looks: also with other
    levels than the `delta` the bets are tuned for. On labels 0 and 1 it is a bit quicker than :func:`log_evidence_iid` far from the null
    and has less power near it; the mean of the two is evidence as well.

    Parameters
    ----------
    values : array_like, shape (n_values,)
        Within [0, 1], independent and of one mean, in the order drawn.
    null_mean : float
        Strictly between 0 and 1.
    delta : float, default 0.05
        The level that bets are tuned for.
    cap : float, default 0.75
        Largest share of the capital that is put at risk, strictly between 0 and 1.

    Returns
    -------
    ndarray of float64, shape (n_values,)

    Raises
    ------
    ValueError
        If a value is not within [0, 1], or a parameter is out of range.

    Notes
    -----
    Sum of ``ln(1 + min(l_t, cap / m) (x_t - m))`` with ``l_t = sqrt(2 ln(2 / delta) / (v_t t ln(1 + t)))``, v_t the variance of the
    values before the t-th, shrunk to 1/4 (Waudby-Smith & Ramdas 2024).

    Examples
    --------
    >>> import numpy as np
    >>> from fastcal.intervals.betting import log_capital
    >>> int(np.argmax(log_capital(np.ones(60), 0.9) >= np.log(20))) + 1
    38
    """
    x, m = _values(values), fraction(null_mean, "null_mean")
    bets = np.minimum(_bets(x, fraction(delta, "delta")), fraction(cap, "cap") / m)
    return np.asarray(np.cumsum(np.log1p(bets * (x - m))))


def _values(values: Any) -> Float64:
    x = as_array(values, "values")
    if x.ndim != 1 or x.dtype.kind not in "biuf":
        raise InvalidTypeError(f"values must be a flat array of numbers, got shape {x.shape} and dtype {x.dtype}")
    if not ((x >= 0) & (x <= 1)).all():
        raise InvalidValueError("values must be within [0, 1]")
    return x.astype(np.float64)


def _bets(x: Float64, alpha: float) -> Float64:
    """What would be put on each value, from those before it."""
    t = np.arange(1.0, x.size + 1)
    mean = (0.5 + np.cumsum(x)) / (t + 1)
    variance = (0.25 + np.cumsum((x - mean) ** 2)) / (t + 1)
    before = np.append(0.25, variance)[: x.size]
    return np.asarray(np.sqrt(2 * np.log(2 / alpha) / (before * t * np.log1p(t))))


def _rejected(x: Float64, alpha: float, cap: float, cells: int) -> Float64:
    """How many of the means 1 / cells, 2 / cells, ... half the capital has rejected, after each value; they are the lowest."""
    bets, level = _bets(x, alpha), np.log(2 / alpha)
    means = np.arange(1, cells + 1) / cells
    capital, out, rows = np.zeros(cells), np.empty(x.size), max(1, _BLOCK // cells)
    for start in range(0, x.size, rows):
        part = slice(start, start + rows)
        gains = np.minimum(bets[part, None], cap / means)
        gains *= x[part, None] - means
        capital = capital + np.cumsum(np.log1p(gains, out=gains), axis=0, out=gains)
        out[part] = np.count_nonzero(capital >= level, axis=1)
        capital = capital[-1]
    return out
