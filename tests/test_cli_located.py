"""Errors about one score name the file, the query and the document."""

from __future__ import annotations

import pytest

pytest.importorskip("typer")
pytest.importorskip("rich")

from cli_lists import FIT, make_lists

import fastcal as fc
from fastcal.cli import main


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = make_lists(tmp_path_factory.mktemp("files"))
    lists = fc.Run.from_trec(folder / "test.trec").to_dict()
    for name, score in (("inf", float("inf")), ("low", -0.5)):
        changed = lists | {"q7": lists["q7"] | {"c7": score}}
        fc.Run.from_dict(changed).to_trec(folder / f"{name}.trec")
    unit = fc.normalize(fc.Run.from_dict(lists).scores, "minmax", offsets=fc.Run.from_dict(lists).offsets)
    run, qrels = fc.Run.from_dict(lists), fc.Qrels.from_trec(folder / "qrels.trec")
    judged = {"labels": qrels.labels_of(run).labels, "query_ids": run.to_columns()["query_id"], "model": "toy", "metric": "own"}
    beta = fc.BetaCalibrator(input="prob")
    fc.Profile.fit(run.scores.clip(0), calibrator=beta, **judged).save(folder / "beta.json")
    fc.Profile.fit(unit, calibrator=beta, norm="minmax", **judged).save(folder / "norm.json")
    return folder


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("apply inf.trec -p norm.json", "an infinite score has no norm"),
        ("apply low.trec -p beta.json", "expected a prob in [0, 1]"),
        ("evaluate low.trec qrels.trec -p beta.json --seen keep", "expected a prob in [0, 1]"),
        ("evaluate inf.trec qrels.trec -p norm.json --seen keep", "expected finite scores"),
        ("threshold inf.trec qrels.trec", "expected a finite number"),
        ("revalidate inf.trec qrels.trec -p train.json", "expected a finite number"),
        ("certify inf.trec --qrels qrels.trec --seed 0", "expected a finite number"),
        ("fit low.trec qrels.trec --method beta --input prob", "expected a prob in [0, 1]"),
        ("fit inf.trec qrels.trec", "expected a finite number"),
        ("fit inf.trec qrels.trec --norm minmax", "expected finite scores"),
    ],
)
def test_a_score_that_cannot_be_is_named(files, monkeypatch, capsys, line, told):
    monkeypatch.chdir(files)
    name = line.split()[1]
    code = main([*line.split(), *(FIT if line.startswith("fit") else ())])
    out, err = capsys.readouterr()
    start = f"fastcal: {name}: query 'q7', document 'c7': score {'inf' if name == 'inf.trec' else '-0.5'}; "
    last = err.splitlines()[-1]
    assert (code, out, last[: len(start)]) == (2, "", start)
    assert told in last
