"""``fastcal.distributed.ray.rescore_files`` where workers and drivers are killed: the bytes of one process all the same."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

pytest.importorskip("ray.data")
import ray
from ray_cluster import cluster  # noqa: F401
from test_ray_rescore import contents, profile, wide

import fastcal as fc
from fastcal import bulk
from fastcal.distributed.ray import _rescore_files, rescore_files

# Ray Data warns of options that it sets itself.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:ray.data.context")


@pytest.fixture(autouse=True)
def title(monkeypatch):
    """Tasks of these tests have a title of their own: other tests may be running on another cluster."""
    monkeypatch.setattr(_rescore_files, "TITLE", f"{_rescore_files.TITLE}.{os.getpid()}.")


def at_work():
    """Process ids of the workers that are in the middle of a task of these tests."""
    title, found = f"ray::{_rescore_files.TITLE}".encode(), []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            found += [int(process.name)] if (process / "cmdline").read_bytes().startswith(title) else []
    return found


def test_files_lose_and_double_nothing_where_workers_die(cluster, tmp_path):  # noqa: F811
    source, fitted, settings, killed = wide(tmp_path), profile("zscore"), {"top_k": 5}, []

    def kill(done, total):
        """One worker in the first pass, one later."""
        found = at_work()
        if len(killed) <= 2 * done // total and found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(found[0], signal.SIGKILL)
                killed.append(found[0])

    expected = bulk.rescore_files(source, tmp_path / "one", fitted, **settings)
    found = rescore_files(source, tmp_path / "ray", fitted, **settings, progress=kill)
    assert killed
    assert contents(tmp_path / "ray") == contents(tmp_path / "one")
    places = {"target": None, "seconds": None}
    assert found.to_dict() | places == expected.to_dict() | places


def test_a_run_whose_driver_was_killed_goes_on_where_it_was(cluster, tmp_path):  # noqa: F811
    source, fitted, settings = wide(tmp_path), profile("zscore"), {"top_k": 5}
    fitted.save(tmp_path / "profile.json")
    code = f"""
import os, signal, ray, fastcal as fc, fastcal.distributed.ray as fcr
ray.init(address={ray.get_runtime_context().gcs_address!r}, log_to_driver=False)
def die(done, total):
    if done > 2 * 60_000:
        os.kill(os.getpid(), signal.SIGKILL)
fcr.rescore_files({str(source)!r}, {str(tmp_path / "out")!r}, fc.Profile.load({str(tmp_path / "profile.json")!r}), top_k=5, progress=die)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert not (tmp_path / "out" / "_manifest.json").exists()
    # Its workers may still be writing.
    assert rescore_files(source, tmp_path / "out", fitted, **settings, resume=True).resumed > 2
    bulk.rescore_files(source, tmp_path / "one", fitted, **settings)
    assert contents(tmp_path / "out") == contents(tmp_path / "one")


def test_rows_that_kill_every_worker_end_the_run(cluster, tmp_path, monkeypatch):  # noqa: F811
    source, fitted, over = wide(tmp_path, 10_000), profile(), threading.Event()

    def kill_all():
        while not over.wait(0.01):
            for process in at_work():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)

    monkeypatch.setattr(_rescore_files, "RETRIES", 1)
    killer = threading.Thread(target=kill_all)
    killer.start()
    try:
        words = r"wide\.parquet: row group \d+( to \d+)?: workers died over these rows again and again \(.*\); .* kept: call again with resume=True"
        with pytest.raises(fc.WorkerLostError, match=words) as caught:
            rescore_files(source, tmp_path / "out", fitted)
        assert isinstance(caught.value.__cause__, ray.exceptions.RayError)
    finally:
        over.set()
        killer.join()
    rescore_files(source, tmp_path / "out", fitted, resume=True)
    bulk.rescore_files(source, tmp_path / "one", fitted)
    assert contents(tmp_path / "out") == contents(tmp_path / "one")
