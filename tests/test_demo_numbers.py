"""The demo's numbers against independent oracles: scikit-learn, NumPy and plain loops."""

from __future__ import annotations

import numpy as np
import pytest
from beir_folder import make_beir

pytest.importorskip("typer")
pytest.importorskip("rich")
pytest.importorskip("sklearn")
pytest.importorskip("bm25s")
pytest.importorskip("ir_measures")
pytest.importorskip("matplotlib")

import fastcal as fc
from fastcal.cli.demo import beir, candidates, experiment, ranking
from fastcal.cli.demo.collections import Collection, Qrels
from fastcal.cli.demo.decision import CASES
from fastcal.cli.demo.digits import load_digits


@pytest.fixture(scope="module")
def digits():
    return experiment.experiment(load_digits())


@pytest.fixture(scope="module")
def digit_cosines():
    """Cosines and labels of every pair, in float64 and without fastcal."""
    collection = load_digits()
    queries, corpus = (v / np.linalg.norm(v, axis=1, keepdims=True) for v in (collection.queries.astype(float), collection.corpus.astype(float)))
    relevant = np.zeros((len(queries), len(corpus)), bool)
    relevant[collection.qrels.queries, collection.qrels.docs] = True
    return queries @ corpus.T, relevant


@pytest.fixture(scope="module")
def topics(tmp_path_factory):
    return experiment.experiment(beir.load_beir(make_beir(tmp_path_factory.mktemp("beir") / "topics")))


def test_digits_is_the_bundled_set_split_into_queries_and_corpus():
    from sklearn.datasets import load_digits as bundled

    collection = load_digits()
    images = np.concatenate([collection.queries, collection.corpus])
    assert collection.queries.shape == (200, 64)
    assert collection.corpus.shape == (1597, 64)
    assert sorted(map(bytes, images)) == sorted(map(bytes, bundled().data.astype(np.float32)))
    assert collection.lexical is None


def test_hard_coded_cut_counts_every_pair(digits, digit_cosines):
    cosines, relevant = digit_cosines
    above = cosines >= 0.7
    found = digits.hard_cut
    assert found.n_pairs == cosines.size
    assert found.precision.n == above.sum()
    assert found.precision.value == pytest.approx((above & relevant).sum() / above.sum(), abs=1e-12)
    assert found.recall.value == pytest.approx((above & relevant).sum() / relevant.sum(), abs=1e-12)
    per_query = above.sum(axis=1)
    assert (found.fewest, found.median, found.most) == (per_query.min(), np.median(per_query), per_query.max())
    assert found.empty.value == (per_query == 0).mean()
    assert found.precision.low < found.precision.value < found.precision.high


def test_candidates_are_the_exact_top_100(digits, digit_cosines):
    cosines, relevant = digit_cosines
    held_out = digits.searched.held_out
    top = -np.sort(-cosines[held_out.queries], axis=1)[:, :100]
    np.testing.assert_allclose(held_out.scores, top, atol=1e-6)
    np.testing.assert_array_equal(held_out.labels, np.take_along_axis(relevant[held_out.queries], held_out.found.ids, axis=1))


def test_train_and_held_out_share_no_query(digits):
    train, held_out = digits.searched.train.queries, digits.searched.held_out.queries
    assert sorted([*train, *held_out]) == list(range(200))
    assert len(train) == len(held_out) == 100


def test_the_split_is_seeded_and_leaves_the_order_of_queries_alone():
    judged = np.array([2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31])
    first, again, other = (candidates.split_queries(judged, seed) for seed in (0, 0, 1))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[0], other[0])
    assert [len(part) for part in first] == [5, 6]
    assert sorted(np.concatenate(first)) == judged.tolist()
    with pytest.raises(ValueError, match="9 queries have a relevant document, expected at least 10"):
        candidates.split_queries(judged[:9], 0)


