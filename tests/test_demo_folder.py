"""The demo on a folder in BEIR layout: what it writes, what it reads, and folders that are not what they should be."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from beir_folder import make_beir

pytest.importorskip("typer")
pytest.importorskip("rich")
pytest.importorskip("sklearn")
pytest.importorskip("bm25s")
pytest.importorskip("ir_measures")
pytest.importorskip("matplotlib")

from fastcal.cli import main
from fastcal.cli.demo import beir

INTERVAL = re.compile(r"-?\d\.\d{3} \[-?\d\.\d{3}, -?\d\.\d{3}\]")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make_beir(tmp_path_factory.mktemp("beir") / "topics")


def test_demo_on_a_folder_writes_every_screen_with_n_and_interval(folder, tmp_path, capsys):
    make_beir(folder.parent / "other topics", seed=1)
    out = tmp_path / "out"
    assert main(["demo", "--data", str(folder), "--out", str(out)]) == 0
    shown = capsys.readouterr().out
    assert sorted(path.name for path in out.iterdir()) == ["reliability-topics.png", "report.md", "scores-topics.png"]
    sections = (out / "report.md").read_text().split("\n## ")
    for letter in "abcdef":
        assert f"({letter})" in shown
        (section,) = [text for text in sections if text.startswith(f"({letter})")]
        assert INTERVAL.search(section), letter
        assert "n = " in section, letter
    assert "ms per query" in shown
    (transfer,) = [text for text in sections if text.startswith("(d)")]
    assert all(name in transfer for name in ("topics (its own)", "digits", "other topics"))


def test_one_label_per_query_is_said(tmp_path):
    collection = beir.load_beir(make_beir(tmp_path / "sparse", one_each=True))
    assert "lower bound" in " ".join(collection.caveats)
    assert beir.load_beir(make_beir(tmp_path / "full")).caveats == ()


def test_qrels_may_stand_in_a_folder_and_grades_of_zero_are_irrelevant(folder, tmp_path):
    moved = make_beir(tmp_path / "moved")
    text = (moved / "qrels.tsv").read_text().replace("q0\tc0\t1", "q0\tc0\t0").replace("q0\tc1\t1", "q0\tc1\t3")
    (moved / "qrels").mkdir()
    (moved / "qrels" / "test.tsv").write_text(text)
    (moved / "qrels.tsv").unlink()
    before, after = beir.load_beir(folder), beir.load_beir(moved)
    assert len(after.qrels.docs) == len(before.qrels.docs) - 1
    assert after.qrels.grades.max() == 3


def test_lexical_lists_follow_the_queries_whatever_the_order_in_the_file(folder):
    run = beir.load_beir(folder).lexical
    assert run.n_queries == 48
    np.testing.assert_array_equal(run.counts(), 40)


def damage_vectors(name, change):
    def damage(folder):
        vectors = np.load(folder / name)
        np.save(folder / name, change(vectors))

    return damage


def with_nan(vectors):
    vectors[7, 3] = np.nan
    return vectors


def append(name, text):
    return lambda folder: (folder / name).write_text((folder / name).read_text() + text)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda f: (f / "queries_emb.npy").unlink(), r"missing queries_emb\.npy"),
        (lambda f: (f / "qrels.tsv").unlink(), r"missing qrels\.tsv"),
        (damage_vectors("corpus_emb.npy", with_nan), r"corpus_emb\.npy: row 7 holds NaN or infinity"),
        (damage_vectors("corpus_emb.npy", lambda v: v[:-1]), r"corpus_emb\.npy: 143 rows, but corpus\.jsonl has 144 lines"),
        (damage_vectors("queries_emb.npy", lambda v: v[:, :8]), r"corpus_emb\.npy has 16 dimensions, queries_emb\.npy has 8"),
        (
            damage_vectors("queries_emb.npy", lambda v: v.astype(int)),
            r"queries_emb\.npy: got int64 .* expected a two-dimensional floating-point array",
        ),
        (damage_vectors("queries_emb.npy", lambda v: v[0]), r"queries_emb\.npy: got float32 of shape \(16,\)"),
        (lambda f: (f / "corpus_emb.npy").write_bytes(b"no array"), r"corpus_emb\.npy: not a readable \.npy array"),
        (append("qrels.tsv", "q0\tnowhere\t1\n"), r"qrels\.tsv, line 578: unknown document id 'nowhere'"),
        (append("qrels.tsv", "nobody\tc0\t1\n"), r"qrels\.tsv, line 578: unknown query id 'nobody'"),
        (append("qrels.tsv", "q0\tc0\n"), r"qrels\.tsv, line 578: 2 columns, expected 3"),
        (append("qrels.tsv", "q0\tc0\thigh\n"), r"qrels\.tsv, line 578: 'high' is not an integer"),
        (append("qrels.tsv", "q0\tc0\t2\n"), r"qrels\.tsv, line 578: q0 c0 is judged 2, earlier 1"),
        (lambda f: (f / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\n"), r"qrels\.tsv: no relevant pair"),
        (append("corpus.jsonl", "{broken\n"), r"corpus\.jsonl, line 145, column 2: .* expected JSON"),
        (append("queries.jsonl", json.dumps({"_id": "q0"}) + "\n"), r"queries\.jsonl, line 49: _id 'q0' appears twice"),
        (lambda f: (f / "queries.jsonl").write_bytes(b"\xff\xfe"), r"queries\.jsonl, line 1: expected UTF-8"),
        (lambda f: (f / "corpus.jsonl").write_text(""), r"corpus\.jsonl: empty"),
        (lambda f: (f / "bm25_run.tsv.gz").write_bytes(b"not gzip"), r"bm25_run\.tsv\.gz"),
    ],
)
def test_a_damaged_folder_is_one_line_naming_the_file(tmp_path, capsys, damage, message):
    damaged = make_beir(tmp_path / "damaged")
    damage(damaged)
    assert main(["demo", "--data", str(damaged), "--out", str(tmp_path / "out")]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert re.search(message, err), err


def test_a_lexical_run_with_an_unknown_document_is_refused(tmp_path):
    damaged = make_beir(tmp_path / "damaged", lexical=False)
    (damaged / "bm25_run.tsv").write_text("q0 Q0 elsewhere 1 2.5 bm25\n")
    with pytest.raises(ValueError, match="unknown document id 'elsewhere'"):
        beir.load_beir(damaged)


def test_a_damaged_sibling_is_a_remark_not_an_error(tmp_path, capsys):
    chosen, sibling = make_beir(tmp_path / "chosen"), make_beir(tmp_path / "sibling")
    (tmp_path / "empty").mkdir()
    append("qrels.tsv", "q0\tnowhere\t1\n")(sibling)
    assert main(["demo", "--data", str(chosen), "--out", str(tmp_path / "out")]) == 0
    assert "sibling is left out" in capsys.readouterr().out
