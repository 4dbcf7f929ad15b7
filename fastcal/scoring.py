"""Scores of queries against vectors: the full matrix, the exact best k, or given candidates."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fastcal import _backend, _threads
from fastcal._backend.protocol import Precision
from fastcal._validate import vectors as validate
from fastcal._validate.numbers import integer, one_of
from fastcal.results import SearchResult, search_result


def scores(
    queries: Any,
    corpus: Any,
    metric: str = "cosine",
    *,
    dims: int | None = None,
    precision: Precision = "fast",
    out: npt.NDArray[np.float32] | None = None,
    num_threads: int | None = None,
) -> npt.NDArray[np.float32]:
    """Score every query against every row.

    Parameters
    ----------
    queries : array_like of float, shape (n_queries, dim) or (dim,)
    corpus : array_like of float, shape (n_rows, dim)
        float32 is read in place (strided rows and read-only arrays included), float16 and bfloat16 are widened on
        the fly, float64 is rounded to float32 once.
    metric : {"cosine", "dot", "euclidean"}
        ``"euclidean"`` is the distance, not its square. The cosine of a zero vector is 0.
    dims : int, optional
        Use only the first `dims` coordinates of both sides (Matryoshka embeddings).
    precision : {"fast", "exact"}
        ``"fast"`` sums in float32 (error bound in docs/numerics.md); ``"exact"`` gives the scores of :func:`topk`, to
        the bit. Choose thresholds from exact scores.
    out : ndarray of float32, shape (n_queries, n_rows), optional
        Where to write. May be partly written when an error is raised.
    num_threads : int, optional

    Returns
    -------
    ndarray of float32, shape (n_queries, n_rows)

    Raises
    ------
    ValueError
        Shapes that do not fit, NaN or infinity in a vector (the row is named), float64 that overflows float32.
    TypeError
        A dtype that is not floating point.

    See Also
    --------
    topk : the best k rows without the full matrix.

    Examples
    --------
    >>> import numpy as np, fastcal as fc
    >>> fc.scores(np.array([1.0, 0.0]), np.array([[2.0, 0.0], [0.0, 3.0], [-4.0, 0.0]])).tolist()
    [[1.0, 0.0, -1.0]]
    """
    kind = validate.metric(metric)
    one_of(precision, "precision", ("fast", "exact"))
    backend, threads = _backend.active(), _threads.resolve(num_threads)
    vectors, rows = validate.pair(queries, corpus, dims, backend, threads)
    target = validate.output(out, (len(vectors), len(rows)), np.float32, "out", (rows, vectors))
    bad = backend.scores(vectors, rows, None, kind, precision, target, num_threads=threads)
    if bad >= 0:
        validate.raise_bad_row(rows, bad, "corpus")
    return target


def topk(
    queries: Any,
    corpus: Any,
    k: int,
    metric: str = "cosine",
    *,
    dims: int | None = None,
    out: tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]] | None = None,
    num_threads: int | None = None,
) -> SearchResult:
    """Find the exact best k rows of each query.

    The result is the truth, to the bit, on every instruction set, backend and thread count: scores are summed in
    float64 and rounded once to float32; ranking is by that float32, ties by lower row.

    Parameters
    ----------
    queries : array_like of float, shape (n_queries, dim) or (dim,)
    corpus : array_like of float, shape (n_rows, dim)
    k : int
        At least 1. Where it exceeds the number of rows, results are padded with id -1 and score NaN.
    metric : {"cosine", "dot", "euclidean"}
    dims : int, optional
        Use only the first `dims` coordinates of both sides.
    out : (ndarray of float32, ndarray of int64), each of shape (n_queries, k), optional
        Where to write scores and ids. Untouched when an error is raised.
    num_threads : int, optional

    Returns
    -------
    SearchResult
        Unpacks as ``(scores, ids)``.

    Raises
    ------
    ValueError
        Shapes that do not fit, k < 1, NaN or infinity in a vector (the row is named), float64 that overflows float32.
    TypeError
        A dtype that is not floating point, a k that is not an integer.

    See Also
    --------
    Index : searches the same corpus again and again.

    Examples
    --------
    >>> import numpy as np, fastcal as fc
    >>> corpus = np.array([[1, 0], [0, 1], [1, 1]], dtype=np.float32)
    >>> scores, ids = fc.topk(np.array([1.0, 0.2]), corpus, k=2)
    >>> ids.tolist()
    [[0, 2]]
    """
    kind, count = validate.metric(metric), integer(k, "k", least=1)
    backend, threads = _backend.active(), _threads.resolve(num_threads)
    vectors, rows = validate.pair(queries, corpus, dims, backend, threads)
    out_scores, out_ids = validate.output_pair(out, (len(vectors), count), (rows, vectors))
    bad = backend.topk(vectors, rows, None, kind, None, out_scores, out_ids, threads)
    if bad >= 0:
        validate.raise_bad_row(rows, bad, "corpus")
    return search_result(out_scores, out_ids, kind != "euclidean")


def rescore(
    queries: Any,
    corpus: Any,
    ids: Any,
    metric: str = "cosine",
    *,
    dims: int | None = None,
    out: npt.NDArray[np.float32] | None = None,
    num_threads: int | None = None,
) -> npt.NDArray[np.float32]:
    """Score given candidates exactly, for example those of an approximate index.

    This scores vectors; the command ``fastcal rescore`` maps columns of files that hold scores already.

    Parameters
    ----------
    queries : array_like of float, shape (n_queries, dim) or (dim,)
    corpus : array_like of float, shape (n_rows, dim)
        Only the rows named in `ids` are read and judged.
    ids : array_like of int, shape (n_queries, m), or (m,) for one query
        Row numbers; -1 is padding and gives NaN.
    metric : {"cosine", "dot", "euclidean"}
    dims : int, optional
        Use only the first `dims` coordinates of both sides.
    out : ndarray of float32, shape (n_queries, m), optional
        May be partly written when an error is raised.
    num_threads : int, optional

    Returns
    -------
    ndarray of float32, shape (n_queries, m)
        The scores :func:`topk` would give, to the bit.

    Raises
    ------
    ValueError
        Ids out of range, shapes that do not fit, NaN or infinity in a row that is read.
    TypeError
        Ids that are not integers, vectors that are not floating point.

    Examples
    --------
    >>> import numpy as np, fastcal as fc
    >>> corpus = np.array([[3, 4], [0, 1]], dtype=np.float32)
    >>> fc.rescore(np.zeros(2, np.float32), corpus, [0, 1, -1], metric="euclidean").tolist()
    [[5.0, 1.0, nan]]
    """
    kind = validate.metric(metric)
    backend, threads = _backend.active(), _threads.resolve(num_threads)
    vectors, rows = validate.pair(queries, corpus, dims, backend, threads)
    candidates = validate.candidate_ids(ids, len(vectors), len(rows))
    given = (ids,) if isinstance(ids, np.ndarray) else ()
    target = validate.output(out, candidates.shape, np.float32, "out", (rows, vectors, *given))
    bad = backend.rescore(vectors, rows, candidates, kind, target, num_threads=threads)
    if bad >= 0:
        validate.raise_bad_row(rows, bad, "corpus")
    return target
