"""A confidence sequence of the share of positives in a pool, from labels drawn without replacement."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fastcal._validate.numbers import fraction, integer
from fastcal.errors import InvalidValueError
from fastcal.intervals._counts import TIE, last_true, log_hypergeometric
from fastcal.intervals._running import intersected
from fastcal.intervals.evidence import as_labels

if TYPE_CHECKING:
    from fastcal._clusters import Float64


def without_replacement_sequence(
    labels: npt.ArrayLike, population: int, confidence: float = 0.95, *, running: bool = False
) -> tuple[Float64, Float64]:
    """Confidence sequence of the share of positives in a finite pool: an interval after every label.

    With the chosen probability the share lies in all the intervals at once, so one may look after each label and stop for any
    reason. The only randomness needed is that of the order: rows are drawn uniformly without replacement, whatever they
    are. The promise is about this pool, as judged by whoever labels, and about no pair outside it; for that, with independent
    pairs, there is :func:`beta_binomial_sequence`.

    Parameters
    ----------
    labels : array_like of 0 and 1, shape (n_labels,)
        In the order drawn.
    population : int
        Rows in the pool, at least `n_labels` and at most 2**40.
    confidence : float, default 0.95
        Strictly between 0 and 1.
    running : bool, default False
        Intersect each interval with all before it. Just as valid; where the sequence has erred the intersection may become
        empty (low > high).

    Returns
    -------
    low, high : ndarray of float64, shape (n_labels,)
        Multiples of 1 / population, found exactly; equal once all rows are labelled.

    Raises
    ------
    ValueError
        If a label is not 0 or 1, there are more labels than rows, or `confidence` is out of range.
    TypeError
        If `population` is not an integer.

    Notes
    -----
    K positives are in the interval while ``(n + 1) P(S of n | K) > 1 - confidence``, P hypergeometric: the prior-posterior ratio of
    Waudby-Smith & Ramdas (2020) under a uniform prior on 0 .. population.

    Examples
    --------
    >>> import fastcal as fc
    >>> low, high = fc.without_replacement_sequence([1] * 28 + [0, 0], 50)
    >>> float(low[-1]), float(high[-1])
    (0.78, 0.96)
    """
    level = float(np.log1p(-fraction(confidence, "confidence"))) - TIE
    drawn, k = as_labels(labels), integer(population, "population", 1)
    if not drawn.size <= k <= 2**40:
        raise InvalidValueError(f"population must be at least the {drawn.size} labels and at most 2**40, got {k}")
    hits, n = np.cumsum(drawn, dtype=np.float64), np.arange(1.0, drawn.size + 1)
    likely = np.clip(np.floor(hits * ((k + 1) / n)), hits, k - n + hits)
    size = np.full(n.size, float(k))

    def most(hits: Float64, likely: Float64) -> Float64:
        def inside(at: Any, positives: Float64) -> Any:
            return np.log1p(n[at]) + log_hypergeometric(hits[at], n[at], positives, size[at]) >= level

        return last_true(inside, likely, k - n + hits)

    return intersected((k - most(n - hits, k - likely)) / k, most(hits, likely) / k, running)
