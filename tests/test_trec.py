"""TREC run files: what is written is what is read, and a bad file is named with its line."""

import gzip

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastcal as fc

names = st.text(st.characters(codec="utf-8", exclude_categories=["Z", "C"]), min_size=1, max_size=6)
scores32 = st.floats(width=32, allow_nan=False)
dicts = st.dictionaries(names, st.dictionaries(names, scores32, max_size=8), max_size=6)


@pytest.mark.parametrize("name", ["a.run", "a.run.gz"])
def test_trec_text(tmp_path, name):
    run = fc.Run.from_dict({"q2": {"b": 0.5, "a": 0.1}, "q1": {"ü": -1e-30}})
    run.to_trec(tmp_path / name, tag="t")
    raw = (tmp_path / name).read_bytes()
    text = (gzip.decompress(raw) if name.endswith("gz") else raw).decode()
    assert text == "q2 Q0 b 1 0.5 t\nq2 Q0 a 2 0.1 t\nq1 Q0 ü 1 -1e-30 t\n"
    assert fc.Run.from_trec(str(tmp_path / name)).to_dict() == run.to_dict()


@given(dicts)
def test_trec_round_trip(tmp_path_factory, run):
    path = tmp_path_factory.mktemp("trec") / "a.run"
    fc.Run.from_dict(run).to_trec(path)
    assert fc.Run.from_trec(path).to_dict() == {query: documents for query, documents in run.items() if documents}


def test_trec_ties_keep_file_order_and_queries_may_be_interleaved(tmp_path):
    path = tmp_path / "a.run"
    path.write_text("q1 Q0 z 9 1 t\nq2 Q0 a 1 5 t\nq1\tQ0\ty 1 1.0 t\r\nq1 Q0 x 1 2e0 t\n")
    run = fc.Run.from_trec(path)
    assert {query: list(documents) for query, documents in run.to_dict().items()} == {"q1": ["x", "z", "y"], "q2": ["a"]}


def test_distances_and_bare_ranks_are_written_so_that_higher_is_better(tmp_path):
    path = tmp_path / "a.run"
    fc.Run([[3, 4]], [[0.0, 2.0]], higher_is_better=False).to_trec(path)
    assert path.read_text() == "0 Q0 3 1 0.0 fastcal\n0 Q0 4 2 -2.0 fastcal\n"
    fc.Run([[3, 4]]).to_trec(path)
    assert path.read_text() == "0 Q0 3 1 2.0 fastcal\n0 Q0 4 2 1.0 fastcal\n"


def test_an_empty_file_is_a_run_without_queries(tmp_path):
    (tmp_path / "a.run").write_text("")
    assert len(fc.Run.from_trec(tmp_path / "a.run")) == 0


@pytest.mark.parametrize("name", ["a", "a.gz"])
def test_a_byte_order_mark_and_blank_lines_at_the_end_are_skipped(backend, tmp_path, name):
    def file_of(text):
        data = text.encode("utf-8-sig")
        (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith("gz") else data)
        return tmp_path / name

    assert fc.Run.from_trec(file_of("q1 Q0 d 1 2.5 t\nq1 Q0 e 2 1.5 t\n\n \t\r\n\n")).to_dict() == {"q1": {"d": 2.5, "e": 1.5}}
    assert fc.Qrels.from_trec(file_of("q1 0 d 1\n \n")).to_dict() == {"q1": {"d": 1}}
    with pytest.raises(ValueError, match=r"line 2: expected .*, got ''"):
        fc.Run.from_trec(file_of("q1 Q0 d 1 2.5 t\n\n\nq1 Q0 e 2 1.5 t\n"))


GOOD = b"q Q0 d 1 1.0 t\n"


@pytest.mark.parametrize(
    "line", [b"q Q0 d 1 1.0", b"q Q0 d 1 1.0 t t", b"q Q0 d 1 high t", b"q Q0 d 1 nan t", b"q Q0 d 1 1e39 t", b"", b"\xff Q0 d 1 1 t"]
)
@pytest.mark.parametrize("name", ["a.run", "a.run.gz"])
def test_a_malformed_line_is_named(tmp_path, name, line):
    text = GOOD * 2 + line + b"\n" + GOOD
    (tmp_path / name).write_bytes(gzip.compress(text) if name.endswith("gz") else text)
    with pytest.raises(ValueError, match=rf"{name}, line 3: expected 'query Q0"):
        fc.Run.from_trec(tmp_path / name)


@pytest.mark.parametrize("damage", [lambda raw: raw[: len(raw) // 2], lambda raw: b"plain", lambda raw: raw[:12] + b"\xff" * 8 + raw[20:]])
def test_a_damaged_gzip_file_is_named(tmp_path, damage):
    path = tmp_path / "a.run.gz"
    path.write_bytes(damage(gzip.compress(GOOD * 1000)))
    with pytest.raises(ValueError, match=r"a\.run\.gz is not a sound gzip file"):
        fc.Run.from_trec(path)


def test_a_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        fc.Run.from_trec(tmp_path / "none.run")


@pytest.mark.parametrize("options", [{"query_ids": ["a b"]}, {"query_ids": [""]}, {"doc_ids": ["x", "y\n"]}])
def test_names_a_trec_file_cannot_hold(tmp_path, options):
    with pytest.raises(ValueError, match="cannot hold"):
        fc.Run([[1]], **options).to_trec(tmp_path / "a.run")
    assert not (tmp_path / "a.run").exists()


def test_a_tag_a_trec_file_cannot_hold(tmp_path):
    with pytest.raises(ValueError, match="cannot hold"):
        fc.Run([[1]]).to_trec(tmp_path / "a.run", tag="my run")


def test_a_real_run(data_dir, tmp_path):
    path = data_dir / "cranfield" / "bm25_run.tsv.gz"
    run = fc.Run.from_trec(path)
    with gzip.open(path, "rt") as file:
        lines = [line.split() for line in file]
    assert run.ids.size == len(lines)
    assert run.n_queries == len({fields[0] for fields in lines})
    queries, documents = fc.pairs(run, np.arange(run.ids.size))
    assert [(query, document) for query, document in zip(queries, documents, strict=True)] == [(fields[0], fields[2]) for fields in lines]
    run.to_trec(tmp_path / "copy.gz")
    again = fc.Run.from_trec(tmp_path / "copy.gz")
    assert again.scores.tobytes() == run.scores.tobytes()
    assert again.ids.tobytes() == run.ids.tobytes()
