"""Judges lists of scores and ids: dtypes, offsets, labels, and the arrays that receive results.

A *list* is what one query owns: the last axis of a dense array, or ``[offsets[i], offsets[i + 1])`` of a flat one.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from fastcal._validate.arrays import as_array, float_array, int64_array, output_array
from fastcal._validate.elements import bad_element
from fastcal.errors import InvalidTypeError, InvalidValueError

Floats: TypeAlias = npt.NDArray[np.float32] | npt.NDArray[np.float64]
Int64: TypeAlias = npt.NDArray[np.int64]
_INT64 = np.dtype(np.int64)


# -- scores ------------------------------------------------------------------------------------------
def as_scores(scores: npt.ArrayLike, name: str = "scores") -> Floats:
    """Return C-contiguous float32 or float64 of the same shape; half precision widens exactly to float32."""
    array = float_array(scores, name)
    if array.ndim == 0:
        raise InvalidValueError(f"{name} must have at least one axis, got a scalar")
    return array if array.flags.c_contiguous else array.astype(array.dtype.type, order="C")


def to_float32(scores: Floats, offsets: Int64, name: str = "scores") -> npt.NDArray[np.float32]:
    """Round flat `scores` once to float32; a finite value that overflows is an error."""
    if scores.dtype == np.float32:
        return scores.astype(np.float32, copy=False)
    with np.errstate(over="ignore"):
        rounded = scores.astype(np.float32)
    _refuse(np.isinf(rounded) & np.isfinite(scores), scores, offsets, name, "values that fit float32")
    return rounded


def refuse_nan(scores: Floats, offsets: Int64, name: str = "scores") -> None:
    """Raise if a score is NaN."""
    _refuse(np.isnan(scores), scores, offsets, name, "a number for every id (NaN belongs to the padding id -1)")


def refuse_infinity(scores: Floats, offsets: Int64, name: str = "scores") -> None:
    """Raise if a score is infinite."""
    _refuse(np.isinf(scores), scores, offsets, name, "finite scores")


def refuse_list(bad: int, scores: Floats, offsets: Int64, name: str = "scores") -> None:
    """Raise for list `bad`, the first one a backend could not process; -1 means that there is none."""
    if bad < 0:
        return
    start, stop = offsets[bad], offsets[bad + 1]
    refuse_infinity(scores[:stop], offsets, name)
    raise InvalidValueError(f"{name}: list {bad} ({stop - start} scores) holds an infinity, or its sums overflow float64")


def _refuse(bad: npt.NDArray[np.bool_], values: npt.NDArray[Any], offsets: Int64, name: str, expected: str) -> None:
    if not bad.any():
        return
    at = int(bad.argmax())
    row = int(np.searchsorted(offsets, at, side="right")) - 1
    raise bad_element(f"{name}: got {values[at]} in list {row} at position {at - offsets[row]}; ", f"expected {expected}", name, at, values[at])


# -- layout ------------------------------------------------------------------------------------------
def as_offsets(offsets: npt.ArrayLike | None, shape: tuple[int, ...], name: str = "scores") -> Int64:
    """Return where the lists of an array of this shape begin and end, int64 (n_lists + 1,).

    Without `offsets` the last axis of a dense array is a list; with them the array must be flat.
    """
    if offsets is None:
        n_lists, length = math.prod(shape[:-1]), shape[-1]
        return np.arange(0, n_lists * length + 1, length, dtype=np.int64) if length else np.zeros(n_lists + 1, np.int64)
    if len(shape) != 1:
        raise InvalidValueError(f"offsets describe a flat array of shape (n,), got {name} of shape {shape}")
    bounds = int64_array(offsets, "offsets").copy()  # judged here, used as positions later: nobody may change them in between
    if bounds.ndim != 1 or bounds.size == 0:
        raise InvalidValueError(f"offsets must have shape (n_lists + 1,), got {bounds.shape}")
    if bounds[0] != 0 or bounds[-1] != shape[0]:
        raise InvalidValueError(f"offsets must start at 0 and end at {shape[0]}, the length of {name}; got {bounds[0]} and {bounds[-1]}")
    if (falls := bounds[1:] < bounds[:-1]).any():
        at = int(falls.argmax())
        raise InvalidValueError(f"offsets must not decrease, got {bounds[at]} followed by {bounds[at + 1]} at position {at + 1}")
    return bounds


def as_output(out: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """Return `out` if it can hold a result of this shape and dtype, or a new array."""
    output = output_array(out, shape, dtype)
    if not output.flags.c_contiguous:
        raise InvalidValueError(f"out must be C-contiguous, got strides {output.strides}")
    return output


def apart(scores: Floats, out: Floats) -> Floats:
    """Return `scores`, copied if `out` overlaps it other than exactly; both are C-contiguous and of one shape."""
    if not np.may_share_memory(scores, out):
        return scores
    return scores if scores.__array_interface__["data"] == out.__array_interface__["data"] else scores.copy()


# -- integers ----------------------------------------------------------------------------------------
def as_ids(ids: npt.ArrayLike) -> Int64:
    """Return C-contiguous int64 ids of shape (n,) or (n_queries, m), uint64 without a copy."""
    array = as_array(ids, "ids")
    if array.dtype is _INT64 and array is ids and array.flags.c_contiguous and 1 <= array.ndim <= 2:  # the usual case, in 0.2 us
        return array
    if array.dtype == np.uint64 and array.dtype.isnative and array.flags.c_contiguous and not (array.size and array.max() > np.iinfo(np.int64).max):
        array = array.view(np.int64)
    elif array is not ids or array.dtype != np.int64 or not array.flags.c_contiguous:
        array = int64_array(array if array.size else ids, "ids")
    if array.ndim not in {1, 2}:
        raise InvalidValueError(f"ids must have shape (n,) or (n_queries, m), got {array.shape}")
    return array


# -- labels ------------------------------------------------------------------------------------------
def as_strings(labels: Any, name: str) -> npt.NDArray[np.object_]:
    """Return distinct strings as an object array."""
    if isinstance(labels, str) or not hasattr(labels, "__iter__"):
        raise InvalidTypeError(f"{name} must be a sequence of strings, got {labels!r}")
    listed = list(labels)
    if not all(issubclass(kind, str) for kind in set(map(type, listed))):
        stranger = next(label for label in listed if not isinstance(label, str))
        raise InvalidTypeError(f"{name} must be strings, got {stranger!r}")
    array = np.empty(len(listed), dtype=np.object_)
    array[:] = listed
    return _distinct(array, name)


def as_query_ids(labels: Any, n_queries: int | None = None) -> npt.NDArray[Any]:
    """Return distinct labels, one for each of `n_queries` if that is given: an object array of strings, or int64."""
    if hasattr(labels, "__iter__") and not hasattr(labels, "__array__") and not isinstance(labels, str):
        labels = list(labels)
    if hasattr(labels, "__iter__") and any(isinstance(label, str) for label in labels):
        array: npt.NDArray[Any] = as_strings(labels, "query_ids")
    else:
        array = int64_array(labels, "query_ids")
        if array.ndim != 1:
            raise InvalidValueError(f"query_ids must have shape (n_queries,), got {array.shape}")
        _distinct(array, "query_ids")
    if n_queries not in {None, array.size}:
        raise InvalidValueError(f"query_ids must have one entry for each of the {n_queries} queries, got shape {array.shape}")
    return array


def _distinct(labels: npt.NDArray[Any], name: str) -> npt.NDArray[Any]:
    listed = labels.tolist()
    if len(set(listed)) < len(listed):
        twice = next(label for label, count in Counter(listed).items() if count > 1)
        raise InvalidValueError(f"{name} must be distinct, got {twice!r} more than once")
    return labels
