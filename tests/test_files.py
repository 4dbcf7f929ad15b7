"""Files of runs, judgements and names: every form there and back, from standard input too, and what others write."""

from __future__ import annotations

import gzip
import io
import json
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastcal as fc
from fastcal import files
from fastcal.files._ties import untied

FORMS = [".trec", ".trec.gz", ".json", ".json.gz", ".parquet", ".arrow", ".feather", ".csv", ".csv.gz", ".tsv", ".jsonl", ".jsonl.gz"]
ARROW = (".parquet", ".arrow", ".feather", ".csv", ".csv.gz", ".tsv", ".jsonl", ".jsonl.gz")
LISTS = {"q2": {"d,1": 0.75, 'd"2': 0.75, "07": -1.5e-20}, "é": {"d,1": 16777216.0}, "10": {"07": 0.1}}


def needs_arrow(form):
    if form in ARROW:
        pytest.importorskip("pyarrow")


def same(run, lists=LISTS):
    """Lists, their order and the order of queries."""
    found = run.to_dict()
    rounded = {query: {doc: float(np.float32(score)) for doc, score in docs.items()} for query, docs in lists.items()}
    return found == rounded and list(found) == list(rounded) and [list(docs) for docs in found.values()] == [list(docs) for docs in rounded.values()]


@pytest.mark.parametrize("form", FORMS)
def test_a_run_comes_back_from_every_form(tmp_path, form):
    needs_arrow(form)
    path = tmp_path / f"run{form}"
    files.write_run(fc.Run.from_dict(LISTS), path)
    assert same(files.read_run(path))
    assert (path.read_bytes()[:2] == b"\x1f\x8b") == form.endswith(".gz")
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("form", [".trec", ".trec.gz", ".json", ".parquet", ".arrow"])  # by their first bytes
def test_a_run_comes_back_from_standard_input(tmp_path, monkeypatch, form):
    needs_arrow(form)
    path = tmp_path / f"run{form}"
    files.write_run(fc.Run.from_dict(LISTS), path)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(path.read_bytes())))
    assert same(files.read_run("-"))


def test_trec_on_standard_output_is_the_file(tmp_path, capsysbinary):
    run = fc.Run.from_dict(LISTS)
    files.write_run(run, tmp_path / "run", tag="me")
    files.write_run(run, "-", tag="me")
    assert capsysbinary.readouterr().out == (tmp_path / "run").read_bytes() != b""


@pytest.mark.parametrize("form", [".trec", ".parquet", ".arrow"])
def test_distances_stay_best_first(tmp_path, form):
    needs_arrow(form)
    run = fc.Run.from_dict({"q": {"near": 0.5, "far": 2.0}}, higher_is_better=False)
    files.write_run(run, tmp_path / f"run{form}")
    found = files.read_run(tmp_path / f"run{form}")
    sign = -1 if form == ".trec" else 1
    assert list(found.to_dict()["q"].items()) == [("near", sign * 0.5), ("far", sign * 2.0)]
    assert found.higher_is_better == (form == ".trec")


def test_tables_of_others(tmp_path):
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    scores = pa.array([0.5, None, 0.25, float("nan"), 0.75])
    table = pa.table({"extra": range(5), "qid": pa.array(["b", "b", "a", "a", "b"]).dictionary_encode(), "docno": [3, 1, 4, 1, 5], "score": scores})
    parquet.write_table(table, tmp_path / "run.parquet", row_group_size=2)
    assert files.read_run(tmp_path / "run.parquet").to_dict() == {"b": {5: 0.75, 3: 0.5}, "a": {4: 0.25}}
    found = files.read_run(tmp_path / "run.parquet", score="extra", higher_is_better=False)
    assert [list(docs) for docs in found.to_dict().values()] == [[3, 1, 5], [4, 1]]


def test_results_inside_something_larger(tmp_path):
    path = tmp_path / "predictions.json"
    path.write_text(json.dumps({"meta": {"model": {"name": "m"}}, "default": {"test": LISTS, "dev": {"q": {"d": 1}}}}))
    assert same(files.read_run(f"{path}:default/test"))
    with pytest.raises(fc.errors.InvalidValueError, match=r"holds 2 results; expected one of \S+predictions\.json:default/test, \S+:default/dev"):
        files.read_run(path)


def test_trec_under_the_name_of_a_table(tmp_path):
    (tmp_path / "run.tsv").write_text("q2\tQ0\td\t1\t0.5\tme\n")
    (tmp_path / "run.tsv.gz").write_bytes(gzip.compress(b"q2 Q0 d 1 0.5 me\n"))
    for name in ("run.tsv", "run.tsv.gz"):
        assert files.read_run(tmp_path / name).to_dict() == {"q2": {"d": 0.5}}


GRADES = {"q1": {"d1": 2, "d2": 0}, "7": {"d1": 1}}


