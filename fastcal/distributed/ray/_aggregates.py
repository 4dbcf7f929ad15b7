"""What merges, as aggregates of Ray Data: the best rows of each query, and its statistics."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from ray.data.aggregate import AggregateFnV2
from ray.data.block import BlockAccessor

from fastcal._validate.numbers import integer
from fastcal.bulk import QueryStatistics, TopRows
from fastcal.distributed.ray._buckets import buckets
from fastcal.errors import InvalidValueError

# The columns between `pack` and `unpack`: Ray hands an aggregate one column, so rows travel as Arrow IPC streams, one for each bucket.
BUCKET, PACKED = "bucket", "rows"
# An accumulator: streams, the largest first.
Streams = list[bytes]


class _Tables(AggregateFnV2):  # type: ignore[misc]  # Ray's classes have no types
    """Tables that reduce and merge to tables. Small ones wait until they outweigh the largest, so each row is merged O(log n) times."""

    def __init__(self, name: str, query: str, n_buckets: int) -> None:
        self.query, self.n_buckets = query, integer(n_buckets, "n_buckets", least=1)
        super().__init__(name, list, on=PACKED, ignore_nulls=True)

    def reduce(self, table: pa.Table) -> pa.Table:
        """Return what has to be kept of some rows."""
        raise NotImplementedError

    def merge_tables(self, tables: list[pa.Table]) -> pa.Table:
        """Return what has to be kept of tables that ``reduce`` returned."""
        raise NotImplementedError

    def pack(self, batch: pa.Table) -> pa.Table:
        """Reduce rows, and spread them over buckets by their query; a function for ``map_batches(batch_format="pyarrow")``."""
        return self.split(self.reduce(batch))

    def split(self, reduced: pa.Table) -> pa.Table:
        """Spread the rows of a table over buckets by their query; no rows are one stream, for its columns."""
        if not reduced.num_rows:
            return pa.table({BUCKET: pa.array([0], pa.int32()), PACKED: pa.array([to_stream(reduced)], pa.large_binary())})
        numbers = buckets(reduced.column(self.query), self.n_buckets)
        ordered = reduced.take(pa.array(np.argsort(numbers, kind="stable")))
        found, counts = np.unique(numbers, return_counts=True)
        parts = zip(np.cumsum(counts) - counts, counts, strict=True)
        streams = [to_stream(ordered.slice(begin, count)) for begin, count in parts]
        return pa.table({BUCKET: pa.array(found, pa.int32()), PACKED: pa.array(streams, pa.large_binary())})

    def _validate(self, schema: Any) -> None:
        """Say what is missing where Ray was given the rows themselves; Ray asks before it aggregates."""
        if PACKED not in getattr(schema, "names", [PACKED]):
            how = f'map_batches(x.pack, batch_format="pyarrow").groupby("{BUCKET}").aggregate(x).map_batches(x.unpack, batch_format="pyarrow")'
            raise InvalidValueError(f"{type(self).__name__} merges packed rows: dataset.{how}, x being the {type(self).__name__}")
        super()._validate(schema)

    def aggregate_block(self, block: Any) -> Streams:
        """Take the streams of one block."""
        streams = BlockAccessor.for_block(block).to_arrow().column(PACKED).to_pylist()
        return streams if len(streams) == 1 else [self._merged(streams)]

    def combine(self, current_accumulator: Streams, new: Streams) -> Streams:
        """Put two accumulators together, in any order."""
        streams = sorted([*current_accumulator, *new], key=len, reverse=True)
        return streams if sum(map(len, streams[1:])) <= len(streams[0]) else [self._merged(streams)]

    def finalize(self, accumulator: Streams) -> bytes:
        """Return the merged table as one stream."""
        return self._merged(accumulator)

    def _merged(self, streams: Streams) -> bytes:
        return to_stream(self.merge_tables([from_stream(stream) for stream in streams]))

    def unpack(self, table: pa.Table) -> pa.Table:
        """Return the rows in a table of results; a function for ``map_batches(batch_format="pyarrow")``."""
        return pa.concat_tables([from_stream(stream) for stream in table.column(self.name).to_pylist()])


class TopK(_Tables):
    """The best `k` rows of each query of a Ray dataset, exactly.

    An aggregate (``AggregateFnV2``) with its two ends: :meth:`pack` keeps the best rows of each block and spreads their queries over a few
    buckets, so that Ray calls Python once a bucket and not once a query; the aggregate merges buckets; :meth:`unpack` makes
    rows of them again. Rows are ranked as by :class:`fastcal.bulk.TopRows`, in a total order: the result does not depend on how rows were split.

    Parameters
    ----------
    k : int
    query, doc, score, on : str
        Names of the columns; `on` ranks first.
    higher_is_better : bool
        Direction of `score`.
    n_buckets : int
        A worker merges a bucket in memory.

    Examples
    --------
    >>> import ray, fastcal.distributed.ray as fcr  # doctest: +SKIP
    >>> top = fcr.TopK(10, on="score")  # doctest: +SKIP
    >>> merged = dataset.map_batches(top.pack, batch_format="pyarrow").groupby("bucket").aggregate(top)  # doctest: +SKIP
    >>> best = merged.map_batches(top.unpack, batch_format="pyarrow")  # doctest: +SKIP
    """

    def __init__(
        self,
        k: int,
        *,
        query: str = "query_id",
        doc: str = "doc_id",
        score: str = "score",
        on: str = "probability",
        higher_is_better: bool = True,
        n_buckets: int = 64,
    ) -> None:
        self._rows = TopRows(k, query=query, doc=doc, score=score, on=on, higher_is_better=higher_is_better)
        super().__init__("top_k", query, n_buckets)

    def reduce(self, table: pa.Table) -> pa.Table:
        """Return the best rows of each query of a table."""
        return self._rows.reduce(table)

    def merge_tables(self, tables: list[pa.Table]) -> pa.Table:
        """Return the best rows of each query of several tables."""
        return self._rows.merge(tables)


class MergedStatistics(_Tables):
    """:class:`fastcal.bulk.QueryStatistics` of a Ray dataset: exact, and the same for any split of the rows.

    An aggregate with its two ends, as :class:`TopK`.

    Parameters
    ----------
    norm : str
        As for :class:`fastcal.bulk.QueryStatistics`, whose ``from_table`` reads the rows that :meth:`unpack` returns.
    query, score : str
        Names of the columns.
    n_buckets : int

    Examples
    --------
    >>> import ray, fastcal.distributed.ray as fcr  # doctest: +SKIP
    >>> gather = fcr.MergedStatistics("zscore")  # doctest: +SKIP
    >>> merged = dataset.map_batches(gather.pack, batch_format="pyarrow").groupby("bucket").aggregate(gather)  # doctest: +SKIP
    >>> statistics = merged.map_batches(gather.unpack, batch_format="pyarrow")  # doctest: +SKIP
    """

    def __init__(self, norm: str, *, query: str = "query_id", score: str = "score", n_buckets: int = 64) -> None:
        QueryStatistics(norm)  # refuses norms that need whole lists
        self.norm, self.score = norm, score
        super().__init__("statistics", query, n_buckets)

    def reduce(self, table: pa.Table) -> pa.Table:
        """Return the statistics of the queries of a table."""
        return QueryStatistics(self.norm, query=self.query, score=self.score).update(table).to_table()

    def merge_tables(self, tables: list[pa.Table]) -> pa.Table:
        """Return the statistics of the queries of several tables of statistics."""
        merged = QueryStatistics.from_table(pa.concat_tables(tables), self.norm, query=self.query, score=self.score)
        return merged.to_table()


def to_stream(table: pa.Table) -> bytes:
    """Return a table as an Arrow IPC stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table.combine_chunks())  # a batch for each chunk otherwise, and dictionaries that change between batches
    return bytes(sink.getvalue())


def from_stream(stream: bytes) -> pa.Table:
    """Return the table of a stream; it reads from the bytes it was given."""
    return pa.ipc.open_stream(stream).read_all()
