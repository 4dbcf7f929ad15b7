"""The command line: exit codes, one line per error, what `info` says, what a missing extra says."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

pytest.importorskip("typer")
pytest.importorskip("rich")

import fastcal as fc
from fastcal import cli
from fastcal.cli import app as cli_app

ROOT = Path(__file__).resolve().parent.parent


def run(capsys, *arguments):
    """Exit code, stdout and stderr of one command line."""
    code = cli.main(arguments)
    return code, *capsys.readouterr()


def python(*arguments, **environment):
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False, timeout=60, env=os.environ | environment)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "Missing command"),
        (["nonsense"], "nonsense"),
        (["demo", "--nonsense"], "--nonsense"),
        (["demo", "--data"], "--data"),
        (["demo", "--data", "no/such/folder"], "no/such/folder: not a directory"),
        (["info", "superfluous"], "superfluous"),
    ],
)
def test_bad_usage_is_exit_code_2_and_one_line_on_stderr(capsys, monkeypatch, tmp_path, arguments, words):
    monkeypatch.chdir(tmp_path)
    code, out, err = run(capsys, *arguments)
    assert code == 2
    assert out == ""
    assert words in err
    assert err.startswith("fastcal: ")
    assert err.count("\n") == 1


def test_an_out_that_cannot_be_written_fails_before_the_work(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr("fastcal.cli.demo.job.experiment", lambda _: pytest.fail("the work started"))
    (tmp_path / "file").write_text("")
    code, out, err = run(capsys, "demo", "--out", str(tmp_path / "file" / "below"))
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "--out" in err
    assert "cannot be written" in err


def test_version(capsys):
    assert run(capsys, "--version") == (0, f"fastcal {fc.__version__}\n", "")


def test_help_names_the_commands(capsys):
    code, out, _ = run(capsys, "--help")
    assert code == 0
    assert "demo" in out
    assert "info" in out


def test_info_as_json(capsys):
    code, out, err = run(capsys, "info", "--json")
    facts = json.loads(out)
    assert (code, err) == (0, "")
    backend = fc.backend()
    extras = facts.pop("extras")
    assert facts == {"version": fc.__version__, "backend": backend.name, "isa": backend.isa, "num_threads": backend.num_threads, **fc.cpu_info()}
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert list(extras) == [name for name in declared if name != "all"]
    assert extras["cli"] is True
    assert extras["parquet"] == (importlib.util.find_spec("pyarrow") is not None)


def test_info_for_people(capsys):
    code, out, _ = run(capsys, "info")
    assert code == 0
    shown = {line[:16].rstrip(): line[16:] for line in out.splitlines()}
    assert shown["version"] == fc.__version__
    assert (shown["backend"], shown["isa"]) == (fc.backend().name, fc.backend().isa)
    assert int(shown["num_threads"]) >= 1


def test_an_interrupt_is_exit_code_130(capsys, monkeypatch):
    def interrupted():
        raise KeyboardInterrupt

    monkeypatch.setattr(cli_app.fc, "backend", interrupted)
    assert run(capsys, "info")[0] == 130


def test_a_programming_error_is_not_hidden(capsys, monkeypatch):
    monkeypatch.setattr(cli_app.fc, "backend", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run(capsys, "info")


def test_module_runs():
    done = python("-m", "fastcal", "--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"fastcal {fc.__version__}\n", "")


def without(module, arguments):
    return python("-c", f"import sys; sys.modules[{module!r}] = None; from fastcal.cli import main; sys.exit(main({arguments!r}))")


@pytest.mark.parametrize("module", ["typer", "rich"])
def test_without_the_cli_extra_one_line_names_it(module):
    done = without(module, ["info"])
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"fastcal: {module} is not installed: pip install 'fastcal[cli]'\n"


@pytest.mark.parametrize("module", ["sklearn", "bm25s", "ir_measures", "matplotlib"])
def test_without_the_demo_extra_one_line_names_it(module, tmp_path):
    done = without(module, ["demo", "--out", str(tmp_path)])
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"fastcal: {module} is not installed: pip install 'fastcal[demo]'\n"


def test_importing_the_entry_point_costs_no_extra():
    done = python("-c", "import sys, fastcal.cli; print([m for m in ('typer', 'rich', 'matplotlib', 'sklearn', 'numba') if m in sys.modules])")
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_info_loads_nothing_that_it_does_not_need():
    code = "import sys; from fastcal.cli import main; code = main(['info', '--json']); print(*sys.modules, file=sys.stderr); sys.exit(code)"
    done = python("-c", code)
    assert done.returncode == 0, done.stderr
    loaded = set(done.stderr.split())
    assert not {name.partition(".")[0] for name in loaded} & {
        "pydantic",
        "pyarrow",
        "matplotlib",
        "sklearn",
        "numba",
        "ray",
        "duckdb",
        "polars",
        "pandas",
        "scipy",
    }
    assert {name for name in loaded if name.startswith("fastcal.cli.commands.")} == {"fastcal.cli.commands.info"}
    assert not {"rich.console", "rich.progress"} & loaded
