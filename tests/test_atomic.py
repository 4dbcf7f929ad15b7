"""Files that appear whole or not at all; what is no file is written to as it is."""

from __future__ import annotations

import errno
import os
import stat
import threading
from pathlib import Path

import numpy as np
import pytest

import fastcal as fc
from fastcal.files import write_run

RUN = fc.Run([[3, 1], [2, 4]], np.array([[0.9, 0.5], [0.75, 0.25]], np.float32))
FULL = Path("/dev/full")


def save_profile(path):
    made = "2026-01-01T00:00:00+00:00"
    fc.Profile("m", "cosine", fc.PlattCalibrator().fit([0.1, 0.9], [0, 1]), fc.Threshold(0.5), created=made).save(path)


WRITERS = {
    "profile": save_profile,
    "trec": RUN.to_trec,
    "table": lambda path: write_run(RUN, path),
}
pytestmark = pytest.mark.skipif(os.name != "posix", reason="pipes and devices of POSIX")
each = pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)


@each
def test_a_pipe_gets_the_bytes_of_the_file_and_stays(tmp_path, write):
    write(tmp_path / "file.csv")
    os.mkfifo(tmp_path / "pipe.csv")
    got = []
    reader = threading.Thread(target=lambda: got.append((tmp_path / "pipe.csv").read_bytes()))
    reader.start()
    write(tmp_path / "pipe.csv")
    reader.join()
    assert got == [(tmp_path / "file.csv").read_bytes()]
    assert stat.S_ISFIFO((tmp_path / "pipe.csv").stat().st_mode)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file.csv", "pipe.csv"]


@each
@pytest.mark.skipif(not (FULL.exists() and FULL.is_char_device()), reason="no /dev/full")
def test_a_device_stays_and_its_error_names_it(write):
    with pytest.raises(OSError, match=str(FULL)) as refused:
        write(FULL)
    assert (refused.value.errno, FULL.is_char_device()) == (errno.ENOSPC, True)


@each
def test_a_folder_is_no_file(tmp_path, write):
    with pytest.raises(IsADirectoryError, match=str(tmp_path)):
        write(tmp_path)
    assert not list(tmp_path.iterdir())


def test_an_index_is_written_to_files_only(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ValueError, match="path must name a file, got the pipe or device"):
        fc.Index(np.eye(4, dtype=np.float32)).save(tmp_path / "pipe")
