"""What merges, as aggregates of Ray Data: the best rows of each query, and its statistics."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
from ray.data.aggregate import AggregateFnV2
from ray.data.block import BlockAccessor

from fastcal.bulk import QueryStatistics, TopRows

# An accumulator: tables as Arrow IPC streams, the largest first.
Streams = list[bytes]


class _Tables(AggregateFnV2):  # type: ignore[misc]  # Ray's base class is generic over what it does not say
    """Tables that reduce and merge to tables. Pieces wait until they outweigh what was merged before: each row is merged O(log n) times."""

    def __init__(self, name: str) -> None:
        super().__init__(name, list, on=None, ignore_nulls=True)

    def reduce(self, table: pa.Table) -> pa.Table:
        """Return what has to be kept of the rows of a block."""
        raise NotImplementedError

    def merge_tables(self, tables: list[pa.Table]) -> pa.Table:
        """Return what has to be kept of tables that ``reduce`` returned."""
        raise NotImplementedError

    def aggregate_block(self, block: Any) -> Streams:
        """Reduce the rows of one block."""
        return [to_stream(self.reduce(BlockAccessor.for_block(block).to_arrow()))]

    def combine(self, current_accumulator: Streams, new: Streams) -> Streams:
        """Put two accumulators together, in any order."""
        streams = sorted([*current_accumulator, *new], key=len, reverse=True)
        return streams if sum(map(len, streams[1:])) <= len(streams[0]) else self._merged(streams)

    def finalize(self, accumulator: Streams) -> bytes:
        """Return the merged table as one stream."""
        return (accumulator if len(accumulator) == 1 else self._merged(accumulator))[0]

    def _merged(self, streams: Streams) -> Streams:
        return [to_stream(self.merge_tables([from_stream(stream) for stream in streams]))]

    def unpack(self, table: pa.Table) -> pa.Table:
        """Return the rows of a table of results; a function for ``map_batches(batch_format="pyarrow")``."""
        return pa.concat_tables([from_stream(stream) for stream in table.column(self.name).to_pylist()])


class TopK(_Tables):
    """The best `k` rows of each query, as an aggregate of Ray Data.

    Rows are ranked as by :class:`fastcal.bulk.TopRows`: by `on`, the better score first, then by document id. The order is
    total, so the result does not depend on how the rows were split. Group by the query, or by anything that keeps a
    query's rows together: one group of many queries is faster than many groups of one (`rescore` groups by a hash).

    Parameters
    ----------
    k : int
    query, doc, score, on : str
        Names of the columns.
    higher_is_better : bool
        Direction of `score`.
    name : str
        Name of the resulting column: Arrow IPC streams, which :meth:`unpack` turns into rows.

    Examples
    --------
    >>> import ray, fastcal.distributed.ray as fcr  # doctest: +SKIP
    >>> top = fcr.TopK(10)  # doctest: +SKIP
    >>> best = dataset.groupby("query_id").aggregate(top).map_batches(top.unpack, batch_format="pyarrow")  # doctest: +SKIP
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
        name: str = "top_k",
    ) -> None:
        self.rows = TopRows(k, query=query, doc=doc, score=score, on=on, higher_is_better=higher_is_better)
        super().__init__(name)

    def reduce(self, table: pa.Table) -> pa.Table:
        """Return the best rows of each query of a block."""
        return self.rows.reduce(table)

    def merge_tables(self, tables: list[pa.Table]) -> pa.Table:
        """Return the best rows of each query of several blocks."""
        return self.rows.merge(tables)


class MergedStatistics(_Tables):
    """:class:`fastcal.bulk.QueryStatistics` as an aggregate of Ray Data: exact, and the same for any split of the rows.

    Parameters
    ----------
    norm : str
        As for :class:`fastcal.bulk.QueryStatistics`.
    query, score : str
        Names of the columns.
    name : str
        Name of the resulting column: Arrow IPC streams, which :meth:`unpack` turns into rows, one per query, that
        :meth:`fastcal.bulk.QueryStatistics.from_table` reads.

    Examples
    --------
    >>> import ray, fastcal.distributed.ray as fcr  # doctest: +SKIP
    >>> gather = fcr.MergedStatistics("zscore")  # doctest: +SKIP
    >>> rows = dataset.groupby("query_id").aggregate(gather).map_batches(gather.unpack, batch_format="pyarrow")  # doctest: +SKIP
    """

    def __init__(self, norm: str, *, query: str = "query_id", score: str = "score", name: str = "statistics") -> None:
        self.norm, self.query, self.score = norm, query, score
        super().__init__(name)

    def reduce(self, table: pa.Table) -> pa.Table:
        """Return the statistics of the queries of a block."""
        return QueryStatistics(self.norm, query=self.query, score=self.score).update(table).to_table()

    def merge_tables(self, tables: list[pa.Table]) -> pa.Table:
        """Return the statistics of the queries of several blocks."""
        first, *others = (QueryStatistics.from_table(table) for table in tables)
        for other in others:
            first.merge(other)
        return first.to_table()


def to_stream(table: pa.Table) -> bytes:
    """Return a table as an Arrow IPC stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def from_stream(stream: bytes) -> pa.Table:
    """Return the table of a stream; it reads from the bytes it was given."""
    return pa.ipc.open_stream(stream).read_all()
