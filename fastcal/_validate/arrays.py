"""Judges what can be read as an array and what can be written to, whatever it means."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import numpy.typing as npt

from fastcal._backend.protocol import Array
from fastcal.errors import InvalidTypeError, InvalidValueError

_PYTHON_NUMBERS = (list, tuple, int)
_HALF = {"float16", "bfloat16"}


def _is_masked(array: Array) -> bool:
    """Whether this is a masked array; numpy.ma is not imported for the question, and without it there are none."""
    module = sys.modules.get("numpy.ma")
    return module is not None and isinstance(array, module.MaskedArray)


def as_array(values: Any, name: str) -> Array:
    """Read anything array-like in CPU memory, without a copy where it has a buffer."""
    if type(values) is np.ndarray:
        return values
    if isinstance(values, np.ndarray):
        if _is_masked(values):
            raise InvalidTypeError(f"{name} is a masked array, whose mask would be ignored; fill it first")
        return np.asarray(values)
    try:
        if hasattr(values, "__dlpack__") and not hasattr(values, "__array__"):
            return np.from_dlpack(values)
        return np.asarray(values)
    except ValueError as error:
        raise InvalidValueError(f"{name} cannot be read as an array: {error}") from None
    except (TypeError, RuntimeError, BufferError) as error:
        raise InvalidTypeError(f"{name} of type {type(values).__name__} cannot be read as an array in CPU memory: {error}") from None


def float_array(values: Any, name: str) -> Array:
    """Return native float32 or float64 of any shape; half precision widens to float32, Python integers become float64.

    An *array* of integers, booleans or objects is a TypeError: it usually holds ids or labels and is in the wrong place.
    """
    array = as_array(values, name)
    if array.dtype.type in {np.float32, np.float64} and array.dtype.isnative:  # the name of a dtype, asked for below, costs 3 us
        return array
    if isinstance(values, _PYTHON_NUMBERS) and (array.dtype.kind in "iu" or array.size == 0):
        return array.astype(np.float64)
    if array.dtype.name in _HALF:
        return array.astype(np.float32)
    if array.dtype.type not in {np.float32, np.float64}:
        raise InvalidTypeError(f"{name} must be float32 or float64 (half precision is widened), got dtype {array.dtype}")
    return array.astype(array.dtype.type, copy=False)


def kept_dtype(values: Any, widened: Array) -> np.dtype[Any]:
    """Return the dtype an elementwise map of ``values`` gives back: half precision, which is computed in float32, stays."""
    own: np.dtype[Any] = widened.dtype
    dtype = own if values is widened else getattr(values, "dtype", own)
    return dtype if dtype is not own and isinstance(dtype, np.dtype) and dtype.name in _HALF else own


def int64_array(values: Any, name: str) -> npt.NDArray[np.int64]:
    """Return C-contiguous int64; floats and booleans are type errors, integers that do not fit are value errors."""
    array = as_array(values, name)
    if array.size == 0 and isinstance(values, _PYTHON_NUMBERS):
        array = array.astype(np.int64)
    if array.dtype.kind not in "iu":
        raise InvalidTypeError(f"{name} must be integers, got dtype {array.dtype}")
    if array.dtype.kind == "u" and array.size and array.max() > np.iinfo(np.int64).max:
        raise InvalidValueError(f"{name} must fit int64, got {array.max()}")
    return array.astype(np.int64, order="C", copy=False)


def output_array(out: Any, shape: tuple[int, ...], dtype: npt.DTypeLike, name: str = "out") -> Array:
    """Allocate an output, or accept the caller's: a writeable array of exactly this shape and dtype."""
    if out is None:
        return np.empty(shape, dtype)
    if not isinstance(out, np.ndarray):
        raise InvalidTypeError(f"{name} must be a NumPy array, got {type(out).__name__}")
    if _is_masked(out):
        raise InvalidTypeError(f"{name} is a masked array, whose mask would be ignored; pass a plain array")
    if out.dtype != dtype:
        raise InvalidTypeError(f"{name} must have dtype {np.dtype(dtype)}, got {out.dtype}")
    if out.shape != shape:
        raise InvalidValueError(f"{name} must have shape {shape}, got {out.shape}")
    if not out.flags.writeable:
        raise InvalidValueError(f"{name} is read-only; expected a writeable array")
    return out
