"""dynamic_threshold: the band pool is the array pool in law, its counts are exact, its promise holds, and it forgets no label."""

from __future__ import annotations

import asyncio
import json
import math

import numpy as np
import pytest

import fastcal as fc
import fastcal.certificates.dynamic as _dynamic
from fastcal.certificates import _band_pool, _query_pool
from fastcal.certificates._band_pool import band_pool, outline, smallest_clocks
from fastcal.labelling._ledger import Ledger

METRICS = ["cosine", "dot", "euclidean"]
SETTINGS = {"census": 5, "first": 10, "ratio": 2.0}


@pytest.fixture
def by_bands(monkeypatch):
    """Arrange indexes of any size by bands."""
    monkeypatch.setattr(_query_pool, "ALL", 0)
    monkeypatch.setattr(_dynamic, "_LEAST_HEAD", 0)


def line(n):
    """An index whose row i scores n - i."""
    return fc.Index(np.arange(n, 0, -1, dtype=np.float32)[:, np.newaxis], "dot")


def pool_of(index, query, seed, keep, head=20, **changes):
    query = np.atleast_2d(np.asarray(query, np.float32))
    return band_pool(index, query, outline(index, query, head), Ledger("test", "", {}, seed=seed), keep=keep, **SETTINGS | changes)


def gaussian(n, seed=0, dim=6):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, dim)).astype(np.float32), rng.normal(size=dim).astype(np.float32)


def selects(scores, certificate):
    """Which rows a certificate selects."""
    if certificate.threshold is None:
        return np.zeros(scores.size, bool)
    return scores >= certificate.threshold if certificate.higher_is_better else scores <= certificate.threshold


# -- the pool -----------------------------------------------------------------------------------------------
def test_clocks_have_the_mean_and_variance_of_sorted_exponentials():
    n, size = 12, 5
    drawn = np.array([smallest_clocks(n, size, np.random.default_rng(seed)) for seed in range(20_000)])
    left = n - np.arange(size)
    spread = np.sqrt(np.cumsum(1 / left**2))
    assert (np.abs(drawn.mean(0) - np.cumsum(1 / left)) < 5 * spread / math.sqrt(20_000)).all()
    np.testing.assert_allclose(drawn.std(0), spread, rtol=0.05)
    assert (np.diff(drawn) > 0).all()


def test_the_first_rows_of_every_cut_are_uniform_ordered_pairs():
    index, n, keep, trials = line(60), 60, 4, 3000
    counts = pool_of(index, [1.0], 0, keep).counts
    outer = np.flatnonzero(counts > SETTINGS["census"])
    firsts = {int(cut): np.zeros((n, n)) for cut in outer}
    for seed in range(trials):
        pool = pool_of(index, [1.0], seed, keep)
        for cut, seen in firsts.items():
            rows = pool.positions[pool.cut_of <= cut]
            seen[rows[0], rows[1]] += 1
            assert rows.size >= min(keep, counts[cut] - SETTINGS["census"])
    for cut, seen in firsts.items():
        rows = np.arange(SETTINGS["census"], counts[cut])
        assert seen.sum() == seen[np.ix_(rows, rows)].sum() == trials
        pairs = seen[np.ix_(rows, rows)][~np.eye(rows.size, dtype=bool)]
        # Chi-square statistics of the first row, and of all ordered pairs, within 5 standard deviations.
        for cells in (seen.sum(1)[rows], pairs):
            expected = trials / cells.size
            free = cells.size - 1
            assert abs(((cells - expected) ** 2 / expected).sum() - free) < 5 * math.sqrt(2 * free)


@pytest.mark.parametrize("metric", METRICS)
def test_counts_and_members_of_cuts_are_exact(metric):
    corpus, query = gaussian(3000)
    corpus[40:60] = corpus[40]  # ties
    index, scores = fc.Index(corpus, metric), fc.scores(query, corpus, metric, precision="exact")[0]
    for keep in (7, 5000):
        pool = pool_of(index, query, 3, keep)
        better = np.greater_equal if metric != "euclidean" else np.less_equal
        assert [np.count_nonzero(better(scores, t)) for t in pool.thresholds] == pool.counts.tolist()
        assert pool.counts[-1] == 3000
        assert (np.diff(pool.counts) > 0).all()
        assert (pool.counts[pool.census.size :][1:] <= 3 * pool.counts[pool.census.size :][:-1]).all()
        first = np.array([np.flatnonzero(better(scores[row], pool.thresholds))[0] for row in pool.positions])
        np.testing.assert_array_equal(first, pool.cut_of)
        order = np.argsort(-scores if metric != "euclidean" else scores, kind="stable")
        assert pool.census.tolist() == order[: pool.census.size].tolist()
        if keep == 5000:
            assert sorted([*pool.census, *pool.positions]) == list(range(3000))


