"""``Index.histogram`` and ``Index.sample_bands``: NumPy's counts, uniform samples, one result however the index came to be."""

from __future__ import annotations

import json
import re
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from bad_calls import Case, check
from strategies import METRICS, problem
from vectors import DTYPES, PADDING_BITS, same_bytes

import fastcal as fc
from fastcal import _backend
from fastcal.index._segment import build

EDGES = {"cosine": np.linspace(-1, 1, 21), "dot": [-np.inf, -3.0, 0.0, 1.5, np.inf], "euclidean": np.linspace(0, 30, 31)}


def same_sample(a, b):
    for name in ("ids", "scores", "counts"):
        same_bytes(getattr(a, name), getattr(b, name))
    assert a.higher_is_better == b.higher_is_better


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_histogram_is_numpys(backend, metric, dtype):
    queries, corpus = problem(1, 4, 3000, 48, ("normal", "duplicate", "integers", "any norm"))
    corpus = np.clip(corpus, -6e4, 6e4).astype(DTYPES[dtype])
    index, scores = fc.Index(corpus, metric), fc.scores(queries, corpus, metric, precision="exact")
    own = np.unique(scores[1])
    for edges in (EDGES[metric], own[-300::20], own[[0, 1]], [0.6, 0.7, 1.0]):
        rounded = np.asarray(edges, np.float32)
        expected = np.stack([np.histogram(line, rounded)[0] for line in scores])
        counts = index.histogram(queries, edges)
        same_bytes(counts, expected.astype(np.int64))
        drawn = index.sample_bands(queries, edges, 4000, seed=5)  # everything, so the sample must be the band
        same_bytes(drawn.counts, counts)
        for line, ids, values in zip(scores, drawn.ids, drawn.scores, strict=True):
            for i, (members, found) in enumerate(zip(ids, values, strict=True)):
                rows = members[members >= 0]
                inside = (line >= rounded[i]) & ((line < rounded[i + 1]) | ((i == len(ids) - 1) & (line == rounded[-1])))
                assert sorted(rows) == np.flatnonzero(inside).tolist()
                same_bytes(found[: rows.size], line[rows])
                assert (found[rows.size :].view(np.uint32) == PADDING_BITS).all()


@pytest.mark.parametrize("metric", METRICS)
def test_one_result_for_any_number_of_segments(backend, metric):
    queries, corpus = problem(2, 3, 5000, 32, ("normal", "duplicate"))
    names = np.random.default_rng(0).permutation(5000) * 7
    whole, pieces = fc.Index(corpus, metric, ids=names), fc.Index(corpus[:2], metric, ids=names[:2])
    pieces._segments = tuple(
        build(corpus[a:b], names[a:b], metric, first=a, owned=False, backend=_backend.active(), num_threads=2, progress=None)
        for a, b in ((0, 2100), (2100, 2101), (2101, 2101), (2101, 5000))
    )
    for size in (1, 40):
        same_sample(pieces.sample_bands(queries, EDGES[metric], size, seed=3), whole.sample_bands(queries, EDGES[metric], size, seed=3))
    same_bytes(pieces.histogram(queries, EDGES[metric]), whole.histogram(queries, EDGES[metric]))


def test_a_prefix_of_a_sample_is_a_smaller_sample(backend):
    queries, corpus = problem(3, 2, 3000, 16)
    index = fc.Index(corpus)
    large, small = (index.sample_bands(queries, EDGES["cosine"], size, seed=1) for size in (30, 7))
    same_bytes(np.ascontiguousarray(large.ids[..., :7]), small.ids)
    single = index.sample_bands(queries[0], EDGES["cosine"], 7, seed=1)
    same_bytes(single.ids, small.ids[:1])
    assert not np.array_equal(small.ids, index.sample_bands(queries, EDGES["cosine"], 7, seed=2).ids)
    twice = index.sample_bands(np.stack([queries[0]] * 2), EDGES["cosine"], 7, seed=1)
    assert not np.array_equal(twice.ids[0], twice.ids[1])


