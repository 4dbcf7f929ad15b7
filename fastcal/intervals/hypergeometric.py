"""The exact interval of the proportion of a finite pool, from one sample without replacement."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

import numpy as np
import numpy.typing as npt

from fastcal._validate.numbers import fraction
from fastcal.errors import InvalidValueError
from fastcal.intervals._counts import TIE, last_true, log_at_most
from fastcal.intervals.wilson import counts, hits_and_trials

if TYPE_CHECKING:
    from fastcal._backend.protocol import Array
    from fastcal._clusters import Float64


@overload
def hypergeometric_interval(successes: float, trials: float, population: float, confidence: float = 0.95) -> tuple[float, float]: ...
@overload
def hypergeometric_interval(
    successes: npt.ArrayLike, trials: npt.ArrayLike, population: npt.ArrayLike, confidence: float = 0.95
) -> tuple[Array, Array]: ...
def hypergeometric_interval(successes: Any, trials: Any, population: Any, confidence: float = 0.95) -> tuple[Any, Any]:
    """Two-sided exact interval of the share of positives in a pool, from rows drawn without replacement.

    The numbers K of positives in the pool for which neither so many successes or more, nor so many or fewer, are less probable
    than (1 - confidence) / 2; as shares K / population. Shorter than :func:`clopper_pearson_interval`, and of no length once the whole pool
    is labelled. It speaks of this pool only, and of one sample whose size was fixed beforehand: for looks along the way there is
    :func:`without_replacement_sequence`.

    Parameters
    ----------
    successes : int or array_like
        Positives in the sample, between 0 and `trials`.
    trials : int or array_like
        Rows drawn, at most `population`.
    population : int or array_like
        Rows in the pool, from 1 to 2**40; the three are broadcast.
    confidence : float, default 0.95
        Strictly between 0 and 1.

    Returns
    -------
    low, high : float or ndarray of float64
        Multiples of 1 / population.

    Raises
    ------
    ValueError
        If a count is not whole, or not 0 <= successes <= trials <= population, or `confidence` is out of range.
    TypeError
        If a count is not a number.

    Examples
    --------
    >>> import fastcal as fc
    >>> fc.hypergeometric_interval(18, 20, 50)
    (0.74, 0.96)
    """
    level = float(np.log((1.0 - fraction(confidence, "confidence")) / 2))
    hits, n, k = pool_counts(successes, trials, population)
    shape = hits.shape
    hits, n, k = (np.atleast_1d(a).reshape(-1) for a in (hits, n, k))
    high, most_misses = _most(hits, n, k, level), _most(n - hits, n, k, level)
    low, high = ((k - most_misses) / k).reshape(shape), (high / k).reshape(shape)
    return (float(low), float(high)) if not shape else (low, high)


def pool_counts(successes: Any, trials: Any, population: Any) -> tuple[Array, Array, Array]:
    """Whole float64 counts of one shape, 0 <= hits <= n <= k."""
    hits, n = hits_and_trials(successes, trials)
    k = counts(population, "population")
    try:
        hits, n, k = np.broadcast_arrays(hits, n, k)
    except ValueError:
        raise InvalidValueError(f"counts must have shapes that broadcast, got {hits.shape} and population {k.shape}") from None
    if any((a != np.floor(a)).any() for a in (hits, n, k)):
        raise InvalidValueError("successes, trials and population must be whole numbers")
    if (k < np.maximum(n, 1)).any() or (k > 2**40).any():
        raise InvalidValueError("population must be at least 1, at least trials and at most 2**40")
    return hits, n, k


def _most(hits: Float64, n: Float64, k: Float64, level: float) -> Float64:
    """The largest possible number of positives under which so few hits are not less probable than the level."""
    return last_true(lambda at, positives: log_at_most(hits[at], n[at], positives, k[at]) >= level - TIE, hits, k - n + hits)