def test_reliability_against_scikit_learn_and_a_plain_loop(digits):
    from sklearn.isotonic import IsotonicRegression
    from sklearn.metrics import brier_score_loss

    train, held_out = digits.searched.train, digits.searched.held_out
    labels = held_out.labels.ravel().astype(float)
    oracle = IsotonicRegression(out_of_bounds="clip").fit(train.scores.ravel().astype(float), train.labels.ravel())
    isotonic = digits.reliability.named("isotonic")
    np.testing.assert_allclose(isotonic.probabilities.ravel(), oracle.predict(held_out.scores.ravel().astype(float)), atol=1e-6)
    for predictor in digits.reliability.predictors:
        stated = predictor.probabilities.ravel().astype(float)
        assert predictor.brier.value == pytest.approx(brier_score_loss(labels, stated), abs=1e-9)
        bins = np.clip(np.ceil(stated * 15).astype(int) - 1, 0, 14)
        error = sum(abs((labels - stated)[bins == b].sum()) for b in range(15)) / len(labels)
        assert predictor.ece.value == pytest.approx(error, abs=1e-9)
        assert predictor.ece.low <= predictor.ece.value <= predictor.ece.high
    assert digits.reliability.named("raw cosine").ece.value > 2 * digits.reliability.named("Platt").ece.value


def test_cut_is_the_lowest_with_precision_09_on_train_and_is_judged_on_held_out(digits):
    train, held_out, cut = digits.searched.train, digits.searched.held_out, digits.cut
    order = np.argsort(-train.scores.ravel(), kind="stable")
    precision = np.cumsum(train.labels.ravel()[order]) / np.arange(1, order.size + 1)
    assert cut.reached
    assert cut.cosine == train.scores.ravel()[order][np.flatnonzero(precision >= 0.9)[-1]]
    above = held_out.scores >= np.float32(cut.cosine)
    kept = digits.kept
    assert kept.precision.value == kept.precision_pairs.value == held_out.labels[above].mean()
    assert kept.recall.value == pytest.approx(held_out.labels[above].sum() / held_out.n_relevant.sum())
    assert kept.precision_pairs.high - kept.precision_pairs.low < kept.precision.high - kept.precision.low


def test_shares_of_decisions_add_up_and_act_is_the_cut(digits, topics):
    for f in (digits, topics):
        assert sum(share.value for share in f.decisions.queries.values()) == pytest.approx(1)
        assert sum(share.value for share in f.decisions.documents.values()) == pytest.approx(1)
        above = f.searched.held_out.scores >= np.float32(f.cut.cosine)
        assert f.decisions.documents[fc.Decision.ACT].value == pytest.approx(above.mean() if f.cut.reached else 0)
        assert f.decisions.queries[fc.Decision.ACT].value == pytest.approx(above.any(axis=1).mean() if f.cut.reached else 0)


def test_ranking_against_a_plain_ndcg(digits):
    held_out = digits.searched.held_out
    discount = 1 / np.log2(np.arange(2, 12))
    ndcg = (held_out.labels[:, :10] * discount).sum(axis=1) / discount.sum()
    (dense,) = digits.ranking.ranked
    assert dense.ndcg.value == pytest.approx(ndcg.mean())
    assert dense.recall.value == pytest.approx((held_out.labels[:, :10].sum(axis=1) / held_out.n_relevant).mean())
    assert digits.ranking.recall_ceiling == pytest.approx((10 / held_out.n_relevant).mean())


def luckiest(scores, labels, target):
    """Lowest score at or above which the labels reach the target, score by score; None without one."""
    found = None
    for at in sorted(set(scores.tolist()), reverse=True):
        if labels[scores >= at].mean() >= target:
            found = at
    return found


def test_promises_are_broken_as_often_as_a_plain_count_says(digits):
    held_out = digits.searched.held_out
    scores, labels = held_out.scores.ravel(), held_out.labels.ravel()
    precisions, paid = [], []
    for draw in range(200):
        rows = np.random.default_rng(draw).choice(scores.size, 300, replace=False)
        precisions.append(labels[scores >= luckiest(scores[rows], labels[rows], 0.9)].mean())
        paid.append(fc.certify_threshold(scores, lambda at: labels[at], budget=300, seed=draw).labels_used)
    found = digits.promise
    assert found.chosen.broken.value == np.mean(np.array(precisions) < 0.9)
    assert (found.chosen.broken.n, found.chosen.nothing.value) == (200, 0)
    assert found.chosen.precision.mean == pytest.approx(np.mean(precisions))
    assert found.certified.labels.mean == np.mean(paid)
    assert found.certified.labels.high <= 300
    order = np.argsort(-scores, kind="stable")
    precise = labels[order].cumsum() >= 0.9 * np.arange(1, labels.size + 1)
    assert found.within_reach == pytest.approx(labels[order].cumsum()[np.flatnonzero(precise)[-1]] / labels.sum(), abs=1e-3)


