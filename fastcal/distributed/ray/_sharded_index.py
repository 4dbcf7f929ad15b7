"""Exact search over a corpus in shards, each of them an index in an actor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import ray

from fastcal import _backend
from fastcal._backend.protocol import Array
from fastcal._validate import files as validate_files
from fastcal._validate import gates
from fastcal._validate import vectors as validate
from fastcal._validate.arrays import as_array
from fastcal._validate.numbers import integer, number
from fastcal.distributed.ray import _calls, _folder
from fastcal.distributed.ray._shard import Rows, Saved, Shard
from fastcal.errors import InvalidValueError
from fastcal.index._merge import merge_ranges, sort_keys
from fastcal.index._search import beyond, limit_of
from fastcal.index._state import State
from fastcal.results import RangeResult, SearchResult

# How often a call is made again whose actor was lost: one that kills every actor must not be a hang.
RETRIES = 8


class ShardedIndex(State):
    """Exact search over a corpus in shards on a Ray cluster: the results of one :class:`fastcal.Index` on the whole corpus, to the bit.

    Every shard is an index in an actor of its own. A search sends the queries to all of them once and merges their best rows.
    Ray restarts an actor that is lost; it loads its shard again and the search goes on. A shard that cannot
    come back is an error: there are no partial answers. Made by :meth:`build` or :meth:`load`; a context manager.

    Examples
    --------
    >>> import numpy as np, ray, fastcal.distributed.ray as fcr  # doctest: +SKIP
    >>> corpus = np.random.default_rng(0).random((1000, 64), dtype=np.float32)  # doctest: +SKIP
    >>> with fcr.ShardedIndex.build(corpus, n_shards=2, path="shards/") as index:  # doctest: +SKIP
    ...     scores, ids = index.search(corpus[:3], k=10)
    >>> index = fcr.ShardedIndex.load("shards/")  # doctest: +SKIP
    """

    def __init__(self, sources: Sequence[Rows | Saved], *, num_cpus: float = 1, max_restarts: int = -1, timeout: float = 600) -> None:
        cpus = number(num_cpus, "num_cpus", "a number of at least 0", lambda x: 0 <= x < np.inf)
        seconds = number(timeout, "timeout", "a positive number of seconds", lambda x: 0 < x < np.inf)
        options = {"num_cpus": cpus, "max_restarts": integer(max_restarts, "max_restarts", least=-1), "max_task_retries": RETRIES}
        _calls.start()
        _calls.tell_shortage(len(sources), cpus, seconds)
        self._names = [f"shard {i} of {len(sources)} ({source})" for i, source in enumerate(sources)]
        self._sources = list(sources)  # keeps the rows that restarted actors read
        self._actors: list[Any] | None = [ray.remote(Shard).options(**options).remote() for _ in sources]
        try:
            facts = _calls.gather([actor.facts.remote(source) for actor, source in zip(self._actors, sources, strict=True)], self._names, seconds)
        except BaseException:
            self.shutdown()
            raise
        first = facts[0]
        for name, other in zip(self._names, facts, strict=True):
            if other[1:] != first[1:]:
                self.shutdown()
                raise InvalidValueError(f"{name} has {other[1:]}, {self._names[0]} has {first[1:]}; expected shards of one index")
        self._metric, self._width, self._dim, self._has_ids = first.metric, first.width, first.dim, first.has_ids
        self._begins = np.concatenate([[0], np.cumsum([each.n_rows for each in facts])])

    @classmethod
    def build(
        cls,
        corpus: Any,
        n_shards: int,
        metric: str = "cosine",
        *,
        path: Any = None,
        ids: Any = None,
        dims: int | None = None,
        num_cpus: float = 1,
        max_restarts: int = -1,
        timeout: float = 600,
    ) -> Self:
        """Cut a corpus into shards of consecutive rows and index each of them.

        Parameters
        ----------
        corpus : array_like of float, shape (n_rows, dim), or path of a .npy file
            An array is sent to the cluster's object store. A file is mapped by the actors, which have to see it.
        n_shards : int
        metric : {"cosine", "dot", "euclidean"}
        path : str or path-like, optional
            Folder for the shards, which the actors have to see: they are saved there, and restarted actors load them, as
            :meth:`load` does. Without it, a restarted actor builds its index again.
        ids, dims
            As for :class:`fastcal.Index`.
        num_cpus : float
            CPUs that Ray reserves for each shard. A shard searches with one thread.
        max_restarts : int
            How often each actor may be lost; -1 for as often as it happens.
        timeout : float
            Seconds until all shards have to be there. If they need more CPUs than the cluster has, a warning says so at once: one
            that grows may have them by then.

        Raises
        ------
        ValueError, TypeError
            As for :class:`fastcal.Index`; fewer rows than shards; a folder that holds shards already.
        ShardLostError
            Shards did not start in time, for want of CPUs for example.
        """
        count, kind = integer(n_shards, "n_shards", least=1), validate.metric(metric)
        rows = Path(corpus).resolve() if isinstance(corpus, str | Path) else as_array(corpus, "corpus")
        shape = np.load(rows, mmap_mode="r").shape if isinstance(rows, Path) else rows.shape
        if len(shape) != 2 or shape[0] < count:
            raise InvalidValueError(f"corpus must have shape (n_rows, dim) with at least n_shards = {count} rows, got shape {shape}")
        names = validate.external_ids(ids, shape[0])
        folder = None if path is None else _folder.new(path)
        sources: list[Rows | Saved] = []
        for begin, end in zip(*_cuts(shape[0], count), strict=True):
            part = rows if isinstance(rows, Path) else ray.put(np.ascontiguousarray(rows[begin:end]))
            sources.append(Rows(part, begin, end, kind, None if names is None else ray.put(names[begin:end]), dims))
        options: dict[str, Any] = {"num_cpus": num_cpus, "max_restarts": max_restarts, "timeout": timeout}
        return cls(sources if folder is None else _folder.saved(sources, folder, num_cpus), **options)

    @classmethod
    def load(cls, path: Any, *, num_cpus: float = 1, max_restarts: int = -1, timeout: float = 600) -> Self:
        """Search shards that were saved: the folder of :meth:`build`, or the files of indexes, in the order of their rows.

        Parameters
        ----------
        path : str or path-like, or list of them
        num_cpus, max_restarts, timeout
            As for :meth:`build`.

        Raises
        ------
        ValueError
            The folder holds no shards, or the files are not of one metric and dim, or only some of them have external ids.
        ShardLostError
            A file cannot be read, or shards did not start in time.
        """
        paths = list(path) if isinstance(path, list | tuple) else _folder.files(validate_files.path(path, "path").resolve())
        if not paths:
            raise InvalidValueError("path must name a folder or at least one file, got an empty list")
        sources = [Saved(validate_files.path(each, "path").resolve()) for each in paths]
        return cls(sources, num_cpus=num_cpus, max_restarts=max_restarts, timeout=timeout)

    def search(self, queries: Any, k: int, *, threshold: Any = None, allow: Any = None) -> SearchResult:
        """Find the exact best k rows of each query, as :meth:`fastcal.Index.search` does.

        Parameters
        ----------
        queries, k, threshold, allow
            As for :meth:`fastcal.Index.search`.

        Returns
        -------
        SearchResult

        Raises
        ------
        ValueError, TypeError, CorpusChangedError, IndexCorruptError
            As for :meth:`fastcal.Index.search`.
        ShardLostError
            A shard cannot come back; the message names it.
        """
        vectors, count = self._judge_queries(queries, _backend.active()), integer(k, "k", least=1)
        options = {} if threshold is None else {"threshold": gates.thresholds(threshold, len(vectors))}
        sent = ray.put(vectors)
        found = self._scatter(lambda actor, source, part: actor.search.remote(source, sent, count, options | part), allow, len(vectors))
        scores = np.concatenate([part_scores for part_scores, _ in found], axis=1)
        ids = np.concatenate([self._global(part_ids, i) for i, (_, part_ids) in enumerate(found)], axis=1)
        order = np.lexsort((ids, sort_keys(scores, lower_is_better=not self._higher_is_better)), axis=-1)[:, :count]
        best = np.take_along_axis(scores, order, axis=1), np.take_along_axis(ids, order, axis=1)
        return SearchResult(*best, higher_is_better=self._higher_is_better)

    def range_search(self, queries: Any, threshold: Any, *, limit: int | None = None, allow: Any = None) -> RangeResult:
        """Find every row that reaches the threshold, as :meth:`fastcal.Index.range_search` does.

        Parameters
        ----------
        queries, threshold, limit, allow
            As for :meth:`fastcal.Index.range_search`.

        Returns
        -------
        RangeResult

        Raises
        ------
        ValueError, TypeError, CorpusChangedError, IndexCorruptError
            As for :meth:`fastcal.Index.range_search`.
        ShardLostError
            A shard cannot come back; the message names it.
        """
        vectors = self._judge_queries(queries, _backend.active())
        most = limit_of(limit)
        options = {"threshold": gates.thresholds(threshold, len(vectors)), "limit": most}
        sent = ray.put(vectors)
        found = self._scatter(lambda actor, source, part: actor.range_search.remote(source, sent, options | part), allow, len(vectors))
        total = sum(count for count, _ in found)
        if total > most:
            raise beyond(total, most)
        parts = [(offsets, scores, self._global(ids, i)) for i, (_, shard) in enumerate(found) for offsets, scores, ids in shard]
        offsets, scores, ids = merge_ranges(parts, lower_is_better=not self._higher_is_better)
        return RangeResult(offsets, scores, ids, higher_is_better=self._higher_is_better)

    def shutdown(self) -> None:
        """End the actors; saved shards stay. A second call does nothing."""
        actors, self._actors = self._actors, None
        for actor in actors or ():
            ray.kill(actor)

    def _scatter(self, call: Callable[[Any, Any, dict[str, Any]], Any], allow: Any, n_queries: int) -> list[Any]:
        if self._actors is None:
            raise InvalidValueError("this index has been shut down")
        parts = self._parts_of(allow, n_queries)
        return _calls.gather([call(*each) for each in zip(self._actors, self._sources, parts, strict=True)], self._names)

    def _parts_of(self, allow: Any, n_queries: int) -> list[dict[str, Any]]:
        """Return the option `allow` of each shard: columns of the mask, or external ids, which only the shards can look up."""
        if allow is None:
            return [{} for _ in self._names]
        looked_up: list[Array] = []

        def rows_of(ids: Array) -> Array:
            if self._has_ids:
                looked_up.append(np.unique(ids))
                return ids[:0]
            return gates.rows_in_range(ids, len(self))

        mask = gates.allowed(allow, n_queries, len(self), rows_of)
        if looked_up:
            return [{"allow": looked_up[0]} for _ in self._names]
        columns = [mask[:, begin:end] for begin, end in zip(self._begins[:-1], self._begins[1:], strict=True)]
        return [{"allow": np.ascontiguousarray(part if len(part) == n_queries else part[0])} for part in columns]

    def _global(self, ids: npt.NDArray[np.int64], shard: int) -> npt.NDArray[np.int64]:
        return ids if self._has_ids else np.where(ids < 0, ids, ids + self._begins[shard])

    @property
    def metric(self) -> str:
        """The metric the shards were built for."""
        return self._metric

    @property
    def dim(self) -> int:
        """Number of coordinates compared."""
        return self._dim

    @property
    def n_shards(self) -> int:
        """Number of shards."""
        return len(self._names)

    def __len__(self) -> int:
        return int(self._begins[-1])

    def __repr__(self) -> str:
        return f"ShardedIndex(n_rows={len(self)}, n_shards={self.n_shards}, dim={self.dim}, metric={self.metric!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.shutdown()


def _cuts(n_rows: int, n_shards: int) -> tuple[list[int], list[int]]:
    edges = [n_rows * i // n_shards for i in range(n_shards + 1)]
    return edges[:-1], edges[1:]
