"""Queries spread over a few groups, so that an engine calls Python once for many queries."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
import numpy.typing as npt

from fastcal._extras import require

BUCKET = "__fastcal_bucket"
# 2**64 over the golden ratio: consecutive ids land far apart.
_FIBONACCI = np.uint64(0x9E3779B97F4A7C15)


def with_buckets(table: Any, query: str, n_buckets: int) -> Any:
    """Return the table with a column ``BUCKET``, the same for a query on every worker, whatever the width of its type."""
    pa = require("pyarrow", "ray")
    return table.append_column(BUCKET, pa.array(buckets(table.column(query), n_buckets)))


def buckets(queries: Any, n_buckets: int) -> npt.NDArray[np.int32]:
    """Return a number below `n_buckets` for each of a column of integers or strings."""
    pa = require("pyarrow", "ray")
    if pa.types.is_integer(queries.type):
        return _of_integers(_bits(queries), n_buckets)
    if str(queries.type) in {"string_view", "binary_view"}:
        queries = queries.cast(pa.large_string())
    encoded = queries.combine_chunks() if pa.types.is_dictionary(queries.type) else queries.combine_chunks().dictionary_encode()
    encoded = encoded.unify_dictionaries().chunk(0) if isinstance(encoded, pa.ChunkedArray) and encoded.num_chunks else encoded
    if not len(encoded):
        return np.empty(0, np.int32)
    names = encoded.dictionary
    if pa.types.is_integer(names.type):
        of_names = _of_integers(_bits(names), n_buckets)
    else:
        of_names = np.array([zlib.crc32(name.encode()) % n_buckets for name in names.to_pylist()], np.int32)
    return of_names[encoded.indices.to_numpy(zero_copy_only=False)]


def _bits(column: Any) -> npt.NDArray[np.uint64]:
    values = np.asarray(column)
    return values.astype(np.int64).view(np.uint64) if values.dtype.kind == "i" else values.astype(np.uint64)


def _of_integers(bits: npt.NDArray[np.uint64], n_buckets: int) -> npt.NDArray[np.int32]:
    spread = (bits * _FIBONACCI) >> np.uint64(32)
    return (spread % np.uint64(n_buckets)).astype(np.int32)
