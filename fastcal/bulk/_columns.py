"""Columns of tables, judged: ids become keys, scores float32 with NaN for what is missing."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from fastcal._backend.protocol import Array
from fastcal._extras import require
from fastcal._validate.elements import bad_element
from fastcal._validate.rounding import to_float32
from fastcal.bulk._keys import Keys
from fastcal.errors import InvalidTypeError, InvalidValueError

_IDS = "expected integers or strings"


def keys_of_array(column: Array, name: str) -> Keys:
    """Return the ids of a NumPy array."""
    if column.dtype.kind in "iu":
        return Keys.of_integers(column)
    judge_array_ids(column, name)
    return Keys.of_texts(column.tolist())


def judge_array_ids(column: Array, name: str) -> None:
    """Raise for a NumPy array that holds something else than ids."""
    if column.dtype.kind not in {"i", "u", "U", "O", "T"}:
        raise InvalidTypeError(f"column {name!r} has dtype {column.dtype}; {_IDS}")
    if column.dtype.kind not in {"O", "T"}:
        return
    for row, text in enumerate(column.tolist()):
        if not isinstance(text, str):
            if text is None or (isinstance(text, float) and math.isnan(text)):
                _refuse_null(name, row)
            raise InvalidTypeError(f"column {name!r} holds {text!r} in row {row}; expected strings, as in an array of integers or strings")


def scores_of_array(column: Array, name: str) -> npt.NDArray[np.float32]:
    """Return the scores of a NumPy array."""
    if column.dtype.kind != "f" and column.dtype.name != "bfloat16":
        raise InvalidTypeError(f"column {name!r} has dtype {column.dtype}; expected floats")
    if column.dtype == np.float32:
        return np.ascontiguousarray(column)
    rounded = to_float32(column)
    lost = np.isinf(rounded) & np.isfinite(column)
    if lost.any():
        row = int(lost.argmax())
        raise bad_element(f"column {name!r} holds {column[row]} in row {row}, ", "which is beyond float32", name, row, column[row])
    return rounded


def judge_ids(kind: Any, name: str) -> Any:
    """Return the Arrow type behind dictionaries and extensions if it can hold ids."""
    types = require("pyarrow", "parquet").types
    plain = _behind(kind)
    if types.is_integer(plain) or types.is_string(plain) or types.is_large_string(plain) or _is_view(plain):
        return plain
    raise InvalidTypeError(f"column {name!r} has type {kind}; {_IDS}")


def judge_scores(kind: Any, name: str) -> Any:
    """Return the Arrow type behind dictionaries and extensions if it can hold scores."""
    plain = _behind(kind)
    if not require("pyarrow", "parquet").types.is_floating(plain):
        raise InvalidTypeError(f"column {name!r} has type {kind}; expected floats")
    return plain


def judge_arrow_ids(column: Any, name: str) -> Any:
    """Return the type of the ids of an Arrow column; raise if it holds something else, or a null."""
    plain = judge_ids(column.type, name)
    if column.null_count:
        _refuse_null(name, int(np.argmax(_nulls(column))))
    return plain


def keys_of_arrow(column: Any, name: str) -> Keys:
    """Return the ids of an Arrow array or chunked array; a null is an error."""
    pa = require("pyarrow", "parquet")
    plain = judge_arrow_ids(column, name)
    if pa.types.is_integer(plain):
        return Keys.of_integers(_whole(column, plain).to_numpy(zero_copy_only=False))
    texts = _whole(column, plain if pa.types.is_string(plain) and _chunks(column) == 1 else pa.large_string())
    if texts.null_count:  # those of a dictionary
        _refuse_null(name, int(np.argmax(_nulls(texts))))
    wide = np.int64 if pa.types.is_large_string(texts.type) else np.int32
    _, offsets, data = texts.buffers()
    if offsets is None or not len(texts):
        return Keys.of_texts([])
    bounds = np.frombuffer(offsets, wide)[texts.offset : texts.offset + len(texts) + 1]
    return Keys("text", np.empty(0, np.uint8) if data is None else np.frombuffer(data, np.uint8), bounds)


def scores_of_arrow(column: Any, name: str) -> npt.NDArray[np.float32]:
    """Return the scores of an Arrow array or chunked array."""
    return scores_of_array(_whole(column, judge_scores(column.type, name)).to_numpy(zero_copy_only=False), name)


def labels_of_arrow(column: Any, name: str) -> Array:
    """Return what a GroupCalibrator tells apart, as it takes it."""
    return keys_of_arrow(column, name).ids()


def taken(column: Any, rows: Any) -> Any:
    """Return some rows of an Arrow column. Arrow takes none from views: they go through their plain type."""
    pa = require("pyarrow", "parquet")
    for view, plain in (("string_view", "large_string"), ("binary_view", "large_binary")):
        if hasattr(pa, view) and column.type == getattr(pa, view)():
            return column.cast(getattr(pa, plain)()).take(rows).cast(column.type)
    return column.take(rows)


def _refuse_null(name: str, row: int) -> None:
    raise InvalidValueError(f"column {name!r} holds a null in row {row}; every row needs one")


def _nulls(column: Any) -> Array:
    """Return which rows are null; a chunked array's to_numpy takes no argument."""
    flags = column.is_null()
    found: Array = flags.to_numpy() if hasattr(flags, "chunks") else flags.to_numpy(zero_copy_only=False)
    return found


def _behind(kind: Any) -> Any:
    """What a type stores: the values of a dictionary, the storage of an extension."""
    pa = require("pyarrow", "parquet")
    if isinstance(kind, pa.BaseExtensionType):
        return _behind(kind.storage_type)
    return _behind(kind.value_type) if pa.types.is_dictionary(kind) else kind


def _is_view(kind: Any) -> bool:
    types = require("pyarrow", "parquet").types
    return hasattr(types, "is_string_view") and bool(types.is_string_view(kind))


def _chunks(column: Any) -> int:
    return getattr(column, "num_chunks", 1)


def _whole(column: Any, kind: Any) -> Any:
    """Return one array of a plain type. Texts of several chunks are to be made wide, for 2 GiB of them may be together."""
    pa = require("pyarrow", "parquet")
    chunks = getattr(column, "chunks", [column])
    plain = [_plain(chunk, kind) for chunk in chunks]
    return plain[0] if len(plain) == 1 else pa.concat_arrays(plain) if plain else pa.array([], kind)


def _plain(array: Any, kind: Any) -> Any:
    pa = require("pyarrow", "parquet")
    while array.type != kind:
        if isinstance(array.type, pa.BaseExtensionType):
            array = array.storage
        elif pa.types.is_dictionary(array.type):
            array = array.dictionary_decode()
        else:
            array = array.cast(kind)
    return array
