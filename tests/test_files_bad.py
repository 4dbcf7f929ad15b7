"""Files that are not what they should be: one line that names the file and, where there is one, the line or row."""

from __future__ import annotations

import gzip
import io
import sys

import numpy as np
import pytest

import fastcal as fc
from fastcal import files
from fastcal.errors import InvalidValueError

HEAD = "query_id,doc_id,score\n"
RUNS = [
    ("a.trec", "q Q0 d 1 0.5 t\nq Q0 d\n", r"line 2: expected 'query Q0 document rank score tag'"),
    ("a.trec.gz", b"no gzip", r"is not a sound gzip file"),
    ("a.trec.gz", gzip.compress(b"q Q0 d 1 0.5 t\n" * 99, mtime=0)[:-9], r"is not a sound gzip file"),
    ("a.json", '{"q": {"d": 1},\n "r" {}}', r"line 2, column 6: Expecting ':' delimiter"),
    ("a.json", '{"q": {"d": "high"}}', r"expected \{query: \{document: number\}\}, and found none"),
    ("a.json", '{"q": {"d": 1, "e": "x"}}', r"; query 'q', document 'e': \"x\" is not a number"),
    ("a.json", '{"s": {"dev": {"q": {"d": null}}}}', r"; query 'q', document 'd': null is not a number"),
    ("a.json", '{"p": {}, "q": {"d": 1, "e": 1e99}}', r": query 'q', document 'e': 1e\+99; expected values that fit float32"),
    ("a.json", '{"q": {"d": NaN}}', r": query 'q', document 'd': nan; expected a number"),
    ("a.json", '{"q": {"d": 1}, "q": {"e": 1}}', r": 'q' stands twice in one object"),
    ("a.json", '{"q": {"": 1}}', r": a query or document has an empty name"),
    ("a.json", '{"q": {"\\ud800": 1}}', r": not JSON .*surrogates not allowed"),
    ("a.json", '{"q": {"d": ' + "9" * 99 + "}}", r"; query 'q', document 'd': 9+ is not a number"),
    ("a.json", '{"q": {"d": ' + "9" * 9999 + "}}", r": not JSON"),
    ("a.trec", "", r"is empty: it lists nothing"),
    ("a.trec.GZ", gzip.compress(b"\n\n", mtime=0), r"is empty: it lists nothing"),
    ("a.trec", "q Q0 d 1 0.5 t\nr Q0 d 1 0.5 t\nq Q0 d 3 0.25 t\n", r", line 3: query 'q' lists document 'd' twice, first in line 1"),
    ("a.trec.gz", gzip.compress(b"q Q0 d 1 0.5 t\nq Q0 d 3 0.25 t\n", mtime=0), r", line 2: query 'q' lists document 'd' twice, first in line 1"),
    ("a.PARQUET.gz", b"", r"\.gz may follow a form of text only, and parquet is none"),
    ("a.json", "", r"line 1, column 1: Expecting value"),
    ("a.json", b"\xff\xfe\x00", r"not JSON"),
    ("a.json.gz", b"no gzip", r"is not a sound gzip file"),
    ("a.json:dev", '{"test": {"q": {"d": 1}}}', r"holds no member 'dev'; expected one of \S+:test"),
]
TABLES = [
    ("a.csv", "", r"no column 'query_id', only none"),
    ("a.csv", HEAD, r"has no rows"),
    ("a.csv", "query,doc_id,score\nq,d,1\n", r"no column 'query_id', only 'query', 'doc_id', 'score'"),
    ("a.csv", HEAD + "q,d,1\nq,e\n", r"line 3: 2 fields, but the header has 3"),
    ("a.csv", HEAD + "q,d,1\nq,e,high\n", r"line 3, column 'score': 'high' is not a number"),
    ("a.csv", 'score,doc_id,query_id\n1,"d\n\n,",q\n\n,e,q\nx,f,q\n', r"line 7, column 'score': 'x' is not a number"),
    ("a.tsv", HEAD.replace(",", "\t") + "q\td\t1\nq\te\t1 2\n", r"line 3, column 'score': '1 2' is not a number"),
    ("a.csv", HEAD + "q,d,1\nr,d,1\nq,e,1\nr,d,2\n", r", line 5: query 'r' lists document 'd' twice, first in line 3"),
    ("a.csv", HEAD + 'q,"d,1\nr,d,2\nr,e,2\n', r", line 2: 2 fields, but the header has 3"),
    ("a.csv", HEAD + 'q,"d\nd",1\n\nq,"d\nd",\nq,"d\nd",2\n', r", line 7: query 'q' lists document 'd\\nd' twice, first in line 2"),
    ("a.tsv", "q Q0 d 1 0.5 t\nq Q0 d 3 0.25 t\n", r", line 2: query 'q' lists document 'd' twice, first in line 1"),
    (
        "a.jsonl",
        '\n{"query_id": "q", "doc_id": "d", "score": 1}\n\n{"query_id": "q", "doc_id": "d", "score": 2}\n',
        r"4: query .* twice, first in line 2",
    ),
    ("a.csv", HEAD + "q,d,1\n,e,1\n", r"line 3: column 'query_id' is empty \(1 such rows\)"),
    ("a.csv.gz", b"no gzip", r"is not a sound gzip file"),
    ("a.jsonl", '{"query_id": "q", "doc_id": "d", "score": 1}\n[1]\n', r"line 2: expected a JSON object, got '\[1\]'"),
    (
        "a.jsonl",
        '{"query_id": "q", "doc_id": "d", "score": 1}\n{"query_id": "q", "doc_id": "e", "score": "x"}\n',
        r"line 2: expected a number in 'score'",
    ),
    ("a.jsonl", '{"query_id": "q", "doc_id": "d"}\n', r"line 1 has no column 'score'"),
    ("a.csv", HEAD + "q,d,1\nq,e,1e99\n", r", line 3: column 'score' holds 1e\+99, expected a number that fits float32"),
    ("a.csv", HEAD + "q,d,\n", r" lists nothing: no row has a number in column 'score'"),
    ("a.csv", "query_id,doc_id,score,score\nq,d,1,1\n", r" has 2 columns named 'score', expected one"),
    ("a.csv", (HEAD + "q,d,1\n" * 5).encode() + b"q,\xff,1\n", r", line 7: expected UTF-8"),
    ("a.jsonl", '\n{"query_id": "q", "doc_id": "", "score": 1}\n', r", line 2: column 'doc_id' is empty"),
    ("a.jsonl", '{"query_id": "\\ud800", "doc_id": "d", "score": 1}\n', r", line 1: .*surrogates not allowed"),
    ("a.jsonl", '{"query_id": "q", "doc_id": "d", "score": ' + "9" * 99 + "}\n", r", line 1: expected a number in 'score'"),
    ("a.jsonl", "[" * 100_000, r", line 1: maximum recursion depth"),
    ("a.jsonl", "{broken\n", r"a\.jsonl, line 1, column 2: Expecting property name enclosed in double quotes; expected JSON$"),
    ("a.parquet", "PAR1 no parquet", r"a\.parquet: "),
    ("a.parquet", "", r"a\.parquet: "),
    ("a.arrow", "no arrow", r"a\.arrow: "),
]
QRELS = [
    ("a.qrels", "q 0 d 1\nq 0 d\n", r"line 2: expected 'query iteration document grade'"),
    ("a.qrels", "q 0 d high\n", r"line 1: expected 'query iteration document grade'"),
    ("a.qrels", "q 0 d 1\nq 0 d 2\n", r", line 2: query 'q', document 'd' is judged twice: 1 in line 1, 2 here"),
    ("a.tsv", "q\td\t1\nr\td\t1\n\nq\td\t2\n", r", line 4: query 'q', document 'd' is judged twice: 1 in line 1, 2 here"),
    ("a.csv", "query_id,doc_id,relevance\nq,d,1\nq,d,1\nq,d,0\n", r", line 4: query 'q', document 'd' is judged twice: 1 in line 2, 0 here"),
    ("a.csv", "query_id,doc_id,relevance\nq,d,1\nq,e,\n", r", line 3: column 'relevance' is empty"),
    ("a.csv", "query_id,doc_id,relevance\nq,d,1\nq,e,0.5\n", r", line 3: column 'relevance' holds 0\.5, expected integers"),
    ("a.csv", "query_id,doc_id,relevance\nq,d,1\nq,e,inf\n", r", line 3: column 'relevance' holds inf, expected integers"),
    ("a.tsv", "query-id\tcorpus-id\tscore\nq\td\t1.5\n", r"line 2: '1\.5' is not an integer"),
    ("a.tsv", "query-id\tcorpus-id\tscore\nq\td\n", r"line 2: 2 columns, expected 3"),
    ("a.tsv", b"q\td\t1\nq\t\xff\t1\n", r", line 2: expected UTF-8"),
    ("a.tsv", "qid\tx\ty\tz\n1\t2\t3\t4\n", r"no column 'doc_id', only 'qid', 'x', 'y', 'z'"),
    ("a.json", '{"q": {"d": 0.5}}', r": query 'q', document 'd': 0\.5 is not an integer"),
    ("a.json", '{"q": {"d": 1, "d": 1}}', r": 'd' stands twice in one object"),
    ("a.tsv", "q\td\t1\nq\t\t1\n", r", line 2: the name of the document is empty"),
    ("a.tsv", "q\td\t1\nq\te\t99999999999999999999\n", r", line 2: '9+' is not an integer, or beyond 2\^53"),
    ("a.qrels", "", r"is empty: it judges nothing"),
    ("a.tsv", "query-id\tcorpus-id\tscore\n", r"is empty: it judges nothing"),
]


