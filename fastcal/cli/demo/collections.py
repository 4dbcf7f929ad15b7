"""What every screen of the demo reads: vectors, judgements and, where there is one, a lexical run."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Sequence

    import fastcal as fc

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Qrels:
    """Judgements by row number; a pair that is not listed counts as not relevant.

    Attributes
    ----------
    queries, docs : ndarray of int64, shape (n_judged,)
        Rows of the relevant pairs, each pair once.
    grades : ndarray of int64, shape (n_judged,)
        At least 1.
    """

    queries: Rows
    docs: Rows
    grades: Rows

    @classmethod
    def from_lists(cls, relevant: Sequence[Sequence[int] | Rows]) -> Qrels:
        """Build binary judgements from the relevant rows of each query, in query order."""
        counts = [len(rows) for rows in relevant]
        docs = np.concatenate([np.asarray(rows, dtype=np.int64) for rows in relevant]) if counts else np.empty(0, np.int64)
        return cls(np.repeat(np.arange(len(counts)), counts), docs, np.ones(len(docs), np.int64))


@dataclass(frozen=True)
class Collection:
    """One retrieval collection; row numbers stand for queries and documents everywhere.

    Attributes
    ----------
    name, vectors, judgements : str
        What it is called, what the vectors are, where the labels come from.
    caveats : tuple of str
        What a reader must know before believing a number.
    queries, corpus : ndarray, shape (n, dim)
    qrels : Qrels
    lexical : fastcal.Run or None
        A second ranked list per query, by document row.
    """

    name: str
    vectors: str
    judgements: str
    queries: npt.NDArray[Any]
    corpus: npt.NDArray[Any]
    qrels: Qrels
    lexical: fc.Run | None = None
    caveats: tuple[str, ...] = ()

    @cached_property
    def _pairs(self) -> Rows:
        return np.sort(self.qrels.queries * len(self.corpus) + self.qrels.docs)

    @cached_property
    def relevant_counts(self) -> Rows:
        """Relevant documents of each query, shape (n_queries,)."""
        return np.bincount(self.qrels.queries, minlength=len(self.queries)).astype(np.int64)

    @property
    def judged_queries(self) -> Rows:
        """Rows of the queries with at least one relevant document."""
        return np.flatnonzero(self.relevant_counts)

    @cached_property
    def kin(self) -> int:
        """Number of judged queries whose relevant documents are exactly those of another query."""
        by_query = np.split(self._pairs % len(self.corpus), np.cumsum(self.relevant_counts)[:-1])
        sizes = Counter(docs.tobytes() for docs in by_query if len(docs))
        return sum(size for size in sizes.values() if size > 1)

    def labels(self, queries: Rows, docs: Rows) -> npt.NDArray[np.bool_]:
        """Tell which ``docs`` (n, m) are relevant to ``queries`` (n,)."""
        pairs = queries[:, None] * len(self.corpus) + docs
        at = np.minimum(np.searchsorted(self._pairs, pairs), len(self._pairs) - 1)
        return np.asarray(self._pairs[at] == pairs)
