"""One door to every method: names, options, and what all methods have in common (NaN, clipping, zeros)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from fastcal._validate.elements import bad_element
from fastcal._validate.lists import Floats, Int64
from fastcal._validate.numbers import number, one_of
from fastcal.errors import InvalidTypeError, InvalidValueError
from fastcal.normalization import _cohort, _maps, _ranks, _statistics, _tail
from fastcal.normalization._arrays import Lists

# Each takes its options as keywords, judges them and fills ``lists.out``.
METHODS: dict[str, Callable[..., None]] = {
    "minmax": _statistics.minmax,
    "max": _statistics.maximum,
    "sum": _statistics.total,
    "l2": _statistics.l2,
    "zscore": _statistics.zscore,
    "robust": _ranks.robust,
    "dbsf": _statistics.dbsf,
    "rank": _ranks.rank,
    "borda": _ranks.borda,
    "atan": _maps.atan,
    "sigmoid": _maps.sigmoid,
    "identity": _maps.identity,
    "tail": _tail.tail,
    "cohort": _cohort.cohort,
    "csls": _cohort.csls,
}
NAN = ("skip", "propagate", "worst", "raise")


def normalize_lists(
    scores: Floats,
    offsets: Int64,
    method: str,
    *,
    higher_is_better: bool = True,
    num_threads: int = 1,
    nan: str = "skip",
    clip: Any = None,
    floor: Any = None,
    out: npt.NDArray[Any] | None = None,
    **options: Any,
) -> npt.NDArray[Any]:
    """Normalise flat float32 or float64 lists whose offsets have been judged; the result is `out`, or new and of their dtype.

    Everything else is judged here, and is as in :func:`normalize`.
    """
    run = _as_method(method, options)
    policy = one_of(nan, "nan", NAN)
    result = np.empty_like(scores) if out is None else out
    span, zero = _as_clip(clip, result.dtype), None if floor is None else number(floor, "floor", f"a finite {result.dtype}", _fits(result.dtype))
    missing = None if policy == "skip" else np.isnan(scores)
    if policy == "raise" and missing is not None and missing.any():
        at = int(missing.argmax())
        row = int(np.searchsorted(offsets, at, side="right")) - 1
        raise bad_element(f"scores: got NaN in list {row} at position {at - offsets[row]}, and ", 'nan="raise" forbids it', "scores", at, scores[at])
    run(Lists(scores, offsets, result, higher_is_better, num_threads), **options)
    if span is not None:
        np.clip(result, *span, out=result)
    if zero is not None:
        result[result == 0.0] = zero
    if missing is not None and missing.any():
        _fill_missing(policy, result, missing, offsets)
    return result


def _fill_missing(policy: str, result: npt.NDArray[Any], missing: npt.NDArray[np.bool_], offsets: Int64) -> None:
    """Give missing scores the lowest result of their list ("worst"), or make their whole list NaN ("propagate")."""
    filled = np.diff(offsets) > 0
    starts, sizes = offsets[:-1][filled], np.diff(offsets)[filled]
    if policy == "worst":
        lowest = np.repeat(np.fmin.reduceat(result, starts), sizes)
        result[missing] = lowest[missing]
    else:
        result[np.repeat(np.logical_or.reduceat(missing, starts), sizes)] = np.nan


def _as_method(method: Any, options: dict[str, Any]) -> Callable[..., None]:
    """Return the method, if it takes these options."""
    run = METHODS.get(method) if isinstance(method, str) else None
    if run is None:
        raise InvalidValueError(f"method must be one of {_quoted(METHODS)}; got {method!r}")
    known = run.__kwdefaults__ or {}
    unknown = next((name for name in options if name not in known), None)
    if unknown is not None:
        raise InvalidValueError(f"method {method!r} takes {_quoted(known) or 'no options'}; got {unknown!r}")
    return run


def _fits(dtype: np.dtype[Any]) -> Callable[[float], bool]:
    most = float(np.finfo(dtype).max)
    return lambda value: abs(value) <= most


def _as_clip(clip: Any, dtype: np.dtype[Any]) -> tuple[float, float] | None:
    """Return (low, high), infinite where there is no limit."""
    if clip is None:
        return None
    if not isinstance(clip, tuple | list) or len(clip) != 2:
        raise InvalidTypeError(f"clip must be a pair (low, high), each None or a number; got {clip!r}")
    open_ends = (-math.inf, math.inf)
    low, high = (
        end if side is None else number(side, "clip", f"a pair of None or finite {dtype} numbers", _fits(dtype))
        for side, end in zip(clip, open_ends, strict=True)
    )
    if low > high or (low, high) == open_ends:
        raise InvalidValueError(f"clip must hold at least one number, and low must not lie above high; got {clip!r}")
    return low, high


def _quoted(names: Any) -> str:
    return ", ".join(map(repr, names))