def written(folder, name, content):
    path = folder / name.partition(":")[0]
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder / name, path


def refused(read, folder, name, content, message):
    path, place = written(folder, name, content)
    with pytest.raises(InvalidValueError, match=message) as caught:
        read(path)
    assert str(caught.value).startswith(str(place))


@pytest.mark.parametrize(("name", "content", "message"), RUNS)
def test_bad_runs(tmp_path, name, content, message):
    refused(files.read_run, tmp_path, name, content, message)


@pytest.mark.parametrize(("name", "content", "message"), TABLES)
def test_bad_tables(tmp_path, name, content, message):
    pytest.importorskip("pyarrow")
    refused(files.read_run, tmp_path, name, content, message)


@pytest.mark.parametrize(("name", "content", "message"), QRELS)
def test_bad_judgements(tmp_path, name, content, message):
    if name.endswith(".csv"):
        pytest.importorskip("pyarrow")
    refused(files.read_qrels, tmp_path, name, content, message)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"query_id": [1.5], "doc_id": ["d"], "score": [1.0]}, r"column 'query_id' is double, expected integers or strings"),
        ({"query_id": ["q"], "doc_id": [b"d"], "score": [1.0]}, r"column 'doc_id' is binary, expected integers or strings"),
        ({"query_id": ["q"], "doc_id": ["d"], "score": ["1"]}, r"column 'score' is string, expected numbers"),
        ({"query_id": ["q", "q"], "doc_id": ["d", None], "score": [1.0, 2.0]}, r"row 1: column 'doc_id' is empty"),
        ({"query_id": ["q", "q"], "doc_id": ["d", ""], "score": [1.0, 2.0]}, r"row 1: column 'doc_id' is empty"),
        ({"query_id": ["q", "q"], "doc_id": ["d", "e"], "score": [1.0, 1e99]}, r"row 1: column 'score' holds 1e\+99"),
        ({"query_id": ["q", "q"], "doc_id": [3, -7], "score": [1.0, 2.0]}, r"row 1: column 'doc_id' holds -7"),
        ({"query_id": ["q", "q"], "doc_id": [3, 3], "score": [1.0, 2.0]}, r"row 1: query 'q' lists document '3' twice, first in row 0"),
        (
            {"query_id": np.array([1, 2**63], np.uint64), "doc_id": ["d", "d"], "score": [1.0, 2.0]},
            r"row 1: column 'query_id' holds 92233",
        ),
    ],
)
def test_bad_columns(tmp_path, columns, message):
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    parquet.write_table(pa.table(columns), tmp_path / "a.parquet")
    with pytest.raises(InvalidValueError, match=message) as caught:
        files.read_run(tmp_path / "a.parquet")
    assert str(caught.value).startswith(str(tmp_path / "a.parquet"))


