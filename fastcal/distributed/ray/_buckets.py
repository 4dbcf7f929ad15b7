"""Queries spread over a few groups, so that an engine calls Python once for many queries."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
import numpy.typing as npt

from fastcal._extras import require

# 2**64 over the golden ratio: consecutive ids land far apart.
_FIBONACCI = np.uint64(0x9E3779B97F4A7C15)
MOST_BUCKETS = 2**31 - 1


def buckets(queries: Any, n_buckets: int) -> npt.NDArray[np.int32]:
    """Return a number below `n_buckets` for each of a column of integers or strings."""
    pa = require("pyarrow", "ray")
    plain = _plain(queries)
    if pa.types.is_integer(plain.type):
        return _of_integers(plain.to_numpy(), n_buckets)
    encoded = plain.combine_chunks().dictionary_encode()
    encoded = encoded.combine_chunks() if isinstance(encoded, pa.ChunkedArray) else encoded
    found = np.array([zlib.crc32(name.encode()) % n_buckets for name in encoded.dictionary.to_pylist()], np.int32)
    spread: npt.NDArray[np.int32] = found[encoded.indices.to_numpy()]
    return spread


def sort_keys(queries: Any) -> npt.NDArray[Any]:
    """Return integers that tell queries apart, integers as they are; a few texts may share one."""
    plain = _plain(queries)
    found: npt.NDArray[Any] = plain.to_numpy() if require("pyarrow", "ray").types.is_integer(plain.type) else buckets(plain, MOST_BUCKETS)
    return found


def _plain(queries: Any) -> Any:
    """Return dictionaries and views as integers or large strings: what they stand for."""
    pa = require("pyarrow", "ray")
    kind = queries.type.value_type if pa.types.is_dictionary(queries.type) else queries.type
    return queries.cast(kind if pa.types.is_integer(kind) else pa.large_string())


def _of_integers(values: npt.NDArray[Any], n_buckets: int) -> npt.NDArray[np.int32]:
    bits = values.astype(np.int64).view(np.uint64) if values.dtype.kind == "i" else values.astype(np.uint64)
    spread = (bits * _FIBONACCI) >> np.uint64(32)
    return (spread % np.uint64(n_buckets)).astype(np.int32)
