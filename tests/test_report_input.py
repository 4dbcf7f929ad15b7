"""What a report refuses, and the command that writes one."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from report_cases import ODD, ordinary

import fastcal as fc
from fastcal.errors import InvalidTypeError, InvalidValueError
from fastcal.report import make_report


@pytest.fixture(scope="module")
def case():
    return ordinary()


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"by": ["a"]}, InvalidValueError, "by"),
        ({"by": {"q0": "a"}}, InvalidValueError, "by names no class for 59 of 60 queries, first 'q1'"),
        ({"target_precision": 0.33}, InvalidValueError, "target_precision=0.33 selects 0"),
        ({"escalate_from": 0.99}, InvalidValueError, "exceeds"),
        ({"seen": "maybe"}, InvalidValueError, "seen"),
        ({"unjudged": "guess"}, InvalidValueError, "unjudged"),
        ({"all_queries": 1}, InvalidTypeError, "all_queries"),
        ({"name": 3}, InvalidTypeError, "name"),
        ({"others": [1]}, InvalidTypeError, "others"),
        ({"others": {"x": (1, 2)}}, InvalidValueError, "others"),
        ({"others": {"these data": (1, 2, 3)}}, InvalidValueError, "differ"),
        ({"labeler": len, "unjudged": "ask", "others": {}}, InvalidValueError, "ambiguous"),
    ],
)
def test_bad_options(case, options, error, message):
    run, qrels, profile, _ = case
    with pytest.raises(error, match=re.escape(message)):
        make_report(run, qrels, profile, **options)


def test_bad_data(case):
    run, qrels, profile, _ = case
    with pytest.raises(InvalidTypeError, match="run"):
        make_report("run", qrels, profile)
    with pytest.raises(InvalidValueError, match="no scores"):
        make_report(fc.Run([[1, 2]]), qrels, profile)
    with pytest.raises(InvalidValueError, match="no judgement for any of the 60 queries"):
        make_report(run, fc.Qrels.from_dict({"other": {"d0": 1}}), profile)
    with pytest.raises(InvalidValueError, match="none of the 12 candidates is judged"):
        make_report(run, fc.Qrels.from_dict({"q0": {"elsewhere": 1}}), profile)
    far = fc.Run(run.ids, run.scores, run.offsets, higher_is_better=False, query_ids=run.query_ids, doc_ids=run.doc_ids)
    with pytest.raises(InvalidValueError, match="higher_is_better_=True, its scores here have higher_is_better=False"):
        make_report(far, qrels, profile)
    run, qrels, grouped, _ = ODD["groups"]
    with pytest.raises(InvalidTypeError, match="by= is missing"):
        make_report(run, qrels, grouped)
    empty = fc.Profile("m", "cosine", profile.calibrator, [])
    with pytest.raises(InvalidValueError, match="holds no threshold"):
        make_report(run, qrels, empty, escalate_from=0.1)


# -- the command -------------------------------------------------------------------------------------------------
@pytest.fixture
def main(case, tmp_path, monkeypatch):
    """The command line beside the case as files."""
    pytest.importorskip("typer")
    from fastcal.cli import main

    run, qrels, profile, _ = case
    monkeypatch.chdir(tmp_path)
    run.to_trec("news.trec")
    qrels.to_trec("qrels.trec")
    profile.save("p.json")
    return main


def test_the_command_writes_each_form_and_refuses_before_it_measures(main, case, tmp_path, capsys):
    run, qrels, profile, _ = case
    command = ["report", "news.trec", "qrels.trec", "--profile", "p.json"]
    assert main(command) == 0
    assert capsys.readouterr().out.startswith("# toy (cosine) on news: 60 queries, 720 candidates")
    assert main([*command, "--target", "recall=0.8", "--escalate-from", "0.01", "-o", "r.json", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts == json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))
    assert facts["operating"]["threshold"][facts["operating"]["start"]] == profile.thresholds[1].value
    for wrong, message in (
        (["-o", "r.pdf"], "--out must end in .html, .md or .json, got 'r.pdf'"),
        (["--also", "a,b"], "--also must be [NAME=]RUN,QRELS,PROFILE, got 'a,b'"),
        (["--also", "=news.trec,qrels.trec,p.json"], "--also must be [NAME=]RUN,QRELS,PROFILE, got '=news"),
        (["--also", "news=other/n.trec,qrels.trec,p.json"], "two collections are called 'news': name them"),
        (["--target", "precision=0.33"], "--target precision=0.33 selects 0"),
        (["--target", "precision=0.7", "--escalate-from", "0.99"], "--escalate-from 0.99 exceeds the threshold (probability 0."),
        (["--seen", "never"], "'never' is not one of drop, keep, error"),
    ):
        assert main([*command, *wrong]) == 2
        assert message in capsys.readouterr().err
    (tmp_path / "shop").mkdir()
    run.to_trec("shop/news.trec")
    profile.save("shop/year=1.json")
    names = {}
    for also in ("shop/news.trec,qrels.trec,p.json", "winter=shop/news.trec,qrels.trec,shop/year=1.json"):
        assert main([*command, "--also", also, "--json", "-o", "R.JSON"]) == 0
        names[also] = json.loads(capsys.readouterr().out)["transfer"]["names"]
    assert list(names.values()) == [[f"{tmp_path.name}/news", "shop/news"], ["news", "winter"]]
    train = fc.Profile.fit(run.scores, qrels.labels_of(run).labels, np.repeat(run.query_ids, 12), model="m", metric="cosine", target_precision=0.7)
    train.save("p.json")
    assert main(command) == 2
    assert "say --seen keep for figures that flatter" in capsys.readouterr().err


def test_the_figures_of_evaluate(main, capsys):
    """Both commands measure the same, so they say the same numbers."""
    found = []
    for command in ("evaluate", "report"):
        assert main([command, "news.trec", "qrels.trec", "--profile", "p.json", "--json"]) == 0
        found.append(json.loads(capsys.readouterr().out))
    evaluated, reported = found
    assert evaluated["calibration"] == reported["calibration"]["summary"]
    assert evaluated["separation"]["auroc_interval"] == reported["scores"]["separation"]["auroc_interval"]
    sweep = reported["operating"]
    for mark, cut in zip(sweep["marks"], evaluated["thresholds"], strict=True):
        at = mark["at"]
        assert sweep["n_selected"][at] == cut["n_selected"]
        for name in ("precision", "recall"):
            told = [sweep[key][at] for key in (name, f"{name}_low", f"{name}_high")]
            assert told == pytest.approx([cut[name], *cut[f"{name}_interval"]], rel=1e-9)
