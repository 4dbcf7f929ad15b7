"""For tests of the commands that read judgements: small lists, what runs a command line, and both as the fixtures files and fastcal."""

from __future__ import annotations

import numpy as np
import pytest
from beir_folder import make_beir

import fastcal as fc
from fastcal.cli import main
from fastcal.files import read_qrels, read_run, write_run

FIT = ("--model", "toy", "--metric", "cosine")


def make_lists(parent):
    """Return a folder: a run of 48 queries, its halves train and test, another run, judgements, groups, and a profile of the first half."""
    beir, folder = make_beir(parent / "beir"), parent / "lists"
    folder.mkdir()
    queries, documents = ([f"{kind}{n}" for n in range(count)] for kind, count in (("q", 48), ("c", 144)))
    found = fc.topk(np.load(beir / "queries_emb.npy"), np.load(beir / "corpus_emb.npy"), 40)
    run = fc.Run.from_search(found, query_ids=queries, doc_ids=documents)
    write_run(run, folder / "run.trec")
    write_run(read_run(beir / "bm25_run.tsv.gz"), folder / "run2.trec")
    for at, name in enumerate(("train", "test")):
        half = [number for number in range(48) if number % 2 == at]
        part = fc.Run(found.ids[half], found.scores[half], query_ids=np.array(queries, object)[half], doc_ids=documents)
        write_run(part, folder / f"{name}.trec")
    read_qrels(beir).to_trec(folder / "qrels.trec")
    (folder / "groups.csv").write_text("query_id,lang\n" + "".join(f"q{n},{('en', 'de')[n // 2 % 2]}\n" for n in range(48)))
    assert main(["fit", str(folder / "train.trec"), str(folder / "qrels.trec"), *FIT, "--method", "platt", "-o", str(folder / "train.json")]) == 0
    return folder


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return make_lists(tmp_path_factory.mktemp("files"))


@pytest.fixture
def fastcal(files, monkeypatch, capsys):
    """What runs a command line in the folder of the files and returns exit code, stdout and stderr; bad input is one line."""
    monkeypatch.chdir(files)

    def call(line, *more):
        code = main([*line.split(), *more])
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        if code == 2:
            told = [each for each in err.splitlines() if not each.startswith("fastcal: warning: ")]
            assert (out, len(told), told[0][:9]) == ("", 1, "fastcal: ")
        return code, out, err

    capsys.readouterr()
    return call