def test_a_larger_budget_keeps_the_order():
    corpus, query = gaussian(3000)
    index = fc.Index(corpus)
    few, many = pool_of(index, query, 1, 20), pool_of(index, query, 1, 60)
    np.testing.assert_array_equal(few.thresholds, many.thresholds)
    for cut in range(few.counts.size):
        mine, others = (each.positions[each.cut_of <= cut][:20] for each in (few, many))
        np.testing.assert_array_equal(mine, others)


def test_segments_and_external_ids_make_the_same_pool():
    corpus, query = gaussian(3000)
    whole, parts = fc.Index(corpus), fc.Index(corpus[:1000])
    parts.add(corpus[1000:])
    named = fc.Index(corpus, ids=np.arange(3000) * 7 + 1)
    pools = [pool_of(index, query, 5, 30) for index in (whole, parts, named)]
    for each in pools[1:]:
        np.testing.assert_array_equal(each.counts, pools[0].counts)
    np.testing.assert_array_equal(pools[1].positions, pools[0].positions)
    np.testing.assert_array_equal(pools[2].positions, pools[0].positions * 7 + 1)


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
    for line in (folder / "qrels.tsv").read_text().splitlines()[1:]:
        query, document, grade = line.split("\t")
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


def test_weighted_sampling_draws_by_bands_in_proportion():
    index, trials = line(60), 2000
    query = np.ones((1, 1), np.float32)
    known = outline(index, query, 20)
    first = np.zeros(60)
    for seed in range(trials):
        pool = band_pool(
            index, query, known, Ledger("test", "", {}, seed=seed), keep=3, probability=lambda s: np.where(s > 40, 0.999, 0.5), **SETTINGS
        )
        first[pool.positions[0]] += 1
    weight = np.zeros(60)
    weight[pool.positions] = pool.weights
    for cut in range(SETTINGS["census"], pool.counts.size):  # one weight for each band
        band = np.arange(pool.counts[cut - 1], pool.counts[cut])
        weight[band] = weight[band].max()
    assert set(weight) == {0.0, 0.25, 1.0}
    np.testing.assert_allclose(pool.totals[SETTINGS["census"] :], np.cumsum(weight)[pool.counts[SETTINGS["census"] :] - 1])
    np.testing.assert_allclose(pool.lightest[SETTINGS["census"] :], 0.25)
    expected = trials * weight / weight.sum()
    assert (np.abs(first - expected) < 5 * np.sqrt(np.maximum(expected, 1))).all()


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


# -- other indexes ------------------------------------------------------------------------------------------
class Faiss:
    """Scores and ids, padded with -1."""

    def __init__(self, scores):
        self.scores, self.ntotal = scores, scores.size

    def search(self, queries, k):
        order = np.argsort(-self.scores, kind="stable")[:k]
        return np.append(self.scores[order], -np.finfo(np.float32).max)[None], np.append(order, -1)[None]


class Hnswlib(Faiss):
    """Ids and distances, by another name; refuses to return more than it holds."""

    search = None

    def get_current_count(self):
        return self.ntotal

    def knn_query(self, queries, k):
        assert k <= self.ntotal
        scores, ids = Faiss.search(self, queries, k)
        return ids[:, :-1].astype(np.uint64), -scores[:, :-1]


class Usearch:
    """Matches with keys and distances."""

    def __init__(self, scores):
        self.scores = scores

    def __len__(self):
        return self.scores.size

    def search(self, queries, k):
        order = np.argsort(-self.scores, kind="stable")[:k]
        return type("Matches", (), {"keys": order.astype(np.uint64), "distances": -self.scores[order]})()


