"""The searches of an index: the best k rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fastcal import _backend, _threads
from fastcal._validate import vectors as validate
from fastcal._validate.numbers import integer
from fastcal.index._state import State, memory, raise_changed
from fastcal.results import SearchResult, search_result


class Searched(State):
    """Top-k over the segments."""

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
        backend, threads, segments = _backend.active(), _threads.resolve(num_threads), self._segments
        vectors = self._judge_queries(queries, backend)
        inputs = () if out is None else (*memory(segments), vectors)
        out_scores, out_ids = validate.output_pair(out, (len(vectors), count), inputs)
        for segment in segments:
            bad = backend.topk(
                vectors,
                segment.rows,
                segment.norms,
                self._metric,
                segment.ids,
                out_scores,
                out_ids,
                threads,
                segment.sketch_for(backend),
            )
            if bad >= 0:
                raise_changed(segment, bad)
        return search_result(out_scores, out_ids, self._higher_is_better)
