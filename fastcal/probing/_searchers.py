"""One face for every index that can be probed: fastcal's own, FAISS, hnswlib, usearch, and objects that answer like them."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from fastcal import _backend
from fastcal._validate import vectors as validate
from fastcal._validate.arrays import as_array, float_array, int64_array
from fastcal.errors import InvalidTypeError, InvalidValueError
from fastcal.index import Index
from fastcal.scoring import rescore, scores

Float32 = npt.NDArray[np.float32]
Int64 = npt.NDArray[np.int64]

# What the libraries call their metrics: FAISS by number, hnswlib and usearch by name.
_COSINE, _DOT = {"cosine", "cos"}, {"dot", "ip", "0"}
_UNIT = 0.01


class Hits(NamedTuple):
    """Rows found, -1 for none, and the scores the index gave them, higher is better, or None; both (n_vectors, k)."""

    ids: Int64
    reported: Float32 | None


class Searcher(Protocol):
    """What probing needs of an index."""

    n_rows: int

    def query(self, given: Any) -> Float32:
        """Return one query of finite numbers as (1, dim), cut to the coordinates that are compared."""

    def search(self, vectors: Float32, k: int) -> Hits:
        """Find about the best k rows of each vector."""

    def exact(self, vectors: Float32, ids: Int64) -> Float32:
        """Return the exact cosine of each vector with each of some distinct rows, ascending ids."""

    def count(self, query: Float32, threshold: float) -> int:
        """Return how many rows of the corpus reach a threshold, exactly."""


def searcher(index: Any, corpus: Any) -> Searcher:
    """Choose the face of an index; raises where its scores cannot be cosines."""
    if isinstance(index, Index):
        if corpus is not None:
            raise InvalidValueError("corpus must be left out: an Index holds its own")
        return Own(index)
    return Foreign(index, corpus)


class Own:
    """fc.Index: exact, and it holds the rows to score hits with."""

    def __init__(self, index: Index) -> None:
        if index.metric != "cosine":
            raise InvalidValueError(f"rings are cosine distances; expected an index with metric 'cosine', got {index.metric!r}")
        self.index, self.n_rows = index, len(index)

    def query(self, given: Any) -> Float32:
        vector = _one(given)
        self.index.histogram(vector, [-np.inf, np.inf])  # judges it
        return np.ascontiguousarray(vector[:, : self.index.dim], np.float32)

    def search(self, vectors: Float32, k: int) -> Hits:
        found = self.index.search(vectors, k)
        return Hits(found.ids, found.scores)

    def exact(self, vectors: Float32, ids: Int64) -> Float32:
        """A range search that allows these rows and excludes no score; of several rows with one id the best counts."""
        out = np.full((len(vectors), ids.size), -np.inf, np.float32)
        if ids.size:
            found = self.index.range_search(vectors, -2.0, allow=ids)
            np.maximum.at(out, (np.repeat(np.arange(len(vectors)), found.counts()), np.searchsorted(ids, found.ids)), found.scores)
        return out

    def count(self, query: Float32, threshold: float) -> int:
        return int(self.index.histogram(query, [threshold, np.inf])[0, 0])


class Foreign:
    """Any other index: its ids are row numbers of `corpus`, which hits are scored with."""

    def __init__(self, index: Any, corpus: Any) -> None:
        if not callable(getattr(index, "search", None)) and not callable(getattr(index, "knn_query", None)):
            raise InvalidTypeError(f"index must be an Index or have search(queries, k), got {type(index).__name__}")
        if corpus is None:
            raise InvalidValueError(f"corpus must be given with {type(index).__name__}: the vectors that its ids are rows of, to score hits exactly")
        self._metric = _metric(index)
        self.index, self.corpus = index, as_array(corpus, "corpus")
        if self.corpus.ndim != 2:
            raise InvalidValueError(f"corpus must have shape (n_rows, dim), got shape {self.corpus.shape}")
        self.n_rows = len(self.corpus)
        held = _size(index)
        if held not in {None, self.n_rows}:
            raise InvalidValueError(f"corpus has {self.n_rows} rows and the index {held}; expected the rows the index was built from")

    def query(self, given: Any) -> Float32:
        return validate.queries(_one(given), self.corpus.shape[1], None, _backend.active())

    def search(self, vectors: Float32, k: int) -> Hits:
        hits = _answer(self.index, vectors, k)
        ids = int64_array(hits.ids, "ids of the index")
        if ids.ndim != 2 or len(ids) != len(vectors) or (hits.reported is not None and hits.reported.shape != ids.shape):
            raise InvalidValueError(
                f"index.search returned ids of shape {ids.shape} for {len(vectors)} queries; expected ({len(vectors)}, k) and scores alike"
            )
        return Hits(ids, hits.reported)

    def exact(self, vectors: Float32, ids: Int64) -> Float32:
        if self._metric in _DOT and ids.size and (ids < self.n_rows).all():
            norms = np.linalg.norm(self.corpus[ids].astype(np.float64), axis=1)
            if (np.abs(norms - 1) > _UNIT).any():
                row = int(np.argmax(np.abs(norms - 1) > _UNIT))
                raise InvalidValueError(f"an inner product is a cosine for unit rows only; row {ids[row]} of corpus has norm {norms[row]:.4g}")
        return rescore(vectors, self.corpus, np.broadcast_to(ids, (len(vectors), ids.size)))

    def count(self, query: Float32, threshold: float) -> int:
        return int(np.count_nonzero(scores(query, self.corpus, precision="exact") >= np.float32(threshold)))


def _one(given: Any) -> npt.NDArray[Any]:
    query = float_array(given, "query")
    if query.ndim != 1 and query.shape[:-1] != (1,):
        raise InvalidValueError(f"query must have shape (dim,) or (1, dim), got shape {query.shape}")
    return query.reshape(1, -1)


def _answer(index: Any, vectors: Float32, k: int) -> Hits:
    """Ask an index in its own words; distances of hnswlib and usearch are 1 - score."""
    if callable(getattr(index, "knn_query", None)):
        ids, distances = index.knn_query(vectors, k=k)
        return Hits(ids, 1 - np.asarray(distances))
    found = index.search(vectors, k)
    if hasattr(found, "keys") and hasattr(found, "distances"):
        keys = np.atleast_2d(np.asarray(found.keys)).astype(np.int64)
        counts = np.asarray(getattr(found, "counts", keys.shape[1]))
        unused = np.arange(keys.shape[1]) >= np.reshape(counts, (-1, 1))
        return Hits(np.where(unused, -1, keys), 1 - np.atleast_2d(np.asarray(found.distances)))
    if hasattr(found, "ids") and hasattr(found, "scores"):
        return Hits(found.ids, found.scores)
    if not isinstance(found, tuple | list) or len(found) != 2:
        raise InvalidTypeError(f"index.search returned {type(found).__name__}; expected (scores, ids), or ids and scores, or keys and distances")
    return Hits(found[1], np.asarray(found[0]))


def _metric(index: Any) -> str | None:
    """Name the metric of an index, None if it does not tell; raises for one that is no cosine."""
    kind = getattr(index, "metric_kind", None)
    tells = (getattr(kind, "name", None), *(getattr(index, name, None) for name in ("space", "metric_type", "metric")))
    named = next((given for given in tells if isinstance(given, str | int)), None)
    if named is None:
        return None
    name = str(named).lower()
    if name not in _COSINE | _DOT:
        raise InvalidValueError(f"rings are cosine distances; expected an index of cosines or of unit rows' inner products, got metric {named!r}")
    return name


def _size(index: Any) -> int | None:
    if hasattr(index, "ntotal"):
        return int(index.ntotal)
    if hasattr(index, "get_current_count"):
        return int(index.get_current_count())
    return len(index) if hasattr(index, "__len__") else None
