"""Queries, corpora, ids, k and output arrays of the scoring functions, judged once, in words meant for users."""

from __future__ import annotations

from math import isfinite
from typing import Any, NoReturn, get_args

import numpy as np
import numpy.typing as npt

from fastcal._backend.protocol import Array, Backend, Metric
from fastcal._validate.arrays import as_array, int64_array, output_array
from fastcal._validate.elements import bad_element
from fastcal._validate.numbers import integer, one_of
from fastcal.errors import InvalidTypeError, InvalidValueError

_METRICS = get_args(Metric)
_MAX_DIM = 65_536
_MOST_RESULTS = int(np.iinfo(np.intp).max) // 8
_FLOAT32, _INT64 = np.dtype(np.float32), np.dtype(np.int64)


def metric(name: Any) -> Metric:
    """Accept one of the three metric names."""
    return one_of(name, "metric", _METRICS)  # type: ignore[return-value]


def pair(query_vectors: Any, corpus_rows: Any, dims: Any, backend: Backend, num_threads: int) -> tuple[npt.NDArray[np.float32], Array]:
    """Return queries and corpus ready for a kernel; widths are compared before `dims` cuts them, so no mismatch is hidden."""
    source, vectors = as_array(corpus_rows, "corpus"), as_array(query_vectors, "queries")
    if source.ndim == 2 and vectors.ndim in {1, 2} and vectors.shape[-1] != source.shape[1]:
        raise InvalidValueError(f"queries and corpus must have the same dim, got {vectors.shape[-1]} and {source.shape[1]}")
    rows = corpus(source, dims, backend, num_threads)
    return queries(vectors, rows.shape[1], dims, backend), rows


def corpus(source: Array, dims: Any, backend: Backend, num_threads: int, name: str = "corpus") -> Array:
    """Return (n_rows, dims) float32, float16 or bfloat16 bits (uint16), without a copy where the layout allows.

    Finiteness is not judged here (the kernel that reads the rows does), except where float64 has to be rounded.
    """
    if source.ndim != 2:
        got = f"shape {source.shape}" if source.ndim else f"a single {type(source.item()).__name__}"
        raise InvalidValueError(f"{name} must have shape (n_rows, dim), got {got}")
    array = _kernel_dtype(_cut(source, dims, name), name, backend, num_threads)
    return array if _rows_contiguous(array) else np.ascontiguousarray(array)


def queries(source: Array, dim: int, dims: Any, backend: Backend) -> npt.NDArray[np.float32]:
    """Return finite C-contiguous float32 (n_queries, dim)."""
    array = source[np.newaxis] if source.ndim == 1 else source
    if array.ndim != 2:
        raise InvalidValueError(f"queries must have shape (n_queries, dim) or (dim,), got shape {source.shape}")
    array = _cut(array, dims, "queries")
    if array.shape[1] != dim:
        raise InvalidValueError(f"queries and corpus must have the same dim, got {array.shape[1]} and {dim}")
    array = _kernel_dtype(array, "queries", backend, num_threads=1)
    if array.dtype is not _FLOAT32 or not array.flags.c_contiguous:
        array = _as_float32(array)
    if not _all_finite(array):
        raise_bad_row(array, int(np.flatnonzero(~np.isfinite(array).all(axis=1))[0]), "queries")
    return array


def _all_finite(array: Array) -> bool:
    # Squares keep NaN and infinity, so a finite sum of them proves the point, in 0.55 us against 1.4. BLAS wakes threads for long sums.
    if array.size <= 8192 and isfinite(np.vdot(array, array)):
        return True
    return bool(np.isfinite(array).all())


def _as_float32(array: Array) -> npt.NDArray[np.float32]:
    if array.dtype == np.uint16:
        array = (array.astype(np.uint32) << 16).view(np.float32)
    with np.errstate(invalid="ignore"):  # a signalling NaN in float16; it is judged by the caller
        return np.ascontiguousarray(array, dtype=np.float32)


def raise_bad_row(rows: Array, row: int, name: str) -> NoReturn:
    """Raise for the row a kernel found: what it holds, and where."""
    values = rows[row]
    if values.dtype == np.uint16:
        values = (values.astype(np.uint32) << 16).view(np.float32)
    bad = np.flatnonzero(~np.isfinite(values))
    if not bad.size:  # another thread has repaired the row in the meantime
        raise InvalidValueError(f"{name}: row {row} held NaN or infinity when it was read; vectors must be finite")
    column = int(bad[0])
    with np.errstate(invalid="ignore"):  # a signalling NaN
        value = float(values[column])
    raise bad_element(f"{name}: row {row} holds {value} in column {column}; ", "vectors must be finite", name, row * values.size + column, value)


