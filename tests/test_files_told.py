"""The form of content: by the end of a name in any case, and by the first bytes of standard input."""

from __future__ import annotations

import gzip
import io
import json
import sys

import numpy as np
import pytest

import fastcal as fc
from fastcal import files
from fastcal.errors import InvalidValueError

LISTS = {"q": {"d": 0.5, "e": 0.25}, "r": {"e": 0.75}}
RECORDS = [{"query_id": q, "doc_id": d, "score": s} for q, docs in LISTS.items() for d, s in docs.items()]
LINES = "".join(json.dumps(each) + "\n" for each in RECORDS).encode()
TREC = b"q Q0 d 1 0.5 t\nq Q0 e 2 0.25 t\nr Q0 e 1 0.75 t\n"


def feed(monkeypatch, content):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("form", ["trec", "json", "pretty", "lines", "blank first"])
def test_standard_input_is_known_by_its_first_bytes(monkeypatch, pack, form):
    if form in {"lines", "blank first"}:
        pytest.importorskip("pyarrow")
    plain = json.dumps(LISTS).encode()
    content = {"trec": TREC, "json": plain, "pretty": json.dumps(LISTS, indent=1).encode(), "lines": LINES, "blank first": b"\n" + LINES}[form]
    feed(monkeypatch, pack(content))
    assert files.read_run("-").to_dict() == LISTS


def test_one_record_is_a_line(monkeypatch):
    pytest.importorskip("pyarrow")
    feed(monkeypatch, LINES.splitlines()[0])
    assert files.read_run("-").to_dict() == {"q": {"d": 0.5}}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"query_id,doc_id,score\nq,d,1\n", "CSV has to be a file whose name ends in .csv"),
        (b"\n\n", "standard input is empty"),
        (gzip.compress(b"", mtime=0), "standard input is empty"),
        (gzip.compress(TREC * 999, mtime=0)[:-9], "standard input is not a sound gzip file"),
        (gzip.compress(json.dumps(LISTS).encode() * 99, mtime=0)[:-9], "standard input is not a sound gzip file"),
    ],
)
def test_what_standard_input_cannot_be(monkeypatch, content, message):
    feed(monkeypatch, content)
    with pytest.raises(InvalidValueError, match=message):
        files.read_run("-")


@pytest.mark.parametrize("end", ["TREC.GZ", "JSON", "JSON.GZ", "CSV.GZ", "Tsv.Gz", "JSONL.gz", "PARQUET", "Arrow"])
def test_names_end_in_any_case(tmp_path, end):
    if "JSON" not in end[:4] and "TREC" not in end:
        pytest.importorskip("pyarrow")
    run, upper, lower = fc.Run.from_dict(LISTS), tmp_path / f"a.{end}", tmp_path / f"b.{end.lower()}"
    for path in (upper, lower):
        files.write_run(run, path)
    assert upper.read_bytes() == lower.read_bytes()
    assert (upper.read_bytes()[:2] == b"\x1f\x8b") == end.lower().endswith("gz")
    assert files.read_run(upper).to_dict() == LISTS


def test_members_of_names_in_capitals(tmp_path):
    (tmp_path / "A.JSON").write_text(json.dumps({"dev": LISTS, "test": {"q": {"d": 1.0}}}))
    assert files.read_run(f"{tmp_path / 'A.JSON'}:dev").to_dict() == LISTS
    rows = np.eye(3, dtype=np.float32)
    np.savez(tmp_path / "a.npz", x=rows, y=-rows)
    (tmp_path / "a.npz").rename(tmp_path / "A.NPZ")
    np.testing.assert_array_equal(files.read_vectors(f"{tmp_path / 'A.NPZ'}:y"), -rows)


@pytest.mark.parametrize("end", [".parquet.gz", ".ARROW.GZ"])
def test_binary_tables_are_not_packed_again(tmp_path, end):
    with pytest.raises(InvalidValueError, match="may follow a form of text only"):
        files.write_run(fc.Run.from_dict(LISTS), tmp_path / f"a{end}")
    assert not list(tmp_path.iterdir())


def test_nobody_is_told_to_allow_pickles(tmp_path):
    (tmp_path / "a.npy").write_bytes(b"no array at all")
    np.save(tmp_path / "b.npy", np.array([{}, []], object), allow_pickle=True)
    np.savez(tmp_path / "c.npz", x=np.array([{}, []], object))
    for name in ("a.npy", "b.npy", "c.npz"):
        with pytest.raises(InvalidValueError, match=name) as caught:
            files.read_vectors(tmp_path / name)
        assert "pickle" not in str(caught.value)


def test_a_document_listed_twice_is_kept_where_that_is_wanted(tmp_path):
    path = tmp_path / "a.trec"
    path.write_text("q Q0 d 1 0.5 t\nq Q0 d 2 0.25 t\n")
    assert files.read_run(path, duplicates="keep").counts().tolist() == [2]
    with pytest.raises(InvalidValueError, match="duplicates must be one of"):
        files.read_run(path, duplicates="first")
