"""Score bands of unit vectors by cosine: histogram and samples beside what they replace, and beside one raw top-10 scan.

Counts are compared with np.histogram over the exact scores before a time counts.
"""

from __future__ import annotations

import numpy as np
import pytest

import fastcal as fc

N_QUERIES = [1, 16]
EDGES = {
    "20 bands over [-1, 1]": np.linspace(-1, 1, 21),
    "5 bands over [-1, 1]": np.linspace(-1, 1, 6),
    "a tail of 2 bands": np.array([0.6, 0.7, 1.0]),
}


@pytest.fixture(scope="module")
def index(corpus):
    return fc.Index(corpus)


def by_numpy(queries, corpus, edges):
    scores = fc.scores(queries, corpus, precision="exact")
    return np.stack([np.histogram(line, edges.astype(np.float32))[0] for line in scores])


@pytest.mark.parametrize("n_queries", N_QUERIES)
@pytest.mark.parametrize("name", EDGES)
def bench_histogram(measure, corpus, queries, index, name, n_queries):
    edges, some = EDGES[name], queries[:n_queries]
    counts = measure(f"{name}, {n_queries} queries", lambda: index.histogram(some, edges))
    assert np.array_equal(counts, by_numpy(some, corpus, edges))


@pytest.mark.parametrize("n_queries", N_QUERIES)
@pytest.mark.parametrize("name", EDGES)
def bench_sample_bands(measure, corpus, queries, index, name, n_queries):
    edges, some = EDGES[name], queries[:n_queries]
    drawn = measure(f"{name}, {n_queries} queries", lambda: index.sample_bands(some, edges, 50, seed=0))
    assert np.array_equal(drawn.counts, by_numpy(some, corpus, edges))


@pytest.mark.parametrize("n_queries", N_QUERIES)
@pytest.mark.parametrize("name", EDGES)
def bench_scores_and_numpy_histogram(measure, corpus, queries, name, n_queries):
    measure(f"{name}, {n_queries} queries", lambda: by_numpy(queries[:n_queries], corpus, EDGES[name]))


@pytest.mark.parametrize("n_queries", N_QUERIES)
@pytest.mark.parametrize("name", EDGES)
def bench_raw_topk(measure, corpus, queries, name, n_queries):
    measure(f"{name}, {n_queries} queries", lambda: fc.topk(queries[:n_queries], corpus, 10))
