"""One face for every index that can be probed: fastcal's own, FAISS, hnswlib, usearch, and objects that answer like them."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from fastcal import _backend
from fastcal._validate import vectors as validate
from fastcal._validate.arrays import as_array, float_array
from fastcal.errors import InvalidValueError
from fastcal.index import Index
from fastcal.index._foreign import ForeignIndex
from fastcal.scoring import rescore, scores

Float32 = npt.NDArray[np.float32]
Int64 = npt.NDArray[np.int64]

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
        self.index = ForeignIndex(index)
        name, metric, held = self.index.name, self.index.metric, self.index.size
        if metric not in {None, "cosine", "dot", "l2"}:
            raise InvalidValueError(
                f"rings are cosine distances; expected an index for cosines, or for unit rows by dot or l2, got metric {metric!r}"
            )
        if corpus is None:
            raise InvalidValueError(f"corpus must be given with {name}: the vectors that its ids are rows of, to score hits exactly")
        self.corpus = as_array(corpus, "corpus")
        if self.corpus.ndim != 2:
            raise InvalidValueError(f"corpus must have shape (n_rows, dim), got shape {self.corpus.shape}")
        if self.index.dim not in {None, self.corpus.shape[1]}:
            raise InvalidValueError(
                f"corpus has {self.corpus.shape[1]} dimensions and the index {self.index.dim}; expected the rows it was built from"
            )
        self.n_rows = len(self.corpus)
        if held not in {None, self.n_rows}:
            raise InvalidValueError(f"corpus has {self.n_rows} rows and the index {held}; expected the rows the index was built from")

    def query(self, given: Any) -> Float32:
        return validate.queries(_one(given), self.corpus.shape[1], None, _backend.active())

    def search(self, vectors: Float32, k: int) -> Hits:
        """Reported scores as cosines: of unit vectors a squared L2 distance is 2 - 2 cos."""
        ids, given, better = self.index.search(vectors, k)
        if (ids >= self.n_rows).any():
            raise InvalidValueError(f"the index returned id {ids.max()}; its ids must be row numbers of corpus, which has {self.n_rows}")
        if self.index.metric == "l2":
            return Hits(ids, np.float32(1) - given / np.float32(2))
        return Hits(ids, np.float32(1) - given if better is False else given)

    def exact(self, vectors: Float32, ids: Int64) -> Float32:
        """By any order but that of cosines only unit rows are found in the order of cosines."""
        if self.index.metric in {"dot", "l2"} and ids.size:
            norms = np.linalg.norm(self.corpus[ids].astype(np.float64), axis=1)
            if (np.abs(norms - 1) > _UNIT).any():
                row, name = int(np.argmax(np.abs(norms - 1) > _UNIT)), {"dot": "an inner product is", "l2": "L2 distances tell"}[self.index.metric]
                raise InvalidValueError(f"{name} a cosine for unit rows only; row {ids[row]} of corpus has norm {norms[row]:.4g}")
        return rescore(vectors, self.corpus, np.broadcast_to(ids, (len(vectors), ids.size)))

    def count(self, query: Float32, threshold: float) -> int:
        return int(np.count_nonzero(scores(query, self.corpus, precision="exact") >= np.float32(threshold)))


def _one(given: Any) -> npt.NDArray[Any]:
    query = float_array(given, "query")
    if query.ndim != 1 and query.shape[:-1] != (1,):
        raise InvalidValueError(f"query must have shape (dim,) or (1, dim), got shape {query.shape}")
    return query.reshape(1, -1)
