"""search, fuse and apply write what the library returns, in every form, alone and as a pipe."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

pytest.importorskip("typer")
pytest.importorskip("rich")

from cli_files import make_files

import fastcal as fc
from fastcal import files
from fastcal.cli import main

PYTHON = [sys.executable, "-m", "fastcal"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make_files(tmp_path_factory.mktemp("files"))


@pytest.fixture
def here(folder, monkeypatch):
    monkeypatch.chdir(folder)
    return folder


def done(capsysbinary, *arguments):
    """Stdout of a command line that ends well and says nothing else."""
    assert main(arguments) == 0
    out, err = capsysbinary.readouterr()
    assert err == b""
    return out


def refused(capsysbinary, *arguments):
    """The line on stderr of a command line that is refused."""
    assert main(arguments) == 2
    out, err = capsysbinary.readouterr()
    assert (out, err.count(b"\n"), err[:9]) == (b"", 1, b"fastcal: ")
    return err.decode()


# -- search --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("metric", ["cosine", "dot", "euclidean"])
@pytest.mark.parametrize("limits", [("-k", "7"), ("--threshold", "CUT"), ("-k", "7", "--threshold", "CUT", "--dims", "9")])
def test_search_is_the_library_s(here, tmp_path, capsysbinary, metric, limits):
    limits = [{"CUT": "1.2" if metric == "euclidean" else "0.6"}.get(word, word) for word in limits]
    out = tmp_path / "run.json"
    assert done(capsysbinary, "search", "--beir", "beir", "--metric", metric, *limits, "-o", str(out)) == b""
    names, corpus = files.read_embedded("beir", "corpus")
    queries, asked = files.read_embedded("beir", "queries")
    options = dict(zip(limits[::2], limits[1::2], strict=True))
    index = fc.Index(corpus, metric, dims=int(options["--dims"]) if "--dims" in options else None)
    k, threshold = int(options.get("-k", len(names))), options.get("--threshold")
    found = index.search(asked, k, threshold=None if threshold is None else float(threshold))
    wanted = fc.Run.from_search(found, query_ids=queries, doc_ids=names)
    read = files.read_run(out, higher_is_better=metric != "euclidean").with_queries(queries)
    assert read.to_dict() == wanted.to_dict()
    assert 0 < read.ids.size < len(names) * len(queries)


def test_search_takes_names_from_anywhere(here, capsysbinary, tmp_path):
    vectors = ("--corpus", "corpus.npy", "--queries", "queries.npy", "-k", "3")
    by_number = done(capsysbinary, "search", *vectors)
    assert by_number.startswith(b"0 Q0 ")
    named = done(capsysbinary, "search", *vectors, "--ids", "corpus.txt", "--query-ids", "queries.txt")
    assert named == done(capsysbinary, "search", "--beir", "beir", "-k", "3")
    assert named == done(capsysbinary, "search", "--beir", "beir", *vectors)
    run = files.read_run("run.trec").top_k(3)
    assert json.loads(done(capsysbinary, "search", *vectors, "--beir", "beir", "--json")) == run.to_dict()
    assert "143 names of corpus, but corpus.npy has 144 rows" in refused(capsysbinary, "search", *vectors, "--ids", shortened(tmp_path))


def shortened(folder):
    names = files.read_names("corpus.txt")[:-1]
    (folder / "names.txt").write_text("\n".join(names))
    return str(folder / "names.txt")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "--corpus is missing (or --beir); see fastcal search --help"),
        (["--corpus", "corpus.npy"], "--queries is missing"),
        (["--corpus", "none.npy", "--queries", "queries.npy"], "fastcal: none.npy: No such file or directory"),
        (["--corpus", "run.trec", "--queries", "queries.npy"], "run.trec: not a readable .npy array"),
        (["--beir", "none"], "none: not a directory"),
        (["--beir", "beir", "-k", "0"], "-k"),
        (["--beir", "beir", "-k", "three"], "-k"),
        (["--beir", "beir", "--metric", "hamming"], "'hamming' is not one of cosine, dot, euclidean; see fastcal search --help"),
        (["--beir", "beir", "--dims", "17"], "dims"),
        (["--beir", "beir", "-o", "nowhere/run.trec"], "nowhere/run.trec: the folder nowhere does not exist"),
        (["--beir", "beir", "--tag", "two words"], "two words"),
    ],
)
def test_bad_searches_are_one_line(here, capsysbinary, arguments, words):
    assert words in refused(capsysbinary, "search", *arguments)


# -- fuse ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("options", "method", "given"),
    [
        ([], None, {}),
        (["--method", "rrf", "--k", "30", "--weights", "1", "0.5"], "rrf", {"k": 30, "weights": [1, 0.5]}),
        (["--weights=2,1", "--method", "sum", "--norm", "minmax,zscore"], "sum", {"norm": ["minmax", "zscore"], "weights": [2, 1]}),
        (["--method", "gmnz", "--set", "gamma=2", "--norm", "minmax", "--missing", "min"], "gmnz", {"norm": "minmax", "gamma": 2, "missing": "min"}),
        (["--method", "max", "--norm", "rank", "--missing", "0.25", "--ties", "trec"], "max", {"norm": "rank", "missing": 0.25, "ties": "trec"}),
        (["--preset", "qdrant-rrf", "--top-k", "5"], None, {"preset": "qdrant-rrf", "top_k": 5}),
    ],
)
def test_fuse_is_the_library_s(here, capsysbinary, options, method, given):
    runs = [files.read_run(name) for name in ("run.trec", "run2.trec")]
    wanted = fc.fuse(runs, method, **given).to_dict()
    assert json.loads(done(capsysbinary, "fuse", "run.trec", "run2.trec", *options, "--json")) == wanted
    assert json.loads(done(capsysbinary, "fuse", *options, "run.trec", "run2.trec", "--json")) == wanted


def test_fuse_takes_runs_that_lack_queries(tmp_path, capsysbinary):
    (tmp_path / "a").write_text("q1 Q0 d1 1 0.5 t\n")
    (tmp_path / "b").write_text("q2 Q0 d1 1 0.5 t\n")
    assert json.loads(done(capsysbinary, "fuse", str(tmp_path / "a"), str(tmp_path / "b"), "--json")) == {
        query: {"d1": pytest.approx(1 / 61)} for query in ("q1", "q2")
    }


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "RUN"),
        (["run.trec", "qrels.trec"], "qrels.trec, line 1: expected 'query Q0 document rank score tag'"),
        (["run.trec", "run2.trec", "--method", "nonsense"], "nonsense"),
        (["run.trec", "run2.trec", "--weights", "1"], "weights"),
        (["run.trec", "run2.trec", "--weights", "1,x"], "--weights must be numbers, got '1,x'"),
        (["run.trec", "run2.trec", "--set", "gamma"], "--set must be NAME=VALUE, got 'gamma'"),
        (["run.trec", "run2.trec", "--set", "gamma=2"], "gamma"),
        (["run.trec", "run2.trec", "--k", "1", "--method", "sum"], "k"),
        (["run.trec", "--distances"], "run.trec: higher scores are better in TREC files"),
    ],
)
def test_bad_fusions_are_one_line(here, capsysbinary, arguments, words):
    assert words in refused(capsysbinary, "fuse", *arguments)


# -- apply ---------------------------------------------------------------------------------------------------------
def test_apply_is_predict_and_decide(here, capsysbinary):
    profile, run = fc.Profile.load("single.json"), files.read_run("run.trec")
    found = json.loads(done(capsysbinary, "apply", "run.trec", "-p", "single.json", "--escalate-from", "0.2", "--json"))
    probabilities = profile.predict(run.scores)
    decisions = profile.policy(escalate_from=0.2).band.decide(probabilities)
    wanted = zip(np.repeat(run.query_ids, run.counts()), run.doc_ids[run.ids], run.scores, probabilities, decisions, strict=True)
    assert found == _nested((q, d, {"score": float(s), "probability": float(p), "decision": int(c)}) for q, d, s, p, c in wanted)
    assert {each["decision"] for docs in found.values() for each in docs.values()} == {0, 1, 2}


def _nested(rows):
    lists = {}
    for query, doc, value in rows:
        lists.setdefault(query, {})[doc] = value
    return lists


def test_apply_normalises_first(here, capsysbinary):
    run = files.read_run("run.trec")
    unit = fc.normalize(run.scores, "minmax", offsets=run.offsets)
    wanted = fc.Run(run.ids, fc.Profile.load("norm.json").predict(unit), run.offsets, query_ids=run.query_ids, doc_ids=run.doc_ids)
    found = json.loads(done(capsysbinary, "apply", "run.trec", "-p", "norm.json", "--json"))
    assert {query: {doc: each["probability"] for doc, each in docs.items()} for query, docs in found.items()} == wanted.to_dict()


@pytest.mark.parametrize("name", ["x.parquet", "x.arrow", "x.csv", "x.tsv", "x.jsonl"])
def test_tables_of_apply(here, tmp_path, capsysbinary, name):
    pytest.importorskip("pyarrow")
    from fastcal.files._source import source
    from fastcal.files._tables import read_table

    limits = ("--target", "precision=0.7", "--drop-not-found", "--floor", "0.1", "--top-k", "4")
    done(capsysbinary, "apply", "run.parquet", "-p", "profile.json", *limits, "-o", str(tmp_path / name))
    columns = ["query_id", "doc_id", "rank", "score", "probability", "decision"]
    table = read_table(source(tmp_path / name), columns, texts=columns[:2])
    found = json.loads(done(capsysbinary, "apply", "run.csv", "-p", "profile.json", *limits, "--json"))
    rows = table.to_pylist()
    assert _nested((r["query_id"], r["doc_id"], {n: r[n] for n in columns[3:]}) for r in rows) == _rounded(found, short=name in {"x.csv", "x.tsv"})
    assert [row["rank"] for row in rows] == [at + 1 for docs in found.values() for at in range(len(docs))]
    assert {row["decision"] for row in rows} == {2}
    again = files.read_run(tmp_path / name, score="probability")
    assert [list(docs) for docs in again.to_dict().values()] == [list(docs) for docs in found.values()]


def _rounded(found, *, short):
    """Delimited text holds the shortest digits of a float32, JSON those of the float64 it widens to."""
    number = (lambda value: float(str(np.float32(value)))) if short else float
    return {q: {d: {n: number(v) for n, v in each.items()} for d, each in docs.items()} for q, docs in found.items()}


def test_trec_of_apply_keeps_the_order_where_probabilities_tie(here, tmp_path, capsysbinary):
    run, labels = files.read_run("run.trec"), files.read_qrels("qrels.trec").labels_of(files.read_run("run.trec")).labels
    steps = fc.Profile("toy", "cosine", fc.IsotonicCalibrator().fit(run.scores, labels), [])
    steps.save(tmp_path / "steps.json")
    untied = done(capsysbinary, "apply", "run.trec", "-p", str(tmp_path / "steps.json")).decode().splitlines()
    fields = [line.split() for line in untied]
    by_trec_eval = sorted(fields, key=lambda f: (f[0], float(f[4]), f[2]), reverse=True)
    assert sorted(fields, key=lambda f: (f[0], -int(f[3])), reverse=True) == by_trec_eval
    probabilities = np.array([float(f[4]) for f in fields])
    assert probabilities.min() >= 0
    np.testing.assert_allclose(probabilities, steps.predict(run.scores), rtol=1e-5, atol=1e-40)
    tied = done(capsysbinary, "apply", "run.trec", "-p", str(tmp_path / "steps.json"), "--keep-ties").decode().splitlines()
    assert [np.float32(line.split()[4]) for line in tied] == steps.predict(run.scores).tolist()


def test_apply_by_group(here, tmp_path, capsysbinary):
    pytest.importorskip("pyarrow")
    run, groups = files.read_run("run.trec"), files.read_groups("groups.csv:lang")
    labels = files.read_qrels("qrels.trec").labels_of(run).labels
    by = np.repeat([groups[query] for query in run.query_ids], run.counts())
    profile = fc.Profile("toy", "cosine", fc.GroupCalibrator(shrinkage=0).fit(run.scores, labels, by), [])
    profile.save(tmp_path / "groups.json")
    found = json.loads(done(capsysbinary, "apply", "run.trec", "-p", str(tmp_path / "groups.json"), "--by", "groups.csv:lang", "--json"))
    wanted = fc.Run(run.ids, profile.predict(run.scores, by=by), run.offsets, query_ids=run.query_ids, doc_ids=run.doc_ids)
    assert {query: {doc: each["probability"] for doc, each in docs.items()} for query, docs in found.items()} == wanted.to_dict()
    assert "--by" in refused(capsysbinary, "apply", "run.trec", "-p", str(tmp_path / "groups.json"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run.trec"], "--profile"),
        (["run.trec", "-p", "none.json"], "none.json: No such file or directory"),
        (["run.trec", "-p", "qrels.trec"], "qrels.trec"),
        (["run.trec", "-p", "profile.json", "--json"], "selects 2 of the profile's thresholds"),
        (
            ["run.trec", "-p", "profile.json", "--target", "precision=0.5", "--json"],
            "profile.json: --target precision=0.5 selects 0 of the profile's thresholds",
        ),
        (["run.trec", "-p", "single.json", "--target", "0.5"], "--target must be precision=P or recall=R"),
        (["run.trec", "-p", "single.json", "--by", "groups.csv:lang"], "--by"),
        (["run.trec", "-p", "single.json", "--model", "other"], "model is 'toy' in the profile and 'other' here"),
        (["run.trec", "-p", "single.json", "--top-k", "0"], "--top-k"),
        (["qrels.trec", "-p", "single.json"], "qrels.trec, line 1"),
        (["run.csv", "-p", "single.json", "--distances"], "higher_is_better"),
    ],
)
def test_bad_applications_are_one_line(here, capsysbinary, arguments, words):
    assert words in refused(capsysbinary, "apply", *arguments)


# -- pipes ---------------------------------------------------------------------------------------------------------
def test_a_pipe_of_commands_is_the_same_as_files(here, tmp_path, capsysbinary):
    fused = "f search --beir beir -k 20 | f fuse - run2.trec --method sum --norm minmax"
    line = f'{fused} | f apply - -p fused.json --top-k 5 > "$0"; echo ${{PIPESTATUS[@]}}'
    shell = ["bash", "-c", f'f() {{ {sys.executable} -m fastcal "$@"; }}; {line}', str(tmp_path / "piped.trec")]
    piped = subprocess.run(shell, capture_output=True, text=True, check=False, timeout=120)
    assert piped.stdout == "0 0 0\n", piped.stderr
    done(capsysbinary, "search", "--beir", "beir", "-k", "20", "-o", str(tmp_path / "a.parquet"))
    done(capsysbinary, "fuse", str(tmp_path / "a.parquet"), "run2.trec", "--method", "sum", "--norm", "minmax", "-o", str(tmp_path / "b.arrow"))
    assert main(["apply", str(tmp_path / "b.arrow"), "-p", "fused.json", "--top-k", "5", "-o", str(tmp_path / "files.trec")]) == 0
    assert capsysbinary.readouterr().err == piped.stderr.encode().replace(b"\r", b"")  # the lists are deeper than the profile's
    assert (tmp_path / "piped.trec").read_bytes() == (tmp_path / "files.trec").read_bytes() != b""


@pytest.mark.skipif(os.name != "posix", reason="pipes of POSIX")
@pytest.mark.parametrize("arguments", [["search", "--beir", "beir"], ["info"], ["fuse", "run.trec", "run2.trec", "--json"]])
def test_a_reader_who_has_gone_is_no_traceback(here, arguments):
    reading, writing = os.pipe()
    os.close(reading)
    try:
        gone = subprocess.run([*PYTHON, *arguments], stdout=writing, stderr=subprocess.PIPE, text=True, check=False, timeout=120)
    finally:
        os.close(writing)
    assert (gone.returncode, gone.stderr) == (141, "")


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_ctrl_c_while_waiting_for_standard_input_is_exit_code_130(here):
    with subprocess.Popen([*PYTHON, "fuse", "-", "none.trec"], stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as waiting:
        assert waiting.stdin
        waiting.stdin.write("q Q0 d 1 0.5 t\n" * 5000)
        waiting.stdin.flush()  # it has begun to read once more than a pipe's 64 KiB have gone
        time.sleep(0.5)  # the rest has gone too, and it waits
        waiting.send_signal(signal.SIGINT)
        assert waiting.wait(120) == 130
        assert waiting.stderr
        assert waiting.stderr.read() == "fastcal: interrupted\n"
