"""One shard: where its rows come from, and the actor that searches them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import ray

from fastcal._backend.protocol import Array
from fastcal.distributed.ray import _calls
from fastcal.errors import InvalidElementError
from fastcal.index import Index
from fastcal.index._merge import Range


@dataclass(frozen=True)
class Rows:
    """Rows of a corpus from which an actor builds its index, again after each restart."""

    corpus: Any  # a reference to these rows alone, or the path of a .npy file that holds all
    begin: int
    end: int
    metric: str
    ids: Any  # a reference to their external ids, or None
    dims: int | None

    def open(self) -> Index:
        """Build the index."""
        in_file = isinstance(self.corpus, Path)
        rows = np.load(self.corpus, mmap_mode="r")[self.begin : self.end] if in_file else ray.get(self.corpus)
        try:
            return Index(rows, self.metric, ids=None if self.ids is None else ray.get(self.ids), dims=self.dims, num_threads=1)
        except InvalidElementError as error:
            width = self.dims or rows.shape[1]
            row = error.at // width
            error.args = (str(error).replace(f"row {row} ", f"row {self.begin + row} ", 1),)
            error.at += self.begin * width
            raise

    def __str__(self) -> str:
        return f"rows {self.begin} to {self.end - 1}" + (f" of {self.corpus}" if isinstance(self.corpus, Path) else "")


@dataclass(frozen=True)
class Saved:
    """The file of an index, which every machine that may run the actor has to see."""

    path: Path

    def open(self) -> Index:
        """Load the index."""
        return Index.load(self.path, num_threads=1)

    def __str__(self) -> str:
        return str(self.path)


class Facts(NamedTuple):
    """What the shards of one index share, and the size of this one."""

    n_rows: int
    metric: str
    width: int
    dim: int
    has_ids: bool


class Shard:
    """An index in an actor, opened by its first call, so that a failure is that call's error and not the end of the actor.

    Every call brings the source, so that an actor that was restarted has it too, and may return an error, see :func:`_calls.said`.
    """

    def __init__(self) -> None:
        self._index: Index | None = None

    def _opened(self, source: Rows | Saved) -> Index:
        if self._index is None:
            self._index = source.open()
        return self._index

    @_calls.said
    def facts(self, source: Rows | Saved) -> Facts:
        """Say what the index is."""
        index = self._opened(source)
        return Facts(len(index), index.metric, index._width, index.dim, index._has_ids)  # noqa: SLF001

    @_calls.said
    def search(self, source: Rows | Saved, queries: Array, k: int, options: dict[str, Any]) -> tuple[Array, Array]:
        """Return scores and ids of the best k rows of this shard."""
        found = self._opened(source).search(queries, k, num_threads=1, **options)
        return found.scores, found.ids

    @_calls.said
    def range_search(self, source: Rows | Saved, queries: Array, options: dict[str, Any]) -> tuple[int, list[Range]]:
        """Return how many rows of this shard reach the threshold and, unless more than the limit, offsets, scores and ids of some segments."""
        return self._opened(source)._reaching(queries, num_threads=1, **options)  # noqa: SLF001


@_calls.said
def save(source: Rows, path: Path) -> None:
    """Build an index and save it, with the rows unless they lie in a file of their own."""
    source.open().save(path, include_corpus=not isinstance(source.corpus, Path), num_threads=1)
