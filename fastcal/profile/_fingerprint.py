"""Which corpus: a short text that changes when its shape, dtype or bytes do."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastcal import _backend, _threads
from fastcal._validate.arrays import as_array
from fastcal.errors import InvalidTypeError, InvalidValueError


def corpus_fingerprint(corpus: Any, *, num_threads: int | None = None) -> str:
    """Return a text that identifies the rows of a corpus: dtype, shape and a digest of the bytes, in their order.

    The same for any number of threads and every backend (docs/numerics.md, "Digests"). A change of one number is noticed with
    certainty, other changes but for a chance of 2^-64; it does not stop somebody who means to deceive it.

    Parameters
    ----------
    corpus : array_like, shape (n_rows, dim)
        Any fixed-width dtype; float32 and float16 of the same numbers are different corpora.
    num_threads : int, optional
        The result does not depend on it.

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If `corpus` is not two-dimensional or has no columns.
    TypeError
        If it holds Python objects.

    Examples
    --------
    >>> import numpy as np, fastcal as fc
    >>> fc.corpus_fingerprint(np.eye(3, dtype=np.float32))
    'float32:3x3:c1ab78e42e95aaa4'
    """
    rows = as_array(corpus, "corpus")
    if rows.dtype.hasobject:
        raise InvalidTypeError(f"corpus has dtype {rows.dtype}; expected numbers")
    if rows.ndim != 2 or rows.shape[1] == 0:
        raise InvalidValueError(f"corpus must have shape (n_rows, dim), got {rows.shape}")
    threads = _threads.resolve(num_threads)
    each, whole = np.empty(len(rows), np.uint64), np.empty(1, np.uint64)
    plain = np.ascontiguousarray(rows)
    _backend.active().digests(plain.view(np.uint8).reshape(len(rows), plain.itemsize * plain.shape[1]), each, num_threads=threads)
    _backend.active().digests(each.view(np.uint8)[np.newaxis], whole, num_threads=1)
    return f"{rows.dtype}:{rows.shape[0]}x{rows.shape[1]}:{int(whole[0]):016x}"
