"""Methods that map a list by two of its statistics: (s - centre) / scale, on the backend."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fastcal import _backend
from fastcal._backend.protocol import AffineKind, Array
from fastcal._validate import lists as judge
from fastcal._validate.arrays import as_array
from fastcal._validate.numbers import integer, number
from fastcal.errors import InvalidTypeError, InvalidValueError
from fastcal.normalization._arrays import Lists

KEEP = "keep"


def minmax(lists: Lists, *, bounds: Any = None, on_constant: Any = None, on_single: Any = None, eps: Any = None, tolerance: Any = None) -> None:
    """``(s - min) / (max - min)``, with a bound of the caller's in the place of either."""
    given = None if bounds is None else _as_bounds(bounds, lists.n_lists)
    affine(lists, "minmax", 0.0, on_constant, on_single, eps, tolerance, given=given)


def maximum(lists: Lists, *, on_constant: Any = None, on_single: Any = None, eps: Any = None, tolerance: Any = None) -> None:
    """``s / max``, and ``s / -min`` for a list without a positive score."""
    affine(lists, "max", 0.0, on_constant, on_single, eps, tolerance)


def total(lists: Lists, *, on_constant: Any = None, on_single: Any = None, eps: Any = None, tolerance: Any = None) -> None:
    """``(s - min) / sum(s - min)``."""
    affine(lists, "sum", 0.0, on_constant, on_single, eps, tolerance)


def l2(lists: Lists, *, on_constant: Any = None, on_single: Any = None, eps: Any = None, tolerance: Any = None) -> None:
    """``s / sqrt(sum(s * s))``."""
    affine(lists, "l2", 0.0, on_constant, on_single, eps, tolerance)


def zscore(lists: Lists, *, ddof: Any = 0, on_constant: Any = None, on_single: Any = None, eps: Any = None, tolerance: Any = None) -> None:
    """``(s - mean) / std``."""
    affine(lists, "zscore", 0.0, on_constant, on_single, eps, tolerance, ddof=integer(ddof, "ddof", least=0))


def dbsf(
    lists: Lists, *, ddof: Any = 0, n_sigma: Any = 3.0, on_constant: Any = None, on_single: Any = None, eps: Any = None, tolerance: Any = None
) -> None:
    """``(s - low) / (high - low)`` with low and high `n_sigma` standard deviations from the mean."""
    reach = number(n_sigma, "n_sigma", "a number from 1e-6 to 1e6", lambda x: 1e-6 <= x <= 1e6)
    affine(lists, "dbsf", 0.5, on_constant, on_single, eps, tolerance, ddof=integer(ddof, "ddof", least=0), n_sigma=reach)


def affine(
    lists: Lists,
    kind: AffineKind,
    default: float,
    on_constant: Any,
    on_single: Any,
    eps: Any,
    tolerance: Any,
    *,
    ddof: int = 0,
    n_sigma: float = 0.0,
    given: Array | None = None,
) -> None:
    """Judge the options that all of these methods take, and map."""
    if eps is not None and (on_constant is not None or tolerance is not None):
        raise InvalidValueError("eps keeps the scale above zero, so no list is constant: give either eps or on_constant and tolerance")
    least = 0.0 if eps is None else number(eps, "eps", "a normal number above 0", lambda x: 2.3e-308 <= x < math.inf)
    limit = 0.0 if tolerance is None else number(tolerance, "tolerance", "finite and at least 0", lambda x: 0.0 <= x < math.inf)
    constant = default if on_constant is None else _as_fill(on_constant, "on_constant", lists.out.dtype)
    single = -math.inf if on_single is None else _as_fill(on_single, "on_single", lists.out.dtype)
    call(lists, kind, ddof, n_sigma, least, limit, constant, single, given)


def call(
    lists: Lists,
    kind: AffineKind,
    ddof: int = 0,
    n_sigma: float = 0.0,
    eps: float = 0.0,
    tolerance: float = 0.0,
    on_constant: float = 0.0,
    on_single: float = -math.inf,
    given: Array | None = None,
) -> None:
    """Map on the backend; the options have been judged."""
    rule = (kind, lists.higher_is_better, ddof, n_sigma, eps, tolerance, on_constant, on_single, given)
    bad = _backend.active().affine_lists(lists.scores, lists.offsets, *rule, lists.out, num_threads=lists.num_threads)
    judge.refuse_list(bad, lists.scores, lists.offsets)


def as_constant(value: Any, name: str, dtype: np.dtype[Any]) -> float:
    """Return a number that the result can hold, NaN included."""

    def fits(x: float) -> bool:
        if -65504.0 <= x <= 65504.0:  # the range of float16; asking NumPy takes 6 us
            return True
        with np.errstate(over="ignore"):
            return math.isnan(x) or bool(np.isfinite(np.array(x).astype(dtype)))

    return number(value, name, "NaN or a finite number in the range of the result's dtype", fits)


def _as_fill(value: Any, name: str, dtype: np.dtype[Any]) -> float:
    """Return the value for such a list; infinity stands for "keep"."""
    if isinstance(value, str) and value == KEEP:
        return math.inf
    return as_constant(value, name, dtype)


def _as_bounds(bounds: Any, n_lists: int) -> Array:
    """Return (low, high) of every list, NaN for its own, float64 (n_lists, 2)."""
    if not isinstance(bounds, tuple | list) or len(bounds) != 2:
        raise InvalidTypeError(f"bounds must be a pair (low, high), each None, a number or one number per list; got {bounds!r}")
    given = np.full((n_lists, 2), np.nan)
    for side, bound in enumerate(bounds):
        if bound is None:
            continue
        values = as_array(bound, "bounds")
        if values.dtype.kind not in "iuf" or values.shape not in {(), (n_lists,)}:
            raise InvalidValueError(f"bounds must be None, a number or one number for each of the {n_lists} lists; got {bound!r}")
        if not np.isfinite(values).all():
            raise InvalidValueError(f"bounds must be finite, got {bound!r}; None stands for the list's own")
        given[:, side] = values
    with np.errstate(over="ignore"):
        width = given[:, 1] - given[:, 0]
    if all(bound is None for bound in bounds) or (width < 2.3e-308).any() or np.isinf(width).any():
        raise InvalidValueError(f"bounds must hold at least one number, and low must lie below high; got {bounds!r}")
    return given
