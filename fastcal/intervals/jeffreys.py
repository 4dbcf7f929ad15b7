"""The Jeffreys interval of a proportion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

import numpy.typing as npt

from fastcal._validate.numbers import fraction
from fastcal.intervals._incomplete_beta import lower_limit
from fastcal.intervals.wilson import hits_and_trials

if TYPE_CHECKING:
    from fastcal._backend.protocol import Array


@overload
def jeffreys_interval(successes: float, trials: float, confidence: float = 0.95) -> tuple[float, float]: ...
@overload
def jeffreys_interval(successes: npt.ArrayLike, trials: npt.ArrayLike, confidence: float = 0.95) -> tuple[Array, Array]: ...
def jeffreys_interval(successes: Any, trials: Any, confidence: float = 0.95) -> tuple[Any, Any]:
    """Two-sided Jeffreys interval of a proportion (Brown, Cai & DasGupta 2001).

    Quantiles of Beta(successes + 1/2, failures + 1/2), the posterior under Jeffreys' prior; 0 without successes and 1 without
    failures. Shorter than :func:`clopper_pearson_interval` and right on average over proportions, not at each of them: no
    certificate. It describes one sample whose size was fixed beforehand; looking again after every few labels makes it wrong.

    Parameters
    ----------
    successes : float or array_like
        Between 0 and `trials`; not necessarily whole.
    trials : float or array_like
        Not negative; broadcast against `successes`.
    confidence : float, default 0.95
        Strictly between 0 and 1.

    Returns
    -------
    low, high : float or ndarray of float64
        Within [0, 1]; (0, 1) where there are no trials. Right to 1e-9.

    Raises
    ------
    ValueError
        If `successes` is not within [0, `trials`], a count is infinite or NaN, or `confidence` is out of range.
    TypeError
        If a count is not a number.

    Examples
    --------
    >>> import fastcal as fc
    >>> low, high = fc.jeffreys_interval(18, 20)
    >>> round(low, 4), round(high, 4)
    (0.7161, 0.9786)
    """
    tail = (1.0 - fraction(confidence, "confidence")) / 2
    hits, n = hits_and_trials(successes, trials)
    low, high = lower_limit(hits, n, tail, 0.5), 1.0 - lower_limit(n - hits, n, tail, 0.5)
    return (float(low), float(high)) if low.ndim == 0 else (low, high)
