"""``Index``: the same truth as ``topk``, and what it says about itself."""

from __future__ import annotations

import copy
import pickle
import re
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import reference
from hypothesis import given
from parity import blank
from strategies import METRICS, problem, searches
from vectors import BFLOAT16, DTYPES, PADDING_BITS, same_result

import fastcal as fc


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_search_is_topk(backend, metric, dtype):
    queries, corpus = problem(1, 5, 3000, 70, ("normal", "duplicate", "integers", "any norm"))
    corpus = np.clip(corpus, -6e4, 6e4).astype(DTYPES[dtype])
    index = fc.Index(corpus, metric)
    for k in (1, 10, 3001):
        same_result(index.search(queries, k), fc.topk(queries, corpus, k, metric))
    for threads in (1, 2, 5):
        same_result(index.search(queries, 10, num_threads=threads), fc.topk(queries, corpus, 10, metric))
        same_result(fc.Index(corpus, metric, num_threads=threads).search(queries, 10), fc.topk(queries, corpus, 10, metric))


@given(case=searches())
def test_public_index_is_the_reference(backend, case):
    expected = blank(len(case.queries), 6), blank(len(case.queries), 6, dtype=np.int64)
    names = np.random.default_rng(case.seed).permutation(len(case.corpus)) * 3
    assert reference.topk(case.queries, case.corpus, None, case.metric, names, *expected) == -1
    corpus = case.corpus.view(BFLOAT16) if case.corpus.dtype == np.uint16 else case.corpus
    scores, ids = fc.Index(corpus, case.metric, ids=names).search(case.queries, 6)
    assert scores.tobytes() == expected[0].tobytes()
    assert ids.tobytes() == expected[1].tobytes()


def test_external_ids(backend):
    queries, corpus = problem(2, 3, 400, 20)
    ids = np.random.default_rng(0).permutation(400) * 10**15
    found, plain = fc.Index(corpus, ids=ids).search(queries, 405), fc.topk(queries, corpus, 405)
    assert found.scores.tobytes() == plain.scores.tobytes()
    np.testing.assert_array_equal(found.ids[:, :400], ids[plain.ids[:, :400]])
    assert (found.ids[:, 400:] == -1).all()
    largest = np.iinfo(np.int64).max
    assert fc.Index(corpus[:2], ids=[largest, 0]).search(corpus[0], 1).ids.tolist() == [[largest]]


def test_ties_go_to_the_lower_external_id(backend):
    corpus = np.tile(np.eye(3, dtype=np.float32), (200, 1))
    ids = np.random.default_rng(1).permutation(600)
    found = fc.Index(corpus, ids=ids).search(np.array([0.0, 1.0, 0.0]), 600)
    assert found.ids[0, :200].tolist() == sorted(ids[1::3].tolist())
    assert found.ids[0, 200:].tolist() == sorted([*ids[0::3].tolist(), *ids[2::3].tolist()])


@pytest.mark.parametrize("metric", METRICS)
def test_merged_shards_are_the_whole(backend, metric):
    queries, corpus = problem(3, 4, 900, 12, ("integers", "duplicate", "normal"))
    ids, k = np.random.default_rng(2).permutation(5000)[:900], 50
    whole = fc.Index(corpus, metric, ids=ids).search(queries, k)
    parts = [fc.Index(corpus[part], metric, ids=ids[part]).search(queries, k) for part in (np.s_[:13], np.s_[13:500], np.s_[500:])]
    scores = np.concatenate([part.scores for part in parts], axis=1)
    names = np.concatenate([part.ids for part in parts], axis=1)
    for i in range(4):
        key = np.where(np.isnan(scores[i]), np.inf, scores[i] if metric == "euclidean" else -scores[i])
        order = np.lexsort((names[i], key))[:k]
        assert scores[i, order].tobytes() == whole.scores[i].tobytes()
        assert names[i, order].tobytes() == whole.ids[i].tobytes()


@pytest.mark.parametrize("metric", METRICS)
def test_dims(backend, metric):
    queries, corpus = problem(4, 3, 200, 40)
    index = fc.Index(corpus, metric, dims=24)
    expected = fc.topk(queries[:, :24].copy(), corpus[:, :24].copy(), 7, metric)
    same_result(index.search(queries, 7), expected)
    same_result(index.search(queries[:, :24], 7), expected)
    same_result(index.search(queries[0], 7), fc.topk(queries[:1, :24], corpus[:, :24], 7, metric))
    same_result(index.search(queries[0, :24], 7), fc.topk(queries[:1, :24], corpus[:, :24], 7, metric))
    assert index.dim == 24
    same_result(fc.Index(corpus, metric, dims=40).search(queries, 7), fc.topk(queries, corpus, 7, metric))


@pytest.mark.parametrize("metric", METRICS)
def test_nothing_to_search(backend, metric):
    queries, corpus = problem(5, 2, 3, 16)
    empty = fc.Index(corpus[:0], metric, ids=[])
    assert len(empty) == 0
    scores, ids = empty.search(queries, 2)
    assert (scores.view(np.uint32) == PADDING_BITS).all()
    assert (ids == -1).all()
    assert fc.Index(corpus, metric).search(queries[:0], 2).ids.shape == (0, 2)
    assert empty.search(queries[:0], 2).ids.shape == (0, 2)


def test_out(backend):
    queries, corpus = problem(6, 3, 40, 8)
    index, large = fc.Index(corpus), (blank(6, 9), blank(6, 9, dtype=np.int64))
    out = large[0][::2, 1:6], large[1][::2, 1:6]
    found = index.search(queries, 5, out=out)
    assert found.scores is out[0]
    assert found.ids is out[1]
    same_result(found, index.search(queries, 5))
    untouched = np.ones((6, 9), dtype=bool)
    untouched[::2, 1:6] = False
    assert (large[1][untouched] == blank(1, dtype=np.int64)[0]).all()


def test_searches_from_eight_threads(backend):
    cases = [problem(20 + i, 1 + i, 1, 48)[0] for i in range(8)]
    index = fc.Index(problem(7, 1, 6000, 48)[1], ids=np.arange(6000)[::-1])
    serial = [index.search(queries, 10, num_threads=1) for queries in cases]
    together = threading.Barrier(8)

    def search(queries):
        together.wait()
        return [index.search(queries, 10, num_threads=3) for _ in range(5)]

    with ThreadPoolExecutor(8) as pool:
        for results, expected in zip(pool.map(search, cases), serial, strict=True):
            for result in results:
                same_result(result, expected)


def test_attributes(backend):
    _, corpus = problem(17, 1, 100, 16)
    index = fc.Index(corpus, "euclidean", dims=12, ids=np.arange(100))
    assert (len(index), index.dim, index.metric) == (100, 12, "euclidean")
    assert type(index.dim) is type(index.nbytes) is int
    assert re.fullmatch(r"Index\(n_rows=100, dim=12, metric='euclidean', nbytes=1600\)", repr(index))
    assert index.search(corpus[0], 1).higher_is_better is False
    for name in ("dim", "metric", "nbytes"):
        with pytest.raises(AttributeError):
            setattr(index, name, 1)


@pytest.mark.parametrize("send", [pickle.dumps, copy.copy, copy.deepcopy, lambda index: pickle.dumps({"index": [index]}, protocol=0)])
def test_pickling_raises_with_a_hint(backend, send):
    index = fc.Index(np.eye(3, dtype=np.float32))
    with pytest.raises(TypeError, match=r"cannot be pickled.*send the corpus and build the index where it is used") as caught:
        send(index)
    assert isinstance(caught.value, fc.FastcalError)
