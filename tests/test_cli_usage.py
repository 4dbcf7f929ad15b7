"""What is refused before any work is done, and splitting by query."""

from __future__ import annotations

import json

import numpy as np
import pytest

pytest.importorskip("typer")
pytest.importorskip("rich")

import cli_lists
from cli_lists import FIT

import fastcal as fc

files, fastcal = cli_lists.files, cli_lists.fastcal


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("search -k x", "-k must be an integer, got 'x'; see fastcal search --help"),
        ("search -k 0", "-k must be at least 1, got '0'; see fastcal search --help"),
        ("fit a b --prior x", "--prior must be a number, got 'x'; see fastcal fit --help"),
        ("certify a --batch 1.5", "--batch must be an integer, got '1.5'; see fastcal certify --help"),
    ],
)
def test_numbers_that_are_none(fastcal, line, told):
    assert fastcal(line) == (2, "", f"fastcal: {told}\n")


COMMANDS = ["search", "fuse none", "apply none -p none", "fit none none --model m --metric c", "threshold none none"]
COMMANDS += ["certify none --ask --log a", "evaluate none none -p none", "revalidate none -p none"]


@pytest.mark.parametrize("line", COMMANDS)
def test_a_file_that_cannot_be_made_is_refused_first(fastcal, line, tmp_path):
    """None of the inputs is there, and yet the output is what is told."""
    out = tmp_path / "nope" / "x.trec"
    assert fastcal(f"{line} -o {out}") == (2, "", f"fastcal: {out}: the folder {out.parent} does not exist\n")
    assert "is a folder" in fastcal(f"{line} -o {tmp_path}")[2]
    assert "may follow a form of text only" in fastcal(f"{line} -o {tmp_path}/x.parquet.gz")[2]
    assert not list(tmp_path.iterdir())


def test_grades_that_nothing_reaches(fastcal):
    told = "fastcal: --min-rel 9: no judgement is that high, the highest grade is "
    for line in (
        "fit run.trec qrels.trec --model toy --metric cosine",
        "threshold run.trec qrels.trec",
        "evaluate test.trec qrels.trec -p train.json",
    ):
        assert fastcal(f"{line} --min-rel 9")[2].startswith(told)
    assert fastcal("certify run.trec --qrels qrels.trec --min-rel 9")[2].startswith(told)


def test_evaluate_measures_what_fit_held_out(files, fastcal, tmp_path):
    run = fc.Run.from_trec(files / "run.trec").to_dict()
    fc.Run.from_dict(dict(reversed(run.items()))).to_trec(tmp_path / "turned.trec")
    seen = []
    for name in ("run.trec", tmp_path / "turned.trec"):
        profile = tmp_path / "p.json"
        code, out, _ = fastcal(f"fit {name} qrels.trec --method platt --hold-out 0.25 --seed 3 --json", *FIT, "-o", str(profile))
        told = json.loads(out)["counts"]
        assert (code, told["n_queries"], told["queries_held_out"], told["queries_without_list"]) == (0, 36, 12, 0)
        known = fc.Profile.load(profile).seen_queries(np.array(list(run)))
        seen.append(known.tolist())
        code, out, err = fastcal(f"evaluate {name} qrels.trec -p {profile} --json")
        assert (code, json.loads(out)["calibration"]["n_groups"]) == (0, 12)
        assert "fitted on 36 of the 48" in err
    assert seen[0] == seen[1]
    fastcal("fit run.trec qrels.trec --method platt --hold-out 0.25 --seed 4", *FIT, "-o", str(profile))
    assert fc.Profile.load(profile).seen_queries(np.array(list(run))).tolist() != seen[0]
    for share in ("0.001", "1", "-0.5", "nan"):
        assert "--hold-out" in fastcal(f"fit run.trec qrels.trec --hold-out {share}", *FIT)[2]
