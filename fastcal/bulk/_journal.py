"""The folder a run writes to: what is done, and under which settings.

Until the end everything is in ``OUT/_unfinished``: ``plan.json``, a line of ``journal.jsonl`` for each task that is on the disk,
and the files of those tasks. At the end the parts move up, ``_manifest.json`` appears, and ``_unfinished`` goes. Whatever
the moment of death, a file that the journal does not name counts for nothing.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fastcal._atomic import appearing, replacing, sync_folder
from fastcal.bulk._finished import check, unchanged
from fastcal.errors import InvalidValueError
from fastcal.index._image import digest_of

MANIFEST, UNFINISHED, PART = "_manifest.json", "_unfinished", "part-"
BOOT = Path("/proc/sys/kernel/random/boot_id")


@contextmanager
def writing(target: Path, plan: Mapping[str, Any], *, resume: bool) -> Iterator[Journal]:
    """Hold the folder, made if it is not there, against every other process, with the journal of this run.

    Nothing is left behind by a body that fails before it has finished a task.
    """
    if target.exists() and not target.is_dir():
        raise InvalidValueError(f"{target} is a file; expected a folder that is empty or not there")
    made = not target.exists()
    target.mkdir(parents=True, exist_ok=True)
    folder = os.open(target, os.O_RDONLY)
    journal = None
    try:
        _lock(target, folder)
        journal = Journal.opened(target, plan, resume=resume)
        yield journal
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            kept = "; what is finished is kept, resume when there is room" if journal is not None and journal.n_done else ""
            raise OSError(error.errno, os.strerror(error.errno) + kept, str(target)) from error
        raise
    finally:
        if journal is not None and not journal.n_done and journal.finished() is None:
            shutil.rmtree(journal.folder, ignore_errors=True)
        if made and not any(target.iterdir()):
            target.rmdir()
        os.close(folder)


def _lock(target: Path, folder: int) -> None:
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise InvalidValueError(f"{target} is being written by another process") from None


def store(path: Path, pieces: list[Any], *, lasting: bool) -> None:
    """Write a file that has its name once it is whole; a lasting one is on the disk by then.

    Neither the name nor the line of the journal has to be there after a loss of power: without one of them the task is done again.
    """
    with appearing(path, path) as file:
        for piece in pieces:
            file.write(piece)
        file.flush()
        if lasting:
            os.fdatasync(file.fileno())


def written(folder: Path, stage: str, task: int, name: str | None, pieces: list[Any], facts: Mapping[str, Any]) -> dict[str, Any]:
    """Put the file of a task on the disk, if it has a name, and return what the journal has to know."""
    fact = {"pass": stage, "task": task, **facts}
    if name is None:
        return fact
    part = name.startswith(PART)
    store(folder / name, pieces, lasting=part)
    return {**fact, "name": name, "bytes": sum(len(piece) for piece in pieces)} | ({"digest": digest_of(*pieces)} if part else {})


class Journal:
    """Tasks that are done, by pass and number; each has the facts it was journalled with."""

    def __init__(self, target: Path, plan: Mapping[str, Any]) -> None:
        self.target, self.folder = target, target / UNFINISHED
        self._plan, self._lock = json.loads(json.dumps(plan)), threading.Lock()
        self._boot = BOOT.read_text(encoding="ascii").strip() if BOOT.is_file() else ""
        self._done: dict[str, dict[int, dict[str, Any]]] = {}

    @classmethod
    def opened(cls, target: Path, plan: Mapping[str, Any], *, resume: bool) -> Journal:
        """Begin anew in an empty folder, or go on where the same run stopped; anything else is refused."""
        journal = cls(target, plan)
        here = sorted(path.name for path in target.iterdir())
        if here and not resume:
            hint = "; resume=True (--resume) goes on with what was begun there" if {MANIFEST, UNFINISHED} & set(here) else ""
            raise InvalidValueError(f"{target} is not empty{hint}")
        if here and MANIFEST not in here and not (journal.folder / "plan.json").is_file():
            if here != [UNFINISHED]:
                raise InvalidValueError(f"{target} is not empty, and nothing was begun there that could be resumed")
            shutil.rmtree(journal.folder)
        journal._begin()
        return journal

    def _begin(self) -> None:
        if (found := self.finished()) is not None:
            self._compare(found["plan"])
            check(self.target, found)
            shutil.rmtree(self.folder, ignore_errors=True)
            return
        plan = self.folder / "plan.json"
        if plan.is_file():
            self._compare(json.loads(plan.read_bytes()))
            self._replay()
            return
        self.folder.mkdir(exist_ok=True)
        sync_folder(self.target)
        with replacing(plan) as file:
            file.write(_as_json(self._plan))

    def finished(self) -> dict[str, Any] | None:
        """Return the manifest, if the run came to its end."""
        manifest = self.target / MANIFEST
        return json.loads(manifest.read_bytes()) if manifest.is_file() else None

    def _compare(self, before: dict[str, Any]) -> None:
        for name, value in self._plan.items():
            if before.get(name) != value:
                raise InvalidValueError(f"{self.target} was begun with {_difference(name, before.get(name), value)}; write to another folder")

    def _replay(self) -> None:
        journal = self.folder / "journal.jsonl"
        text = journal.read_bytes() if journal.is_file() else b""
        whole = text[: text.rfind(b"\n") + 1]
        if whole != text:  # the last line was cut by the end of the process
            os.truncate(journal, len(whole))
        names = {"plan.json", "journal.jsonl"}
        for line in whole.splitlines():
            fact = json.loads(line)
            if self._there(fact):
                self._done.setdefault(fact["pass"], {})[fact["task"]] = fact
                names.add(fact.get("name", ""))
        for path in self.folder.iterdir():
            if path.name not in names:
                path.unlink()

    def _there(self, fact: dict[str, Any]) -> bool:
        """Tell whether the file of a task is there, a part with its bytes; it may have moved up already, another file may be lost with the power."""
        if "name" not in fact:
            return True
        places = [path for path in (self.folder / fact["name"], self.target / fact["name"]) if path.is_file()]
        if fact["name"].startswith(PART):
            return any(unchanged(path, fact) for path in places)
        return fact["boot"] == self._boot and any(path.stat().st_size == fact["bytes"] for path in places)

    @property
    def n_done(self) -> int:
        """Number of finished tasks."""
        return sum(map(len, self._done.values()))

    def done(self, stage: str) -> dict[int, dict[str, Any]]:
        """Return the facts of the finished tasks of a pass."""
        return self._done.setdefault(stage, {})

    def write(self, stage: str, task: int, name: str | None, pieces: list[Any], **facts: Any) -> None:
        """Put the file of a task on the disk, then its line; without a name there is no file."""
        self.record(written(self.folder, stage, task, name, pieces, facts))

    def record(self, fact: Mapping[str, Any]) -> None:
        """Put the line of a task on the disk, whose file :func:`written` has put there."""
        line = {**fact, "boot": self._boot} if "name" in fact else dict(fact)
        with self._lock:
            with (self.folder / "journal.jsonl").open("ab") as journal:
                journal.write(json.dumps(line).encode() + b"\n")
            self._done.setdefault(line["pass"], {})[line["task"]] = line

    def finish(self, manifest: Mapping[str, Any], parts: list[str]) -> None:
        """Move the parts up; with the manifest the run is complete."""
        for name in parts:
            if (self.folder / name).exists():
                (self.folder / name).replace(self.target / name)
        sync_folder(self.target)
        with replacing(self.target / MANIFEST) as file:
            file.write(_as_json({**manifest, "plan": self._plan}))
        shutil.rmtree(self.folder)


def _as_json(value: Any) -> bytes:
    return json.dumps(value, indent=1, sort_keys=True).encode() + b"\n"


def _difference(name: str, before: Any, now: Any) -> str:
    if name == "settings" and isinstance(before, dict):
        key = next(key for key in now if before.get(key) != now[key])
        return f"{key}={before.get(key)!r}, and now it is {now[key]!r}"
    if name == "input" and isinstance(before, list):
        changed = next((a["name"] for a, b in zip(before, now, strict=False) if a != b), None)
        return f"another input: {changed or 'the number of files'} has changed"
    if name == "versions":
        return f"{_versions(before)}, and this is {_versions(now)}"
    return f"another {name}"


def _versions(value: Any) -> str:
    return " and ".join(f"{name} {version}" for name, version in value.items()) if isinstance(value, dict) else repr(value)
