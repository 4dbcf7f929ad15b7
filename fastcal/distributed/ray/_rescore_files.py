"""rescore_files of one process, its chunks and buckets being tasks of Ray Data: the files of the target are the exchange."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import ray
import ray.data

from fastcal._validate import files as paths
from fastcal._validate.numbers import integer
from fastcal.bulk import RescoreReport
from fastcal.bulk._files import passed
from fastcal.bulk._journal import written
from fastcal.bulk._memory import CHUNKS_A_WORKER, SHARED_BYTES
from fastcal.bulk._passes import Run
from fastcal.bulk._plan import Plan
from fastcal.errors import FastcalError
from fastcal.profile import Profile

# Tasks for each CPU, so that the last ones end at about one time: a gap between tasks costs 10 to 100 ms. A large run has more, of PIECES each.
TASKS, PIECES = 4, 16


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

    Chunks of rows and buckets of queries are tasks of Ray Data, which schedules and retries them; what the tasks of a pass have to
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
    run = partial(_Tasks, memory=None, n_threads=1, at_once=at_once)
    return passed(begin, end, profile, options, top_k, resume=resume, progress=progress, run=run)


class _Tasks(Run):
    """The passes of a run as tasks of Ray Data. A worker has a copy whose journal lists what it has written."""

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

        self._all(len(streams), one, self.plan.chunk_bytes, lambda fact: int(fact["rows"]))

    def over_tasks(self, stage: str, n: int, piece: int, work: Callable[[int], None]) -> None:
        """Call ``work`` in a task with every one of `n` tasks that this pass has not done."""
        done = self.journal.done(stage)
        self.advance(sum(self.share(task, n) for task in done))
        left = [task for task in range(n) if task not in done]

        def one(_: Run, number: int) -> None:
            work(left[number])

        self._all(len(left), one, piece, lambda fact: self.share(fact["task"], n))

    def _all(self, n: int, one: Callable[[Run, int], None], piece: int, rows: Callable[[dict[str, Any]], int]) -> None:
        """Do pieces of work 0 to n - 1, and put into the journal what workers say of them."""
        if not n:
            return
        cpus = max(1, int(ray.cluster_resources().get("CPU", 1)))
        cuts = np.array_split(np.arange(n), min(n, max(TASKS * cpus, n // PIECES)))
        numbers = ray.data.from_arrow([pa.table({"id": cut}) for cut in cuts])
        how: dict[str, Any] = {"num_cpus": 1, "memory": SHARED_BYTES + CHUNKS_A_WORKER * piece}
        how |= {} if self.at_once is None else {"compute": ray.data.TaskPoolStrategy(size=min(self.at_once, len(cuts)))}
        found = numbers.map_batches(_Worker(self, one), batch_format="pyarrow", batch_size=None, **how)
        for batch in found.iter_batches(batch_format="pyarrow", batch_size=None):
            for said in map(pickle.loads, batch.column("said").to_pylist()):
                if isinstance(said, Exception):
                    raise said
                self.journal.record(said)
                self.advance(rows(said))
            self.advance.tick()


class _Worker:
    """What a task does with its numbers: the work of each, and then a row of what goes into the journal, or the error that ends the run."""

    def __init__(self, run: Any, one: Callable[[Run, int], None]) -> None:
        self.run, self.one = run, one

    def __call__(self, batch: pa.Table) -> Iterator[pa.Table]:
        said = self.run.journal.said
        for number in batch.column("id").to_pylist():
            try:
                self.one(self.run, number)
            except (FastcalError, OSError) as error:
                said.append(error)
            yield pa.table({"said": pa.array(map(pickle.dumps, said), pa.large_binary())})
            said.clear()


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
