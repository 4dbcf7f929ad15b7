"""Labels from files: which queries count, who is asked, and errors that name file and line; one real collection from end to end."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

pytest.importorskip("typer")
pytest.importorskip("rich")

import cli_lists
from cli_lists import FIT

import fastcal as fc
from fastcal.cli import main

files, fastcal = cli_lists.files, cli_lists.fastcal


# -- what is used of two files ------------------------------------------------------------------------
def test_queries_that_one_file_lacks(files, fastcal, tmp_path):
    qrels = fc.Qrels.from_trec(files / "qrels.trec").to_dict()
    some = {query: docs for query, docs in qrels.items() if query not in {"q1", "q3", "q5"}} | {"elsewhere": {"c1": 1}}
    fc.Qrels.from_dict(some).to_trec(tmp_path / "some.qrels")
    base = f"evaluate test.trec {tmp_path / 'some.qrels'} --profile train.json --json"
    told = json.loads(fastcal(base)[1])
    counts = told["counts"]
    assert (counts["n_queries"], counts["queries_without_judgements"], counts["queries_without_list"]) == (21, 3, 25)
    whole = json.loads(fastcal(f"{base} --all-queries")[1])
    assert (whole["counts"]["n_queries"], whole["counts"]["n_pairs"]) == (24 + 25, 24 * 40)
    assert whole["thresholds"][0]["decisions"]["not_found"]["n"] >= 25
    assert counts["n_relevant"] + counts["n_relevant_not_listed"] == sum(
        sum(docs.values()) for q, docs in some.items() if q[0] == "q" and int(q[1:]) % 2
    )
    assert fastcal(f"{base} --unjudged error")[0] == 2


def test_errors_name_file_and_line(files, fastcal, tmp_path):
    for name, text, line in (
        ("bad.trec", "q1 Q0 d1 1 0.5 x\nq1 Q0 d2 2 high x\n", "line 2"),
        ("bad.tsv", "query-id\tcorpus-id\tscore\nq1\td1\tmany\n", "line 2"),
    ):
        (tmp_path / name).write_text(text)
        where = tmp_path / name
        both = (where, "qrels.trec") if name == "bad.trec" else ("run.trec", where)
        for command in ("fit", "threshold", "evaluate -p train.json", "revalidate -p train.json"):
            code, _, err = fastcal(f"{command} {both[0]} {both[1]}", *(FIT if command == "fit" else ()))
            assert code == 2
            assert name in err
            assert line in err
    (tmp_path / "g.csv").write_text("query_id,lang\nq0,de\nq0,en\n")
    assert (
        "g.csv, line 3: query 'q0' has lang 'en' here and 'de' above" in fastcal(f"threshold run.trec qrels.trec --by {tmp_path / 'g.csv'}:lang")[2]
    )
    (tmp_path / "g.csv").write_text("query_id,lang\nq0,de\n")
    assert "no lang for 47 of 48 queries, first 'q1'" in fastcal(f"threshold run.trec qrels.trec --by {tmp_path / 'g.csv'}:lang")[2]
    assert "TABLE:COLUMN" in fastcal("threshold run.trec qrels.trec --by lang")[2]
    assert "--target must be" in fastcal("threshold run.trec qrels.trec --target precision=90")[2]
    assert "both -" in fastcal("threshold - -")[2]
    assert "no-such.json" in fastcal("evaluate run.trec qrels.trec --profile no-such.json")[2]
    (tmp_path / "alien.qrels").write_text("x 0 y 1\n")
    assert "named alike" in fastcal(f"threshold run.trec {tmp_path / 'alien.qrels'}")[2]


def test_asking_needs_a_terminal(fastcal, monkeypatch):
    with Path(os.devnull).open() as nothing:
        monkeypatch.setattr("sys.stdin", nothing)
        assert "no terminal" in fastcal("threshold run.trec qrels.trec --unjudged ask")[2]
    assert "go with --unjudged ask" in fastcal("threshold run.trec qrels.trec --answers a.csv")[2]


def test_a_jsonl_of_queries_groups_by_its_metadata(files, fastcal, tmp_path):
    lines = [json.dumps({"_id": f"q{n}", "text": "", "metadata": {"lang": "ab"[n % 2]}}) for n in range(48)]
    (tmp_path / "queries.jsonl").write_text("\n".join(lines))
    told = json.loads(fastcal(f"threshold run.trec qrels.trec --by {tmp_path / 'queries.jsonl'}:lang --json")[1])
    assert [(row["group"], row["n_queries"]) for row in told["thresholds"]] == [(None, 48), ("a", 24), ("b", 24)]


def test_a_real_collection_from_files_to_verdict(data_dir, tmp_path, capsys):
    """Fitted on half of cranfield's queries; the other half keeps what the profile says."""
    from real_runs import read

    folder = data_dir / "cranfield"
    real = read(folder)
    for at, name in enumerate(("train", "test")):
        part = {query: docs for number, (query, docs) in enumerate(real.runs["MiniLM"].to_dict().items()) if number % 2 == at}
        fc.Run.from_dict(part).to_trec(tmp_path / f"{name}.trec")
    qrels, profile = str(folder / "qrels.tsv"), str(tmp_path / "profile.json")
    line = ["fit", str(tmp_path / "train.trec"), qrels, "--model", "MiniLM", "--metric", "cosine", "--target", "precision=0.7", "-o", profile]
    assert main(line) == 0
    capsys.readouterr()
    assert main(["evaluate", str(tmp_path / "test.trec"), qrels, "-p", profile, "--max-ece", "0.03", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["calibration"]["n_groups"] > 90
    assert told["calibration"]["brier_skill"] > 0
    assert main(["revalidate", str(tmp_path / "test.trec"), qrels, "-p", profile]) == 0
