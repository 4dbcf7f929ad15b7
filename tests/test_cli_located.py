"""Errors about one score name the file, the query and the document."""

from __future__ import annotations

import gzip
import io

import numpy as np
import pytest

pytest.importorskip("typer")
pytest.importorskip("rich")

import cli_lists
from cli_lists import FIT, make_lists

import fastcal as fc
from fastcal.files import write_run

fastcal = cli_lists.fastcal


# train.json is Platt scaling, which by itself takes any score.
OF_COSINES = (
    "apply high.trec -p train.json",
    "apply high.trec -p train.json --floor 0.9",
    "evaluate high.trec qrels.trec -p train.json --seen keep",
    "threshold high.trec qrels.trec -p train.json --seen keep",
    "certify high.trec --qrels qrels.trec --seed 0 -p train.json",
    "report high.trec qrels.trec -p train.json --seen keep",
    "revalidate high.trec -p train.json",
    "revalidate high.trec qrels.trec -p train.json --seen keep",
    "fit high.trec qrels.trec --method platt",
)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = make_lists(tmp_path_factory.mktemp("files"))
    lists = fc.Run.from_trec(folder / "test.trec").to_dict()
    for name, score in (("inf", float("inf")), ("low", -0.5), ("high", 1.5)):
        changed = lists | {"q7": lists["q7"] | {"c7": score}}
        fc.Run.from_dict(changed).to_trec(folder / f"{name}.trec")
    unit = fc.normalize(fc.Run.from_dict(lists).scores, "minmax", offsets=fc.Run.from_dict(lists).offsets)
    run, qrels = fc.Run.from_dict(lists), fc.Qrels.from_trec(folder / "qrels.trec")
    judged = {"labels": qrels.labels_of(run).labels, "query_ids": run.to_columns()["query_id"], "model": "toy", "metric": "own"}
    beta = fc.BetaCalibrator(input="prob")
    fc.Profile.fit(run.scores.clip(0), calibrator=beta, **judged).save(folder / "beta.json")
    fc.Profile.fit(unit, calibrator=beta, norm="minmax", **judged).save(folder / "norm.json")
    fc.Profile.fit(unit, calibrator=beta, norm="zscore", **judged).save(folder / "zscore.json")
    return folder


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("apply inf.trec -p norm.json", "inf; a list with an infinite score has no norm"),
        ("apply low.trec -p beta.json", "-0.5; expected a prob in [0, 1]"),
        ("apply low.trec -p beta.json --floor -0.9", "-0.5; expected a prob in [0, 1]"),
        ("evaluate low.trec qrels.trec -p beta.json --seen keep", "-0.5; expected a prob in [0, 1]"),
        ("evaluate inf.trec qrels.trec -p norm.json --seen keep", "inf; expected finite scores"),
        ("report inf.trec qrels.trec -p norm.json --seen keep", "inf; expected finite scores"),
        ("report low.trec qrels.trec -p beta.json --seen keep", "-0.5; expected a prob in [0, 1]"),
        ("report low.trec few.qrels -p beta.json --seen keep", "-0.5; expected a prob in [0, 1]"),
        ("report test.trec qrels.trec -p train.json --seen keep --also x=low.trec,qrels.trec,beta.json", "-0.5; expected a prob in [0, 1]"),
        ("threshold inf.trec qrels.trec", "inf; expected a finite number"),
        ("revalidate inf.trec qrels.trec -p train.json", "inf; expected a cosine in [-1, 1]"),
        ("revalidate low.trec -p beta.json --seen keep", "-0.5; expected a prob in [0, 1]"),
        *((line, "1.5; expected a cosine in [-1, 1]") for line in OF_COSINES),
        ("certify inf.trec --qrels qrels.trec --seed 0", "inf; expected a finite number"),
        ("fit low.trec qrels.trec --method beta --input prob", "-0.5; expected a prob in [0, 1]"),
        ("fit low.trec qrels.trec --method beta --input prob --by groups.csv:lang", "-0.5; expected a prob in [0, 1]"),
        ("fit inf.trec qrels.trec", "inf; expected a cosine in [-1, 1]"),
        ("fit inf.trec qrels.trec --norm minmax", "inf; expected finite scores"),
        ("fuse run.trec inf.trec --method sum --norm minmax", "inf; expected finite scores"),
        ("fuse run.trec inf.trec --method sum", "inf; expected finite scores"),
        ("fuse run.trec low.trec --method logodds", "-0.5; expected probabilities in [0, 1]"),
    ],
)
def test_a_score_that_cannot_be_is_named(files, fastcal, line, told):
    (files / "few.qrels").write_text("q7 0 c7 1\nq9 0 c9 1\nq9 0 c7 0\n")
    name = next(name for name in ("inf.trec", "low.trec", "high.trec") if name in line)
    code, out, err = fastcal(line, *(FIT if line.startswith("fit") else ()))
    last = err.splitlines()[-1]
    rows = [row.split() for row in (files / name).read_text().splitlines()]
    number = 1 + next(at for at, row in enumerate(rows) if (row[0], row[2]) == ("q7", "c7"))
    start = f"fastcal: {name}, line {number}: query 'q7', document 'c7': score {told}"
    assert (code, out, last[: len(start)]) == (2, "", start)


