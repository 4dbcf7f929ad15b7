"""rescore_files of one process, its chunks and buckets being tasks of Ray: the files of the target are the exchange."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np
import ray
from ray.exceptions import RayError, RayTaskError

from fastcal._validate import files as paths
from fastcal._validate.numbers import integer
from fastcal.bulk import RescoreReport
from fastcal.bulk._files import passed
from fastcal.bulk._journal import written
from fastcal.bulk._memory import CHUNKS_A_WORKER, SHARED_BYTES
from fastcal.bulk._passes import Run
from fastcal.bulk._plan import Plan, Stream
from fastcal.distributed.ray import _calls
from fastcal.errors import FastcalError, WorkerLostError
from fastcal.profile import Profile

# Tasks for each CPU, so that the last ones end at about one time: a gap between tasks costs 10 to 100 ms. A large run has more, of PIECES each.
TASKS, PIECES = 4, 16
# How often a task is done again whose worker died: rows that kill every worker must not be a hang.
RETRIES = 8
TITLE = "fastcal.rescore_files"  # of its tasks, for whoever looks at the cluster
# Seconds between two calls of progress, and how long tasks that are taken back may take to stop.
TICK, PATIENCE = 0.25, 10.0


def rescore_files(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
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
    resume: bool = False,
    concurrency: int | None = None,
    progress: Callable[[float, float], object] | None = None,
) -> RescoreReport:
    """Do what :func:`fastcal.bulk.rescore_files` does, on a Ray cluster: the same files, byte for byte.

    Chunks of rows and buckets of queries are tasks, which Ray schedules and retries; what the tasks of a pass have to
    exchange lies in files in `target`, as in one process. Either can go on with what the other has begun.

    Parameters
    ----------
    source, target : path
        All machines have to see them, under the same path.
    profile : Profile
        Sent to the workers by value.
    query, doc, score, by, top_k, target_precision, target_recall, escalate_from, floor, drop_not_found, higher_is_better, resume, progress
        As for :func:`fastcal.bulk.rescore_files`.
    concurrency : int, optional
        At most so many tasks at a time; as many as there are CPUs by default. A task has one CPU, uses one thread, and reserves
        the memory of a chunk of rows.

    Returns
    -------
    RescoreReport

    Raises
    ------
    ValueError, TypeError, OSError
        As :func:`fastcal.bulk.rescore_files`.
    WorkerLostError
        If workers die again and again over the same rows, which the message names; what is finished by then is kept for `resume`.

    Examples
    --------
    >>> import fastcal as fc, fastcal.distributed.ray as fcr  # doctest: +SKIP
    >>> profile = fc.Profile.load("profile.json")  # doctest: +SKIP
    >>> report = fcr.rescore_files("candidates/", "rescored/", profile, floor=0.2, top_k=100)  # doctest: +SKIP
    >>> report.rows == report.kept + report.padding + report.below_floor + report.not_found + report.beyond_top_k  # doctest: +SKIP
    True
    """
    options: dict[str, Any] = {"query": query, "doc": doc, "score": score, "by": by, "floor": floor, "drop_not_found": drop_not_found}
    options |= {"target_precision": target_precision, "target_recall": target_recall, "escalate_from": escalate_from}
    options |= {"higher_is_better": higher_is_better}
    at_once = None if concurrency is None else integer(concurrency, "concurrency", least=1)
    begin, end = paths.path(source, "source").resolve(), paths.path(target, "target").resolve()
    _calls.start()
    run = partial(_Tasks, memory=None, n_threads=1, at_once=at_once)
    return passed(begin, end, profile, options, top_k, resume=resume, progress=progress, run=run)


class _Tasks(Run):
    """The passes of a run as tasks of Ray. A worker has a copy whose journal lists what it has written."""

    def __init__(self, *, at_once: int | None = None, **shared: Any) -> None:
        super().__init__(**shared)
        self.at_once = at_once

    def __reduce__(self) -> Any:
        return _arrived, (self.plan, self.journal.folder, self.profile.to_dict(), self.options, self.top_k)

    def over_chunks(self, stage: str, names: list[str] | None, work: Callable[[int, Any], None]) -> None:
        """Call ``work`` in a task with every chunk that this pass has not done."""
        done = set(self.journal.done(stage))
        self.advance(sum(fact["rows"] for fact in self.journal.done(stage).values()))
        streams = [each for each in self.plan.streams if not done.issuperset(range(each.first, each.first + len(each.rows)))]

        def one(run: Run, number: int) -> None:
            for item in run.tables(streams[number], names, done):
                run.take(names, work, *item)

        def where(numbers: list[int]) -> str:
            groups = tuple(group for number in numbers for group in streams[number].groups)
            return self.plan.where(Stream(0, groups, (), 0.0))

        self._all(len(streams), one, self.plan.chunk_bytes, lambda fact: int(fact["rows"]), where)

    def over_tasks(self, stage: str, n: int, piece: int, work: Callable[[int], None]) -> None:
        """Call ``work`` in a task with every one of `n` tasks that this pass has not done."""
        done = self.journal.done(stage)
        self.advance(sum(self.share(task, n) for task in done))
        left = [task for task in range(n) if task not in done]

        def one(_: Run, number: int) -> None:
            work(left[number])

        def where(numbers: list[int]) -> str:
            return f"the queries of parts {left[numbers[0]]} to {left[numbers[-1]]} of 0 to {n - 1}, pass {stage!r}"

        self._all(len(left), one, piece, lambda fact: self.share(fact["task"], n), where)

    def _all(
        self,
        n: int,
        one: Callable[[Run, int], None],
        piece: int,
        rows: Callable[[dict[str, Any]], int],
        where: Callable[[list[int]], str],
    ) -> None:
        """Do pieces of work 0 to n - 1, put into the journal what workers say of them, and say `where` they die."""
        if not n:
            return
        cpus = max(1, int(ray.cluster_resources().get("CPU", 1)))
        cuts = np.array_split(np.arange(n), min(n, max(TASKS * cpus, n // PIECES)))
        how: dict[str, Any] = {"num_cpus": 1, "memory": SHARED_BYTES + CHUNKS_A_WORKER * piece, "max_retries": RETRIES}
        task, shared = ray.remote(_done).options(**how, name=TITLE, scheduling_strategy="SPREAD"), ray.put((self, one))
        done_by = dict[Any, list[int]]()

        def begun() -> Iterator[Any]:
            for cut in cuts:
                ref = task.remote(shared, cut.tolist())
                done_by[ref] = cut.tolist()
                yield ref

        later = begun()
        at_work = list(islice(later, self.at_once))
        try:
            while at_work:
                ended, at_work = ray.wait(at_work, timeout=TICK)
                at_work += islice(later, len(ended))
                for said in chain.from_iterable(_answer(ref, where, done_by.pop(ref)) for ref in ended):
                    if isinstance(said, Exception):
                        raise said
                    self.journal.record(said)
                    self.advance(rows(said))
                self.advance.tick()
        finally:
            _end(at_work)


def _done(shared: tuple[Any, Callable[[Run, int], None]], numbers: list[int]) -> list[Any]:
    """Do some pieces of work in a worker; return what goes into the journal, and last the error that ends the run."""
    run, one = shared
    said: list[Any] = run.journal.said
    try:
        for number in numbers:
            one(run, number)
    except (FastcalError, OSError) as error:
        said.append(error)
    return said


def _answer(ref: Any, where: Callable[[list[int]], str], numbers: list[int]) -> list[Any]:
    """Return what a task says; raise where its workers died."""
    try:
        said: list[Any] = ray.get(ref)
    except RayTaskError:
        raise
    except RayError as error:
        again = f"workers died over these rows again and again ({_calls.first_line(error)})"
        kept = "what was finished is kept: call again with resume=True"
        raise WorkerLostError(f"{where(numbers)}: {again}; {kept}") from error
    return said


def _end(tasks: list[Any]) -> None:
    """Take back tasks, and wait until none of them writes any more."""
    for each in tasks:
        ray.cancel(each)
    if tasks:
        ray.wait(tasks, num_returns=len(tasks), timeout=PATIENCE)


class _Said:
    """The journal of a worker."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.said = folder, list[Any]()

    def write(self, stage: str, task: int, name: str | None, pieces: list[Any], **facts: Any) -> None:
        """Write the file of a task, and say so."""
        self.said.append(written(self.folder, stage, task, name, pieces, facts))


def _arrived(plan: Plan, folder: Path, profile: dict[str, Any], options: dict[str, Any], top_k: int | None) -> _Tasks:
    shared: dict[str, Any] = {"plan": plan, "journal": _Said(folder), "profile": Profile.from_dict(profile), "options": options, "top_k": top_k}
    return _Tasks(**shared, memory=None, n_threads=1, advance=None)