@pytest.mark.parametrize("library", [Faiss, Hnswlib, Usearch])
def test_other_indexes_are_their_returned_rows(library):
    corpus, query = gaussian(3000)
    scores = fc.scores(query, corpus, "dot", precision="exact")[0]
    labels = (np.random.default_rng(0).random(3000) < np.where(scores > 2, 0.98, 0.1)).astype(np.uint8)
    for depth in (None, 300, 10**6):
        found = fc.dynamic_threshold(library(scores), query, lambda ids: labels[ids], depth=depth, seed=1)
        same = fc.dynamic_threshold(fc.Index(corpus, "dot"), query, lambda ids: labels[ids], depth=depth or 1000, seed=1)
        sign = 1 if found.higher_is_better else -1
        assert (sign * found.threshold, found.labels_used, found.n_pool) == (same.threshold, same.labels_used, same.n_pool)
        assert found.n_pool == min(depth or 1000, 3000)
        assert "rows that index returned" in found.scope
        assert ("all 3000 rows" in same.scope) == (depth == 10**6)


def test_real_libraries():
    faiss = pytest.importorskip("faiss")
    corpus, query = gaussian(3000)
    index = faiss.IndexFlatL2(6)
    index.add(corpus)
    found = fc.dynamic_threshold(index, query, lambda ids: np.ones(ids.size), seed=1)
    assert (found.n_pool, found.higher_is_better, found.n_selected) == (1000, False, 1000)


class Returning:
    def __init__(self, *found):
        self.found = found

    def search(self, queries, k):
        return self.found


@pytest.mark.parametrize(
    ("index", "message"),
    [
        (Returning(np.array([[0.1, 0.9, 0.5]]), np.array([[0, 1, 2]])), "in no order"),
        (Returning(np.array([[0.5, 0.5]]), np.array([[0, 1]])), "all equal"),
        (Returning(np.array([[0.9, 0.5]]), np.array([[3, 3]])), "id 3 more than once"),
        (Returning(np.array([[0.9, 0.5]]), np.array([[3]])), "expected .n_queries, k."),
        (Returning(np.array([[0.9], [0.5]]), np.array([[3], [4]])), "expected .n_queries, k."),
        (Returning(np.array([[np.nan, np.nan]]), np.array([[-1, -1]])), "equal|no row"),
    ],
)
def test_answers_of_indexes_are_judged(index, message):
    with pytest.raises(ValueError, match=message):
        fc.dynamic_threshold(index, [1.0], lambda ids: np.ones(ids.size))


def test_all_equal_scores_need_a_direction():
    index = Returning(np.full((1, 200), 0.5), np.arange(200)[None])
    found = fc.dynamic_threshold(index, [1.0], lambda ids: np.ones(ids.size), higher_is_better=True, seed=0)
    assert (found.threshold, found.n_selected) == (0.5, 200)


# -- what goes wrong ----------------------------------------------------------------------------------------
@pytest.mark.parametrize("n", [3000, 9000])
def test_no_paid_label_is_lost_and_none_is_bought_twice(n):
    corpus, query = gaussian(n)
    scores = fc.scores(query, corpus, precision="exact")[0]
    labels = (np.random.default_rng(0).random(n) < np.where(scores > 0, 0.97, 0.1)).astype(np.uint8)
    index, asked = fc.Index(corpus), []

    def labeler(ids):
        asked.extend(ids.tolist())
        return labels[ids]

    def broken(ids):
        if len(asked) > 50:
            raise RuntimeError("no more")
        return labeler(ids)

    whole = fc.dynamic_threshold(index, query, labeler, seed=4)
    asked.clear()
    with pytest.raises(RuntimeError, match="no more") as caught:
        fc.dynamic_threshold(index, query, broken, seed=4)
    state = caught.value.state
    resumed = fc.dynamic_threshold(index, query, labeler, state=state)
    assert len(asked) == len(set(asked)) == resumed.labels_used == whole.labels_used
    assert resumed.to_dict()["threshold"] == whole.threshold
    other = corpus.copy()
    other[np.argmax(scores)] += 0.5
    for stranger in ({"index": fc.Index(other)}, {"query": query + 0.01}, {"delta": 0.1}, {"target_precision": 0.8}, {"seed": 5}):
        with pytest.raises(ValueError, match=r"pool|settings|seed"):
            fc.dynamic_threshold(**{"index": index, "query": query, "labeler": labeler, "state": state} | stranger)
    for answer in (lambda ids: labels[ids][:-1], lambda ids: labels[ids] + 2, lambda ids: np.full(ids.size, np.nan)):
        with pytest.raises(ValueError, match="labeler") as caught:
            fc.dynamic_threshold(index, query, answer, state=state)
        assert len(caught.value.state["labels"]) >= len(state["labels"])