def test_certificates_keep_the_promise_that_chosen_thresholds_break(digits):
    assert digits.promise.certified.broken.low < 0.05 < digits.promise.chosen.broken.low
    assert digits.promise.certified.recall.mean > 0


def test_queries_with_the_same_relevant_documents_are_counted(digits, topics):
    assert digits.collection.kin == 200
    assert topics.collection.kin == 48
    qrels = Qrels.from_lists([[1, 2], [2], [1, 2], [], [1]])
    assert Collection("c", "", "", np.zeros((5, 1)), np.zeros((3, 1)), qrels).kin == 2


def test_best_documents_are_counted_decision_by_decision(digits, topics):
    for f in (digits, topics):
        best = f.searched.held_out.labels[:, 0]
        stated = f.reliability.platt.predict(f.searched.held_out.scores[:, 0])
        high = np.inf if f.decisions.high is None else f.decisions.high
        masks = dict(zip(CASES, (stated >= high, (stated >= f.decisions.low) & (stated < high), stated < f.decisions.low), strict=True))
        for case, mask in masks.items():
            found = f.decisions.best_relevant[case]
            assert found.n == mask.sum()
            assert np.isnan(found.value) if not mask.any() else found.value == best[mask].mean()


def test_four_lists_are_ranked_where_there_are_two(topics):
    assert [ranked.name for ranked in topics.ranking.ranked] == ["dense", "BM25", "RRF", "blend"]
    assert topics.ranking.ranked[0].gain is None
    for ranked in topics.ranking.ranked[1:]:
        assert ranked.gain.value == pytest.approx(ranked.ndcg.value - topics.ranking.ranked[0].ndcg.value)


def minmax(scores):
    return (scores - scores.min()) / (scores.max() - scores.min())


def blended(f, query):
    """0.7 dense + 0.3 BM25 of one query, in float64 and without fastcal; a document missing from a list gets nothing from it."""
    collection, total = f.collection, np.full(len(f.collection.corpus), -np.inf)
    dense = f.searched.dense.ids[query]
    part = slice(collection.lexical.offsets[query], collection.lexical.offsets[query + 1])
    lexical = collection.lexical.ids[part]
    total[dense] = total[lexical] = 0
    total[dense] += 0.7 * minmax(f.searched.dense.scores[query].astype(float))
    total[lexical] += 0.3 * minmax(collection.lexical.scores[part].astype(float))
    return total


def test_the_blend_is_07_dense_and_03_bm25_after_minmax(topics):
    blend = ranking._runs(topics.searched)["blend"].to_dict()
    assert ranking.DEPTH == 100
    for query in range(len(topics.collection.queries)):
        expected = blended(topics, query)
        shown = np.array(list(blend[query]))
        assert len(shown) == min(100, np.isfinite(expected).sum())
        np.testing.assert_allclose(list(blend[query].values()), expected[shown], atol=1e-5)
        np.testing.assert_allclose(expected[shown], -np.sort(-expected)[: len(shown)], atol=1e-5)


def test_the_quality_of_the_blend_is_that_of_the_independent_one(topics):
    held_out, discount = topics.searched.held_out, 1 / np.log2(np.arange(2, 12))
    best = np.array([np.argsort(-blended(topics, query), kind="stable")[:10] for query in held_out.queries])
    gains = topics.collection.labels(held_out.queries, best) * discount
    ideal = np.array([discount[: min(10, n)].sum() for n in held_out.n_relevant])
    blend = topics.ranking.ranked[-1]
    assert blend.ndcg.value == pytest.approx((gains.sum(axis=1) / ideal).mean())