def qrels_files(folder):
    pairs = [(query, doc, grade) for query, docs in GRADES.items() for doc, grade in docs.items()]
    texts = {
        "qrels.trec": ("{} 0 {} {}\n", ""),
        "qrels.tsv": ("{}\t{}\t{}\n", "query-id\tcorpus-id\tscore\n"),
        "bare.tsv": ("{}\t{}\t{}\n", ""),
        "qrels.txt": ("{} {} {}\n", ""),
        "more.tsv": ("x\t{}\t{}\t{}\ty\n", "note\tqid\tdocno\tlabel\tmore\n"),
        "qrels.csv": ("{},{},{}\n", "query_id,doc_id,relevance\n"),
        "qrels.jsonl": ('{{"query_id": "{}", "doc_id": "{}", "relevance": {}}}\n', ""),
    }
    for name, (line, header) in texts.items():
        text = header + "".join(line.format(*pair) for pair in pairs)
        (folder / name).write_text(text)
        (folder / f"{name}.gz").write_bytes(gzip.compress(text.encode()))
    (folder / "qrels.json").write_text(json.dumps(GRADES))
    (folder / "beir" / "qrels").mkdir(parents=True)
    for name in ("test", "dev"):
        (folder / "beir" / "qrels" / f"{name}.tsv").write_text((folder / "qrels.tsv").read_text() if name == "test" else "query-id\tc\ts\nq\td\t1\n")
    return [*texts, *(f"{name}.gz" for name in texts), "qrels.json", "beir"]


def test_judgements_of_every_form(tmp_path):
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    names = qrels_files(tmp_path)
    for name in names:
        assert files.read_qrels(tmp_path / name).to_dict() == GRADES, name
    assert files.read_qrels(tmp_path / "beir", split="dev").to_dict() == {"q": {"d": 1}}
    parquet.write_table(pa.table({"query-id": ["q1"], "corpus-id": ["d1"], "score": [2.0]}), tmp_path / "hub.parquet")
    assert files.read_qrels(tmp_path / "hub.parquet").to_dict() == {"q1": {"d1": 2}}


def test_names_and_groups(tmp_path):
    pytest.importorskip("pyarrow")
    (tmp_path / "a.txt").write_text("\ufeffd1\nd 2 \n\n3\n", encoding="utf-8")
    (tmp_path / "a.jsonl").write_text('{"_id": "d1", "text": ""}\n{"_id": "d 2"}\n{"id": 3}\n')
    (tmp_path / "a.csv").write_text("name,lang\nd1,en\nd 2,de\n3,en\n")
    for name in ("a.txt", "a.jsonl", "a.csv:name"):
        assert files.read_names(tmp_path / name) == ["d1", "d 2", "3"]
    assert files.read_groups(tmp_path / "a.csv:lang", query="name") == {"d1": "en", "d 2": "de", "3": "en"}


@given(st.lists(st.lists(st.sampled_from([-np.inf, -2.0, -1e-45, -0.0, 0.0, 1e-45, 0.5, 1.0, np.inf]), max_size=8), max_size=4), st.booleans())
def test_scores_that_do_not_tie(lists, bounded):
    """Each score is its own or the float32 below the one before; with a bound, the least float32 that leaves room for the rest."""
    flat = [np.sort(np.abs(np.float32(each)) if bounded else np.float32(each))[::-1] for each in lists]
    flat = [each[np.isfinite(each)] for each in flat]
    offsets = np.cumsum([0, *map(len, flat)])
    found = untied(np.concatenate([np.empty(0, np.float32), *flat]), offsets, least=0.0 if bounded else None)
    for scores, at in zip(flat, offsets, strict=False):
        wanted, above = [], np.float32(np.inf)
        for score in scores:
            above = min(score + np.float32(0), np.nextafter(above, np.float32(-np.inf)))
            wanted.append(above)
        if bounded:
            floor = np.float32(0)
            for place in reversed(range(len(wanted))):
                wanted[place], floor = max(wanted[place], floor), np.nextafter(floor, np.float32(np.inf))
        np.testing.assert_array_equal(found[at : at + len(scores)], np.float32(wanted))
        assert (np.diff(found[at : at + len(scores)].astype(np.float64)) < 0).all()


def test_ties_broken_for_tools_that_sort_by_score(tmp_path):
    run = fc.Run.from_dict({"q": {"a": 1.0, "c": 1.0, "b": 0.0, "d": 0.0}})
    files.write_run(run, tmp_path / "run", untie=True, least=0.0)
    lines = [line.split() for line in (tmp_path / "run").read_text().splitlines()]
    by_trec_eval = sorted(lines, key=lambda fields: (float(fields[4]), fields[2]), reverse=True)
    assert [fields[2] for fields in by_trec_eval] == ["a", "c", "b", "d"]
    assert [float(fields[4]) for fields in lines] == [1.0, float(np.nextafter(np.float32(1), np.float32(0)).astype(str)), 1e-45, 0.0]
