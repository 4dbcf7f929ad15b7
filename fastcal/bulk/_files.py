"""Rescoring files of any size."""

from __future__ import annotations

import hashlib
import json
import os
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from fastcal import _threads
from fastcal._extras import require
from fastcal._validate import files as paths
from fastcal._validate import numbers
from fastcal._version import __version__
from fastcal.bulk import _memory
from fastcal.bulk._gathered import Gathered, of_lists
from fastcal.bulk._inputs import found
from fastcal.bulk._journal import writing
from fastcal.bulk._passes import MAPPED, MERGED, Run, map_rows, merge_rows, write_empty
from fastcal.bulk._plan import Plan, planned
from fastcal.bulk._report import RescoreReport
from fastcal.bulk._rescorer import Rescorer
from fastcal.errors import InvalidTypeError, InvalidValueError
from fastcal.profile import Profile


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
    memory: int | str = "1GiB",
    resume: bool = False,
    num_threads: int | None = None,
    progress: Callable[[float, float], object] | None = None,
) -> RescoreReport:
    """Turn files of candidates into files of probabilities and decisions: :class:`Rescorer` over tables that no memory would hold.

    Rows are read in chunks and taken through norm, floor, calibrator, decision and the best rows of each query, exactly as
    ``Rescorer(profile, ...)`` would take the whole table, wherever the rows of a query are. A norm that needs statistics of whole queries
    costs a pass over their scores first; `top_k` keeps the best rows of each chunk on the disk and merges them at the end.

    Parameters
    ----------
    source : path
        A Parquet or Arrow IPC (Feather) file, or a folder of them; folders named ``column=value`` are columns.
    target : path
        A folder that is empty or not there. It gets ``part-*.parquet`` and, last, ``_manifest.json``; until then all is in its
        folder ``_unfinished``. Without `top_k` parts hold the rows in the order of the input; with it, each query is in one part,
        queries ascending, best rows first. Their bytes depend on the input, the settings and the versions only.
    profile : Profile
    query, doc, score, by, top_k, target_precision, target_recall, escalate_from, floor, drop_not_found, higher_is_better
        As of :class:`Rescorer`.
    memory : int or str, default "1GiB"
        What the call may take beyond what the process holds when it begins: bytes, or text such as "512MiB". The best rows of one query
        have to fit in it several times; whether they do shows when all rows have been read once.
    resume : bool
        Go on with what an earlier call, killed or failed, has begun in `target`, and accept what it has finished.
    num_threads : int, optional
        Chunks at work at a time, as far as `memory` allows; by default one more than CPUs, so that files are read and written meanwhile.
    progress : callable, optional
        Called with (rows done, rows in all) from the calling thread, several times a second; every pass counts its rows.

    Returns
    -------
    RescoreReport

    Raises
    ------
    ValueError, TypeError
        If settings do not fit the profile or the columns; if a file is damaged (the message names it and the row group); if `target`
        holds something else, is being written by another process, was begun with another input, profile, setting or version, lies in
        `source` or has it in itself, or was finished and has lost a part since; if `memory` is too small.
    OSError
        If a file cannot be read or written, or the disk is full; what is finished by then is kept for `resume`.

    Examples
    --------
    >>> import tempfile, pathlib, numpy as np, pyarrow as pa, pyarrow.parquet as pq, fastcal as fc
    >>> from fastcal.bulk import rescore_files
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> rows = {"query_id": np.arange(6) % 2, "doc_id": np.arange(6), "score": np.linspace(0, 1, 6, dtype=np.float32)}
    >>> pq.write_table(pa.table(rows), folder / "candidates.parquet")
    >>> platt = fc.PlattCalibrator().fit([0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1])
    >>> profile = fc.Profile("m", "cosine", platt, fc.Threshold(0.5, target_precision=0.9))
    >>> report = rescore_files(folder / "candidates.parquet", folder / "out", profile, top_k=2)
    >>> report.rows, report.kept, report.beyond_top_k
    (6, 4, 2)
    >>> pq.read_table(folder / "out").column("doc_id").to_pylist()
    [4, 2, 5, 3]
    """
    options: dict[str, Any] = {"query": query, "doc": doc, "score": score, "by": by, "floor": floor, "drop_not_found": drop_not_found}
    options |= {"target_precision": target_precision, "target_recall": target_recall, "escalate_from": escalate_from}
    options |= {"higher_is_better": higher_is_better}
    budget, n_threads = _memory.Budget.of(memory), _threads.resolve(num_threads) + (num_threads is None)
    return passed(source, target, profile, options, top_k, resume=resume, progress=progress, run=partial(Run, memory=budget, n_threads=n_threads))