def test_samples_are_uniform_and_seeds_independent():
    """2,000 seeds draw 10 of 50 rows: each row 400 times, each pair of rows and each pair of successive seeds as often as chance has it."""
    corpus = np.ones((60, 1), dtype=np.float32)
    corpus[50:] = 5.0
    index, trials = fc.Index(corpus, "dot"), 2000
    drawn = np.zeros((trials, 50))
    for seed in range(trials):
        ids = index.sample_bands([1.0], [0.5, 1.5], 10, seed=seed).ids[0, 0]
        drawn[seed, ids] = 1.0
    assert (drawn.sum(axis=1) == 10).all()
    # Inclusions of one draw are correlated by -1 / 49, which scales the statistic.
    spread = ((drawn.sum(axis=0) - 400.0) ** 2).sum() / (trials * 0.2 * 0.8) * 49 / 50
    assert 23.98 < spread < 85.35  # chi-square with 49 degrees of freedom, 0.1 % on either side
    together = drawn.T @ drawn
    pairs = together[np.triu_indices(50, 1)]
    chance = 10 * 9 / (50 * 49)
    assert np.abs(pairs - trials * chance).max() < 4.5 * np.sqrt(trials * chance)
    again = (drawn[1:] * drawn[:-1]).sum(axis=1)  # hypergeometric: mean 2, variance 64 / 49
    assert abs(again.mean() - 2.0) < 4.0 * np.sqrt(64 / 49 / len(again))
    assert abs(again.var() - 64 / 49) < 0.25


def test_edges_are_rounded_once_and_the_last_bin_is_closed(backend):
    corpus = np.array([[0.1], [0.2], [0.3], [np.nextafter(np.float32(0.3), np.float32(1))]], dtype=np.float32)
    index = fc.Index(corpus, "dot")
    assert index.histogram([1.0], [0.1, 0.2, 0.3]).tolist() == [[1, 2]]
    assert index.histogram([1.0], np.array([0.1, 0.2, 0.3], np.float16)).dtype == np.int64
    assert index.histogram([1.0], [-np.inf, np.inf]).tolist() == [[4]]
    assert fc.Index(corpus, "euclidean").histogram([0.0], [-1, 0, 0.1, 0.2]).tolist() == [[0, 0, 2]]
    huge = fc.Index(np.full((1, 1), 3e38, np.float32), "dot")  # the score overflows to inf
    assert huge.histogram([10.0], [0.0, 3e38]).tolist() == [[0]]
    assert huge.histogram([10.0], [0.0, np.inf]).tolist() == [[1]]


def test_nothing_to_count(backend):
    queries, corpus = problem(5, 2, 3, 16)
    drawn = fc.Index(corpus[:0]).sample_bands(queries, [0, 1], 2, seed=0)
    assert drawn.counts.tolist() == [[0], [0]]
    assert (drawn.ids == -1).all()
    assert (drawn.scores.view(np.uint32) == PADDING_BITS).all()
    assert fc.Index(corpus).histogram(queries[:0], [0, 1, 2]).shape == (0, 2)
    assert fc.Index(corpus).sample_bands(queries[:0], [0, 1], 3, seed=0).ids.shape == (0, 1, 3)


def test_a_corpus_that_changed_is_noticed(backend):
    queries, corpus = problem(6, 2, 5000, 20)
    index = fc.Index(corpus)
    corpus[4321, 3] = np.nan
    narrow = np.linspace(-1, 1, 200)  # so narrow that every row is read
    for call in (lambda: index.histogram(queries, narrow), lambda: index.sample_bands(queries, narrow, 3, seed=0)):
        with pytest.raises(fc.CorpusChangedError, match=r"row 4321\b"):
            call()


