"""dynamic_threshold on other libraries' indexes, with labelers that fail, and on input that is no use."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest
from dynamic_pools import gaussian, line

import fastcal as fc
from fastcal.certificates import _band_pool, _query_pool


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


def faiss_index(corpus):
    index = pytest.importorskip("faiss").IndexFlatL2(6)
    index.add(corpus)
    return index


def hnswlib_index(corpus):
    index = pytest.importorskip("hnswlib").Index("cosine", corpus.shape[1])
    index.init_index(len(corpus), ef_construction=50, random_seed=1)
    index.add_items(corpus, num_threads=1)
    index.set_ef(600)
    return index


def usearch_index(corpus):
    index = pytest.importorskip("usearch.index").Index(ndim=6, metric="cos", dtype="f32", expansion_search=600)
    index.add(np.arange(len(corpus)), corpus, threads=1)
    return index


@pytest.mark.parametrize("build", [faiss_index, hnswlib_index, usearch_index])
def test_real_libraries(build):
    corpus, query = gaussian(600)
    found = fc.dynamic_threshold(build(corpus), query, lambda ids: np.ones(ids.size), depth=300, seed=1)
    assert (found.n_pool, found.higher_is_better, found.n_selected) == (300, False, 300)
    assert 0 < found.threshold < 100


@pytest.mark.parametrize(("build", "name"), [(faiss_index, "faiss"), (hnswlib_index, "hnswlib"), (usearch_index, "usearch")])
def test_a_query_of_another_dimension_never_reaches_a_library(build, name):
    """hnswlib reads 6 numbers wherever 5 of them end."""
    with pytest.raises(ValueError, match=rf"query has 5 dimensions; expected 6, those of the index \({name}"):
        fc.dynamic_threshold(build(gaussian(600)[0]), np.ones(5, np.float32), lambda ids: np.ones(ids.size))


def test_the_direction_of_the_libraries_is_known():
    """All scores equal: nothing to read it off."""
    corpus = np.ones((40, 6), np.float32)
    for build in (faiss_index, hnswlib_index, usearch_index):
        found = fc.dynamic_threshold(build(corpus), corpus[0], lambda ids: np.ones(ids.size), seed=0)
        assert (found.higher_is_better, found.n_selected) == (False, found.n_pool)
        with pytest.raises(ValueError, match="has higher_is_better=False, the call says"):
            fc.dynamic_threshold(build(corpus), corpus[0], lambda ids: np.ones(ids.size), higher_is_better=True)


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
        (Returning(np.array([[np.nan]]), np.array([[2**63]], np.uint64)), "must fit int64"),
        (Returning(np.array([[0.9, 0.5]]), np.array([[0.0, 1.0]])), "float64 and float64; expected float scores and integer ids"),
        (Returning(np.array([[9, 5]]), np.array([[0, 1]])), "expected float scores and integer ids"),
        (Returning(np.array([[0.9, 0.5]])), r"returned tuple; expected \(scores, ids\)"),
        (Returning(np.array([[np.nan, np.nan]]), np.array([[-1, -1]])), "returned no row"),
    ],
)
def test_answers_of_indexes_are_judged(index, message):
    with pytest.raises((ValueError, TypeError), match=message):
        fc.dynamic_threshold(index, [1.0], lambda ids: np.ones(ids.size))


def test_one_query_may_be_answered_flat_and_in_either_order():
    scores, ids = np.linspace(1, 0, 200), np.arange(200)
    for found in ((scores, ids), (ids, scores), (scores[None], ids[None])):
        certified = fc.dynamic_threshold(Returning(*found), [1.0], lambda ids: np.ones(ids.size), seed=0)
        assert (certified.threshold, certified.n_selected) == (0.0, 200)


def test_all_equal_scores_need_a_direction():
    for middle in (0.5, 0.4):  # or are in no order
        index = Returning(np.array([[0.5, middle] + 198 * [0.5]]), np.arange(200)[None])
        found = fc.dynamic_threshold(index, [1.0], lambda ids: np.ones(ids.size), higher_is_better=True, seed=0)
        assert (found.threshold, found.n_selected) == (np.float32(middle), 200)
    falling = Returning(np.linspace(1, 0, 200), np.arange(200))
    with pytest.raises(ValueError, match=r"\(.*Returning\) has higher_is_better=True, the call says"):
        fc.dynamic_threshold(falling, [1.0], lambda ids: np.ones(ids.size), higher_is_better=False)


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
        with pytest.raises(ValueError, match=r"another pool: .*query or index differ|settings|seed"):
            fc.dynamic_threshold(**{"index": index, "query": query, "labeler": labeler, "state": state} | stranger)
    for answer in (lambda ids: labels[ids][:-1], lambda ids: labels[ids] + 2, lambda ids: np.full(ids.size, np.nan)):
        with pytest.raises(ValueError, match="labeler") as caught:
            fc.dynamic_threshold(index, query, answer, state=state)
        assert len(caught.value.state["labels"]) >= len(state["labels"])


def test_more_budget_goes_on_where_less_ended():
    corpus, query = gaussian(9000)
    scores = fc.scores(query, corpus, precision="exact")[0]
    labels = (np.random.default_rng(0).random(9000) < np.where(scores > 0, 0.97, 0.1)).astype(np.uint8)
    index = fc.Index(corpus)
    whole = fc.dynamic_threshold(index, query, lambda ids: labels[ids], budget=400, seed=7)
    short = fc.dynamic_threshold(index, query, lambda ids: labels[ids], budget=120, seed=7)
    on = fc.dynamic_threshold(index, query, lambda ids: labels[ids], budget=400, state=short.state)
    assert short.labels_used <= 120 < on.labels_used == whole.labels_used
    assert (on.threshold, on.n_selected) == (whole.threshold, whole.n_selected)
    assert short.n_selected < on.n_selected


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
        ({"index": object()}, TypeError, "search.*knn_query"),
        ({"index": fc.Index(np.empty((0, 1), np.float32))}, ValueError, "index is empty"),
        ({"index": Faiss(np.empty(0))}, ValueError, "index is empty"),
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
