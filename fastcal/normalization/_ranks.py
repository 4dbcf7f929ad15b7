"""Methods that need the order of a list: its ranks or its quantiles."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import numpy.typing as npt

from fastcal import _backend
from fastcal._backend.protocol import Ties
from fastcal._validate import lists as judge
from fastcal._validate.arrays import as_array
from fastcal._validate.lists import Floats, Int64
from fastcal._validate.numbers import flag, number, one_of
from fastcal.errors import InvalidValueError
from fastcal.normalization import _statistics
from fastcal.normalization._arrays import Lists

_NORMAL_IQR = 1.3489795003921634  # quartile distance of the standard normal: 2 * 0.6744897501960817


def rank(lists: Lists, *, ties: Any = "ordinal") -> None:
    """``1 - r / n`` with r from 0."""
    _by_rank(lists, ties, None)


def borda(lists: Lists, *, n_candidates: Any = None, ties: Any = "ordinal") -> None:
    """``1 - r / n_candidates`` with r from 0."""
    if n_candidates is None:
        return _by_rank(lists, ties, None)
    pool = as_array(n_candidates, "n_candidates")
    if pool.dtype.kind not in "iu" or pool.shape not in {(), (lists.n_lists,)}:
        raise InvalidValueError(f"n_candidates must be an integer, or one for each of the {lists.n_lists} lists; got {n_candidates!r}")
    if (pool < np.maximum(lists.real_counts(), 1)).any():
        raise InvalidValueError(f"n_candidates must be at least 1 and the number of scores of the list, got {n_candidates!r}")
    return _by_rank(lists, ties, np.full(lists.n_lists, pool, np.int64))


def robust(
    lists: Lists,
    *,
    quantiles: Any = (0.25, 0.75),
    unit_variance: Any = False,
    on_constant: Any = None,
    on_single: Any = None,
    eps: Any = None,
    tolerance: Any = None,
) -> None:
    """``(s - median) / (upper quantile - lower quantile)``."""
    low, high = _as_quantiles(quantiles)
    scores = lists.oriented()
    judge.refuse_infinity(scores, lists.offsets)
    order = best_first(scores, lists.offsets, lists.num_threads)
    counts = lists.real_counts()
    centre, bottom, top = (_quantile(scores, order, lists.offsets[:-1], counts, share) for share in (0.5, low, high))
    with np.errstate(all="ignore"):
        scale = (top - bottom) / (_NORMAL_IQR if flag(unit_variance, "unit_variance") else 1.0)
    raised = Lists(scores, lists.offsets, lists.out, higher_is_better=True, num_threads=lists.num_threads)
    given = np.ascontiguousarray(np.stack([centre, scale], axis=1))
    _statistics.affine(raised, "given", given, on_constant=on_constant, on_single=on_single, eps=eps, tolerance=tolerance)


def best_first(scores: Floats, offsets: Int64, num_threads: int) -> Int64:
    """Positions of each list's entries: descending, ties by position, NaN last."""
    order = np.empty(scores.size, np.int64)
    _backend.active().order_lists(scores, offsets, order, num_threads=num_threads)
    return order


def _by_rank(lists: Lists, ties: Any, pool: Int64 | None) -> None:
    known = cast("Ties", one_of(ties, "ties", ("ordinal", "min", "average")))
    rule = (lists.higher_is_better, known, pool)
    bad = _backend.active().rank_lists(lists.scores, lists.offsets, *rule, lists.out, num_threads=lists.num_threads)
    judge.refuse_list(bad, lists.scores, lists.offsets)


def _quantile(scores: Floats, order: Int64, starts: Int64, counts: Int64, share: float) -> npt.NDArray[np.float64]:
    """The quantile of every list, linear between neighbours (NumPy's default); NaN where a list has no number."""
    found = np.full(starts.size, np.nan)
    real = counts > 0
    last = counts[real] - 1
    below = np.floor(share * last).astype(np.int64)
    fraction = share * last - below
    lower = scores[order[starts[real] + last - below]].astype(np.float64)
    upper = scores[order[starts[real] + last - np.minimum(below + 1, last)]].astype(np.float64)
    with np.errstate(over="ignore"):  # an infinite scale is refused by name where it is used
        found[real] = lower + fraction * (upper - lower)
    return found


def _as_quantiles(quantiles: Any) -> tuple[float, float]:
    if not isinstance(quantiles, tuple | list) or len(quantiles) != 2:
        raise InvalidValueError(f"quantiles must be a pair (low, high) with 0 <= low < high <= 1, got {quantiles!r}")
    low, high = (number(q, "quantiles", "a pair of numbers from 0 to 1", lambda x: 0.0 <= x <= 1.0) for q in quantiles)
    if low >= high:
        raise InvalidValueError(f"quantiles must be a pair (low, high) with 0 <= low < high <= 1, got {quantiles!r}")
    return low, high
