"""fit, threshold, evaluate and revalidate: the library's own numbers, and gates."""

from __future__ import annotations

import json

import numpy as np
import pytest

pytest.importorskip("typer")
pytest.importorskip("rich")

import cli_lists
from cli_lists import FIT

import fastcal as fc
from fastcal.files import write_run

files, fastcal = cli_lists.files, cli_lists.fastcal


def pairs(files, name="run.trec", **options):
    """Scores, labels, query names and the run."""
    run, qrels = fc.Run.from_trec(files / name), fc.Qrels.from_trec(files / "qrels.trec")
    return run.scores, qrels.labels_of(run, **options).labels, np.repeat(run.query_ids, run.counts()), run


def same_profile(found, expected):
    drop = {"created", "queries"}
    assert {k: v for k, v in found.to_dict().items() if k not in drop} == {k: v for k, v in expected.to_dict().items() if k not in drop}


# -- fit ----------------------------------------------------------------------------------------------
def test_fit_is_profile_fit(files, fastcal, tmp_path):
    out = str(tmp_path / "p.json")
    code, told, err = fastcal(
        "fit --run run.trec --qrels qrels.trec", *FIT, "--target", "precision=0.8", "--target", "recall=0.7", "-o", out, "--json"
    )
    scores, labels, queries, _ = pairs(files)
    expected = fc.Profile.fit(scores, labels, queries, model="toy", metric="cosine", target_precision=0.8, target_recall=0.7, top_k=40)
    assert (code, err) == (0, "")
    same_profile(fc.Profile.load(out), expected)
    assert json.loads(told)["held_out"] == expected.diagnostics["held_out"]
    assert json.loads(told)["counts"]["n_relevant"] == labels.sum()
    assert fc.Profile.load(out).seen_queries(queries).all()


def test_fit_with_norm_groups_prior_and_depth(files, fastcal, tmp_path):
    out, groups = str(tmp_path / "p.json"), dict(line.split(",") for line in (files / "groups.csv").read_text().splitlines()[1:])
    line = "fit run.trec qrels.trec --norm minmax --by groups.csv:lang --method platt --prior 0.2 --top-k 30 --seed 3 --splits 4 --min-rel 1"
    assert fastcal(line, *FIT, "--task", "answer", "-o", out)[0] == 0
    run = fc.Run.from_trec(files / "run.trec").top_k(30)
    labels = fc.Qrels.from_trec(files / "qrels.trec").labels_of(run).labels
    queries = np.repeat(run.query_ids, run.counts())
    facts = {"model": "toy", "metric": "cosine", "norm": "minmax", "task": "answer", "top_k": 30}
    how = {"calibrator": fc.GroupCalibrator(fc.PlattCalibrator()), "by": np.array([groups[query] for query in queries])}
    unit = fc.normalize(run.scores, "minmax", offsets=run.offsets)
    same_profile(fc.Profile.load(out), fc.Profile.fit(unit, labels, queries, **facts, **how, prior=0.2, n_splits=4, seed=3))


@pytest.mark.parametrize("method", ["auto", "platt", "isotonic", "isotonic-strict", "histogram", "venn-abers"])
def test_distances_fall(files, fastcal, tmp_path, method):
    """The same lists as distances: probabilities are those of the negated scores."""
    pa, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    scores, labels, _, run = pairs(files)
    columns = run.to_columns()
    table = pa.table({"query_id": list(columns["query_id"]), "doc_id": list(columns["doc_id"]), "score": 1 - columns["score"]})
    far = tmp_path / "far.parquet"
    parquet.write_table(table, far)
    out = str(tmp_path / "p.json")
    code, _, err = fastcal(f"fit {far} qrels.trec --distances --model toy --metric euclidean --method {method} -o {out}")
    assert (code, err) == (0, "")
    found = fc.Profile.load(out).predict(1 - scores)
    assert "say --distances" in fastcal(f"evaluate {far} qrels.trec -p {out} --seen keep")[2]
    assert found[labels == 1].mean() > 0.8 > 0.2 > found[labels == 0].mean()
    assert fastcal(f"evaluate {far} qrels.trec --distances -p {out} --seen keep --max-ece 0.05")[0] == 0


def upside_down(files, tmp_path):
    run = fc.Run.from_trec(files / "run.trec").to_dict()
    fc.Run.from_dict({query: {doc: 1 - score for doc, score in docs.items()} for query, docs in run.items()}).to_trec(tmp_path / "down.trec")
    return tmp_path / "down.trec"


def test_methods_that_cannot_are_refused(files, fastcal, tmp_path):
    far = tmp_path / "far.csv"
    write_run(fc.Run.from_trec(files / "run.trec"), far)
    assert "rises with the score" in fastcal(f"fit {far} qrels.trec --distances --method beta", *FIT)[2]
    assert "say --distances" in fastcal(f"fit {upside_down(files, tmp_path)} qrels.trec", *FIT)[2]
    assert "--input is for" in fastcal("fit run.trec qrels.trec --method histogram --input prob", *FIT)[2]
    assert "given twice" in fastcal("fit run.trec qrels.trec --run run.trec", *FIT)[2]
    assert "QRELS is missing" in fastcal("fit run.trec", *FIT)[2]
    assert "'nonsense' is not one of" in fastcal("fit run.trec qrels.trec --method nonsense", *FIT)[2]
    assert "say with -o" in fastcal("fit run.trec qrels.trec --json", *FIT)[2]


