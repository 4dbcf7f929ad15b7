"""The "Examples:" of every command's help do what they say, on the small files of ``cli_files.py``."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys

import pytest

pytest.importorskip("typer")
pytest.importorskip("rich")

from cli_files import make_files

from fastcal.cli import main
from fastcal.cli.app import COMMANDS

SHELL = set("|<>;&")


def help_of(name, capsys):
    assert main([name, "--help"]) == 0
    return capsys.readouterr().out


def examples_of(text):
    """The command lines under "Examples:", each with the exit code it says it has."""
    _, _, examples = text.partition("Examples:\n")
    for line in filter(None, map(str.strip, examples.splitlines())):
        command, _, remark = line.partition("  # exit ")
        yield command, int(remark or 0)


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    return make_files(tmp_path_factory.mktemp("files"))


@pytest.mark.parametrize("name", COMMANDS)
def test_examples_of_the_help_run(name, original, tmp_path, capfd, monkeypatch):
    """A line that lacks an optional package is skipped, one with a pipe runs in a shell, any other in this process."""
    examples = list(examples_of(help_of(name, capfd)))
    assert examples, f"the help of fastcal {name} has no Examples:"
    lacking = []
    for number, (line, expected) in enumerate(examples):
        assert f"fastcal {name}" in line, line
        folder = shutil.copytree(original, tmp_path / str(number))
        monkeypatch.chdir(folder)
        code = in_a_shell(line) if SHELL & set(line) else main(shlex.split(line)[1:])
        err = capfd.readouterr().err
        if "is not installed: pip install" in err:
            lacking.append(err.strip())
            continue
        assert code == expected, f"{line}: {err}"
        assert "Traceback" not in err
    if lacking:
        pytest.skip("; ".join(lacking))


def in_a_shell(line):
    """The exit code of a pipe: that of the first command that failed otherwise than because its reader had gone (141)."""
    python = f'fastcal() {{ {shlex.quote(sys.executable)} -m fastcal "$@"; }}; '
    status = '; for code in "${PIPESTATUS[@]}"; do [ $code = 0 ] || [ $code = 141 ] || exit $code; done'
    return subprocess.run(["bash", "-c", python + line + status], check=False, timeout=60, env=os.environ).returncode


def test_examples_stand_as_they_are_whatever_the_width(capsys, monkeypatch):
    wide = list(examples_of(help_of("info", capsys)))
    monkeypatch.setenv("COLUMNS", "40")
    assert list(examples_of(help_of("info", capsys))) == wide == [("fastcal info", 0), ("fastcal info --json", 0)]
