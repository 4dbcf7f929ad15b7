"""The Clopper-Pearson interval of a proportion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

import numpy.typing as npt

from fastcal._validate.numbers import fraction
from fastcal.intervals._incomplete_beta import lower_limit
from fastcal.intervals.wilson import hits_and_trials

if TYPE_CHECKING:
    from fastcal._backend.protocol import Array


@overload
def clopper_pearson_interval(successes: float, trials: float, confidence: float = 0.95) -> tuple[float, float]: ...
@overload
def clopper_pearson_interval(successes: npt.ArrayLike, trials: npt.ArrayLike, confidence: float = 0.95) -> tuple[Array, Array]: ...
def clopper_pearson_interval(successes: Any, trials: Any, confidence: float = 0.95) -> tuple[Any, Any]:
    """Two-sided exact interval of a proportion (Clopper & Pearson 1934).

    For one sample of a size fixed beforehand each limit errs with probability (1 - confidence) / 2 at most, whatever the
    proportion; wider than :func:`wilson_interval` for that. Looking again after every few labels breaks the promise.

    Parameters
    ----------
    successes : float or array_like
        Between 0 and `trials`; not necessarily whole, for the limits are quantiles of beta distributions.
    trials : float or array_like
        Not negative; broadcast against `successes`.
    confidence : float, default 0.95
        Strictly between 0 and 1.

    Returns
    -------
    low, high : float or ndarray of float64
        Within [0, 1]; (0, 1) where there are no trials. Right to 1e-9 and, up to a million trials, to 1e-12.

    Raises
    ------
    ValueError
        If `successes` is not within [0, `trials`], a count is infinite or NaN, or `confidence` is out of range.
    TypeError
        If a count is not a number.

    Examples
    --------
    >>> import fastcal as fc
    >>> low, high = fc.clopper_pearson_interval(18, 20)
    >>> round(low, 4), round(high, 4)
    (0.683, 0.9877)
    """
    tail = (1.0 - fraction(confidence, "confidence")) / 2
    hits, n = hits_and_trials(successes, trials)
    low, high = lower_limit(hits, n, tail, 0.0), 1.0 - lower_limit(n - hits, n, tail, 0.0)
    return (float(low), float(high)) if low.ndim == 0 else (low, high)