def test_a_fit_that_fails_writes_nothing(files, fastcal, tmp_path):
    out = tmp_path / "p.json"
    code, _, err = fastcal("fit run.trec qrels.trec --splits 99", *FIT, "-o", str(out))
    assert (code, "--splits 99" in err, list(tmp_path.iterdir())) == (2, True, [])
    assert fastcal("fit run.trec qrels.trec", *FIT, "-o", str(tmp_path / "no" / "p.json"))[0] == 2


# -- threshold ----------------------------------------------------------------------------------------
def test_threshold_is_held_out_threshold(files, fastcal, tmp_path):
    (tmp_path / "g.csv").write_text("qid,kind\n" + "".join(f"q{n},{'rare' if n < 2 else 'common'}\n" for n in range(48)))
    out = tmp_path / "t.json"
    line = f"threshold run.trec qrels.trec --target precision=0.8 --target recall=0.7 --by {tmp_path / 'g.csv'}:kind --seed 2 --json -o {out}"
    code, told, _ = fastcal(line, "--query-column", "qid")
    assert code == 0
    assert json.loads(told) == json.loads(out.read_text())
    scores, labels, queries, _ = pairs(files)
    rows = {(row["target"], row["group"]): row for row in json.loads(told)["thresholds"]}
    common = ~np.isin(queries, ["q0", "q1"])
    for group, chosen in ((None, queries != ""), ("common", common)):
        for kind in ("precision", "recall"):
            wish = {"precision": 0.8, "recall": 0.7}[kind]
            expected = fc.held_out_threshold(scores[chosen], labels[chosen], queries[chosen], **{f"target_{kind}": wish}, seed=2)
            found = rows[f"{kind}={wish}", group]
            assert {name: found[name] for name in expected.to_dict()} == expected.to_dict()
            assert found["note"] is None
    assert rows["precision=0.8", "rare"]["threshold"] is None
    assert rows["precision=0.8", "rare"]["note"].startswith("too few")
    assert "too few" in fastcal(f"threshold run.trec qrels.trec --by {tmp_path / 'g.csv'}:kind --query-column qid")[1]


def test_threshold_of_probabilities(files, fastcal):
    told = json.loads(fastcal("threshold test.trec qrels.trec --profile train.json --json")[1])
    scores, labels, queries, _ = pairs(files, "test.trec")
    p = fc.Profile.load(files / "train.json").predict(scores)
    expected = fc.held_out_threshold(p, labels, queries, 0.9).to_dict()
    assert told["space"] == "probability"
    assert {name: told["thresholds"][0][name] for name in expected} == expected
    assert "24 of the 24 queries" in fastcal("threshold train.trec qrels.trec --profile train.json")[2]


# -- evaluate -----------------------------------------------------------------------------------------
def test_evaluate_is_the_library(files, fastcal):
    pytest.importorskip("ir_measures")
    code, out, err = fastcal("evaluate test.trec qrels.trec --profile train.json --escalate-from 0.01 --measures nDCG@10 --json")
    told, profile = json.loads(out), fc.Profile.load(files / "train.json")
    assert (code, err) == (0, "")
    scores, labels, queries, run = pairs(files, "test.trec")
    p, rate = profile.predict(scores), profile.calibrator.base_rate_
    codes = np.unique(queries, return_inverse=True)[1]
    assert told["calibration"] == fc.metrics.calibration_summary(labels, p, groups=codes, base_rate=rate).to_dict()
    cut = profile.thresholds[0]
    (row,) = told["thresholds"]
    at = fc.metrics.precision_recall_at(labels, p, cut.value, groups=queries).to_dict()
    assert {name: row[name] for name in at if name != "threshold"} == {name: at[name] for name in at if name != "threshold"}
    assert row["threshold"] == cut.value
    assert row["stored"] == cut.to_dict()
    decided = profile.policy(threshold=cut, escalate_from=0.01).decide(fc.SearchResult(scores.reshape(24, 40), run.ids.reshape(24, 40)))
    for decision in fc.Decision:
        n = int((decided.decisions == decision).sum())
        assert row["decisions"][decision.name.lower()] == {"n": n, "share": n / 24, "interval": list(fc.wilson_interval(n, 24))}
    assert told["separation"]["verdict"] == fc.metrics.separation(labels, scores).verdict
    assert told["measures"]["nDCG@10"]["n_queries"] == 24
    assert 0.5 < told["measures"]["nDCG@10"]["value"] <= 1.0


