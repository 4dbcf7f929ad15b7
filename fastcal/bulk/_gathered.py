"""Statistics of queries whose rows are scattered: one pass over the scores, state on the disk."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from fastcal._extras import require
from fastcal.bulk._passes import Run
from fastcal.bulk._spill import Spilled, buckets_of, cut
from fastcal.bulk._statistics import PLAIN_MAPS, QueryStatistics
from fastcal.profile import Profile

STATISTICS, GATHERED = "statistics", "gathered"


def of_lists(profile: Profile) -> bool:
    """Tell whether the norm of a profile is one of lists, not of single scores; raise where statistics are not enough for it."""
    if profile.norm is None or profile.norm in PLAIN_MAPS:
        return False
    QueryStatistics(profile.norm)
    return True


class Gathered:
    """The statistics of all queries, on the disk; a chunk gets those of its own queries."""

    def __init__(self, run: Run) -> None:
        self._run, self._names = run, {name: run.options[name] for name in ("query", "score")}

    def _new(self) -> QueryStatistics:
        return QueryStatistics(self._run.profile.norm, **self._names)

    def _from(self, table: Any) -> QueryStatistics:
        return QueryStatistics.from_table(table, self._run.profile.norm, **self._names)

    def gather(self) -> None:
        """Take every row once, then bring together what was seen of each query."""
        run, query = self._run, self._run.options["query"]

        def see(chunk: int, table: Any) -> None:
            pieces = cut(self._new().update(table).to_table(), query, run.plan.n_buckets)
            run.journal.write(STATISTICS, chunk, f"statistics-{chunk:05}", pieces, rows=table.num_rows)

        def bring(bucket: int, tables: Iterator[Any]) -> None:
            whole = self._new()
            for table in tables:
                whole.merge(self._from(table))
            run.journal.write(GATHERED, bucket, f"gathered-{bucket:05}", cut(whole.to_table(), query, 1))

        run.over_chunks(STATISTICS, [query, run.options["score"]], see)
        run.over_buckets(GATHERED, run.spilled(STATISTICS), bring)

    def of(self, table: Any) -> QueryStatistics:
        """Return the statistics of the queries of a table."""
        pa, compute = require("pyarrow", "parquet"), require("pyarrow.compute", "parquet")
        query = self._run.options["query"]
        here = compute.unique(table.column(query))
        buckets = np.unique(buckets_of(pa.chunked_array([here]), self._run.plan.n_buckets))
        paths = [self._run.journal.folder / f"gathered-{bucket:05}" for bucket in buckets]
        known = (table for path in paths for table in Spilled([path], 1).tables(0))
        found = [table.filter(compute.is_in(table.column(query), here.cast(table.column(query).type))) for table in known]
        return self._from(pa.concat_tables(found)) if found else self._new()
