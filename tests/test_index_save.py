"""Saving is all or nothing: whatever goes wrong, the old file is there, whole, and nothing lies beside it."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from index_files import results, small_rows

import fastcal as fc
from fastcal.index import _image


@pytest.fixture
def old(tmp_path):
    """(path, queries, results) of a file that must survive."""
    queries, corpus = small_rows(9, 300, 8)
    index = fc.Index(corpus)
    index.save(tmp_path / "a.index", include_corpus=True)
    return tmp_path / "a.index", queries, results(index, queries)


def survived(old, beside=()):
    path, queries, expected = old
    assert {found.name for found in path.parent.iterdir()} == {"a.index", *beside}
    assert results(fc.Index.load(path, verify="eager"), queries) == expected


@pytest.mark.parametrize("failure", [KeyboardInterrupt, OSError, MemoryError])
@pytest.mark.parametrize("place", ["write", "fsync", "replace"])
def test_a_save_that_fails(old, monkeypatch, failure, place):
    def fail(*_):
        raise failure

    target = {"write": (_image._Writer, "flush"), "fsync": (os, "fsync"), "replace": (Path, "replace")}[place]
    index = fc.Index(small_rows(10)[1])
    with monkeypatch.context() as patch:
        patch.setattr(*target, fail)
        with pytest.raises(failure):
            index.save(old[0], include_corpus=True)
    survived(old)


def test_a_full_disk(old):
    index, before = fc.Index(small_rows(11, 20_000, 16)[1]), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 18, before[1]))
    try:
        with pytest.raises(OSError, match="too large"):
            index.save(old[0], include_corpus=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    survived(old)


KILLED = """
import sys, time
import numpy as np, fastcal as fc
from fastcal.index import _image
def hang(*_):
    print("in the middle", flush=True)
    time.sleep(60)
index = fc.Index(np.ones((5000, 64), np.float32))
_image._Writer.table = hang
index.save(sys.argv[1], include_corpus=True)
"""


def test_a_process_killed_while_it_saves(old):
    child = subprocess.Popen([sys.executable, "-c", KILLED, old[0]], stdout=subprocess.PIPE)
    try:
        assert child.stdout.readline() == b"in the middle\n"
        child.send_signal(signal.SIGKILL)
        assert child.wait(60) == -signal.SIGKILL
    finally:
        child.kill()
        child.communicate()
    left = [found.name for found in old[0].parent.iterdir() if found != old[0]]
    assert len(left) == 1
    assert left[0].startswith(".fastcal-")
    survived(old, left)


def test_the_order_of_things(old, monkeypatch):
    """The content is on the disk before the name, and the name before the call returns."""
    done, real_fsync, real_replace = [], os.fsync, Path.replace

    def fsync(descriptor):
        done.append(("fsync", Path(f"/proc/self/fd/{descriptor}").readlink().name))
        real_fsync(descriptor)

    def replace(self, target):
        done.append(("rename", target.name))
        return real_replace(self, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", replace)
    fc.Index(np.eye(3, dtype=np.float32)).save(old[0])
    assert [kind for kind, _ in done] == ["fsync", "rename", "fsync"]
    assert done[0][1].startswith(".fastcal-")
    assert [name for _, name in done[1:]] == ["a.index", old[0].parent.name]


def test_a_link_keeps_pointing(old, tmp_path):
    (tmp_path / "folder").mkdir()
    link = tmp_path / "folder" / "link.index"
    link.symlink_to(old[0])
    index = fc.Index.load(link)
    index.save(link, include_corpus=True)
    assert link.is_symlink()
    assert list(link.parent.iterdir()) == [link]
    assert results(fc.Index.load(old[0]), old[1]) == old[2]


def test_damage_is_not_saved_as_if_it_were_right(backend, tmp_path):
    path = tmp_path / "a.index"
    fc.Index(small_rows(12)[1]).save(path, include_corpus=True)
    for verify in ("lazy", False):
        index = fc.Index.load(path, verify="lazy" if backend.name == "native" and verify else False)
        data = bytearray(path.read_bytes())
        data[len(data) * 2 // 3] ^= 1
        with path.open("r+b") as file:
            file.write(data)
        with pytest.raises(fc.IndexCorruptError):
            index.save(tmp_path / "b.index", include_corpus=True)
        assert not (tmp_path / "b.index").exists()
        data[len(data) * 2 // 3] ^= 1
        path.write_bytes(data)
