"""Confidence intervals of a proportion."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, overload

import numpy as np
import numpy.typing as npt

from fastcal._validate.arrays import as_array
from fastcal._validate.numbers import fraction
from fastcal.errors import InvalidTypeError, InvalidValueError

if TYPE_CHECKING:
    from fastcal._backend.protocol import Array


@overload
def wilson_interval(successes: float, trials: float, confidence: float = 0.95) -> tuple[float, float]: ...
@overload
def wilson_interval(successes: npt.ArrayLike, trials: npt.ArrayLike, confidence: float = 0.95) -> tuple[Array, Array]: ...
def wilson_interval(successes: Any, trials: Any, confidence: float = 0.95) -> tuple[Any, Any]:
    """Two-sided Wilson score interval of a proportion (Wilson 1927; Brown, Cai & DasGupta 2001).

    It describes one sample that was fixed beforehand. It is no certificate: near 1 its lower limit is too high more
    often than `confidence` says, and looking again after every few labels makes that much worse.

    Parameters
    ----------
    successes : float or array_like
        Between 0 and `trials`; not necessarily whole (effective counts of weighted samples).
    trials : float or array_like
        Not negative; broadcast against `successes`.
    confidence : float, default 0.95
        Strictly between 0 and 1.

    Returns
    -------
    low, high : float or ndarray of float64
        Within [0, 1]; (0, 1) where there are no trials.

    Raises
    ------
    ValueError
        If `successes` is not within [0, `trials`], a count is infinite or NaN, or `confidence` is out of range.
    TypeError
        If a count is not a number.

    Examples
    --------
    >>> import fastcal as fc
    >>> low, high = fc.wilson_interval(18, 20)
    >>> round(low, 4), round(high, 4)
    (0.699, 0.9721)
    """
    z = _normal_quantile(0.5 + fraction(confidence, "confidence") / 2)
    hits, n = hits_and_trials(successes, trials)
    low, high = _wilson(hits, n, z)
    return (float(low), float(high)) if low.ndim == 0 else (low, high)


def hits_and_trials(successes: Any, trials: Any) -> tuple[Array, Array]:
    """Return counts as float64 arrays of one shape; 0 <= hits <= trials."""
    hits, n = counts(successes, "successes"), counts(trials, "trials")
    try:
        hits, n = np.broadcast_arrays(hits, n)
    except ValueError:
        raise InvalidValueError(f"successes and trials must have shapes that broadcast, got {hits.shape} and {n.shape}") from None
    if (hits > n).any():
        raise InvalidValueError("successes exceed trials; expected 0 <= successes <= trials")
    return hits, n


def _wilson(hits: Array, n: Array, z: float) -> tuple[Array, Array]:
    some = np.where(n > 0, n, 1.0)
    center = (hits + z * z / 2) / (some + z * z)
    half = z / (some + z * z) * np.sqrt(hits * (some - hits) / some + z * z / 4)
    low = np.where(hits > 0, np.maximum(center - half, 0.0), 0.0)
    high = np.where(hits < n, np.minimum(center + half, 1.0), 1.0)
    return low, high


def counts(values: Any, name: str) -> Array:
    """Return finite numbers of at least 0 as float64."""
    array = as_array(values, name)
    if array.dtype.kind not in "iuf":
        raise InvalidTypeError(f"{name} has dtype {array.dtype}; expected numbers")
    if not ((array >= 0) & (array < np.inf)).all():
        raise InvalidValueError(f"{name} must be finite and not negative")
    return array.astype(np.float64)


@cache
def _normal_quantile(p: float) -> float:
    from statistics import NormalDist  # costs 4 ms to import

    return NormalDist().inv_cdf(p)
