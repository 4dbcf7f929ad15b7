"""A dataset of candidates rescored: one map, and one exchange of the best rows where the best rows are asked for."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import ray
import ray.data
from ray.exceptions import RayTaskError

from fastcal._validate.numbers import instance, integer
from fastcal.bulk import QueryStatistics, Rescorer
from fastcal.bulk._statistics import PLAIN_MAPS
from fastcal.distributed.ray import _calls
from fastcal.distributed.ray._aggregates import BUCKET, MergedStatistics, TopK, from_stream
from fastcal.distributed.ray._buckets import sort_keys
from fastcal.errors import FastcalError, InvalidValueError
from fastcal.profile import Profile

# Buckets of queries in each part, so that parts are of about one size.
BUCKETS = 4
# Smaller blocks are put together: 500 of 200 rows took 35 s, each being a task and a part of the exchange, and 1.5 s in batches of 4,096.
BATCH_ROWS = 1 << 16


def rescore(
    dataset: Any,
    profile: Profile,
    *,
    query: str = "query_id",
    doc: str = "doc_id",
    score: str = "score",
    by: str | None = None,
    top_k: int | None = None,
    target_precision: float | None = None,
    target_recall: float | None = None,
    escalate_from: float | None = None,
    floor: float | None = None,
    drop_not_found: bool = False,
    higher_is_better: bool | None = None,
    batch_size: int | None = None,
    concurrency: int | None = None,
    n_partitions: int | None = None,
) -> Any:
    """Give a Ray dataset of candidates probabilities and decisions, and keep the best rows of each query.

    The rows are those of :class:`fastcal.bulk.Rescorer` on the whole table, bit for bit, however the dataset is cut into blocks and
    in whatever order these come. Rows of a query lie together and best first if `top_k` is given; ``Dataset.sort`` orders the
    queries. Nothing runs before the dataset is consumed, with one exception: a profile whose norm needs statistics of
    whole queries reads the query and score columns once here.

    Parameters
    ----------
    dataset : ray.data.Dataset
    profile : Profile
        Sent to the workers by value.
    query, doc, score : str
        Names of the columns.
    by : str, optional
        Column that a GroupCalibrator tells apart.
    top_k : int, optional
        Keep the best so many rows of each query: first of each block, then exactly, by :class:`TopK`.
    target_precision, target_recall, escalate_from, floor, drop_not_found, higher_is_better
        As for :class:`fastcal.bulk.Rescorer`.
    batch_size : int, optional
        Rows handed to a worker at once, 65,536 by default: smaller blocks are put together, larger ones cut. Workers have one CPU and use
        one thread.
    concurrency : int, optional
        At most so many workers; as many as there are CPUs by default.
    n_partitions : int, optional
        Parts in which the best rows, or the statistics of a norm, are merged, two for each CPU of the cluster by default. A worker holds a
        part in memory about three times, so raise it where the result is large. An error where nothing is merged.

    Returns
    -------
    ray.data.Dataset
        The columns of `dataset`, ``probability`` (float32) and ``decision`` (uint8), also where no row is left; Ray writes no file of no rows.

    Raises
    ------
    ValueError, TypeError
        Before anything runs: a column is missing or of another type, and as :class:`fastcal.bulk.Rescorer`. Bad rows (a null id) are found
        when the dataset is consumed: Ray then raises ``RayTaskError`` with the message in it, which is also the ValueError or TypeError
        if ``dataset.context.raise_original_map_exception`` is True.

    Examples
    --------
    >>> import ray, fastcal as fc, fastcal.distributed.ray as fcr  # doctest: +SKIP
    >>> candidates = ray.data.read_parquet("candidates/")  # doctest: +SKIP
    >>> fcr.rescore(candidates, fc.Profile.load("profile.json"), floor=0.2, top_k=100).write_parquet("best/")  # doctest: +SKIP
    """
    instance(dataset, "dataset", ray.data.Dataset)
    _calls.start()
    rescorer = Rescorer(
        profile,
        query=query,
        doc=doc,
        score=score,
        by=by,
        top_k=top_k,
        target_precision=target_precision,
        target_recall=target_recall,
        escalate_from=escalate_from,
        floor=floor,
        drop_not_found=drop_not_found,
        higher_is_better=higher_is_better,
        num_threads=1,
    )
    size = BATCH_ROWS if batch_size is None else integer(batch_size, "batch_size", least=1)
    how: dict[str, Any] = {"batch_format": "pyarrow", "zero_copy_batch": True, "num_cpus": 1, "batch_size": size}
    how |= {} if concurrency is None else {"compute": ray.data.TaskPoolStrategy(size=integer(concurrency, "concurrency", least=1))}
    rescorer.output_schema(_schema_of(dataset))
    n_parts = _default_parts() if n_partitions is None else integer(n_partitions, "n_partitions", least=1)
    statistics, norm = None, None if profile.norm in PLAIN_MAPS else profile.norm
    if n_partitions is not None and top_k is None and norm is None:
        why = "without top_k and a norm of lists no rows are exchanged; leave it out"
        raise InvalidValueError(f"n_partitions = {n_partitions} has nothing to cut: {why}")
    if norm is not None:
        gather = MergedStatistics(norm, query=query, score=score, n_buckets=BUCKETS * n_parts)
        statistics = ray.put(_Sorted.of(_gathered(dataset, gather, n_parts, how), query))
    if top_k is None:
        return dataset.map_batches(_Rescored(rescorer, statistics, None), **how)
    best = TopK(top_k, query=query, doc=doc, score=score, higher_is_better=rescorer.higher_is_better, n_buckets=BUCKETS * n_parts)
    packed = dataset.map_batches(_Rescored(rescorer, statistics, best), **how)
    merged = packed.groupby(BUCKET, num_partitions=n_parts).aggregate(best)
    return merged.map_batches(best.unpack, batch_format="pyarrow", batch_size=None)


@dataclass(frozen=True)
class _Sorted:
    """A table of statistics, queries ascending, and its rows by key, so that a batch looks up its own queries and reads no others."""

    table: pa.Table
    keys: npt.NDArray[Any]
    rows: npt.NDArray[np.int64]

    @classmethod
    def of(cls, table: pa.Table, query: str) -> _Sorted:
        """Take a table whose queries ascend."""
        keys = sort_keys(table.column(query))
        rows = np.argsort(keys, kind="stable")
        return cls(table.combine_chunks(), keys[rows], rows)

    def rows_of(self, queries: Any) -> pa.Table:
        """Return the rows of these queries, and of texts that share a key with one."""
        asked = np.unique(sort_keys(queries)).astype(self.keys.dtype)  # of one type, or both would be compared as floats
        begins, ends = (np.searchsorted(self.keys, asked, side) for side in ("left", "right"))
        places = np.repeat(ends - np.cumsum(ends - begins), ends - begins) + np.arange((ends - begins).sum())
        return self.table.take(pa.array(np.sort(self.rows[places])))


@dataclass(frozen=True)
class _Rescored:
    """What a worker does with a batch: rescore it with the statistics of the queries in it, and pack its best rows."""

    rescorer: Rescorer
    statistics: Any  # a reference to a _Sorted, which lies once on every machine
    best: TopK | None

    def __call__(self, batch: pa.Table) -> pa.Table:
        found = self._with_statistics(batch)(batch)
        return found if self.best is None else self.best.split(found)

    def _with_statistics(self, batch: pa.Table) -> Rescorer:
        if self.statistics is None:
            return self.rescorer
        rescorer, known = copy(self.rescorer), ray.get(self.statistics)
        norm, query = str(rescorer.profile.norm), rescorer.query
        rescorer.statistics = QueryStatistics.from_table(known.rows_of(batch.column(query)), norm, query=query, score=rescorer.score)
        return rescorer


def _gathered(dataset: Any, gather: MergedStatistics, n_parts: int, how: dict[str, Any]) -> pa.Table:
    """Return the statistics of all queries, a row for each, queries ascending."""
    packed = dataset.select_columns([gather.query, gather.score]).map_batches(gather.pack, **how)
    found = _taken(packed.groupby(BUCKET, num_partitions=n_parts).aggregate(gather))
    if not found:
        return gather.reduce(_schema_of(dataset).empty_table())
    return gather.merge_tables([from_stream(each[gather.name]) for each in found])


def _taken(dataset: Any) -> list[dict[str, Any]]:
    """Return all rows; what a worker says of bad rows is raised as it is said."""
    context = dataset.context  # that of the caller's dataset, too
    before, context.raise_original_map_exception = context.raise_original_map_exception, True
    try:
        return list(dataset.take_all())
    except RayTaskError as error:
        if isinstance(error.cause, FastcalError):
            error.cause.args = tuple(str(error.cause).splitlines()[:1])  # Ray adds lines on retries
            raise error.cause from None
        raise
    finally:
        context.raise_original_map_exception = before


def _schema_of(dataset: Any) -> pa.Schema:
    known = dataset.schema()
    if known is None:
        raise InvalidValueError("the dataset is empty: not even its columns are known")
    schema = known.base_schema
    if not isinstance(schema, pa.Schema):  # blocks of pandas
        schema = dataset.take_batch(1, batch_format="pyarrow").schema
    return schema


def _default_parts() -> int:
    return 2 * max(1, int(ray.cluster_resources().get("CPU", 1)))
