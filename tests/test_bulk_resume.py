"""A run that was stopped and resumed gives the bytes of one that was not; what cannot be resumed is refused."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import time

import numpy as np
import pytest
from bulk_files import candidates, content, profile_of, report_of, start

import fastcal as fc
from fastcal.bulk import _journal, _plan, rescore_files
from fastcal.bulk._finished import unchanged
from fastcal.index._image import digest_of

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

BEST = {"top_k": 9, "floor": 0.2}


class Crash(BaseException):
    """What no handler expects."""


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    monkeypatch.setattr(_plan, "CHUNK_ROWS", 700)
    monkeypatch.setattr(_plan, "BUCKET_BYTES", 60_000)


@pytest.fixture
def source(tmp_path):
    table = candidates(pa, 3000)
    pq.write_table(table.slice(0, 2000), tmp_path / "a.parquet")  # one row group of three chunks, then one of five groups
    (tmp_path / "in").mkdir()
    shutil.move(tmp_path / "a.parquet", tmp_path / "in" / "a.parquet")
    pq.write_table(table.slice(2000), tmp_path / "in" / "b.parquet", row_group_size=200)
    return tmp_path / "in"


@pytest.mark.parametrize(("norm", "options"), [("minmax", BEST), (None, {"floor": 0.2}), ("zscore", {})], ids=["best", "map", "norm"])
def test_a_crash_at_every_file_that_is_written(source, tmp_path, monkeypatch, norm, options):
    """Before a file appears, after it but before its line, and at the end of everything."""
    profile, real, left = profile_of(norm), _journal.store, [0, False]
    rescore_files(source, tmp_path / "whole", profile, **options)

    def crashing(path, pieces, *, lasting):
        left[0] -= 1
        if left[0] < 0:
            if left[1]:
                real(path, [b"what only looks like it"], lasting=lasting)
            raise Crash
        real(path, pieces, lasting=lasting)

    monkeypatch.setattr(_journal, "store", crashing)
    crashes = 0
    while True:
        left[:] = [1 + crashes % 3 if crashes else 0, crashes % 2 == 0 and crashes > 0]
        try:
            rescore_files(source, tmp_path / "out", profile, resume=True, num_threads=2, **options)
            break
        except Crash:
            crashes += 1
    assert crashes >= 2
    assert content(tmp_path / "out") == content(tmp_path / "whole")


def test_kill_9_and_resume(tmp_path):
    table = candidates(pa, 40_000, n_queries=300)
    pq.write_table(table, tmp_path / "in.parquet", row_group_size=7000)
    profile_of("minmax").save(tmp_path / "profile.json")
    options, sizes = {**BEST, "resume": True, "num_threads": 3}, {"CHUNK_ROWS": 1000, "BUCKET_BYTES": 100_000}
    start_it = lambda name: start(tmp_path / "in.parquet", tmp_path / name, tmp_path / "profile.json", options, sizes)  # noqa: E731
    whole, draw, kills = start_it("whole"), random.Random(3), 0
    report = report_of(whole)
    for _ in range(3):
        process = start_it("out")
        journal, begun = tmp_path / "out" / "_unfinished" / "journal.jsonl", time.monotonic()
        lines = journal.read_bytes().count(b"\n") if journal.exists() else 0
        wanted = lines + draw.randint(3, 25)
        while process.poll() is None and time.monotonic() - begun < 60:
            if journal.exists() and journal.read_bytes().count(b"\n") >= wanted:
                break
            time.sleep(0.001)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        kills += process.returncode == -signal.SIGKILL
    resumed = report_of(start_it("out"))
    assert kills == 3
    assert resumed["resumed"] > 0
    assert {**resumed, "seconds": 0, "resumed": 0, "target": 0, "peak": 0} == {**report, "seconds": 0, "target": 0, "peak": 0}
    assert content(tmp_path / "out") == content(tmp_path / "whole")


def stopped(monkeypatch, source, target, profile, tasks, **options):
    """A run that ends after some tasks."""
    with monkeypatch.context() as patch:
        real, count = _journal.Journal.write, [0]

        def write(*given, **facts):
            count[0] += 1
            if count[0] > tasks:
                raise Crash
            return real(*given, **facts)

        patch.setattr(_journal.Journal, "write", write)
        with pytest.raises(Crash):
            rescore_files(source, target, profile, num_threads=1, **options)


@pytest.mark.parametrize("change", ["setting", "profile", "file", "more", "version"])
def test_resume_refuses_what_is_not_the_same_run(source, tmp_path, monkeypatch, change):
    profile, options = profile_of(), dict(BEST)
    stopped(monkeypatch, source, tmp_path / "out", profile, 2, **BEST)
    before = content(tmp_path / "out")
    words = {"setting": r"top_k=9, and now it is 8", "profile": "another profile", "file": "b.parquet has changed", "version": "fastcal 0.0.1"}
    words["more"] = "the number of files has changed"
    if change == "setting":
        options["top_k"] = 8
    elif change == "profile":
        profile = profile_of("atan")
    elif change == "file":
        os.utime(source / "b.parquet", ns=(0, 0))
    elif change == "more":
        shutil.copy(source / "b.parquet", source / "c.parquet")
    else:
        plan = tmp_path / "out" / "_unfinished" / "plan.json"
        facts = json.loads(plan.read_bytes())
        facts["versions"]["fastcal"] = "0.0.1"
        plan.write_text(json.dumps(facts))
        before = content(tmp_path / "out")
    with pytest.raises(fc.errors.InvalidValueError, match=words[change]):
        rescore_files(source, tmp_path / "out", profile, resume=True, **options)
    assert content(tmp_path / "out") == before, "nothing is lost"


def test_what_was_not_on_the_disk_is_done_again_after_a_reboot(source, tmp_path, monkeypatch):
    profile = profile_of()
    rescore_files(source, tmp_path / "whole", profile, **BEST)
    stopped(monkeypatch, source, tmp_path / "out", profile, 5, **BEST)
    for spilled in (tmp_path / "out" / "_unfinished").glob("best-*"):
        spilled.write_bytes(bytes(spilled.stat().st_size))
    (tmp_path / "boot").write_text("another")
    monkeypatch.setattr(_journal, "BOOT", tmp_path / "boot")
    assert rescore_files(source, tmp_path / "out", profile, resume=True, **BEST).resumed == 0
    assert content(tmp_path / "out") == content(tmp_path / "whole")


def test_a_folder_that_is_not_ours_is_not_touched(source, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "diary.txt").write_text("dear diary")
    for resume in (False, True):
        with pytest.raises(fc.errors.InvalidValueError, match="is not empty"):
            rescore_files(source, tmp_path / "out", profile_of(), resume=resume)
    assert content(tmp_path / "out") == {"diary.txt": b"dear diary"}


def test_a_finished_run_is_accepted_and_not_done_again(source, tmp_path):
    profile = profile_of()
    first = rescore_files(source, tmp_path / "out", profile, **BEST)
    before = content(tmp_path / "out")
    with pytest.raises(fc.errors.InvalidValueError, match="--resume"):
        rescore_files(source, tmp_path / "out", profile, **BEST)
    again = rescore_files(source, tmp_path / "out", profile, resume=True, **BEST)
    assert (again.kept, again.bytes) == (first.kept, first.bytes)
    assert again.done_before
    assert not first.done_before
    with pytest.raises(fc.errors.InvalidValueError, match="top_k"):
        rescore_files(source, tmp_path / "out", profile, resume=True, floor=0.2)
    assert content(tmp_path / "out") == before


def flip(part):
    """Change one bit of the first page."""
    data = bytearray(part.read_bytes())
    data[100] ^= 1
    part.write_bytes(data)


@pytest.mark.parametrize("options", [BEST, {"floor": 0.2}], ids=["best", "map"])
def test_a_finished_part_of_a_stopped_run_that_has_changed_is_made_again(source, tmp_path, monkeypatch, options):
    profile = profile_of()
    tasks = rescore_files(source, tmp_path / "whole", profile, **options, num_threads=1)
    stopped(monkeypatch, source, tmp_path / "out", profile, 2 if options != BEST else 6, **options)
    flip(min((tmp_path / "out" / "_unfinished").glob("part-*")))
    resumed = rescore_files(source, tmp_path / "out", profile, resume=True, **options)
    assert resumed.resumed == (1 if options != BEST else 5)
    assert (resumed.kept, content(tmp_path / "out")) == (tasks.kept, content(tmp_path / "whole"))


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda part: part.unlink(), "is not there"),
        (lambda part: part.write_bytes(part.read_bytes()[:-9]), r"has [\d,]+ bytes, and [\d,]+ in the manifest"),
        (lambda part: part.write_bytes(part.read_bytes()[:-40] + bytes(40)), "cannot be read"),
        (flip, "has changed since it was written"),
    ],
)
def test_a_finished_run_that_has_lost_something_is_not_accepted(source, tmp_path, spoil, words):
    profile = profile_of()
    rescore_files(source, tmp_path / "out", profile, **BEST)
    spoil(max((tmp_path / "out").glob("part-*")))
    with pytest.raises(fc.errors.InvalidValueError, match=rf"part-\d+\.parquet {words}.*: the result is damaged; remove"):
        rescore_files(source, tmp_path / "out", profile, **BEST, resume=True)


def test_pages_of_parts_have_checksums(source, tmp_path):
    rescore_files(source, tmp_path / "out", profile_of(), floor=0.2)
    part = tmp_path / "out" / "part-00000.parquet"
    column = pq.ParquetFile(part).metadata.row_group(0).column(2)
    data = bytearray(part.read_bytes())
    data[column.data_page_offset + column.total_compressed_size // 2] ^= 1
    part.write_bytes(data)
    pq.read_table(part)
    with pytest.raises(OSError, match="CRC"):
        pq.read_table(part, page_checksum_verification=True)


def test_two_processes_on_one_folder(source, tmp_path):
    with _journal.writing(tmp_path / "out", {}, resume=False), pytest.raises(fc.errors.InvalidValueError, match="another process"):
        rescore_files(source, tmp_path / "out", profile_of(), resume=True)
    assert not (tmp_path / "out").exists()


def test_a_full_disk(source, tmp_path, monkeypatch):
    """On a file system of 40 kB: an error that says so, whole files only, and the same bytes once there is room."""
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=40k", "tmpfs", small], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip(f"a tmpfs cannot be mounted here: {mounted.stderr.decode().strip()}")
    try:
        (small / "filled").write_bytes(bytes(32 << 10))
        with pytest.raises(OSError, match="No space left") as caught:
            rescore_files(source, small / "out", profile_of(), **BEST, num_threads=1)
        assert "resume" not in str(caught.value)
        assert not (small / "out").exists()
        (small / "filled").unlink()
        with pytest.raises(OSError, match="No space left") as caught:
            rescore_files(source, small / "out", profile_of(), **BEST, num_threads=1)
        assert "resume when there is room" in str(caught.value)
        unfinished = small / "out" / "_unfinished"
        named = [json.loads(line) for line in (unfinished / "journal.jsonl").read_text().splitlines()]
        assert named
        assert {path.name for path in unfinished.iterdir()} == {"plan.json", "journal.jsonl", *(fact["name"] for fact in named)}
        assert all((unfinished / fact["name"]).stat().st_size == fact["bytes"] for fact in named)
        subprocess.run(["mount", "-o", "remount,size=8m", small], check=True)
        rescore_files(source, small / "out", profile_of(), **BEST, resume=True)
        rescore_files(source, tmp_path / "whole", profile_of(), **BEST)
        assert content(small / "out") == content(tmp_path / "whole")
    finally:
        subprocess.run(["umount", small], check=True)


def test_a_part_of_the_same_size_is_another_one_if_a_byte_is(tmp_path):
    data = np.random.default_rng(0).integers(0, 256, 999, np.uint8)
    (tmp_path / "whole").write_bytes(data)
    told = {"bytes": data.nbytes, "digest": digest_of(data)}
    assert unchanged(tmp_path / "whole", told)
    for at in (0, 500, 998):
        changed = data.copy()
        changed[at] ^= 1
        (tmp_path / "other").write_bytes(changed)
        assert not unchanged(tmp_path / "other", told)