def test_asynchronous_labelers_reach_the_same_certificate():
    corpus, query = gaussian(6000)
    scores = fc.scores(query, corpus, precision="exact")[0]

    async def judge(ids):
        await asyncio.sleep(0.001 * (ids[0] % 3))
        return scores[ids] > 0.4

    found = fc.dynamic_threshold(fc.Index(corpus), query, lambda ids: scores[ids] > 0.4, seed=0, batch_size=16)
    same = asyncio.run(fc.dynamic_threshold_async(fc.Index(corpus), query, judge, seed=0, batch_size=16, concurrency=5))
    assert (same.threshold, same.labels_used, same.reason) == (found.threshold, found.labels_used, found.reason)


def test_degenerate_queries():
    corpus, _ = gaussian(6000)
    zero = fc.dynamic_threshold(fc.Index(corpus), np.zeros(6), lambda ids: ids < 5900, seed=0)
    assert (zero.threshold, zero.n_selected, zero.reason) == (0.0, 6000, "certified")
    few = fc.dynamic_threshold(fc.Index(corpus[:3]), corpus[0], lambda ids: np.ones(ids.size), seed=0)
    assert (few.n_selected, few.labels_used) == (3, 3)
    named = fc.dynamic_threshold(fc.Index(corpus, ids=np.arange(6000) + 10**6), corpus[0], lambda ids: ids >= 10**6, seed=0)
    assert named.n_selected == 6000


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"index": object()}, TypeError, "search"),
        ({"query": [[1.0], [2.0]]}, ValueError, "query must have shape"),
        ({"query": [np.nan]}, ValueError, "finite"),
        ({"query": [1.0, 2.0]}, ValueError, "dim"),
        ({"budget": 5}, ValueError, "at least 2"),
        ({"budget": 0}, ValueError, "at least 2"),
        ({"target_precision": 1.0}, ValueError, "between 0 and 1"),
        ({"delta": 0.0}, ValueError, "between 0 and 1"),
        ({"depth": 0}, ValueError, "depth"),
        ({"ratio": 1.0}, ValueError, "ratio"),
        ({"batch_size": 0}, ValueError, "batch_size"),
        ({"higher_is_better": False}, ValueError, "higher_is_better"),
        ({"labeler": None}, TypeError, "callable"),
        ({"sampling": "weighted"}, ValueError, "needs a calibrator"),
        ({"sampling": "banded"}, ValueError, "sampling"),
        ({"index": fc.Index(np.ones((5000, 1), np.float32), ids=np.zeros(5000, np.int64))}, ValueError, "id 0"),
        ({"index": fc.Index(np.full((5000, 1), 3e38, np.float32), "dot"), "query": [3e38]}, ValueError, "overflow"),
        ({"index": fc.Index(np.r_[np.ones((4999, 1)), [[-3e38]]], "dot"), "query": [3e38]}, ValueError, "overflow"),
    ],
)
def test_bad_input(changes, error, message):
    def labeler(ids):
        raise AssertionError("a label was paid")

    with pytest.raises(error, match=message):
        fc.dynamic_threshold(**{"index": line(5000), "query": [1.0], "labeler": labeler} | changes)


def test_rows_added_during_the_scans_are_noticed(monkeypatch):
    index, scan = line(5000), _band_pool.outline

    def meanwhile(*arguments):
        found = scan(*arguments)
        index.add(np.ones((1, 1), np.float32))
        return found

    monkeypatch.setattr(_query_pool, "outline", meanwhile)
    with pytest.raises(ValueError, match="at rest"):
        fc.dynamic_threshold(index, [1.0], lambda ids: np.ones(ids.size))
