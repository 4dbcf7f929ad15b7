"""Score bands of an index: how many rows score within each, and uniform samples of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fastcal import _backend, _threads
from fastcal._backend.protocol import Array
from fastcal._validate import bands as validate
from fastcal._validate.numbers import integer
from fastcal.index._segment import Segment
from fastcal.index._state import State, raise_changed
from fastcal.results import BandSample


class Banded(State):
    """Histograms and samples of the scores of all rows."""

    def histogram(self, queries: Any, edges: Any, *, num_threads: int | None = None) -> npt.NDArray[np.int64]:
        """Count the rows whose exact score lies in each band.

        Equals ``np.histogram(scores, edges)`` with the scores of ``fc.scores(..., precision="exact")`` and the edges rounded to
        float32, to nearest: bands are half open, ``edges[i] <= score < edges[i + 1]``, and the last one is closed. For an
        euclidean index edges are distances. With a native sketch only rows whose score bounds lie on two sides of an
        edge are read; where those are many (narrow bands everywhere) every row is.

        Parameters
        ----------
        queries : array_like of float, shape (n_queries, dim) or (dim,)
        edges : array_like of float, shape (n_bins + 1,)
            At least 2, strictly increasing also after rounding to float32. The first may be -inf, the last inf.
        num_threads : int, optional

        Returns
        -------
        ndarray of int64, shape (n_queries, n_bins)

        Raises
        ------
        ValueError, TypeError
            Bad queries or edges.
        CorpusChangedError
            A row is noticed to differ from the one the index was built from; see :meth:`search`.

        Examples
        --------
        >>> import numpy as np, fastcal as fc
        >>> index = fc.Index(np.array([[0.1], [0.2], [0.8]], dtype=np.float32), "dot")
        >>> index.histogram([1.0], [0.0, 0.5, 1.0]).tolist()
        [[2, 1]]
        """
        backend, threads, segments = _backend.active(), _threads.resolve(num_threads), self._segments
        vectors, bounds = self._judge_queries(queries, backend), validate.edges(edges)
        total = np.zeros((len(vectors), bounds.size - 1), np.int64)
        for segment in segments:
            counts, sketch = np.empty_like(total), segment.sketch_for(backend)
            bad = backend.histogram(vectors, segment.rows, segment.norms, self._metric, bounds, counts, num_threads=threads, sketch=sketch)
            if bad >= 0:
                raise_changed(segment, bad)
            total += counts
        return total

    def sample_bands(self, queries: Any, edges: Any, size: int, *, seed: int, num_threads: int | None = None) -> BandSample:
        """Draw rows from each score band of each query, uniformly and without replacement.

        Every row has a random priority that depends on `seed`, the position of the query in this call and the row number
        alone, and a band's sample is its `size` rows of smallest priority, smallest first. So the sample is the same for
        any number of threads, backend or way in which rows were added, and its first m rows are a uniform sample of size m.
        Bands are those of :meth:`histogram`.

        Parameters
        ----------
        queries : array_like of float, shape (n_queries, dim) or (dim,)
        edges : array_like of float, shape (n_bins + 1,)
            As in :meth:`histogram`.
        size : int
            Rows to draw from each band, at least 1; bands that hold fewer are padded with id -1 and score NaN.
        seed : int
            From 0 to 2**63 - 1.
        num_threads : int, optional

        Returns
        -------
        BandSample
            ``.ids`` and ``.scores`` of shape (n_queries, n_bins, size), ``.counts`` of shape (n_queries, n_bins).

        Raises
        ------
        ValueError, TypeError
            Bad queries, edges, size or seed.
        CorpusChangedError
            A row is noticed to differ from the one the index was built from; see :meth:`search`.

        Examples
        --------
        >>> import numpy as np, fastcal as fc
        >>> index = fc.Index(np.linspace(0, 1, 101, dtype=np.float32)[:, np.newaxis], "dot")
        >>> drawn = index.sample_bands([1.0], [0.25, 0.5, 1.0], size=3, seed=7)
        >>> drawn.counts.tolist(), drawn.ids.shape
        ([[25, 51]], (1, 2, 3))
        >>> bool((drawn.scores[0, 1] >= 0.5).all())
        True
        """
        count, number = integer(size, "size", least=1), integer(seed, "seed", least=0)
        backend, threads, segments = _backend.active(), _threads.resolve(num_threads), self._segments
        vectors, bounds = self._judge_queries(queries, backend), validate.edges(edges)
        shape = validate.sample_shape(len(vectors), bounds.size - 1, count)
        best: _Drawn | None = None
        for segment in segments:
            drawn = _Drawn(shape)
            bad = backend.sample_bands(
                vectors,
                segment.rows,
                segment.norms,
                self._metric,
                bounds,
                number,
                segment.first,
                drawn.counts,
                drawn.rows,
                drawn.scores,
                drawn.priorities,
                num_threads=threads,
                sketch=segment.sketch_for(backend),
            )
            if bad >= 0:
                raise_changed(segment, bad)
            drawn.name(segment)
            best = drawn if best is None else best.merged_with(drawn)
        assert best is not None, "an index has at least one segment"
        return BandSample(best.rows, best.scores, best.counts, higher_is_better=self._higher_is_better)


class _Drawn:
    """What was drawn from one or more segments, by priority; padding has the largest priority."""

    def __init__(self, shape: tuple[int, int, int]) -> None:
        self.counts: Array = np.empty(shape[:2], np.int64)
        self.rows: Array = np.empty(shape, np.int64)
        self.scores: Array = np.empty(shape, np.float32)
        self.priorities: Array = np.empty(shape, np.uint64)

    def name(self, segment: Segment) -> None:
        """Turn row numbers into external ids, if the segment has any."""
        if segment.ids is not None:
            drawn = self.rows >= 0
            self.rows[drawn] = segment.ids[self.rows[drawn] - segment.first]

    def merged_with(self, other: _Drawn) -> _Drawn:
        """The smallest priorities of both; no two rows of a query share one, and padding comes last."""
        both, rows = (np.concatenate(pair, axis=2) for pair in ((self.priorities, other.priorities), (self.rows, other.rows)))
        order = np.lexsort((rows < 0, both), axis=2)[..., : self.rows.shape[2]]
        merged = _Drawn(self.rows.shape)
        merged.counts = self.counts + other.counts
        merged.priorities = np.take_along_axis(both, order, 2)
        merged.rows = np.take_along_axis(rows, order, 2)
        merged.scores = np.take_along_axis(np.concatenate([self.scores, other.scores], axis=2), order, 2)
        return merged
