"""``histogram`` and ``sample_bands`` of every backend and instruction set against the reference, byte for byte."""

from __future__ import annotations

import numpy as np
import pytest
import reference
import reference_bands
from hypothesis import given
from hypothesis import strategies as st
from parity import THREADS, blank, check
from strategies import METRICS, narrow, problem, searches


def some_edges(rng, scores, n_edges):
    """Strictly increasing float32 edges: on scores, just beside them, between them, at infinity."""
    finite = scores[np.isfinite(scores)].ravel()
    chosen = rng.choice(finite, n_edges) if finite.size else np.zeros(n_edges, np.float32)
    with np.errstate(over="ignore"):
        chosen = np.where(rng.random(n_edges) < 0.3, np.nextafter(chosen, np.float32(np.inf)), chosen)
        chosen = np.where(rng.random(n_edges) < 0.3, chosen * np.float32(1.01), chosen)
    chosen[rng.random(n_edges) < 0.1] = -np.inf
    chosen[rng.random(n_edges) < 0.1] = np.inf
    chosen = np.unique(chosen + np.float32(0.0))
    return chosen if chosen.size > 1 else np.array([-np.inf, np.inf], dtype=np.float32)


def outputs(n_queries, n_bins, size):
    shape = n_queries, n_bins, size
    return blank(n_queries, n_bins, dtype=np.int64), blank(*shape, dtype=np.int64), blank(*shape), blank(*shape, dtype=np.uint64)


def check_bands(backend, inputs, edges, *, size, seed=0, first_row=0, threads=(1, 3)):
    outs = outputs(len(inputs[0]), edges.size - 1, size)
    check(backend, "histogram", (*inputs, edges), outs[:1], threads, reference_bands)
    return check(backend, "sample_bands", (*inputs, edges, seed, first_row), outs, threads, reference_bands)


@given(
    case=searches(),
    n_edges=st.sampled_from([2, 3, 9, 40]),
    size=st.sampled_from([1, 3, 200]),
    seed=st.sampled_from([0, 1, 2**63 - 1]),
    first_row=st.sampled_from([0, 1, 2**40]),
)
def test_bands(backend, case, n_edges, size, seed, first_row):
    scores = np.stack([reference.score(query, reference.widen(case.corpus), case.metric) for query in case.queries])
    edges = some_edges(np.random.default_rng(case.seed), scores, n_edges)
    check_bands(backend, (case.queries, case.corpus, None, case.metric), edges, size=size, seed=seed, first_row=first_row)


@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("metric", METRICS)
def test_through_a_sketch(backend, metric, dtype):
    """Bounds, tails that nobody reads and full scans give what the definition gives; queries of all three in one call."""
    queries, rows = problem(3, 7, 2100, 40, ("normal", "any norm", "duplicate", "one ulp off", "constant", "zero", "huge coordinate"))
    queries[1] = rows[7]
    corpus = narrow(rows, dtype)
    norms = np.empty(len(corpus))
    sketch, bad = backend.sketch(corpus, metric, norms, num_threads=2)
    assert bad == -1
    scores = np.stack([reference.score(query, reference.widen(corpus), metric) for query in queries])
    ranked = np.unique(scores[0])
    tail = ranked[[3, 20]] if metric == "euclidean" else ranked[[-20, -3]]
    spread = ranked[:: len(ranked) // 8]
    for edges in map(np.ascontiguousarray, (tail, spread, np.array([-np.inf, 0.5, np.inf], dtype=np.float32), ranked[:300])):
        outs = outputs(len(queries), edges.size - 1, 4)
        expected = check_bands(backend, (queries, corpus, None, metric), edges, size=4, seed=9, threads=(2,))
        for threads in THREADS:
            filled = [out.copy() for out in outs]
            inputs = (queries, corpus, norms if metric == "cosine" else None, metric, edges, 9, 0)
            assert backend.sample_bands(*inputs, *filled, num_threads=threads, sketch=sketch) == -1
            for got, wanted in zip(filled, expected[1], strict=True):
                assert got.tobytes() == wanted.tobytes()


def test_first_bad_row(backend):
    queries, corpus = problem(5, 2, 9000, 33)
    corpus[[8111, 4003]] = np.nan
    edges = np.array([-1.0, 0.0, 1.0], dtype=np.float32)
    for metric in METRICS:
        assert check_bands(backend, (queries, corpus, None, metric), edges, size=2, threads=THREADS)[0] == 4003


def test_no_rows_and_no_queries(backend):
    queries, corpus = problem(6, 2, 3, 5)
    edges = np.array([-1.0, 1.0], dtype=np.float32)
    check_bands(backend, (queries, corpus[:0], None, "dot"), edges, size=2)
    check_bands(backend, (queries[:0], corpus, None, "dot"), edges, size=2)
