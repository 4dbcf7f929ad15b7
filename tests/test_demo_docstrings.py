"""The docstrings collection, and the demo as it runs without any option."""

from __future__ import annotations

import re

import numpy as np
import pytest

pytest.importorskip("typer")
pytest.importorskip("rich")
pytest.importorskip("sklearn")
pytest.importorskip("bm25s")
pytest.importorskip("ir_measures")
pytest.importorskip("matplotlib")

from fastcal.cli import main
from fastcal.cli.demo import harvest
from fastcal.cli.demo.docstrings import load_docstrings, resolve

TEXT = """absolute(x, /, out=None)

Calculate the absolute value. It is
never negative.

Parameters
----------
x : array_like

See Also
--------
fabs, negative : Cousins.
:func:`package.linalg.norm`
    Indented lines describe.

Notes
-----
The rest."""


def test_a_docstring_is_split_into_summary_body_and_see_also():
    entry = harvest.parse("package.absolute", TEXT)
    assert entry.summary == "Calculate the absolute value"
    assert entry.see_also == ("fabs", "negative", "package.linalg.norm")
    assert entry.body.startswith("It is never negative.")
    assert entry.body.endswith("The rest.")
    assert "Cousins" not in entry.body
    assert "absolute(x" not in entry.body


def test_see_also_names_find_their_rows():
    entry = harvest.Docstring
    entries = [
        entry("p.absolute", "s", "b", ("fabs", "p.linalg.norm", "nowhere", "twice")),
        entry("p.fabs", "s", "b", ()),
        entry("p.linalg.norm", "s", "b", ("absolute",)),
        entry("p.x.twice", "s", "b", ()),
        entry("p.y.twice", "s", "b", ("x.twice",)),
    ]
    assert resolve(entries) == [[0, 1, 2], [1], [0, 2], [3], [3, 4]]


def test_harvest_is_deterministic():
    assert harvest.harvest("numpy") == harvest.harvest("numpy")


def test_every_docstring_query_is_judged_relevant_to_its_own_document():
    collection = load_docstrings()
    rows = np.arange(len(collection.queries))
    assert len(rows) == len(collection.corpus) > 500
    assert collection.labels(rows, rows[:, None]).all()
    assert collection.lexical.n_queries == len(rows)


def test_the_bundled_demo_says_what_is_out_of_reach_and_succeeds(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["demo"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert "OUT OF REACH" in out
    assert re.search(r"Precision 0\.9 is out of reach\.", out)
    assert sorted(path.name for path in (tmp_path / "fastcal-demo").iterdir()) == [
        "reliability-digits.png",
        "reliability-docstrings.png",
        "report.md",
        "scores-digits.png",
        "scores-docstrings.png",
    ]
    positions = [out.index(f"({letter})") for letter in "abcdef"]
    assert positions == sorted(positions)