def test_many_callers_at_once(backend):
    index, cases = fc.Index(problem(7, 1, 5000, 32)[1]), [problem(20 + i, 1 + i, 1, 32)[0] for i in range(6)]
    edges, together = [-1.0, 0.2, 0.5, 1.0], threading.Barrier(6)
    serial = [index.sample_bands(queries, edges, 9, seed=1, num_threads=1) for queries in cases]

    def draw(queries):
        together.wait()
        return [index.sample_bands(queries, edges, 9, seed=1, num_threads=3) for _ in range(4)]

    with ThreadPoolExecutor(6) as pool:
        for results, expected in zip(pool.map(draw, cases), serial, strict=True):
            for result in results:
                same_sample(result, expected)


def test_to_dict():
    drawn = fc.Index(np.array([[0.25], [2.0]], dtype=np.float32), "euclidean", ids=[7, 9]).sample_bands([0.0], [0, 1], 2, seed=0)
    told = {"ids": [[[7, -1]]], "scores": [[[0.25, None]]], "counts": [[1]], "higher_is_better": False}
    assert json.loads(json.dumps(drawn.to_dict(), allow_nan=False)) == told
    assert len(drawn) == 1


def histogram(edges=(0, 1), queries=(1.0, 2.0), **options):
    return fc.Index(np.eye(2, dtype=np.float32)).histogram(np.asarray(queries), edges, **options)


def sample_bands(edges=(0, 1), size=2, queries=(1.0, 2.0), seed=0, **options):
    return fc.Index(np.eye(2, dtype=np.float32)).sample_bands(np.asarray(queries), edges, size, seed=seed, **options)


BOTH = (histogram, sample_bands)
CASES = [
    *(
        Case(f"edges {e!r}", BOTH, {"edges": e}, ValueError, r"edges must be a list of at least 2 numbers, got shape")
        for e in (10, [], [1], [[0, 1]])
    ),
    Case("edges fall", BOTH, {"edges": [0, 2, 1]}, ValueError, r"must be strictly increasing, but edges\[1\] and edges\[2\] are 2.0 and 1.0$"),
    Case("edges repeat", BOTH, {"edges": [0, 0]}, ValueError, "strictly increasing"),
    Case("edges of both zeros", BOTH, {"edges": [-0.0, 0.0]}, ValueError, "strictly increasing"),
    Case("edges collide", BOTH, {"edges": [0.1, 0.1000000001]}, ValueError, r"are 0.1 and 0.1000000001, which are one number in float32"),
    Case("two infinities", BOTH, {"edges": [0, np.inf, np.inf]}, ValueError, "strictly increasing"),
    Case("NaN", BOTH, {"edges": [0, np.nan]}, ValueError, r"edges\[1\] is nan; expected a number"),
    Case("overflow", BOTH, {"edges": [0, 1e39]}, ValueError, r"edges\[1\] is 1e\+39; expected within the range of float32"),
    Case("integers", BOTH, {"edges": np.arange(3)}, TypeError, "edges must be float32 or float64"),
    Case("text", BOTH, {"edges": ["a", "b"]}, TypeError, "edges must be"),
    Case("queries", BOTH, {"queries": [1.0]}, ValueError, "queries and corpus must have the same dim"),
    Case("threads", BOTH, {"num_threads": 0}, ValueError, "num_threads"),
    Case("size 0", (sample_bands,), {"size": 0}, ValueError, "size must be an integer of at least 1, got 0"),
    Case("size 2.0", (sample_bands,), {"size": 2.0}, TypeError, "size must be an integer"),
    Case("size too large", (sample_bands,), {"size": 2**62}, ValueError, re.escape("size must be small enough")),
    Case("seed -1", (sample_bands,), {"seed": -1}, ValueError, "seed must be an integer of at least 0, got -1"),
    Case("seed None", (sample_bands,), {"seed": None}, TypeError, "seed must be an integer"),
    Case("seed 2**63", (sample_bands,), {"seed": 2**63}, ValueError, "seed must be an integer below"),
]


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_what_was_got_and_what_is_expected(case):
    check(case)
