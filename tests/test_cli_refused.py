"""Options that would have no effect, inputs that do not go together, and outputs that cannot be: one line that names what was typed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("typer")
pytest.importorskip("rich")

import cli_lists
from cli_lists import FIT

import fastcal as fc
from fastcal.files import write_run

fastcal, files = cli_lists.fastcal, cli_lists.files

REFUSED = [
    ("evaluate test.trec qrels.trec -p train.json --strict", "--strict is about gates: give --max-ece or --min-precision"),
    ("apply test.trec -p train.json --query-column nosuch", "--query-column nosuch: test.trec: no named columns there"),
    ("apply test.trec -p train.json --score-column s", "--score-column s: test.trec: no named columns there"),
    ("threshold test.trec qrels.trec --doc-column d", "--doc-column d: test.trec and qrels.trec: no named columns there"),
    ("evaluate test.trec qrels.trec -p train.json --grade-column g", "--grade-column g: qrels.trec: no named columns there"),
    ("certify test.trec --qrels qrels.trec --score-column s", "--score-column s: test.trec: no named columns there"),
    ("fuse run.trec run2.trec --query-column q", "--query-column q: run.trec and run2.trec: no named columns there"),
    ("revalidate test.trec -p train.json --doc-column d", "--doc-column d: test.trec: no named columns there"),
    ("fuse run.trec run2.trec --tag x -o a.parquet", "--tag is for TREC, and none is written: a.parquet is no TREC file"),
    ("fuse run.trec run2.trec --untie -o a.csv", "--untie is for TREC, and none is written: a.csv is no TREC file"),
    ("fuse run.trec run2.trec --tag x --json", "--tag is for TREC, and none is written: --json is JSON"),
    ("apply test.trec -p train.json --untie -o a.parquet", "--untie is for TREC, and none is written: a.parquet is no TREC file"),
    ("search --corpus x --queries y --untie --json", "--untie is for TREC, and none is written: --json is JSON"),
    ("fit run.trec qrels.trec --min-rel -3 --model m --metric c", "--min-rel must be at least 1, got '-3'; see fastcal fit --help"),
    ("fit run.trec qrels.trec --splits 1 --model m --metric c", "--splits must be at least 2, got '1'; see fastcal fit --help"),
    ("certify run.trec --qrels qrels.trec --batch 0", "--batch must be at least 1, got '0'; see fastcal certify --help"),
    ("certify run.trec --qrels qrels.trec --top-k 0", "--top-k must be at least 1, got '0'; see fastcal certify --help"),
    ("threshold run.trec qrels.trec --top-k 0", "--top-k must be at least 1, got '0'; see fastcal threshold --help"),
    ("threshold run.trec qrels.trec --seen keep", "--seen goes with --profile: it is about the queries that the profile was fitted on"),
    ("fuse - -", "several runs are -, and there is one standard input"),
    ("search --corpus - --queries q8.npy", "vectors cannot come from standard input (-): they are read from a file"),
    ("apply test.trec -p -", "a profile cannot be -: standard input is for the run"),
    ("threshold test.trec qrels.trec -p -", "a profile cannot be -: standard input is for the run"),
    ("search --corpus q4.npy --queries q8.npy", "queries and documents are vectors of different models: q8.npy has 8 coordinates, q4.npy has 4"),
    ("search --corpus q4.npy.gz --queries q8.npy", "q4.npy.gz: vectors are not read from gzip; unpack it first (.npz is packed by itself)"),
    ("threshold run.trec one.qrels", "run.trec and one.qrels have 1 query in common; --splits 5 needs at least 5"),
    ("fit run.trec one.qrels --model m --metric c", "run.trec and one.qrels have 1 query in common; --splits 5 needs at least 5"),
]


@pytest.mark.parametrize(("line", "told"), REFUSED)
def test_one_line_in_the_words_of_the_command_line(files, fastcal, line, told):
    for width in (4, 8):
        np.save(files / f"q{width}.npy", np.eye(width, dtype=np.float32))
    (files / "q4.npy.gz").write_bytes(b"\x1f\x8b")
    (files / "one.qrels").write_text("q0 0 c0 1\nq0 0 c1 0\nq99 0 c1 1\n")
    assert fastcal(line) == (2, "", f"fastcal: {told}\n")
    assert not any((files / name).exists() for name in ("a.parquet", "a.csv"))


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("certify run.trec --qrels qrels.trec --target precision=1", "0 < P, R < 1, got 'precision=1'"),
        ("evaluate run.trec one.qrels -p train.json --seen keep --unjudged error", "run.trec and one.qrels: 38 of 40 entries have no judgement"),
        ("evaluate run.trec one.qrels -p train.json --seen keep --unjudged error", "another --unjudged"),
        (
            "apply test.trec -p train.json --target precision=0.7",
            "train.json: --target precision=0.7 selects 0 of the profile's thresholds; expected",
        ),
        ("apply test.trec -p train.json --target precision=0.7", "expected one of: --target precision=0.9"),
        ("apply test.trec -p train.json --escalate-from 2", "train.json: "),
        ("apply test.trec -p train.json --distances", "got --distances"),
    ],
)
def test_python_s_names_are_spoken_as_options(files, fastcal, line, told):
    (files / "one.qrels").write_text("q0 0 c0 1\nq0 0 c1 0\n")
    code, _, err = fastcal(line)
    assert (code, told in err) == (2, True), err
    assert not any(name in err for name in ("target_", "higher_is_better", "n_splits", "`")), err


def test_columns_may_be_named_where_anything_has_them(files, fastcal, tmp_path):
    table = tmp_path / "groups.csv"
    table.write_text("qid,lang\n" + "".join(f"q{n},{n % 2}\n" for n in range(48)))
    assert fastcal(f"threshold run.trec qrels.trec --by {table}:lang --query-column qid")[0] == 0


def test_integers_beside_text_name_both_files_and_say_what_to_do(files, fastcal):
    pytest.importorskip("pyarrow")
    write_run(fc.Run.from_dict({1: {1: 0.5, 2: 0.25}}), files / "ints.parquet")
    _, _, err = fastcal("threshold ints.parquet qrels.trec")
    assert err.startswith("fastcal: ints.parquet and qrels.trec: ")
    assert "write the names of both as text, or of both as integers" in err


def test_lists_are_cut_alike_where_a_profile_is_fitted_and_measured(files, fastcal, tmp_path):
    profile = tmp_path / "p.json"
    assert fastcal("fit run.trec qrels.trec --method platt --top-k 20 --hold-out 0.5", *FIT, "-o", str(profile))[0] == 0
    for name in ("evaluate", "revalidate", "threshold"):
        line = f"{name} run.trec qrels.trec -p {profile} --json"
        _, out, err = fastcal(f"{line} --top-k 20")
        told = json.loads(out)
        assert told.get("n_pairs", told.get("counts", {}).get("n_pairs")) == 480, name
        assert (err.count("warning"), "fitted on 24 of the 48 queries of the run: they are left out" in err) == (1, True), err
        kept = fastcal(f"{line} --top-k 20 --seen keep")
        assert json.loads(kept[1]).get("n_pairs", json.loads(kept[1]).get("counts", {}).get("n_pairs")) == 960
        assert "counted, and figures on them flatter" in kept[2]
        assert "take others, or see --seen" in fastcal(f"{line} --top-k 20 --seen error")[2]
    assert "top_k is 20" in fastcal(f"evaluate run.trec qrels.trec -p {profile}")[2]
    assert json.loads(fastcal(f"revalidate run.trec -p {profile} --top-k 20 --json")[1])["n_queries"] == 24


def test_a_record_without_its_score_is_no_padding(files, fastcal, tmp_path):
    pytest.importorskip("pyarrow")
    rows = [{"query_id": "q1", "doc_id": f"c{n}", "score": 0.5} for n in range(3)]
    path = tmp_path / "a.jsonl"
    for last, told in (
        (
            {"query_id": "q1", "doc_id": "c9", "p": 0.75},
            "line 4: no 'score', which is there above; the record has 'query_id', 'doc_id', 'p'",
        ),
        ({"query_id": "q1", "score": 0.75}, "line 4: no 'doc_id', which is there above; the record has 'query_id', 'score'"),
    ):
        path.write_text("".join(json.dumps(row) + "\n" for row in [*rows, last]))
        assert fastcal(f"apply {path} -p train.json") == (2, "", f"fastcal: {path}, {told}\n")
    path.write_text("".join(json.dumps(row) + "\n" for row in [*rows, {"query_id": "q1", "doc_id": "c9", "score": None}]))
    assert fastcal(f"apply {path} -p train.json")[1].count("\n") == 3


@pytest.mark.skipif(os.name != "posix", reason="redirections of POSIX")
@pytest.mark.parametrize("line", ["info", "apply test.trec -p train.json", "evaluate test.trec qrels.trec -p train.json --json"])
@pytest.mark.parametrize(("to", "told"), [(">&-", "standard output is closed"), (">/dev/full", "standard output: No space left on device")])
def test_nowhere_to_write(files, line, to, told):
    if to == ">/dev/full" and not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    shell = ["sh", "-c", f'"$0" -m fastcal {line} {to}', sys.executable]
    done = subprocess.run(shell, capture_output=True, text=True, check=False, timeout=60, cwd=files)
    assert (done.returncode, done.stderr) == (2, f"fastcal: {told}\n")
    silent = subprocess.run(["sh", "-c", f'"$0" -m fastcal {line} {to} 2>&-', sys.executable], check=False, timeout=60, cwd=files)
    assert silent.returncode == 2