def test_gates(fastcal):
    base = "evaluate test.trec qrels.trec --profile train.json"
    told = json.loads(fastcal(f"{base} --json")[1])
    ece, precision = told["calibration"]["ece"], told["thresholds"][0]["precision"]
    low, high = told["thresholds"][0]["precision_interval"][0], told["calibration"]["ece_interval"][1]
    assert low < precision
    assert ece < high
    assert fastcal(f"{base} --max-ece {ece + 1e-6} --min-precision {precision - 1e-6}")[0] == 0
    code, out, err = fastcal(f"{base} --max-ece {ece - 1e-6} --min-precision {precision + 1e-6} --json")
    assert (code, err.count("\n")) == (1, 2)
    assert f"gate failed: --max-ece {ece - 1e-6:g}: ECE is {ece:.4g}" in err
    assert [gate["passed"] for gate in json.loads(out)["gates"]] == [False, False]
    assert fastcal(f"{base} --strict --max-ece {high + 1e-6} --min-precision {low - 1e-6}")[0] == 0
    code, _, err = fastcal(f"{base} --strict --max-ece {(ece + high) / 2} --min-precision {(low + precision) / 2}")
    assert (code, err.count("worse end")) == (1, 2)
    assert "holds no threshold for recall=0.5" in fastcal(f"{base} --min-precision 0.5 --target recall=0.5")[2]
    assert "which is missing" in fastcal(f"{base} --target recall=0.5")[2]
    assert "[0, 1]" in fastcal(f"{base} --max-ece 2")[2]


def test_training_queries_are_left_out(fastcal):
    code, _, err = fastcal("evaluate train.trec qrels.trec --profile train.json")
    assert (code, "fitted on 24 of the 24 queries" in err) == (2, True)
    code, out, err = fastcal("evaluate run.trec qrels.trec --profile train.json --json")
    mixed = json.loads(out)
    assert (code, "24 of the 48 queries of the run: they are left out" in err) == (0, True)
    alone = json.loads(fastcal("evaluate test.trec qrels.trec --profile train.json --json")[1])
    assert mixed["calibration"] == alone["calibration"]
    code, out, err = fastcal("evaluate run.trec qrels.trec --profile train.json --json --seen keep")
    assert json.loads(out)["calibration"]["n_groups"] == 48
    assert "flatter" in err
    assert fastcal("evaluate run.trec qrels.trec --profile train.json --seen error")[0] == 2


# -- revalidate ---------------------------------------------------------------------------------------
def test_revalidate_is_the_library(files, fastcal):
    profile = fc.Profile.load(files / "train.json")
    scores, labels, queries, _ = pairs(files, "test.trec")
    code, out, err = fastcal("revalidate test.trec qrels.trec --profile train.json --json")
    told = json.loads(out)
    del told["profile"]
    assert (code, err) == (0, "")
    assert told == json.loads(json.dumps(profile.revalidate(scores, labels, query_ids=queries).to_dict()))
    lists = fc.Run.from_trec(files / "test.trec").to_dict()
    fc.Run.from_dict({query: {doc: score / 4 for doc, score in docs.items()} for query, docs in lists.items()}).to_trec(files / "faint.trec")
    code, out, err = fastcal("revalidate faint.trec --profile train.json")
    assert (code, out[:5]) == (1, "stop ")
    assert "\nfastcal: stop: the scores are of another kind" in f"\n{err}"
    assert "go with QRELS" in fastcal("revalidate run2.trec --profile train.json --min-rel 2")[2]


def test_a_refit_fails_if_told(files, fastcal, tmp_path):
    """Scores that have drifted a little."""
    run = fc.Run.from_trec(files / "test.trec").to_dict()
    moved = {query: {doc: min(score + 0.05, 1) for doc, score in docs.items()} for query, docs in run.items()}
    fc.Run.from_dict(moved).to_trec(tmp_path / "moved.trec")
    line = f"revalidate {tmp_path / 'moved.trec'} --profile train.json"
    verdict = json.loads(fastcal(f"{line} --json")[1])["verdict"]
    assert verdict == "refit"
    assert fastcal(line)[0] == 0
    assert fastcal(f"{line} --fail-on refit")[0] == 1


def test_judgements_of_fitted_queries_are_left_out_with_their_lists(files, fastcal, tmp_path):
    out = str(tmp_path / "p.json")
    assert fastcal("fit run.trec qrels.trec --hold-out 0.5", *FIT, "-o", out)[0] == 0
    profile = fc.Profile.load(out)
    listed, judged = (
        {name for name, seen in zip(found.query_ids.tolist(), profile.seen_queries(found.query_ids), strict=True) if not seen}
        for found in (fc.Run.from_trec(files / "run.trec"), fc.Qrels.from_trec(files / "qrels.trec"))
    )
    for option, n in ((), len(listed & judged)), (("--all-queries",), len(listed | judged)):
        counts = json.loads(fastcal("evaluate run.trec qrels.trec --profile", out, "--json", *option)[1])["counts"]
        assert (counts["n_queries"], counts["queries_without_list"]) == (n, len(judged - listed))