def passed(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    profile: Profile,
    options: dict[str, Any],
    top_k: int | None,
    *,
    resume: bool,
    progress: Callable[[float, float], object] | None,
    run: Callable[..., Run],
) -> RescoreReport:
    """Take files through all passes; `run` makes the object that does them from plan, journal, profile, options, top_k and advance."""
    began = time.monotonic()
    numbers.instance(profile, "profile", Profile)
    begin, folder = paths.path(source, "source"), paths.path(target, "target")
    _apart(begin, folder)
    plan = planned(found(begin))
    whole = Rescorer(profile, **options, top_k=top_k)
    schema, options = _schema(whole, plan), {**options, "higher_is_better": whole.higher_is_better}
    settings = _settings(plan, profile, {**options, "top_k": top_k})
    with writing(folder, settings, resume=numbers.flag(resume, "resume")) as journal:
        resumed = journal.n_done
        clock = _Clock(progress, plan.rows * (1 + (top_k is not None) + 2 * of_lists(profile)))
        manifest = journal.finished()
        done_before = manifest is not None
        if manifest is None:
            manifest = _done(run(plan=plan, journal=journal, profile=profile, options=options, top_k=top_k, advance=clock), schema)
    return RescoreReport.of(str(folder), manifest, resumed=resumed, done_before=done_before, seconds=time.monotonic() - began)


def _apart(source: Path, target: Path) -> None:
    """Raise where one is in the other: a later run would read what this one wrote."""
    here, there = source.resolve(), target.resolve()
    if here == there or here in there.parents or there in here.parents:
        raise InvalidValueError(f"source {source} and target {target} must be apart: neither in the other")


def _schema(rescorer: Rescorer, plan: Plan) -> Any:
    try:
        return rescorer.output_schema(plan.columns.schema)
    except (InvalidValueError, InvalidTypeError) as error:
        raise type(error)(f"{plan.inputs[0].path}: {error}") from error


def _settings(plan: Plan, profile: Profile, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a resumed run must have in common with the one it resumes."""
    text = json.dumps(profile.to_dict(), sort_keys=True)
    return {
        "versions": {"fastcal": __version__, "pyarrow": require("pyarrow", "parquet").__version__},
        "profile": hashlib.sha256(text.encode()).hexdigest(),
        "settings": dict(options),
        "input": [one.to_dict() for one in plan.inputs],
    }


def _done(run: Run, schema: Any) -> dict[str, Any]:
    """Do all passes and return the manifest."""
    statistics: Callable[[int], Any] = _none
    if of_lists(run.profile):
        gathered = Gathered(run)
        gathered.gather()
        statistics = gathered.of
    map_rows(run, statistics)
    if run.top_k is not None:
        merge_rows(run)
    parts = [fact for _, fact in sorted(run.journal.done(MAPPED if run.top_k is None else MERGED).items())]
    if not any("name" in fact for fact in parts):
        parts.append(write_empty(run, schema))
    files = [{name: fact[name] for name in ("name", "kept", "bytes", "digest")} for fact in parts if "name" in fact]
    run.journal.finish({"rows": _counts(run, parts), "files": files}, [one["name"] for one in files])
    return run.journal.finished() or {}


def _none(_: int) -> None:
    return None


def _counts(run: Run, parts: list[dict[str, Any]]) -> dict[str, int]:
    mapped = run.journal.done(MAPPED).values()
    names = ("rows", "padding", "below_floor", "not_found")
    counts = {name: sum(fact[name] for fact in mapped) for name in names}
    counts["kept"] = sum(fact["kept"] for fact in parts)
    counts["beyond_top_k"] = counts["rows"] - sum(counts[name] for name in names[1:]) - counts["kept"]
    return counts | {name: sum(fact["decisions"][i] for fact in parts) for i, name in enumerate(("abstain", "escalate", "act"))}


class _Clock:
    """Adds up rows from all threads, and tells them from one."""

    def __init__(self, progress: Callable[[float, float], object] | None, total: int) -> None:
        self._progress, self._total, self._done, self._lock = progress, total, 0, threading.Lock()

    def __call__(self, rows: int) -> None:
        with self._lock:
            self._done += rows

    def tick(self) -> None:
        if self._progress is not None:
            self._progress(self._done, self._total)
