"""What all commands share: warnings and errors as lines, JSON, files whole or not at all, progress, options."""

from __future__ import annotations

import io
import json
import re
import time
import warnings

import numpy as np
import pytest

pytest.importorskip("typer")
pytest.importorskip("rich")

import fastcal as fc
from fastcal import cli
from fastcal.cli import _options, _output, _progress
from fastcal.cli.commands import info as info_command


def doing(monkeypatch, action):
    """Let ``fastcal info`` do something else."""
    monkeypatch.setattr(info_command.fc, "backend", action)
    return cli.main(["info"])


def warn_twice():
    for _ in range(2):
        warnings.warn("the depth\nis another", fc.errors.ProfileWarning, stacklevel=1)
    raise fc.errors.InvalidValueError("run.trec, line 3:\n  bad")


def test_warnings_and_errors_are_one_line_each(capsys, monkeypatch):
    assert doing(monkeypatch, warn_twice) == 2
    assert capsys.readouterr() == ("", "fastcal: warning: the depth is another\nfastcal: run.trec, line 3: bad\n")


def failing(error):
    def fail():
        raise error

    return fail


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (FileNotFoundError(2, "No such file or directory", "a.trec"), 2, "fastcal: a.trec: No such file or directory\n"),
        (OSError("the disk\nis gone"), 2, "fastcal: the disk is gone\n"),
        (MemoryError(), 2, "fastcal: MemoryError\n"),
        (KeyboardInterrupt(), 130, "fastcal: interrupted\n"),
        (BrokenPipeError(), 141, ""),
    ],
)
def test_what_ends_a_command(capsys, monkeypatch, error, code, line):
    assert doing(monkeypatch, failing(error)) == code
    assert capsys.readouterr() == ("", line)


def test_json_is_plain_whatever_a_result_holds():
    facts = {
        "rate": np.float32(0.5),
        "none": np.nan,
        "far": [np.inf, 1],
        "n": np.int64(3),
        "rows": np.arange(2),
        "info": fc.backend(),
        7: ("a", None),
    }
    found = json.loads(_output.to_json(facts))
    assert found == {"rate": 0.5, "none": None, "far": [None, 1], "n": 3, "rows": [0, 1], "info": fc.backend().to_dict(), "7": ["a", None]}


def test_a_file_is_written_whole_or_not_at_all(tmp_path, capsys):
    target = tmp_path / "a.json"
    _output.write_text("old", str(target))
    with pytest.raises(UnicodeEncodeError):
        _output.write_text("\ud800", str(target))
    with pytest.raises(OSError, match="nowhere"):
        _output.write_text("x", str(tmp_path / "nowhere" / "a.json"))
    assert (target.read_text(), [path.name for path in tmp_path.iterdir()]) == ("old", ["a.json"])
    for out in (None, "-"):
        _output.write_text("text\n", out)
    assert capsys.readouterr().out == "text\ntext\n"


def test_tables_keep_every_character_where_stdout_is_no_terminal(capsys):
    long = "x" * 90
    _output.console().print(_output.table(["name [b]", "rate"], [[long, 0.123456], ["[red]", None]], title="facts"))
    out = capsys.readouterr().out
    assert all(word in out for word in (long, "0.1235", "[red]", "name [b]", "facts"))


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(("stream", "patience", "drawn"), [(Terminal, 0.0, True), (Terminal, 60.0, False), (io.StringIO, 0.0, False)])
def test_progress_is_drawn_on_a_terminal_after_a_while(monkeypatch, stream, patience, drawn):
    monkeypatch.setattr(_progress, "_PATIENCE", patience)
    monkeypatch.setenv("TERM", "xterm")
    shown = stream()
    monkeypatch.setattr("sys.stderr", shown)
    with _progress.progress("counting [rows]") as advance:
        advance(1, 3)
        deadline = time.monotonic() + 5
        while drawn and "counting" not in shown.getvalue() and time.monotonic() < deadline:
            time.sleep(0.01)
        advance(3, 3)
    assert ("counting [rows]" in re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown.getvalue())) == drawn


def test_targets_are_the_library_s_keywords():
    assert _options.target("recall=0.5") == {"target_recall": 0.5}
    assert _options.target(None, "precision=0.9") == {"target_precision": 0.9}
    assert _options.target(None) == {}
    assert _options.targets(["precision=0.9", "recall=1", "precision=0.95"]) == {"target_precision": [0.9, 0.95], "target_recall": [1.0]}


@pytest.mark.parametrize("text", ["0.9", "precision", "precision=", "f1=0.9", "recall=0", "recall=1.5", "precision=nan", "precision=x"])
def test_bad_targets_are_refused(text):
    with pytest.raises(fc.errors.InvalidValueError, match="--target must be precision=P or recall=R"):
        _options.target(text)
