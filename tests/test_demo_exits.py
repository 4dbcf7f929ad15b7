"""How the demo ends when it is interrupted, or when the reader of its output leaves."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest
from beir_folder import make_beir

pytest.importorskip("typer")
pytest.importorskip("rich")
pytest.importorskip("sklearn")
pytest.importorskip("bm25s")
pytest.importorskip("ir_measures")
pytest.importorskip("matplotlib")

from fastcal.cli import main

RUN = "import sys; from fastcal.cli import main; sys.exit(main(sys.argv[1:]))"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make_beir(tmp_path_factory.mktemp("beir") / "topics")


def test_ctrl_c_is_exit_code_130_and_one_line(folder, tmp_path, capsys, monkeypatch):
    def press(_):
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr("fastcal.cli.demo.job.experiment", press)
    previous = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        code = main(["demo", "--data", str(folder), "--out", str(tmp_path / "out")])
    finally:
        signal.signal(signal.SIGINT, previous)
    assert (code, *capsys.readouterr()) == (130, "", "fastcal: interrupted\n")


@pytest.mark.skipif(os.name != "posix", reason="pipes of POSIX")
def test_a_reader_who_leaves_loses_no_report(folder, tmp_path):
    out = tmp_path / "out"
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [sys.executable, "-c", RUN, "demo", "--data", str(folder), "--out", str(out)],
            stdout=writing,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=60,
        )
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (141, "")
    assert sorted(path.name for path in out.iterdir()) == ["reliability-topics.png", "report.md", "scores-topics.png"]
    assert "## In short" in (out / "report.md").read_text()
