"""The two methods that have a name of their own."""

from __future__ import annotations

import math
from typing import Any

import numpy.typing as npt

from fastcal._validate.numbers import integer
from fastcal.normalization import _statistics
from fastcal.normalization._arrays import prepare

__all__ = ["minmax", "zscore"]


def minmax(
    scores: npt.ArrayLike,
    *,
    offsets: npt.ArrayLike | None = None,
    on_constant: float = 0.0,
    out: npt.NDArray[Any] | None = None,
    num_threads: int | None = None,
) -> npt.NDArray[Any]:
    """Map each list of scores to [0, 1]: ``(s - min) / (max - min)``.

    Parameters
    ----------
    scores : array_like of float32 or float64, shape (..., m) or (n,)
        One list per query along the last axis; with `offsets`, lists of any length in a flat array. NaN is
        padding: it is skipped and stays NaN. float16 is computed in float32 and rounded back.
    offsets : array_like of int, shape (n_lists + 1,), optional
        List i is ``scores[offsets[i]:offsets[i + 1]]``.
    on_constant : float, default 0.0
        Value of every score of a list whose minimum is its maximum, a single score included. Systems disagree
        here: 0 (ranx), 0.5 (Vespa), 1 (OpenSearch, Elasticsearch). NaN says "undefined".
    out : ndarray, optional
        C-contiguous array of the shape and dtype of the result; may be `scores` itself. After an error its
        contents are unspecified.
    num_threads : int, optional
        See :func:`set_num_threads`. The result does not depend on it.

    Returns
    -------
    ndarray
        Same shape and dtype as `scores`; `out` if it was given.

    Raises
    ------
    ValueError
        If a score is infinite (the list and the position are named), `offsets` do not describe `scores`, or
        `on_constant` is infinite.
    TypeError
        If `scores` or `out` has another dtype.

    Examples
    --------
    >>> import numpy as np, fastcal as fc
    >>> fc.minmax(np.array([[12.0, 8.0, 4.0], [0.5, 0.5, np.nan]]))
    array([[1. , 0.5, 0. ],
           [0. , 0. , nan]])
    >>> fc.minmax([3.0, 1.0, 9.0], offsets=[0, 2, 3], on_constant=1.0)
    array([1., 0., 1.])
    """
    call = prepare(scores, offsets, out)
    constant = _statistics.as_constant(on_constant, "on_constant", call.result.dtype)
    _statistics.call(call.lists(num_threads), ("minmax", True, 0, 0.0, 0.0, 0.0, constant, -math.inf))
    return call.finish()


def zscore(
    scores: npt.ArrayLike,
    *,
    offsets: npt.ArrayLike | None = None,
    ddof: int = 0,
    out: npt.NDArray[Any] | None = None,
    num_threads: int | None = None,
) -> npt.NDArray[Any]:
    """Standardise each list of scores: ``(s - mean) / std``.

    A constant list, and one of at most `ddof` scores, gives 0.0.

    Parameters
    ----------
    scores : array_like of float32 or float64, shape (..., m) or (n,)
        One list per query along the last axis; with `offsets`, lists of any length in a flat array. NaN is
        padding: it is skipped and stays NaN. float16 is computed in float32 and rounded back.
    offsets : array_like of int, shape (n_lists + 1,), optional
        List i is ``scores[offsets[i]:offsets[i + 1]]``.
    ddof : int, default 0
        The variance divides by ``count - ddof``: 0 is the population's (ranx's zmuv), 1 the sample's.
    out : ndarray, optional
        C-contiguous array of the shape and dtype of the result; may be `scores` itself. After an error its
        contents are unspecified.
    num_threads : int, optional
        See :func:`set_num_threads`. The result does not depend on it.

    Returns
    -------
    ndarray
        Same shape and dtype as `scores`; `out` if it was given.

    Raises
    ------
    ValueError
        If a score is infinite (the list and the position are named), the sums of a list overflow float64,
        `offsets` do not describe `scores`, or `ddof` is negative.
    TypeError
        If `scores` or `out` has another dtype, or `ddof` is not an integer.

    Examples
    --------
    >>> import numpy as np, fastcal as fc
    >>> fc.zscore(np.array([0.9, 0.7, 0.2])).round(4)
    array([ 1.019 ,  0.3397, -1.3587])
    >>> fc.zscore(np.array([1.0, 3.0, 5.0]), offsets=[0, 2, 3])
    array([-1.,  1.,  0.])
    """
    call = prepare(scores, offsets, out)
    freedom = integer(ddof, "ddof", least=0)
    _statistics.call(call.lists(num_threads), ("zscore", True, freedom, 0.0, 0.0, 0.0, 0.0, -math.inf))
    return call.finish()