def test_what_a_norm_makes_of_a_score_stands_beside_it(files, fastcal):
    run = fc.Run.from_trec(files / "test.trec")
    worst = fc.normalize(run.scores, "zscore", offsets=run.offsets).tolist()
    at = next(at for at, value in enumerate(worst) if not -1e-6 <= value <= 1 + 1e-6)
    query, document = (names.item() for names in fc.run.pairs(run, [at]))
    _, _, err = fastcal("apply test.trec -p zscore.json")
    rows = [row.split() for row in (files / "test.trec").read_text().splitlines()]
    number = 1 + next(at for at, row in enumerate(rows) if (row[0], row[2]) == (query, document))
    assert f"test.trec, line {number}: query {query!r}, document {document!r}: score {run.scores[at]}, normalised {worst[at]:.4f}"[:-3] in err
    assert err.endswith("expected a prob in [0, 1] (input='prob'), or NaN for padding\n")


def test_a_document_fused_twice_is_named(files, fastcal):
    lines = (files / "run.trec").read_text().splitlines()
    (files / "twice.trec").write_text("\n".join([*lines, lines[3]]) + "\n")
    name = lines[3].split()
    told = f"twice.trec, line {len(lines) + 1}: query {name[0]!r}, document {name[2]!r}: score "
    assert told in fastcal("fuse run2.trec twice.trec --duplicates error")[2]


@pytest.mark.parametrize("how", ["-k 3", "--threshold 0.5", "-k 3 --dims 4"])
@pytest.mark.parametrize("kind", ["corpus", "queries"])
def test_a_vector_that_is_none_names_file_row_and_column(files, fastcal, kind, how):
    vectors = files.parent / "beir"
    rows = np.tile(np.load(vectors / "queries_emb.npy"), (9, 1))
    rows[301, 2] = np.nan
    np.save(files / "bad.npy", rows)
    names = {"corpus": vectors / "corpus_emb.npy", "queries": vectors / "queries_emb.npy"} | {kind: "bad.npy"}
    _, _, err = fastcal(f"search --corpus {names['corpus']} --queries {names['queries']} {how}")
    assert err == "fastcal: bad.npy, row 301: nan in column 2; vectors must be finite\n"


RECORDS = [("q1", "d1", 0.5), ("q9", "a,b", 0.25), ("q9", "d\nd", 0.75), ("q1", "d7", 1.5), ("q1", "d8", 0.5)]
FORMS = {
    "a.csv": ("query_id,doc_id,score\n", '{0},"{1}",{2}\n', 6),
    "a.tsv": ("score\tdocno\tqid\n\n", '{2}\t"{1}"\t{0}\n', 7),
    "a.csv.gz": ("query_id,doc_id,score\n", '{0},"{1}",{2}\n', 6),
    "a.jsonl": ("", '{{"query_id": "{0}", "doc_id": "{1}", "score": {2}}}\n\n', 7),
    "a.trec": ("", "{0} Q0 {1} 1 {2} x\n", 4),
    "a.trec.gz": ("", "{0} Q0 {1} 1 {2} x\n", 4),
}


@pytest.mark.parametrize("name", FORMS)
def test_the_line_of_a_score_is_told_in_every_form_of_text(files, fastcal, tmp_path, name):
    if ".trec" not in name:
        pytest.importorskip("pyarrow")
    header, row, line = FORMS[name]
    flat = {".csv": "\n", ".tsv": "\n", ".jsonl": "\\n"}.get(name.removesuffix(".gz")[1:])
    names = [doc.replace("\n", flat) if flat else doc.replace("\n", "_").replace(",", "_") for _, doc, _ in RECORDS]
    text = header + "".join(row.format(query, doc, score) for doc, (query, _, score) in zip(names, RECORDS, strict=True))
    path = tmp_path / name
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    told = f"fastcal: {path}, line {line}: query 'q1', document 'd7': score 1.5; expected a cosine"
    assert fastcal(f"apply {path} -p train.json")[2].splitlines()[-1].startswith(told)


def test_what_has_no_lines_names_none(files, fastcal, tmp_path, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"q1 Q0 d1 1 0.5 x\nq1 Q0 d7 2 1.5 x\n")))
    assert "standard input: query 'q1', document 'd7': score 1.5; expected" in fastcal("apply - -p train.json")[2]
    pytest.importorskip("pyarrow")
    path = tmp_path / "a.parquet"
    write_run(fc.Run.from_dict({"q1": {"d1": 0.5, "d7": 1.5}}), path)
    assert f"{path}: query 'q1', document 'd7': score 1.5; expected" in fastcal(f"apply {path} -p train.json")[2]
