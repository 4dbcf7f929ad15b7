"""Lines of norms for queries whose rows are scattered: a pass over the scores, everything known of queries on the disk.

Every chunk leaves, by buckets of the queries' hash, its distinct queries with their moments or, where that is less, with their scores.
Then a range of buckets at a time is brought together from all chunks, and every chunk is left the lines of its own queries, in the order
it had them. So no chunk looks a query up, and what is in memory does not grow with the number of queries.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from fastcal._backend.protocol import Array
from fastcal.bulk._frames import frame_of
from fastcal.bulk._keys import Groups, Keys, grouped, numbered
from fastcal.bulk._left import Layout, Left
from fastcal.bulk._moments import Lines, Moments, fill_of, lines_of, refuse_infinity
from fastcal.bulk._packed import packed, unpacked
from fastcal.bulk._passes import Run
from fastcal.bulk._spill import by_bucket
from fastcal.bulk._statistics import PLAIN_MAPS, QueryStatistics
from fastcal.errors import InvalidValueError
from fastcal.profile import Profile

STATISTICS, GATHERED = "statistics", "gathered"
# Queries that are brought together at a time, a query counted for each chunk it is in; a fifth of what one takes meanwhile.
TOGETHER, QUERY_BYTES, MOST_BUCKETS = 1 << 17, 160, 4096
ROWS_TOGETHER = 1 << 20


def of_lists(profile: Profile) -> bool:
    """Tell whether the norm of a profile is one of lists, not of single scores; raise where statistics are not enough for it."""
    if profile.norm is None or profile.norm in PLAIN_MAPS:
        return False
    QueryStatistics(profile.norm)
    return True


class Gathered:
    """The lines of all queries, on the disk; a chunk gets those of its own queries."""

    def __init__(self, run: Run) -> None:
        self._run, self._norm = run, run.profile.norm
        self._n = max(1, min(MOST_BUCKETS, -(-run.plan.rows // TOGETHER)))
        query = run.options["query"]
        self._layout = Layout.of(self._norm, run.plan.columns.schema.field(query).type, query)
        self._chunks, self._ranges, self._summed = list[int](), list[int](), list[bool]()

    def gather(self) -> None:
        """Take every row once, then bring together what was seen of each query."""
        run = self._run
        run.over_chunks(STATISTICS, [run.options["query"], run.options["score"]], self._see)
        facts = run.journal.done(STATISTICS)
        queries = sum(fact["queries"] for fact in facts.values())
        n_ranges = min(self._n, -(-queries // TOGETHER))
        self._chunks, self._ranges = sorted(facts), [self._n * i // max(1, n_ranges) for i in range(n_ranges + 1)]
        self._summed = [facts[chunk]["summed"] for chunk in self._chunks]
        if n_ranges:
            run.over_tasks(GATHERED, n_ranges, QUERY_BYTES * -(-queries // n_ranges), self._bring)

    def _see(self, chunk: int, table: Any) -> None:
        """Leave the queries of a chunk."""
        options, frame = self._run.options, frame_of(table)
        groups, scores = grouped(frame.keys(options["query"])), frame.scores(options["score"])
        refuse_infinity(scores, groups, options["score"])
        summed, columns = self._layout.columns(groups, scores, self._n)
        facts = {"rows": table.num_rows, "queries": groups.n, "summed": summed}
        self._run.journal.write(STATISTICS, chunk, f"statistics-{chunk:05}", packed(columns), **facts)

    def _bring(self, task: int) -> None:
        """Leave every chunk the lines of its queries in a range of buckets."""
        at, paths = self._ranges[task : task + 2], [self._run.journal.folder / f"statistics-{chunk:05}" for chunk in self._chunks]
        left = [Left(self._layout, path, summed, self._n, at) for path, summed in zip(paths, self._summed, strict=True)]
        ids = [each.ids() for each in left]
        codes, firsts = numbered(self._layout.keys(ids))
        cuts = np.cumsum([0, *(len(each[0]) for each in ids)])
        every, known, rows = Keys("int64", np.arange(len(firsts))), list[tuple[Array, Moments]](), list[tuple[Array, Array]]()
        for each, (begin, end) in zip(left, pairwise(cuts.tolist()), strict=True):
            if each.summed:
                known.append((codes[begin:end], each.moments()))
            else:
                rows.append(each.rows(codes[begin:end]))
            if sum(len(scores) for _, scores in rows) > ROWS_TOGETHER:
                known, rows = [(every.values, _together(every, known, rows, self._norm))], []
        lines = lines_of(_together(every, known, rows, self._norm), self._norm, self._run.options["higher_is_better"])
        found = np.stack([lines.centre[codes], lines.slope[codes]], axis=1)
        self._run.journal.write(GATHERED, task, f"gathered-{task:05}", packed([(found, cuts)]))

    def of(self, chunk: int) -> QueryStatistics:
        """Return the statistics of the queries of a chunk."""
        at, paths = self._chunks.index(chunk), [self._run.journal.folder / f"gathered-{task:05}" for task in range(len(self._ranges) - 1)]
        lines = [unpacked(path, len(self._chunks), (at, at + 1), [np.float64])[0] for path in paths]
        return _OfChunk(self._norm, np.concatenate(lines).reshape(-1, 2), self._n, self._run.options["higher_is_better"])


def _together(every: Keys, known: list[tuple[Array, Moments]], rows: list[tuple[Array, Array]], norm: str) -> Moments:
    """Return the moments of `every` query, from moments and from scores, each with the codes of their queries."""
    if rows:
        codes, scores = (np.concatenate(each) for each in zip(*rows, strict=True))
        found = Moments.of(norm, Groups(codes, every), scores, "")
        if not known:
            return found
        known = [*known, (every.values, found)]
    keys = Keys("int64", np.concatenate([codes for codes, _ in known]).astype(np.int64))
    return Moments.stacked(keys, [part for _, part in known]).settled()


class _OfChunk(QueryStatistics):
    """The lines of the queries of one chunk, by bucket, ids ascending in each."""

    def __init__(self, norm: str, lines: Array, n_buckets: int, higher_is_better: bool) -> None:
        super().__init__(norm)
        self._higher_is_better = higher_is_better
        self._left, self._n_buckets = lines, n_buckets

    def normalized(self, groups: Groups, scores: Array, *, higher_is_better: bool) -> Array:
        """Return float32 scores by the lines of their queries, which are all those of the chunk."""
        assert higher_is_better == self._higher_is_better
        order, _, _ = by_bucket(groups.distinct, self._n_buckets)
        if len(order) != len(self._left):
            raise InvalidValueError(f"{len(order)} queries, and there were {len(self._left)} when they were gathered: the file has changed")
        lines = np.empty_like(self._left)
        lines[order] = self._left
        return Lines(lines[:, 0], lines[:, 1], fill_of(self.norm)).map(scores, groups.codes)