@pytest.mark.parametrize(
    ("reader", "name", "content", "message"),
    [
        (files.read_names, "a.txt", "d\ne\nd\n", r"line 3: name 'd' appears twice, first in line 1"),
        (files.read_names, "a.txt", "\n\n", r"empty"),
        (files.read_names, "a.jsonl", '{"_id": "d"}\n{"title": "d"}\n', r"line 2: expected a JSON object with an _id"),
        (files.read_names, "a.csv", "x\n1\n", r"say which column holds the names"),
        (files.read_names, "a.csv:y", "x\n1\n", r"no column 'y', only 'x'"),
        (files.read_groups, "a.csv:lang", "query_id,lang\nq,en\nq,de\n", r"line 3: query 'q' has lang 'de' here and 'en' above"),
        (files.read_groups, "a.csv", "query_id,lang\nq,en\n", r"expected TABLE:COLUMN"),
    ],
)
def test_bad_names_and_groups(tmp_path, reader, name, content, message):
    pytest.importorskip("pyarrow")
    refused(reader, tmp_path, name, content, message)


@pytest.mark.parametrize("reader", [files.read_run, files.read_names])
def test_missing_files_folders_and_nothing_on_standard_input(tmp_path, reader, monkeypatch):
    with pytest.raises(FileNotFoundError):
        reader(tmp_path / "none.trec")
    with pytest.raises(IsADirectoryError):
        reader(tmp_path)
    with pytest.raises(InvalidValueError, match="path must not be empty"):
        reader("")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"")))
    with pytest.raises(InvalidValueError, match="standard input is empty"):
        reader("-")


