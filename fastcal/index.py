"""An exact index over one corpus: rows are judged and measured once, then searched any number of times."""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

from fastcal import _backend, _threads
from fastcal._backend.protocol import Array
from fastcal._validate import vectors as validate
from fastcal._validate.arrays import as_array
from fastcal._validate.numbers import flag, integer
from fastcal.errors import CorpusChangedError, InvalidTypeError
from fastcal.results import SearchResult

# Rows from which on a search is faster through sketches than by reading every row.
_WORTH_SKETCHING = 2048


class Index:
    """Exact top-k over a corpus that stays where it is.

    From a few thousand rows on, the native backend keeps small integer sketches of the rows, about 0.4 times the bytes of
    a float32 corpus. They give a rigorous upper bound of every score; only rows whose bound reaches the k-th best score
    so far are read. The results are those of a full scan, to the bit.

    The index keeps the corpus buffer alive and makes no copy of it, unless ``copy=True`` asks for one or the layout
    demands one (float64, Fortran order). Searching from many threads at once is safe.

    Parameters
    ----------
    corpus : array_like of float, shape (n_rows, dim)
        float32, float16 and bfloat16 are used in place. Do not write to it while the index lives.
    metric : {"cosine", "dot", "euclidean"}
        The index is built for this metric.
    ids : array_like of int, shape (n_rows,), optional
        External ids to return instead of row numbers; none negative. Ties go to the lower external id.
    dims : int, optional
        Use only the first `dims` coordinates. Queries may come in full width or already cut.
    copy : bool
        Keep a private copy of the corpus.
    num_threads : int, optional
        Threads used to build.

    Raises
    ------
    ValueError
        A wrong shape, NaN or infinity in a row (it is named), float64 that overflows float32, negative ids.
    TypeError
        A dtype that is not floating point, ids that are not integers.

    Examples
    --------
    >>> import numpy as np, fastcal as fc
    >>> index = fc.Index(np.array([[1, 0], [0, 1], [1, 1]], dtype=np.float32), ids=[10, 20, 30])
    >>> index.search(np.array([1.0, 0.2]), k=2).ids.tolist()
    [[10, 30]]
    """

    def __init__(
        self,
        corpus: Any,
        metric: str = "cosine",
        *,
        ids: Any = None,
        dims: int | None = None,
        copy: bool = False,
        num_threads: int | None = None,
    ) -> None:
        self._metric = validate.metric(metric)
        backend, threads = _backend.active(), _threads.resolve(num_threads)
        source = as_array(corpus, "corpus")
        rows = validate.corpus(source, dims, backend, threads)
        if flag(copy, "copy") and np.may_share_memory(rows, source):
            rows = np.array(rows, order="C")
        self._rows, self._width = rows, source.shape[1]
        self._owns_rows = isinstance(corpus, list | tuple) or not np.may_share_memory(rows, source)
        self._ids = validate.external_ids(ids, len(rows))
        norms = np.empty(len(rows), np.float64)
        bad = backend.row_norms(self._rows, norms, num_threads=threads)
        if bad >= 0:
            validate.raise_bad_row(self._rows, bad, "corpus")
        self._norms = norms if self._metric == "cosine" else None
        self._backend = backend.name
        self._sketch = backend.sketch(rows, self._metric, num_threads=threads) if len(rows) >= _WORTH_SKETCHING else None

    def search(
        self,
        queries: Any,
        k: int,
        *,
        out: tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]] | None = None,
        num_threads: int | None = None,
    ) -> SearchResult:
        """Find the exact best k rows of each query; see :func:`fastcal.topk` for what is promised.

        Parameters
        ----------
        queries : array_like of float, shape (n_queries, dim) or (dim,)
        k : int
            At least 1; results are padded with id -1 and score NaN where it exceeds the number of rows.
        out : (ndarray of float32, ndarray of int64), each of shape (n_queries, k), optional
            Where to write scores and ids. Untouched when an error is raised.
        num_threads : int, optional

        Returns
        -------
        SearchResult
            Unpacks as ``(scores, ids)``.

        Raises
        ------
        ValueError, TypeError
            Bad queries or k, as in :func:`fastcal.topk`.
        CorpusChangedError
            A row is noticed to differ from the one the index was built from: it is not finite, or scores better than its
            bounds allow. Changes that stay within the bounds go unnoticed, so do not write to an indexed corpus.

        Examples
        --------
        >>> import numpy as np, fastcal as fc
        >>> index = fc.Index(np.eye(3, dtype=np.float32), metric="dot")
        >>> scores, ids = index.search([[0.0, 2.0, 1.0]], k=2)
        >>> scores.tolist(), ids.tolist()
        ([[2.0, 1.0]], [[1, 2]])
        """
        count = integer(k, "k", least=1)
        backend, threads = _backend.active(), _threads.resolve(num_threads)
        vectors = validate.queries(self._cut(queries), self.dim, None, backend)
        out_scores, out_ids = validate.output_pair(out, (len(vectors), count), (self._rows, vectors))
        bad = backend.topk(
            vectors,
            self._rows,
            self._norms,
            self._metric,
            self._ids,
            out_scores,
            out_ids,
            num_threads=threads,
            sketch=self._sketch if backend.name == self._backend else None,
        )
        if bad >= 0:
            raise CorpusChangedError(f"row {bad} is not what it was when the index was built; build it again")
        return SearchResult(out_scores, out_ids, higher_is_better=self._metric != "euclidean")

    def _cut(self, queries: Any) -> Array:
        vectors = as_array(queries, "queries")
        full = vectors.ndim > 0 and vectors.shape[-1] == self._width
        return vectors[..., : self.dim] if full else vectors

    @property
    def dim(self) -> int:
        """Number of coordinates compared."""
        return int(self._rows.shape[1])

    @property
    def metric(self) -> str:
        """The metric the index was built for."""
        return self._metric

    @property
    def nbytes(self) -> int:
        """Bytes the index itself holds: sketches, norms, ids, and the corpus only where it had to be copied."""
        own = [self._sketch, self._norms, self._ids, self._rows if self._owns_rows else None]
        return sum(array.nbytes for array in own if array is not None)

    def __len__(self) -> int:
        return len(self._rows)

    def __repr__(self) -> str:
        return f"Index(n_rows={len(self)}, dim={self.dim}, metric={self.metric!r}, nbytes={self.nbytes})"

    def __reduce__(self) -> NoReturn:
        raise InvalidTypeError("an Index cannot be pickled: it would carry its corpus along; send the corpus and build the index where it is used")