def candidate_ids(ids: Any, n_queries: int, n_rows: int) -> npt.NDArray[np.int64]:
    """Return C-contiguous int64 (n_queries, m) with every id in [-1, n_rows)."""
    array = int64_array(ids, "ids").copy()  # judged here, used as row numbers later: nobody may change them in between
    if array.ndim == 1 and n_queries == 1:
        array = array[np.newaxis]
    if array.ndim != 2 or array.shape[0] != n_queries:
        raise InvalidValueError(f"ids must have shape (n_queries, m) with n_queries = {n_queries}, got shape {array.shape}")
    outside = (array < -1) | (array >= n_rows)
    if outside.any():
        query, position = (int(i) for i in np.argwhere(outside)[0])
        raise InvalidValueError(f"ids[{query}, {position}] is {array[query, position]}; expected a row in [0, {n_rows}), or -1 for padding")
    return array


def external_ids(ids: Any, n_rows: int) -> npt.NDArray[np.int64] | None:
    """Return int64 (n_rows,), none of them negative, as a copy that later changes of the caller's array cannot reach."""
    if ids is None:
        return None
    array = int64_array(ids, "ids")
    if array.shape != (n_rows,):
        raise InvalidValueError(f"ids must have shape (n_rows,) = ({n_rows},), got shape {array.shape}")
    if n_rows and array.min() < 0:
        row = int(np.flatnonzero(array < 0)[0])
        raise InvalidValueError(f"ids must not be negative (-1 stands for padding), got {array[row]} for row {row}")
    return np.array(array)


def output(out: Any, shape: tuple[int, ...], dtype: npt.DTypeLike, name: str, inputs: tuple[Array, ...]) -> Array:
    """Allocate an output, or accept the caller's: exact shape and dtype, writeable, contiguous rows, apart from the inputs."""
    array = output_array(out, shape, dtype, name)
    if not _rows_contiguous(array) or (array.shape[0] > 1 and array.strides[0] < array.shape[1] * array.itemsize):
        raise InvalidValueError(f"{name} must have contiguous rows that do not overlap, got strides {array.strides}")
    if any(np.may_share_memory(array, other) for other in inputs):
        raise InvalidValueError(f"{name} lies in the same memory as an input array; expected one apart from them")
    return array


def output_pair(out: Any, shape: tuple[int, int], inputs: tuple[Array, ...]) -> tuple[Array, Array]:
    """Allocate (scores, ids) of a search, or accept the caller's."""
    if (shape[0] or 1) * shape[1] > _MOST_RESULTS:
        raise InvalidValueError(f"k must be small enough for n_queries * k results to be addressable, got {shape[1]}")
    if out is None:
        return np.empty(shape, _FLOAT32), np.empty(shape, _INT64)
    if not isinstance(out, tuple | list) or len(out) != 2 or out[0] is None or out[1] is None:
        raise InvalidTypeError(f"out must be a pair (scores, ids) of arrays, got {type(out).__name__}")
    scores = output(out[0], shape, np.float32, "out[0] (scores)", inputs)
    return scores, output(out[1], shape, np.int64, "out[1] (ids)", (*inputs, scores))


def _cut(array: Array, dims: Any, name: str) -> Array:
    m = width = array.shape[1]
    if dims is not None:
        m = integer(dims, "dims", least=1)
        if m > width:
            raise InvalidValueError(f"dims must be at most the dim of {name}, got dims = {m} and dim = {width}")
    if not 1 <= m <= _MAX_DIM:
        raise InvalidValueError(f"{name} must have between 1 and {_MAX_DIM} dimensions, got {m}")
    return array if m == width else array[:, :m]


def _kernel_dtype(array: Array, name: str, backend: Backend, num_threads: int) -> Array:
    dtype = array.dtype
    if dtype is _FLOAT32 or (dtype == np.float32 and dtype.isnative):
        return array
    if dtype.name == "bfloat16":
        return array.view(np.uint16)
    if dtype.type not in {np.float16, np.float32, np.float64}:
        hint = "; convert them first, for example with .astype(np.float32)" if dtype.kind in "iub" else ""
        raise InvalidTypeError(f"{name} must be float32, float16, bfloat16 or float64, got dtype {dtype}{hint}")
    if not dtype.isnative:
        array = array.astype(dtype.newbyteorder("="))
    if array.dtype != np.float64:
        return array
    rounded = np.empty(array.shape, np.float32)
    bad = backend.round_to_float32(np.ascontiguousarray(array), rounded, num_threads=num_threads)
    if bad >= 0:
        if np.isfinite(array[bad]).all():
            column = int(np.argmax(np.abs(array[bad])))
            value = float(array[bad, column])
            raise bad_element(f"{name}: row {bad} holds {value!r}, ", "which overflows float32", name, bad * array.shape[1] + column, value)
        raise_bad_row(array, bad, name)
    return rounded


def _rows_contiguous(array: Array) -> bool:
    if array.size == 0 or array.flags.carray:
        return True
    inner = array.shape[1] <= 1 or array.strides[1] == array.itemsize
    return inner and array.strides[0] % array.itemsize == 0 and array.flags.aligned