def test_a_malformed_line_of_standard_input_is_named(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"q Q0 d 1 0.5 t\nq Q0 d 1 high t\n")))
    with pytest.raises(InvalidValueError, match=r"^standard input, line 2: expected 'query Q0"):
        files.read_run("-")


def test_folders_of_beir(tmp_path):
    with pytest.raises(InvalidValueError, match=r"missing qrels/test\.tsv; splits there: none"):
        files.read_qrels(tmp_path)
    (tmp_path / "qrels").mkdir()
    (tmp_path / "qrels" / "dev.tsv").write_text("query-id\tcorpus-id\tscore\nq\td\t1\n")
    with pytest.raises(InvalidValueError, match=r"missing qrels/train\.tsv; splits there: dev"):
        files.read_qrels(tmp_path, split="train")
    with pytest.raises(InvalidValueError, match="not a directory"):
        files.read_embedded(tmp_path / "none", "corpus")
    (tmp_path / "corpus.jsonl").write_text('{"_id": "d"}\n')
    with pytest.raises(InvalidValueError, match=r"missing corpus_emb\.npy \(or \.npz, \.safetensors, \.parquet\)"):
        files.read_embedded(tmp_path, "corpus")
    np.savez(tmp_path / "corpus_emb.npz", np.ones((1, 3), np.float32))
    assert files.read_embedded(tmp_path, "corpus")[1].shape == (1, 3)
    (tmp_path / "corpus_emb.npz").unlink()


@pytest.mark.parametrize("form", [".trec", ".json", ".parquet", ".csv", ".arrow"])
def test_a_failed_write_leaves_what_was_there(tmp_path, form, monkeypatch):
    if form not in {".trec", ".json"}:
        pytest.importorskip("pyarrow")
    run, path = fc.Run.from_dict({"q": {"d": 0.5}}), tmp_path / f"run{form}"
    files.write_run(run, path)
    before = path.read_bytes()

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left") as caught:
        files.write_run(fc.Run.from_dict({"q": {"e": 0.75}}), path)
    assert caught.value.filename == str(path)
    assert (path.read_bytes(), [each.name for each in tmp_path.iterdir()]) == (before, [path.name])


def test_an_iterable_of_records_that_fails_is_not_disguised():
    def failing():
        raise ValueError("the socket is gone")
        yield

    for kind in (fc.Run, fc.Qrels):
        with pytest.raises(ValueError, match="the socket is gone"):
            kind.from_records(failing())
