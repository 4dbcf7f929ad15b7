"""A confidence sequence of a rate, from labels of independent pairs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fastcal._validate.numbers import fraction, integer, number
from fastcal.errors import InvalidTypeError
from fastcal.intervals._counts import log_beta
from fastcal.intervals._running import intersected
from fastcal.intervals.evidence import as_labels

if TYPE_CHECKING:
    from fastcal._clusters import Float64

_HALVINGS = 60


def beta_binomial_sequence(
    labels: npt.ArrayLike,
    confidence: float = 0.95,
    *,
    prior: tuple[float, float] | None = None,
    best_at: int | None = None,
    running: bool = False,
) -> tuple[Float64, Float64]:
    """Confidence sequence of the rate of positives, from independent pairs: an interval after every label.

    With the chosen probability the rate lies in all the intervals at once, so one may look after each label and stop for any
    reason. That is bought with width: some 1.5 to 2 times that of :func:`wilson_interval` or :func:`clopper_pearson_interval`,
    which hold for one look. The promise is about the source that the pairs were drawn from independently; for rows drawn
    without replacement from a pool :func:`without_replacement_sequence` is valid and shorter.

    Parameters
    ----------
    labels : array_like of 0 and 1, shape (n_labels,)
        In the order drawn.
    confidence : float, default 0.95
        Strictly between 0 and 1.
    prior : pair of float, optional
        Beta(a, b) prior of the mixture, a and b from 1e-6 to 1e6; (1, 1) by default. Any one is valid that was chosen before the
        labels; intervals are shortest where it puts its weight.
    best_at : int, optional
        Instead of `prior`: for each rate p on trial the prior Beta(c p, c (1 - p)) around p, with c such that the intervals are about
        as short as they can be after `best_at` labels.
    running : bool, default False
        Intersect each interval with all before it. Just as valid; where the sequence has erred the intersection may become
        empty (low > high).

    Returns
    -------
    low, high : ndarray of float64, shape (n_labels,)
        Within [0, 1]. Right to 1e-9.

    Raises
    ------
    ValueError
        If a label is not 0 or 1, or a parameter is out of range, or both `prior` and `best_at` are given.
    TypeError
        If a parameter is not a number.

    Notes
    -----
    Rate p is in the interval while the likelihood averaged over the prior is less than 1 / (1 - confidence) times that of p (Ville's
    inequality). `best_at` is the two-sided beta-binomial mixture of Howard, Ramdas, McAuliffe & Sekhon (2021), tuned as in their
    library: c = max(best_at / (2 L + ln(1 + 2 L)) - 1, 0.001), L = -ln(0.05).

    Examples
    --------
    >>> import fastcal as fc
    >>> low, high = fc.beta_binomial_sequence([1] * 28 + [0, 0])
    >>> round(float(low[-1]), 4), round(float(high[-1]), 4)
    (0.6967, 0.998)
    """
    level = -float(np.log1p(-fraction(confidence, "confidence")))
    drawn = as_labels(labels)
    hits = np.cumsum(drawn, dtype=np.float64)
    misses = np.arange(1.0, drawn.size + 1) - hits
    mixture = _mixture(hits, misses, prior, best_at)

    def inside(at: Any, rate: Float64, other: Float64) -> Any:
        return mixture(at, rate, other) - hits[at] * np.log(rate) - misses[at] * np.log(other) < level

    low = _end(lambda at, end: inside(at, end, 1 - end), hits, misses)
    high = 1 - _end(lambda at, end: inside(at, 1 - end, end), misses, hits)
    return intersected(low, high, running)


def _mixture(hits: Float64, misses: Float64, prior: Any, best_at: Any) -> Callable[[Any, Float64, Float64], Float64]:
    """Log likelihood averaged over the prior, at those looks and for those rates on trial (and 1 - rate)."""
    if best_at is None:
        a, b = (np.array([x]) for x in ((1.0, 1.0) if prior is None else _pair(prior)))
        fixed = log_beta(a + hits, b + misses) - log_beta(a, b)
        return lambda at, _rate, _other: fixed[at]
    if prior is not None:
        raise InvalidTypeError("prior and best_at exclude each other; expected at most one")
    log_level = float(np.log(20.0))
    c = max(integer(best_at, "best_at", 1) / (2 * log_level + float(np.log1p(2 * log_level))) - 1, 1e-3)

    def centred(at: Any, rate: Float64, other: Float64) -> Float64:
        a, b = c * rate, c * other
        return np.asarray(log_beta(a + hits[at], b + misses[at]) - log_beta(a, b))

    return centred


def _pair(prior: Any) -> tuple[float, float]:
    try:
        a, b = prior
    except (TypeError, ValueError):
        raise InvalidTypeError(f"prior must be a pair of numbers, got {prior!r}") from None
    expected = "two numbers from 1e-6 to 1e6"
    return number(a, "prior", expected, _in_range), number(b, "prior", expected, _in_range)


def _in_range(x: float) -> bool:
    return 1e-6 <= x <= 1e6


def _end(inside: Callable[[Any, Float64], Any], hits: Float64, misses: Float64) -> Float64:
    """The lower end of each interval, by halving from 0 to hits / n; 0 without hits. On the outer side."""
    low, at = np.zeros(hits.size), np.flatnonzero(hits)
    high = hits[at] / (hits[at] + misses[at])
    ends = np.zeros(at.size)
    for _ in range(_HALVINGS):
        middle = np.asarray((ends + high) / 2)
        held = inside(at, middle)
        high, ends = np.where(held, middle, high), np.where(held, ends, middle)
    low[at] = ends
    return low
