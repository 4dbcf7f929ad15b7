"""The passes over the rows: the map of every chunk, and the merge of the best rows."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fastcal import _threads
from fastcal._extras import require
from fastcal._validate.elements import told_from
from fastcal.bulk import _memory
from fastcal.bulk._best_so_far import BestSoFar, most_bytes
from fastcal.bulk._guilty import accuse
from fastcal.bulk._journal import PART, Journal
from fastcal.bulk._plan import Plan, Stream
from fastcal.bulk._rescorer import REDUCED, Rescorer
from fastcal.bulk._spill import Spilled, cut
from fastcal.bulk._statistics import QueryStatistics
from fastcal.bulk._top_rows import TopRows
from fastcal.bulk._workers import work_through
from fastcal.errors import InvalidTypeError, InvalidValueError

MAPPED, MERGED = "mapped", "merged"


class Reduction:
    """Whether to look for the best rows of a chunk: not where most rows stay anyway, as where the rows of a query are scattered.

    A speed-up only: the merge takes the best of what is left. One chunk in 16 is looked at in any case, and all where bars rise.
    """

    def __init__(self) -> None:
        self.best: BestSoFar | None = None
        self._share, self._asked, self._lock = 0.0, 0, threading.Lock()

    def pays(self) -> bool:
        """Tell whether to reduce the next chunk."""
        with self._lock:
            self._asked += 1
            return self._share < REDUCED or self._asked % 16 == 0 or (self.best is not None and self.best.begun)

    def saw(self, rows: int, left: int) -> None:
        """Take how many rows a reduction left of how many."""
        with self._lock:
            self._share = left / rows if rows else 0.0


@dataclass
class Run:
    """What all passes share. ``options`` are those of Rescorer, without top_k and statistics."""

    plan: Plan
    journal: Journal
    profile: Any
    options: dict[str, Any]
    top_k: int | None
    memory: _memory.Budget | None
    n_threads: int
    advance: Any
    reduction: Reduction = field(default_factory=Reduction)

    def rescorer(self, statistics: Any, top_k: int | None) -> Rescorer:
        """Return the map of a chunk."""
        return Rescorer(self.profile, **self.options, statistics=statistics, top_k=top_k, num_threads=1)

    def statistics(self) -> QueryStatistics:
        """Return statistics of no rows."""
        return QueryStatistics(self.profile.norm, query=self.options["query"], score=self.options["score"])

    def top_rows(self) -> TopRows:
        """Return the reduction of a chunk."""
        names = {name: self.options[name] for name in ("query", "doc", "score", "higher_is_better")}
        return TopRows(self.top_k, **names)

    def bars(self) -> BestSoFar | None:
        """Return bars for the best rows; tasks that share no memory have none.

        They may take what workers leave over, of those that keep the CPUs busy: bars save more time than further ones.
        """
        if self.top_k is None or self.memory is None:
            return None
        spare = self.memory.spare(self.plan.chunk_bytes, min(self.n_threads, _threads.usable_cpus() + 1))
        needed = most_bytes(self.top_k, self.plan.rows, self.plan.chunk_rows, self.plan.row_bytes)
        return BestSoFar(self.top_k, self.plan.rows, higher_is_better=self.options["higher_is_better"], memory=min(spare, needed))

    def over_chunks(self, stage: str, names: list[str] | None, work: Callable[[int, Any], None]) -> None:
        """Call ``work`` with every chunk that this pass has not done."""
        done = set(self.journal.done(stage))
        self.advance(sum(fact["rows"] for fact in self.journal.done(stage).values()))

        def one(item: tuple[Stream, int, Any]) -> None:
            self.take(names, work, *item)
            self.advance(item[2].num_rows)
            self.relieve()

        bars = self.reduction.best
        n = self.workers(self.plan.chunk_bytes, self._largest(), 0 if bars is None else bars.memory)
        work_through((self.tables(stream, names, done) for stream in self.plan.streams), one, n, self.advance.tick)

    def _largest(self) -> str:
        held = f" and {_memory.shown(self.plan.held)} that a reader holds" if self.plan.held > self.plan.chunk_bytes // 2 else ""
        return f"tasks of {_memory.shown(self.plan.chunk_bytes - self.plan.held)} of rows{held}"

    def workers(self, piece: int, what: str, beside: int = 0) -> int:
        """Return how many workers fit that hold so many bytes of rows each, beside other bytes."""
        return self.n_threads if self.memory is None else self.memory.workers(piece, self.n_threads, what, beside)

    def relieve(self) -> None:
        """Give memory back, if there is a limit."""
        if self.memory is not None:
            self.memory.relieve()

    def tables(self, stream: Stream, names: list[str] | None, done: set[int]) -> Iterator[tuple[Stream, int, Any]]:
        """Yield the chunks of a stream that are not done; an error says which group cannot be read."""
        try:
            yield from self.plan.tables(stream, names, done)
        except InvalidValueError:
            accuse(self.plan, stream, names, len)
            raise

    def take(self, names: list[str] | None, work: Callable[[int, Any], None], stream: Stream, chunk: int, table: Any) -> None:
        """Call ``work`` with a chunk of these columns; an error says where its rows are."""
        try:
            work(chunk, table)
        except (InvalidValueError, InvalidTypeError) as error:
            alone = self.rescorer(None, None) if names is None else self.statistics().update
            accuse(self.plan, stream, names, alone)
            raise told_from(self.plan.where(stream), error) from error

    def share(self, task: int, n: int) -> int:
        """Return how many rows one of `n` tasks counts for."""
        return self.plan.rows * (task + 1) // n - self.plan.rows * task // n

    def over_tasks(self, stage: str, n: int, piece: int, work: Callable[[int], None]) -> None:
        """Call ``work`` with every one of `n` tasks that this pass has not done; one holds some `piece` bytes of rows."""
        done = set(self.journal.done(stage))
        n_workers = self.workers(piece, "the buckets of queries")
        self.advance(sum(self.share(task, n) for task in done))

        def one(task: int) -> None:
            work(task)
            self.advance(self.share(task, n))
            self.relieve()

        work_through((iter([task]) for task in range(n) if task not in done), one, n_workers, self.advance.tick)

    def spilled(self, stage: str) -> Spilled:
        """Return what a pass has spilled."""
        facts = [self.journal.done(stage)[task] for task in sorted(self.journal.done(stage))]
        return Spilled([self.journal.folder / fact["name"] for fact in facts], self.plan.n_buckets)


def map_rows(run: Run, statistics: Callable[[int], Any]) -> None:
    """Write a part, or spill rows among which are the best, of every chunk."""
    run.reduction.best = run.bars()

    def work(chunk: int, table: Any) -> None:
        reduce = run.top_k is not None and run.reduction.pays()
        out, facts = run.rescorer(statistics(chunk), run.top_k).partial(table, run.reduction.best, reduce=reduce)
        if run.top_k is None:
            write_part(run, MAPPED, chunk, out, **facts)
            return
        if reduce:
            run.reduction.saw(facts["rows"] - facts["padding"] - facts["below_floor"] - facts["not_found"], out.num_rows)
        run.journal.write(MAPPED, chunk, f"best-{chunk:05}", cut(out, run.options["query"], run.plan.n_buckets), **facts)

    run.over_chunks(MAPPED, None, work)
    run.reduction.best = None


def merge_rows(run: Run) -> None:
    """Write the best rows of all chunks, a part for each bucket of queries."""
    spilled = run.spilled(MAPPED)
    largest, one_query = int(spilled.bytes.max()), int((run.top_k or 0) * run.plan.row_bytes)
    fits = largest if run.memory is None else run.memory.piece()
    at_most = min(run.plan.bucket_bytes, fits)
    piece = min(largest, max(one_query, at_most))
    most = fits // run.workers(piece, "the best rows of a query")

    def work(bucket: int) -> None:
        write_part(run, MERGED, bucket, folded(run, spilled.tables(bucket), at_most, most))

    run.over_tasks(MERGED, run.plan.n_buckets, piece, work)


def folded(run: Run, tables: Iterator[Any], at_most: int, most: int) -> Any:
    """Return the best rows of tables; None for no tables.

    They are merged whenever there are `at_most` bytes, or twice as many as the last merge has left: the cost stays that of a few merges
    even where nothing can be dropped. More than `most` bytes that are left have to fit alone.
    """
    top = run.top_rows()
    waiting, size, limit = list[Any](), 0, at_most
    for table in tables:
        waiting.append(table)
        size += table.nbytes
        if size > limit:
            waiting = [top.merge(waiting)]
            size = waiting[0].nbytes
            if size > most and run.memory is not None:
                run.memory.workers(size, 1, "the best rows of the queries of one part")
            limit = max(at_most, 2 * size)
    return top.merge(waiting) if waiting else None


def write_part(run: Run, stage: str, task: int, table: Any, **facts: Any) -> None:
    """Write a file of the result; no rows, no file."""
    if table is None or not table.num_rows:
        run.journal.write(stage, task, None, [], **facts, kept=0, decisions=[0, 0, 0])
        return
    decisions = [0, 0, 0]
    if "decision" in table.column_names:
        decisions = np.bincount(np.asarray(table.column("decision")), minlength=3).tolist()
    part = encoded(table, run.options["query"])
    run.journal.write(stage, task, part_name(task), [part], **facts, kept=table.num_rows, decisions=decisions)


def write_empty(run: Run, schema: Any) -> dict[str, Any]:
    """Write a part with the columns of the result and no rows."""
    run.journal.write("empty", 0, part_name(0), [encoded(schema.empty_table(), run.options["query"])], kept=0, decisions=[0, 0, 0])
    return run.journal.done("empty")[0]


def part_name(task: int) -> str:
    """Return the name of a part."""
    return f"{PART}{task:05}.parquet"


def encoded(table: Any, query: str) -> Any:
    """Return a Parquet file of a table. Dictionaries where values repeat: of queries, decisions and whatever is no number; floats as they are.

    pyarrow 26 writes 26 M rows/s of int64, int64 and float32 so, 16 M with its defaults, in files of the same size.
    """
    pa, parquet = require("pyarrow", "parquet"), require("pyarrow.parquet", "parquet")
    numbers = {column.name for column in table.schema if pa.types.is_integer(column.type) or pa.types.is_floating(column.type)}
    repeating = [name for name in table.column_names if name not in numbers - {query, "decision"}]
    codecs = {column.name: "none" if pa.types.is_floating(column.type) else "snappy" for column in table.schema}
    sink = pa.BufferOutputStream()
    parquet.write_table(table, sink, use_dictionary=repeating, compression=codecs, row_group_size=1 << 20, write_page_checksum=True)
    return memoryview(sink.getvalue())
