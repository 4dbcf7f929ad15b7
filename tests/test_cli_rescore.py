"""``fastcal rescore``: every option reaches ``rescore_files``; people, machines and terminals get what they should."""

from __future__ import annotations

import inspect
import json
import time

import pytest

pytest.importorskip("typer")
pytest.importorskip("rich")

from bulk_files import candidates, content, profile_of

import fastcal as fc
from fastcal.bulk import RescoreReport, rescore_files
from fastcal.cli import _progress, main

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pq.write_table(candidates(pa), "in.parquet")
    profile_of().save("p.json")
    return tmp_path


def test_the_command_is_the_function(here, capsys):
    assert main(["rescore", "in.parquet", "a", "--profile", "p.json", "--top-k", "4", "--floor", "0.3", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    report = rescore_files("in.parquet", "b", fc.Profile.load("p.json"), top_k=4, floor=0.3)
    assert {**told, "target": 0, "seconds": 0} == {**report.to_dict(), "target": 0, "seconds": 0}
    assert content(here / "a") == content(here / "b")
    assert main(["rescore", "in.parquet", "a", "--profile", "p.json", "--top-k", "4", "--floor", "0.3", "--resume"]) == 0
    out = capsys.readouterr().out
    assert "5,000" in out
    assert "below the floor" in out
    assert "all was done already" in out
    assert "rows/s" not in out


def test_every_option_arrives(here, monkeypatch):
    given = {}

    def recorded(source, target, profile, **options):
        given.update(options)
        return RescoreReport(target, **dict.fromkeys(list(inspect.signature(RescoreReport).parameters)[1:], 0))

    monkeypatch.setattr("fastcal.bulk.rescore_files", recorded)
    line = "in.parquet out --profile p.json --query-column q --doc-column d --score-column s --group-column g --target recall=0.8 --escalate-from 0.2"
    assert (
        main(
            [
                "rescore",
                *line.split(),
                *["--floor", "1", "--drop-not-found", "--top-k", "3", "--distances", "--memory", "2GB", "--threads", "7", "--resume"],
            ]
        )
        == 0
    )
    expected = {"query": "q", "doc": "d", "score": "s", "by": "g", "target_recall": 0.8, "escalate_from": 0.2, "floor": 1.0, "drop_not_found": True}
    expected |= {"top_k": 3, "higher_is_better": False, "num_threads": 7, "resume": True}
    assert {name: value for name, value in given.items() if name not in {"progress", "memory"}} == expected
    assert 2_000_000_000 - (256 << 20) <= given["memory"] < 2_000_000_000, "what the command itself holds is counted"
    assert {*given, "target_precision"} == {name for name, p in inspect.signature(rescore_files).parameters.items() if p.kind is p.KEYWORD_ONLY}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("nowhere out --profile p.json", "nowhere does not exist"),
        ("in.parquet out --profile p.json --score-column s", "in.parquet: "),
        ("in.parquet out --profile p.json --memory 1MiB", "too small"),
        ("in.parquet used --profile p.json", "used is not empty"),
        ("in.parquet . --profile p.json", "source in.parquet and target . must be apart"),
        ("- out --profile p.json", "not standard input"),
        ("in.parquet out --profile p.json --memory 20MiB", "--memory 20MiB is too small"),
        ("in.parquet out --profile p.json --distances", "--distances has no use"),
        ("in.parquet out --profile p.json --group-column lang", "--group-column 'lang' has no use"),
        ("in.parquet out --profile p.json --threads 0", "--threads must be"),
        ("in.parquet out --profile p.json --top-k 0", "--top-k must be"),
        ("in.parquet out --profile p.json --floor nan", "--floor must be"),
        (
            "in.parquet out --profile p.json --escalate-from 0.9",
            "--escalate-from 0.9 exceeds the threshold (probability 0.5, --target precision=0.9)",
        ),
        (
            "in.parquet out --profile p.json --target precision=0.7",
            "--target precision=0.7 selects 0 of the profile's thresholds; expected one of: --target",
        ),
        ("in.parquet out --profile p.json --query-column decision", "--query-column 'decision' is"),
        ("in.parquet begun --profile p.json --resume --top-k 11", "begun was begun with --top-k 10, and now it is 11;"),
        ("in.parquet out --profile rank.json", "files are read in pieces; fit a profile with one of 'minmax', "),
    ],
)
def test_errors_are_one_line(here, capsys, line, words):
    (here / "used").mkdir()
    (here / "used" / "diary.txt").touch()
    if "rank" in line:
        profile_of("rank").save("rank.json")
    if "begun" in line:
        assert main(["rescore", "in.parquet", "begun", "--profile", "p.json", "--top-k", "10", "--json"]) == 0
        capsys.readouterr()
    assert main(["rescore", *line.split()]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert words in err
    assert err.count("\n") == 1


def test_rows_a_second_are_shown(capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    advance = _progress.Advance("rescoring", "rows")
    advance.show()
    for done in range(1, 5):
        advance(done * 1000, 10_000)
        time.sleep(0.02)
    advance.close()
    assert "rows/s" in capsys.readouterr().err
