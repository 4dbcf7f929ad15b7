"""dynamic_threshold keeps its promise, wherever it starts."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from dynamic_pools import METRICS, gaussian, line, selects

import fastcal as fc
import fastcal.certificates.dynamic as _dynamic
from fastcal.certificates import _query_pool


@pytest.fixture
def by_bands(monkeypatch):
    """Arrange indexes of any size by bands."""
    monkeypatch.setattr(_query_pool, "ALL", 0)
    monkeypatch.setattr(_dynamic, "_LEAST_HEAD", 0)


# -- the promise --------------------------------------------------------------------------------------------
def test_type_one_error_at_the_worst_null(by_bands):
    n, trials = 300, 400
    positive = math.ceil(0.9 * n) - 1
    index, false = line(n), 0
    for seed in range(trials):
        labels = np.zeros(n, np.uint8)
        labels[np.random.default_rng([seed, 1]).permutation(n)[:positive]] = 1
        found = fc.dynamic_threshold(index, [1.0], lambda ids, labels=labels: labels[ids], seed=seed)
        false += found.certified and labels[: found.n_selected].mean() < 0.9
    assert false <= 38  # binom.ppf(1 - 1e-4, 400, .05)


@pytest.mark.parametrize("metric", METRICS)
def test_certified_selections_keep_their_promise(metric):
    corpus, query = gaussian(20_000)
    scores = fc.scores(query, corpus, metric, precision="exact")[0]
    rank = np.argsort(np.argsort(scores if metric == "euclidean" else -scores))
    labels = (np.random.default_rng(1).random(20_000) < np.where(rank < 4000, 0.98, 0.2)).astype(np.uint8)
    found = fc.dynamic_threshold(fc.Index(corpus, metric), query, lambda ids: labels[ids], seed=2)
    chosen = selects(scores, found)
    assert found.reason == "certified"
    assert found.n_pool == 20_000
    assert found.n_selected == np.count_nonzero(chosen) > 1000
    assert labels[chosen].mean() >= 0.9
    assert found.threshold == np.float32(found.threshold)
    assert "all 20000 rows of the index" in found.scope
    everything = fc.dynamic_threshold(fc.Index(corpus, metric), query, lambda ids: np.ones(ids.size), seed=2)
    assert everything.n_selected == np.count_nonzero(selects(scores, everything)) == 20_000
    nothing = fc.dynamic_threshold(fc.Index(corpus, metric), query, lambda ids: np.zeros(ids.size), seed=2)
    assert (nothing.threshold, nothing.n_selected, nothing.reason) == (None, 0, "head_fails")


def test_real_collection(data_dir):
    folder = data_dir / "cranfield"
    corpus, queries = (np.load(folder / f"{side}_emb.npy") for side in ("corpus", "queries"))
    texts = {side: (folder / f"{side}.jsonl").read_text(encoding="utf-8").rstrip("\n").split("\n") for side in ("queries", "corpus")}
    row_of = {side: {json.loads(row)["_id"]: i for i, row in enumerate(rows)} for side, rows in texts.items()}
    relevant = np.zeros((len(queries), len(corpus)), np.uint8)
    for judgement in (folder / "qrels.tsv").read_text().splitlines()[1:]:
        query, document, grade = judgement.split("\t")
        relevant[row_of["queries"][query], row_of["corpus"][document]] = int(grade) > 0
    index, false, certified = fc.Index(corpus), 0, 0
    for row in range(60):
        found = fc.dynamic_threshold(index, queries[row], lambda ids, row=row: relevant[row, ids], seed=row)
        chosen = selects(fc.scores(queries[row], corpus, precision="exact")[0], found)
        assert np.count_nonzero(chosen) == found.n_selected
        certified += found.certified
        false += found.certified and relevant[row, chosen].mean() < 0.9
    assert certified >= 30
    assert false <= 9  # binom.ppf(1 - 1e-3, 60, .05)


def test_type_one_error_of_weighted_sampling(by_bands):
    n, trials = 300, 120
    index, false, weighted = line(n), 0, 0
    for seed in range(trials):
        labels = np.ones(n, np.uint8)
        labels[150 + np.random.default_rng([seed, 1]).permutation(150)[: n // 10 + 1]] = 0
        found = fc.dynamic_threshold(
            index,
            [1.0],
            lambda ids, labels=labels: labels[ids],
            calibrator=lambda s, f: np.where(s > 150, 0.999, 0.6),
            sampling="weighted",
            seed=seed,
        )
        false += found.certified and labels[: found.n_selected].mean() < 0.9
        weighted += found.certified and found.n_selected > 60
    assert weighted > trials / 2
    assert false <= 17  # binom.ppf(1 - 1e-4, 120, .05)


# -- where it starts ----------------------------------------------------------------------------------------
class Logistic:
    """A calibrator, right or wrong."""

    def __init__(self, shift):
        self.shift = shift

    def predict(self, scores):
        return 1 / (1 + np.exp(-8.0 * (scores.astype(np.float64) - 0.5 - self.shift)))


def steep(seed, n=60_000):
    """Relevant above 0.5, but for one in 100, and one in ten below it."""
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=n).astype(np.float32)
    labels = (rng.random(n) < np.where(scores > 0.5, 0.99, 0.1)).astype(np.uint8)
    return fc.Index(scores[:, np.newaxis], "dot"), scores, labels


def test_a_calibrator_of_other_queries_saves_labels_and_a_wrong_one_breaks_no_promise():
    spent = {"none": 0, "right": 0, "optimist": 0, "pessimist": 0}
    for seed in range(5):
        index, scores, labels = steep(seed)
        for name, calibrator in {"none": None, "right": Logistic(0.0), "optimist": Logistic(-2.0), "pessimist": Logistic(9.0)}.items():
            found = fc.dynamic_threshold(index, [1.0], lambda ids, labels=labels: labels[ids], calibrator=calibrator, seed=seed)
            spent[name] += found.labels_used
            assert found.certified
            assert labels[selects(scores, found)].mean() >= 0.9
    assert spent["right"] < 0.8 * spent["none"]
    assert spent["pessimist"] == spent["none"]


def test_a_callable_calibrator_sees_scores_and_label_free_features():
    index, scores, labels = steep(0)
    seen = []

    def calibrator(given, features):
        seen.append((given, features))
        return Logistic(0.0).predict(given)

    found = fc.dynamic_threshold(index, [1.0], lambda ids: labels[ids], calibrator=calibrator, sampling="weighted", seed=0)
    same = fc.dynamic_threshold(index, [1.0], lambda ids: labels[ids], calibrator=Logistic(0.0), sampling="weighted", seed=0)
    assert found.to_dict() == same.to_dict()
    (given, features) = seen[0]
    assert set(features) == {"best", "gap", "mean", "std", "tail", "wig", "nqc"}
    assert features["best"] == scores.max()
    assert abs(features["mean"] - features["wig"]) < 0.1  # the corpus mean is about 0
    assert np.isin(given, scores).all()


def test_calibrators_of_distances_see_distances():
    corpus, query = gaussian(6000)
    scores = fc.scores(query, corpus, "euclidean", precision="exact")[0]
    seen = []
    fc.dynamic_threshold(
        fc.Index(corpus, "euclidean"),
        query,
        lambda ids: np.ones(ids.size),
        calibrator=lambda given, features: seen.append(given) or np.full(given.size, 0.5),
        seed=0,
    )
    assert np.isin(seen[0], scores).all()


@pytest.mark.parametrize("bad", [lambda s, f: s + 7, lambda s, f: np.full(3, 0.5), lambda s, f: s * np.nan, lambda s, f: [1] * s.size])
def test_bad_calibrators_cost_no_label(bad):
    def labeler(ids):
        raise AssertionError("a label was paid")

    with pytest.raises(ValueError, match="calibrator"):
        fc.dynamic_threshold(line(5000), [1.0], labeler, calibrator=bad)
    with pytest.raises(TypeError, match="calibrator"):
        fc.dynamic_threshold(line(5000), [1.0], labeler, calibrator=0.5)


def test_calibrators_of_other_arguments_are_told_which_are_expected():
    class Grouped:
        def predict(self, scores, groups):
            raise AssertionError

    for calibrator in (lambda scores: scores, Grouped()):
        with pytest.raises(TypeError, match=r"callable\(scores, features\): (too many|missing)"):
            fc.dynamic_threshold(line(5000), [1.0], np.ones_like, calibrator=calibrator)


def test_rows_added_by_the_labeler_are_not_covered():
    index = line(5000)

    def labeler(ids):
        index.add(np.ones((1, 1), np.float32))
        return np.ones(ids.size)

    found = fc.dynamic_threshold(index, [1.0], labeler, seed=0)
    assert len(index) > found.n_pool == found.n_selected == 5000
    assert "all 5000 rows of the index, as it was when the search began" in found.scope
    assert found.scope.endswith("It is not other queries, rows, those added since among them, or labellers.")
