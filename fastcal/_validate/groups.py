"""Judges the labels that say which pairs belong together: queries, languages, modality pairs."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from fastcal._validate.arrays import as_array
from fastcal.errors import InvalidTypeError, InvalidValueError


class Groups(NamedTuple):
    """Codes 0..n-1 in the shape of what was given, and the label of each code; labels are sorted."""

    codes: npt.NDArray[np.int64]
    labels: npt.NDArray[Any]


def as_groups(values: npt.ArrayLike, shape: tuple[int, ...], name: str = "groups", beside: str = "scores") -> Groups:
    """Number the distinct labels of `values`: integers, booleans or strings, in `shape` or one per row of it.

    One label per row stands for every entry of the row, as query ids beside scores (n_queries, k).
    """
    array = as_array(values, name)
    if array.dtype.kind == "O" and all(isinstance(value, str) for value in array.flat):
        array = array.astype(np.str_)
    if array.dtype.kind not in "biuU":
        raise InvalidTypeError(f"{name} has dtype {array.dtype}; expected integers or strings")
    if array.shape != shape and not (len(shape) > 1 and array.shape == shape[:1]):
        raise InvalidValueError(f"{name} has shape {array.shape}; expected {shape}, the shape of {beside}, or one label per row")
    labels, codes = np.unique(array, return_inverse=True)
    by_row = codes.reshape(array.shape + (1,) * (len(shape) - array.ndim)).astype(np.int64, copy=False)
    return Groups(np.broadcast_to(by_row, shape), labels)
