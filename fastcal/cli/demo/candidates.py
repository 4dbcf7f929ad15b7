"""Split the queries, search, and label what was found."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

import fastcal as fc
from fastcal.errors import InvalidValueError

if TYPE_CHECKING:
    from fastcal.cli.demo.collections import Collection, Rows

DEPTH = 100
MIN_QUERIES = 10
MAX_TIMED = 200


@dataclass(frozen=True)
class Candidates:
    """The exact top of each query, with labels.

    Attributes
    ----------
    queries : ndarray of int64, shape (n_queries,)
    found : fastcal.SearchResult
    labels : ndarray of bool, shape (n_queries, depth)
    n_relevant : ndarray of int64, shape (n_queries,)
        Relevant documents in the whole corpus, found or not.
    """

    queries: Rows
    found: fc.SearchResult
    labels: npt.NDArray[np.bool_]
    n_relevant: Rows

    @property
    def scores(self) -> npt.NDArray[np.float32]:
        """Cosines, shape (n_queries, depth)."""
        return self.found.scores


@dataclass(frozen=True)
class Timing:
    """Milliseconds per query, one at a time (median) and all in one call, and what computed them."""

    single: float
    batch: float
    n_single: int
    n_batch: int
    engine: str


@dataclass(frozen=True)
class Searched:
    """A collection after its search: train and held-out queries share nothing."""

    collection: Collection
    dense: fc.SearchResult
    train: Candidates
    held_out: Candidates
    timing: Timing


def search(collection: Collection, seed: int) -> Searched:
    """Search the whole corpus exactly for every query and split the judged queries in two."""
    index = fc.Index(collection.corpus, metric="cosine")
    depth = min(DEPTH, len(collection.corpus))
    started = time.perf_counter()
    dense = index.search(collection.queries, depth)
    batch = (time.perf_counter() - started) / len(collection.queries)
    train, held_out = split_queries(collection.judged_queries, seed)
    timed = collection.queries[held_out[:MAX_TIMED]]
    timing = Timing(1e3 * _median_seconds(index, timed, depth), 1e3 * batch, len(timed), len(collection.queries), engine())
    return Searched(collection, dense, _labelled(collection, dense, train), _labelled(collection, dense, held_out), timing)


def engine() -> str:
    """Name the backend, its instruction set and the number of threads."""
    backend = fc.backend()
    what = backend.name if backend.isa == backend.name else f"{backend.name} ({backend.isa})"
    return f"{what}, {backend.num_threads} thread{'s' * (backend.num_threads != 1)}"


def split_queries(queries: Rows, seed: int) -> tuple[Rows, Rows]:
    """Split queries into two disjoint halves, each in ascending order; the first, train, is the smaller one."""
    if len(queries) < MIN_QUERIES:
        raise InvalidValueError(f"{len(queries)} queries have a relevant document, expected at least {MIN_QUERIES} to split into train and held-out")
    shuffled = np.random.default_rng(seed).permutation(queries)
    middle = len(queries) // 2
    return np.sort(shuffled[:middle]), np.sort(shuffled[middle:])


def _labelled(collection: Collection, dense: fc.SearchResult, queries: Rows) -> Candidates:
    found = fc.SearchResult(dense.scores[queries], dense.ids[queries], dense.higher_is_better)
    return Candidates(queries, found, collection.labels(queries, found.ids), collection.relevant_counts[queries])


def _median_seconds(index: fc.Index, queries: npt.NDArray[np.float32], depth: int) -> float:
    seconds = []
    for query in queries:
        started = time.perf_counter()
        index.search(query, depth)
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)
