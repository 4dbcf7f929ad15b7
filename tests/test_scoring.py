"""``scores``, ``topk`` and ``rescore`` as callers see them: the values, whatever the threads and the order of the rows."""

from __future__ import annotations

import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st
from parity import blank
from strategies import METRICS, problem, searches
from vectors import BFLOAT16, same_bytes

import fastcal as fc

THREADS = (1, 2, 5)


def brute_force(queries, corpus, metric):
    """Scores in float64, in NumPy's own words."""
    q, x = np.asarray(queries, dtype=np.float64), np.asarray(corpus, dtype=np.float64)
    if metric == "euclidean":
        return np.sqrt(((q[:, np.newaxis] - x) ** 2).sum(axis=2))
    dots = q @ x.T
    if metric == "dot":
        return dots
    scale = np.linalg.norm(q, axis=1)[:, np.newaxis] * np.linalg.norm(x, axis=1)
    return np.divide(dots, scale, out=np.zeros_like(dots), where=scale > 0)


def best(values, k, metric, names=None):
    """(scores, ids) of the best k of a score matrix, ties by lower id."""
    values = values.astype(np.float32)
    names = np.arange(values.shape[1]) if names is None else np.asarray(names)
    order = np.array([np.lexsort((names, row if metric == "euclidean" else -row))[:k] for row in values]).reshape(len(values), -1)
    return np.take_along_axis(values, order, axis=1), names[order]


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize(("n_rows", "dim"), [(1, 1), (5, 3), (300, 17), (700, 384)])
def test_scores_and_ids_are_those_of_float64(backend, metric, n_rows, dim):
    queries, corpus = problem(1, 6, n_rows, dim, ("normal", "any norm", "zero", "normal"))
    queries[0], k = corpus[0], min(10, n_rows)
    truth = brute_force(queries, corpus, metric)
    exact = fc.scores(queries, corpus, metric, precision="exact")
    assert exact.dtype == np.float32
    assert exact.shape == truth.shape
    np.testing.assert_allclose(exact, truth, rtol=2.0**-23, atol=1e-12 * np.abs(truth).max())
    found = fc.topk(queries, corpus, k, metric)
    expected_scores, expected_ids = best(exact, k, metric)
    same_bytes(found.scores, expected_scores)
    np.testing.assert_array_equal(found.ids, expected_ids)
    same_bytes(fc.rescore(queries, corpus, found.ids, metric), found.scores)
    assert found.higher_is_better == (metric != "euclidean")
    fast, unit = fc.scores(queries, corpus, metric), (dim + 8) * 2.0**-23
    norms = np.linalg.norm(queries.astype(float), axis=1)[:, np.newaxis] * np.linalg.norm(corpus.astype(float), axis=1)
    bound = {"cosine": unit, "dot": unit * norms, "euclidean": unit * truth}[metric]
    assert (np.abs(fast - truth) <= bound + 2.0**-126).all()


@given(case=searches(), as_float64=st.booleans())
def test_public_topk_is_the_reference(backend, case, as_float64):
    k, corpus = 5, case.corpus
    expected = blank(len(case.queries), k), blank(len(case.queries), k, dtype=np.int64)
    assert reference.topk(case.queries, corpus, None, case.metric, None, *expected) == -1
    if corpus.dtype == np.uint16:
        corpus = corpus.view(BFLOAT16)
    if as_float64:
        corpus = corpus.astype(np.float64)
    found = fc.topk(case.queries, corpus, k, case.metric, num_threads=2)
    same_bytes(found.scores, expected[0])
    same_bytes(found.ids, expected[1])


@pytest.mark.parametrize("metric", METRICS)
def test_the_number_of_threads_changes_nothing(backend, metric):
    queries, corpus = problem(2, 5, 9000, 65, ("normal", "duplicate", "integers"))
    one = [f(1) for f in public_calls(queries, corpus, metric)]
    for threads in THREADS[1:]:
        for f, (first, second) in zip(public_calls(queries, corpus, metric), one, strict=True):
            again = f(threads)
            same_bytes(again[0], first)
            same_bytes(again[1], second)


def public_calls(queries, corpus, metric):
    ids = np.random.default_rng(0).integers(-1, len(corpus), (len(queries), 40))
    return [
        lambda n: tuple(fc.topk(queries, corpus, 20, metric, num_threads=n)),
        lambda n: tuple(fc.Index(corpus, metric, num_threads=n).search(queries, 20, num_threads=n)),
        lambda n: (fc.rescore(queries, corpus, ids, metric, num_threads=n), ids),
        lambda n: (fc.scores(queries, corpus, metric, num_threads=n), ids),
        lambda n: (fc.scores(queries, corpus, metric, precision="exact", num_threads=n), ids),
    ]


@pytest.mark.parametrize("metric", METRICS)
def test_the_order_of_rows_changes_only_ids(backend, metric):
    queries, corpus = problem(3, 4, 3000, 40)
    shuffle = np.random.default_rng(0).permutation(3000)
    found, again = fc.topk(queries, corpus, 25, metric), fc.topk(queries, corpus[shuffle], 25, metric)
    same_bytes(again.scores, found.scores)
    np.testing.assert_array_equal(shuffle[again.ids], found.ids)


def test_ties_go_to_the_lower_row(backend):
    corpus = np.tile(np.eye(4, dtype=np.float32), (500, 1))
    found = fc.topk(np.array([[0, 1, 0, 0]], dtype=np.float32), corpus, 501)
    assert found.ids[0].tolist() == [*range(1, 2000, 4), 0]


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16", "float64"])
def test_a_vector_is_most_like_itself(backend, dtype):
    _, corpus = problem(4, 1, 400, 96)
    corpus = corpus.astype(BFLOAT16 if dtype == "bfloat16" else dtype)
    found = fc.topk(corpus, corpus, 1, "cosine")
    assert found.ids[:, 0].tolist() == list(range(400))
    assert (found.scores == 1.0).all()
    assert (fc.topk(corpus, corpus, 1, "euclidean").scores == 0.0).all()
