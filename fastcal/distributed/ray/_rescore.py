"""A dataset of candidates rescored: one map, and one exchange of the best rows where the best rows are asked for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import ray
import ray.data

from fastcal._validate.numbers import instance, integer
from fastcal.bulk import QueryStatistics, Rescorer, TopRows
from fastcal.distributed.ray._aggregates import MergedStatistics, TopK
from fastcal.distributed.ray._buckets import BUCKET, with_buckets
from fastcal.errors import InvalidValueError
from fastcal.profile import Profile

# Whoever adds a norm to the mergeable ones in bulk/ changes nothing here; these need no statistics at all.
_ELEMENTWISE = frozenset({None, "atan", "sigmoid"})


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
    higher_is_better: bool = True,
    batch_size: int | None = None,
    concurrency: int | None = None,
    n_buckets: int = 64,
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
        Rows handed to a worker at once; a whole block by default, which is fastest. Workers have one CPU and use one thread.
    concurrency : int, optional
        At most so many workers; as many as there are CPUs by default.
    n_buckets : int
        Queries are exchanged in so many groups. A group has to fit in the memory of a worker twice: raise it where the result
        has more than about 10^8 rows.

    Returns
    -------
    ray.data.Dataset
        The columns of `dataset`, ``probability`` (float32) and ``decision`` (uint8).

    Raises
    ------
    ValueError, TypeError
        Before anything runs: a column is missing or of another type, and as :class:`fastcal.bulk.Rescorer`.

    Examples
    --------
    >>> import ray, fastcal as fc, fastcal.distributed.ray as fcr  # doctest: +SKIP
    >>> candidates = ray.data.read_parquet("candidates/")  # doctest: +SKIP
    >>> fcr.rescore(candidates, fc.Profile.load("profile.json"), floor=0.2, top_k=100).write_parquet("best/")  # doctest: +SKIP
    """
    instance(dataset, "dataset", ray.data.Dataset)
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
    names = _Names(query, doc, score, integer(n_buckets, "n_buckets", least=1))
    size = None if batch_size is None else integer(batch_size, "batch_size", least=1)
    how = {"batch_format": "pyarrow", "zero_copy_batch": True, "num_cpus": 1}
    how |= {} if concurrency is None else {"compute": ray.data.TaskPoolStrategy(size=integer(concurrency, "concurrency", least=1))}
    schema = _checked(dataset, rescorer, names)
    work = _Work(rescorer, names, None, top_k is not None)
    if profile.norm not in _ELEMENTWISE:
        work = replace(work, statistics=ray.put(_gathered(dataset, profile.norm, names, how | {"batch_size": size})))
    mapped = dataset.map_batches(work, batch_size=size, **how)
    if top_k is None:
        return mapped
    best = TopK(top_k, query=query, doc=doc, score=score, higher_is_better=higher_is_better)
    merged = mapped.groupby(BUCKET, num_partitions=int(__import__("os").environ.get("NP","8"))).aggregate(best)
    return merged.map_batches(_Unpacked(best, schema), batch_format="pyarrow", batch_size=None)


@dataclass(frozen=True)
class _Names:
    query: str
    doc: str
    score: str
    n_buckets: int


@dataclass(frozen=True)
class _Work:
    """What a worker does with a batch: the rescorer, with the statistics of the queries in it."""

    rescorer: Rescorer
    names: _Names
    statistics: Any  # a reference to their table, which lies once on every machine
    grouped: bool

    @property
    def __name__(self) -> str:
        return "rescore"

    def __call__(self, batch: pa.Table) -> pa.Table:
        found = self.rescorer(batch)
        return with_buckets(found, self.names.query, self.names.n_buckets) if self.grouped else found


@dataclass(frozen=True)
class _Unpacked:
    best: TopK
    schema: pa.Schema

    @property
    def __name__(self) -> str:
        return "unpack"

    def __call__(self, groups: pa.Table) -> pa.Table:
        if not groups.num_rows:
            return self.schema.empty_table()
        return self.best.unpack(groups).drop_columns([BUCKET])


def _checked(dataset: Any, rescorer: Rescorer, names: _Names) -> pa.Schema:
    """Return the schema of the result; a dataset that the rescorer cannot read is told of here."""
    known = dataset.schema()
    if known is None:
        raise InvalidValueError("the dataset is empty: it has no columns")
    schema = known.base_schema
    if not isinstance(schema, pa.Schema):
        schema = dataset.take_batch(1, batch_format="pyarrow").schema
    if BUCKET in schema.names:
        raise InvalidValueError(f"the dataset has a column {BUCKET!r}; that name is used here")
    return rescorer(schema.empty_table()).schema


def _gathered(dataset: Any, norm: str, names: _Names, how: dict[str, Any]) -> pa.Table:
    raise NotImplementedError
