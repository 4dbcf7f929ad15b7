"""Vectors: arrays of rows, mapped into memory where the form allows it."""

from __future__ import annotations

import zipfile
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fastcal._extras import require
from fastcal._validate import files
from fastcal.errors import InvalidValueError
from fastcal.files._source import STANDARD, existing, split
from fastcal.index import _safetensors

Array = npt.NDArray[Any]

_PARQUET = (".parquet", ".pq")
_MEMBERS = (".npz", ".safetensors", *_PARQUET)
_ROWS = 1 << 14


def read_vectors(path: str | PathLike[str]) -> Array:
    """Read vectors, a row each.

    ``.npy`` and ``.safetensors`` are mapped into memory and read when they are used; ``.npz`` and ``.parquet`` (a column of lists of
    numbers, all of one length) are read. Where a file holds several arrays, ``file.npz:name``, ``file.safetensors:tensor`` and
    ``file.parquet:column`` say which. bfloat16 of safetensors needs ml_dtypes.

    Returns
    -------
    ndarray of shape (n_rows, dim), read-only where it is mapped

    Raises
    ------
    ValueError, OSError
        If there is no such file or array, it is damaged, or is not two-dimensional floating point. The message names the file.
    """
    place, member = split(files.path(path, "path"), _MEMBERS)
    if str(path) == STANDARD:
        raise InvalidValueError("vectors cannot come from standard input (-): they are read from a file")
    if place.suffix.lower() == ".gz":
        raise InvalidValueError(f"{path}: vectors are not read from gzip; unpack it first (.npz is packed by itself)")
    existing(place)
    readers = {".npz": _npz, ".safetensors": _tensor, ".parquet": _lists, ".pq": _lists}
    found = readers.get(place.suffix.lower(), _npy)(place, member)
    floating = found.dtype.kind == "f" or found.dtype.name == "bfloat16"
    if found.ndim != 2 or not floating:
        raise InvalidValueError(f"{path}: got {found.dtype} of shape {found.shape}, expected a two-dimensional floating-point array")
    if not found.size:
        raise InvalidValueError(f"{path}: empty, its shape is {found.shape}")
    return found


def _npy(path: Path, _: str | None) -> Array:
    try:
        found: Array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise InvalidValueError(f"{path}: not a readable .npy array ({_reason(error)})") from error
    if not isinstance(found, np.ndarray):  # an archive under another name
        raise InvalidValueError(f"{path}: not a readable .npy array (it is an archive; name it .npz)")
    return found


def _npz(path: Path, member: str | None) -> Array:
    try:
        with np.load(path, allow_pickle=False) as archive:
            found: Array = archive[_chosen(path, member, list(archive.files))]
    except (zipfile.BadZipFile, ValueError, EOFError, AttributeError, TypeError) as error:
        if isinstance(error, InvalidValueError):
            raise
        raise InvalidValueError(f"{path}: not a readable .npz archive ({_reason(error)})") from error
    return found


def _tensor(path: Path, member: str | None) -> Array:
    data = np.memmap(path, np.uint8, mode="r") if path.stat().st_size else np.empty(0, np.uint8)
    try:
        start = _safetensors.header_size(data[: _safetensors.LENGTH_BYTES].tobytes(), data.size)
        tensors, _ = _safetensors.parse(data[:start].tobytes(), data.size)
    except ValueError as error:
        raise InvalidValueError(f"{path}: not a readable safetensors file ({error})") from error
    tensor = tensors[_chosen(path, member, [name for name in tensors if not name.startswith("padding.")])]
    found = tensor.of(data[start:])
    if tensor.dtype == np.uint16:  # the format has no uint16 of its own
        return found.view(require("ml_dtypes", "all").bfloat16)
    return found


def _lists(path: Path, member: str | None) -> Array:
    pa = require("pyarrow", "parquet")
    parquet = require("pyarrow.parquet", "parquet")
    try:
        with parquet.ParquetFile(path, memory_map=True) as stored:
            schema = stored.schema_arrow
            column = _chosen(path, member, [field.name for field in schema if _is_list(field.type)], list(schema.names))
            return _stacked(stored, column, path)
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.filename is not None:
            raise
        raise InvalidValueError(f"{path}: {error}") from error


def _stacked(stored: Any, column: str, path: Path) -> Array:
    """Read the lists of a column, batch by batch, into one array."""
    out: Array | None = None
    done = 0
    for batch in stored.iter_batches(_ROWS, columns=[column]):
        lists = batch.column(0)
        lengths = np.asarray(lists.value_lengths().fill_null(-1)) if lists.null_count else _lengths(lists)
        width = int(lengths[0]) if out is None else out.shape[1]
        if (lengths != width).any():
            row = int((lengths != width).argmax())
            got = "no vector" if lengths[row] < 0 else f"{lengths[row]} numbers"
            raise InvalidValueError(f"{path}, row {done + row}: {got} in column {column!r}, expected {width}")
        values = lists.flatten()
        if values.null_count:
            row = int(values.is_null().index(True).as_py()) // width
            raise InvalidValueError(f"{path}, row {done + row}: a number is missing in column {column!r}")
        if out is None:
            out = np.empty((stored.metadata.num_rows, width), values.type.to_pandas_dtype())
        out[done : done + len(batch)] = values.to_numpy(zero_copy_only=False).reshape(len(batch), width)
        done += len(batch)
    return np.empty((0, 0), np.float32) if out is None else out


def _lengths(lists: Any) -> Array:
    size = getattr(lists.type, "list_size", None)
    return np.full(len(lists), size) if size is not None else np.asarray(lists.value_lengths())


def _is_list(kind: Any) -> bool:
    types = require("pyarrow.types", "parquet")
    lists = types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind)
    return bool(lists and (types.is_floating(kind.value_type) or types.is_integer(kind.value_type)))


def _chosen(path: Path, member: str | None, have: list[str], known: list[str] | None = None) -> str:
    """Return the array that is meant: the one that is asked for, or the only one."""
    if member is None and len(have) == 1:
        return have[0]
    if member in (known or have):
        if member not in have:
            raise InvalidValueError(f"{path}: column {member!r} holds no lists of numbers")
        return str(member)
    got = f"holds {len(have)} arrays" if member is None else f"has no {member!r}"
    raise InvalidValueError(f"{path} {got}; expected one of: {', '.join(f'{path}:{name}' for name in have) or 'none there'}")


def _reason(error: Exception) -> str:
    if "pickle" in str(error):  # what NumPy advises is not safe
        return "it holds Python objects" if "Object arrays" in str(error) else "it does not begin as one"
    return str(error).partition("\n")[0] or type(error).__name__
