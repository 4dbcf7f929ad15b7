"""Methods that map a list by two of its statistics: (s - centre) / scale, on the backend."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache
from typing import Any, cast

import numpy as np

from fastcal import _backend
from fastcal._backend.protocol import AffineKind, AffineRule, Array
from fastcal._validate import lists as judge
from fastcal._validate.arrays import as_array
from fastcal._validate.numbers import integer, number
from fastcal.errors import InvalidTypeError, InvalidValueError
from fastcal.normalization._arrays import Lists

KEEP = "keep"


def minmax(lists: Lists, *, bounds: Any = None, on_constant: Any = None, on_single: Any = None, eps: Any = None, tolerance: Any = None) -> None:
    """``(s - min) / (max - min)``, with a bound of the caller's in the place of either."""
    given = None if bounds is None else _as_bounds(bounds, lists.n_lists)
    affine(lists, "minmax", given, on_constant=on_constant, on_single=on_single, eps=eps, tolerance=tolerance)


def maximum(lists: Lists, *, on_constant: Any = None, on_single: Any = None, eps: Any = None, tolerance: Any = None) -> None:
    """``s / max``, and ``s / -min`` for a list without a positive score."""
    affine(lists, "max", on_constant=on_constant, on_single=on_single, eps=eps, tolerance=tolerance)


def total(lists: Lists, *, on_constant: Any = None, on_single: Any = None, eps: Any = None, tolerance: Any = None) -> None:
    """``(s - min) / sum(s - min)``."""
    affine(lists, "sum", on_constant=on_constant, on_single=on_single, eps=eps, tolerance=tolerance)


def l2(lists: Lists, *, on_constant: Any = None, on_single: Any = None, eps: Any = None, tolerance: Any = None) -> None:
    """``s / sqrt(sum(s * s))``."""
    affine(lists, "l2", on_constant=on_constant, on_single=on_single, eps=eps, tolerance=tolerance)


def zscore(lists: Lists, *, ddof: Any = 0, on_constant: Any = None, on_single: Any = None, eps: Any = None, tolerance: Any = None) -> None:
    """``(s - mean) / std``."""
    affine(lists, "zscore", ddof=ddof, on_constant=on_constant, on_single=on_single, eps=eps, tolerance=tolerance)


def dbsf(
    lists: Lists, *, ddof: Any = 0, n_sigma: Any = 3.0, on_constant: Any = None, on_single: Any = None, eps: Any = None, tolerance: Any = None
) -> None:
    """``(s - low) / (high - low)`` with low and high `n_sigma` standard deviations from the mean."""
    affine(lists, "dbsf", ddof=ddof, n_sigma=n_sigma, on_constant=on_constant, on_single=on_single, eps=eps, tolerance=tolerance)


def affine(lists: Lists, kind: AffineKind, given: Array | None = None, **options: Any) -> None:
    """Judge the options that all of these methods take, and map."""
    call(lists, rule_of(kind, lists.out.dtype, higher_is_better=lists.higher_is_better, **options), given)


def rule_of(
    kind: AffineKind,
    dtype: np.dtype[Any],
    *,
    higher_is_better: bool = True,
    ddof: Any = 0,
    n_sigma: Any = 3.0,
    on_constant: Any = None,
    on_single: Any = None,
    eps: Any = None,
    tolerance: Any = None,
) -> AffineRule:
    """Return the engine's words for options of scores of this dtype."""
    if eps is not None and (on_constant is not None or tolerance is not None):
        raise InvalidValueError("eps keeps the scale above zero, so no list is constant: give either eps or on_constant and tolerance")
    return (
        kind,
        higher_is_better,
        integer(ddof, "ddof", least=0),
        number(n_sigma, "n_sigma", "a number from 1e-6 to 1e6", lambda x: 1e-6 <= x <= 1e6),
        0.0 if eps is None else number(eps, "eps", "a normal number above 0", lambda x: 2.3e-308 <= x < math.inf),
        0.0 if tolerance is None else number(tolerance, "tolerance", "finite and at least 0", lambda x: 0.0 <= x < math.inf),
        (0.5 if kind == "dbsf" else 0.0) if on_constant is None else _as_fill(on_constant, "on_constant", dtype),
        -math.inf if on_single is None else _as_fill(on_single, "on_single", dtype),
    )


def call(lists: Lists, rule: AffineRule, given: Array | None = None) -> None:
    """Map on the backend."""
    bad = _backend.active().affine_lists(lists.scores, lists.offsets, *rule, given, lists.out, num_threads=lists.num_threads)
    judge.refuse_list(bad, lists.scores, lists.offsets)


# What each takes that makes a rule.
_RULES = {
    name: (method.__kwdefaults__ or {}).keys() - {"bounds"}
    for name, method in {"minmax": minmax, "max": maximum, "sum": total, "l2": l2, "zscore": zscore, "dbsf": dbsf}.items()
}


def one_pass_rule(method: str, higher_is_better: bool, options: Mapping[str, Any]) -> AffineRule | None:
    """Return what :func:`normalize_lists` does to float32 lists as a rule, or None if it is more than that, or an error."""
    if not options.keys() <= _RULES.get(method, frozenset()):
        return None
    if not options:
        return _plain_rule(method, higher_is_better) if method in _RULES else None
    return rule_of(cast("AffineKind", method), np.dtype(np.float32), higher_is_better=higher_is_better, **options)


@cache
def _plain_rule(method: str, higher_is_better: bool) -> AffineRule:
    return rule_of(cast("AffineKind", method), np.dtype(np.float32), higher_is_better=higher_is_better)


def as_constant(value: Any, name: str, dtype: np.dtype[Any]) -> float:
    """Return a number that the result can hold, NaN included."""

    def fits(x: float) -> bool:
        if math.isnan(x) or -65504.0 <= x <= 65504.0:  # the range of float16; asking NumPy takes 6 us
            return True
        with np.errstate(over="ignore"):
            return bool(np.isfinite(np.array(x).astype(dtype)))

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
