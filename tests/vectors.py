"""What the tests of vectors and searches share: dtypes, small exact problems, a bare tensor, comparison to the byte."""

from __future__ import annotations

import ml_dtypes
import numpy as np
from parity import bits
from strategies import problem

BFLOAT16 = np.dtype(ml_dtypes.bfloat16)
DTYPES = {"float32": np.dtype(np.float32), "float16": np.dtype(np.float16), "bfloat16": BFLOAT16, "float64": np.dtype(np.float64)}
PADDING_BITS = 0x7FC00000


def same_bytes(a, b):
    a, b = np.asarray(a), np.asarray(b)
    assert a.dtype == b.dtype
    assert a.shape == b.shape
    np.testing.assert_array_equal(bits(a, nan_is_nan=False), bits(b, nan_is_nan=False))


def same_result(a, b):
    same_bytes(a.scores, b.scores)
    same_bytes(a.ids, b.ids)
    assert a.higher_is_better == b.higher_is_better


class OnlyDlpack:
    """Nothing but the DLPack methods."""

    def __init__(self, array):
        self._array = array

    def __dlpack__(self, **options):
        return self._array.__dlpack__(**options)

    def __dlpack_device__(self):
        return self._array.__dlpack_device__()


def integers(n_queries=3, n_rows=70, dim=9):
    return problem(7, n_queries, n_rows, dim, ("integers", "duplicate", "zero"))
