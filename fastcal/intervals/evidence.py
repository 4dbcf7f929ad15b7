"""Evidence against "at most so many are positive": test martingales that allow any number of looks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fastcal import _backend
from fastcal._validate.arrays import as_array
from fastcal._validate.numbers import fraction, integer, number
from fastcal.errors import InvalidTypeError, InvalidValueError

if TYPE_CHECKING:
    from fastcal._backend.protocol import Array

_MOST_ROWS = 2**53


def log_evidence(labels: npt.ArrayLike, population: int, null_hits: int, *, start: int = 0) -> Array:
    """Log of the mixture e-process after each label, drawn uniformly without replacement from a pool.

    The null says that at most `null_hits` rows of the pool are positive. While it holds, the chance that the process ever
    reaches ``log(1 / delta)`` is at most delta, whenever and however often one looks (Ville's inequality). The numerator is
    the likelihood averaged over a uniform prior on ``null_hits + 1 .. population`` positives, the denominator that of
    `null_hits`.

    Parameters
    ----------
    labels : array_like of 0 and 1, shape (n_labels,)
        In the order drawn, which must not depend on the labels.
    population : int
        Rows in the pool, at least `n_labels`.
    null_hits : int
        Most positives under the null; negative: the null is impossible.
    start : int, default 0
        Only the values after ``labels[start:]`` are computed. They do not depend on `start`.

    Returns
    -------
    ndarray of float64, shape (n_labels - start,)
        inf once more than `null_hits` positives were seen, -inf where no more of them are possible.

    Raises
    ------
    ValueError
        If a label is not 0 or 1, or there are more labels than rows.
    TypeError
        If a count is not an integer.

    Notes
    -----
    With n labels, S of them positive, k rows and K0 = `null_hits`::

        E = sum_{K=K0+1..k} C(k-n, K-S) / C(k, K) / (k-K0)  /  (C(k-n, K0-S) / C(k, K0))
          = (k+1) / ((n+1) (k-K0)) * P(X <= S) / P(Y = S)

    where X counts the good among n + 1 draws from k + 1 rows with K0 + 1 good ones, Y among n from k with K0. A value costs
    as many terms as S lies above the most likely count, and some ten standard deviations; each is right to 1e-11.

    Examples
    --------
    >>> import numpy as np
    >>> from fastcal.intervals.evidence import log_evidence
    >>> evidence = np.exp(log_evidence(np.ones(30), 50, 44))
    >>> int(np.argmax(evidence >= 20)) + 1
    24
    """
    drawn, k = as_labels(labels), integer(population, "population", 1)
    if not drawn.size <= k <= _MOST_ROWS:
        raise InvalidValueError(f"population must be at least the {drawn.size} labels and at most 2**53, got {k}")
    first, out = _after(drawn, start)
    _backend.active().log_evidence(drawn, k, max(-1, min(integer(null_hits, "null_hits", -_MOST_ROWS), k)), first, out)
    return out


def log_evidence_below(labels: npt.ArrayLike, population: int, null_hits: int, *, start: int = 0) -> Array:
    """Log evidence that at most `null_hits` rows are positive, against "more than `null_hits`": :func:`log_evidence` of the negatives.

    Reaching ``log(1 / delta)`` refutes, at level delta, what :func:`log_evidence` tries to show.

    Examples
    --------
    >>> import numpy as np
    >>> from fastcal.intervals.evidence import log_evidence_below
    >>> bool(log_evidence_below(np.zeros(3), 50, 44)[-1] > np.log(20))
    True
    """
    k = integer(population, "population", 1)
    null_misses = k - integer(null_hits, "null_hits", -_MOST_ROWS) - 1
    return log_evidence(1 - as_labels(labels), k, null_misses, start=start)


def log_evidence_iid(labels: npt.ArrayLike, null_rate: float, *, shape: float = 1.0, start: int = 0) -> Array:
    """Log of the mixture e-process after each label of independent pairs with one rate of positives.

    For promises about future pairs from which these were drawn independently; draws without replacement from a pool are the
    business of :func:`log_evidence`. Against "the rate is at most `null_rate`", with prior Beta(1, `shape`) on the rates above
    it: 1 is uniform, less leans towards a rate of 1 and needs fewer labels where nearly all are positive.

    Parameters
    ----------
    labels : array_like of 0 and 1, shape (n_labels,)
        In the order drawn.
    null_rate : float
        Strictly between 0 and 1.
    shape : float, default 1.0
        Positive and finite.
    start : int, default 0
        Only the values after ``labels[start:]`` are computed. They do not depend on `start`.

    Returns
    -------
    ndarray of float64, shape (n_labels - start,)
        Never infinite.

    Raises
    ------
    ValueError
        If a label is not 0 or 1, or a parameter is out of range.

    Notes
    -----
    The likelihood ratio of rate r to `null_rate`, averaged over the prior. With S positives among n labels and a uniform
    prior it is P(X <= S) / P(Y = S) / ((n + 1) (1 - null_rate)), X and Y binomial of n + 1 and n draws at `null_rate`.

    Examples
    --------
    >>> import numpy as np
    >>> from fastcal.intervals.evidence import log_evidence_iid
    >>> [int(np.argmax(log_evidence_iid(np.ones(60), 0.9, shape=b) >= np.log(20))) + 1 for b in (1.0, 0.5)]
    [43, 36]
    """
    drawn, rate = as_labels(labels), fraction(null_rate, "null_rate")
    beta = number(shape, "shape", "a positive finite number", lambda x: 0.0 < x < np.inf)
    first, out = _after(drawn, start)
    _backend.active().log_evidence_iid(drawn, rate, beta, first, out)
    return out


def as_labels(labels: Any) -> npt.NDArray[np.uint8]:
    """Return labels as contiguous uint8 of 0 and 1; uint8 is only checked."""
    given = as_array(labels, "labels")
    if given.ndim != 1 or given.dtype.kind not in "biuf":
        raise InvalidTypeError(f"labels must be a flat array of 0 and 1, got shape {given.shape} and dtype {given.dtype}")
    drawn = np.ascontiguousarray(given, dtype=np.uint8) if given.dtype.kind != "f" else (given == 1).astype(np.uint8)
    if drawn.size and (drawn.max() > 1 or (drawn is not given and (drawn != given).any())):
        raise InvalidValueError("labels must be 0 or 1")
    return drawn


def _after(labels: npt.NDArray[np.uint8], start: int) -> tuple[int, Array]:
    first = integer(start, "start", 0)
    if first > labels.size:
        raise InvalidValueError(f"start must be at most the {labels.size} labels, got {first}")
    return first, np.empty(labels.size - first)
