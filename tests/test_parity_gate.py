"""Sketches, thresholds, masks and range search on every backend: the rows that pass, in the bytes of the full scan."""

from __future__ import annotations

import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st
from parity import blank, call, compare
from strategies import METRICS, problem, searches

GATES = ("open", "threshold", "mask", "masks", "few rows", "few rows each", "no row", "all")


def make_gate(rng, kind, case):
    """(thresholds, allow) of one kind for the queries and rows of a search."""
    n_queries, n_rows = len(case.queries), len(case.corpus)
    scores = blank(n_queries, n_rows)
    reference.scores(case.queries, case.corpus, None, case.metric, "exact", scores)
    thresholds = np.clip(scores[np.arange(n_queries), rng.integers(n_rows, size=n_queries)], -3e38, 3e38)  # equal to a score
    shape = (n_queries if kind in {"masks", "few rows each", "all"} else 1, n_rows)
    share = {"no row": 0.0, "few rows": 0.05, "few rows each": 0.05}.get(kind, 0.5)
    mask = rng.random(shape) < share
    return (thresholds if kind in {"threshold", "all"} else None), (None if kind in {"open", "threshold"} else mask)


def make_sketch(backend, case):
    """What the backend keeps of the rows, and the norms it measured: those of the reference."""
    norms, expected = blank(len(case.corpus), dtype=np.float64), blank(len(case.corpus), dtype=np.float64)
    sketch, bad = backend.sketch(case.corpus, case.metric, norms, num_threads=2)
    assert bad == reference.row_norms(case.corpus, expected)
    assert norms.tobytes() == expected.tobytes()
    return sketch


def check_range(backend, inputs, thresholds, **options):
    """Range search equals the reference's top-k of all rows; above the limit the number is still exact."""
    queries, corpus = inputs[:2]
    outs = blank(len(queries), len(corpus)), blank(len(queries), len(corpus), dtype=np.int64)
    gate = {"thresholds": thresholds, "allow": options.get("allow")}
    reference.topk(*inputs, *outs, **gate)
    kept = ~np.isnan(outs[0])
    for limit in (kept.sum(), 2**62):
        found = backend.range_search(*inputs, thresholds, int(limit), **options)
        assert (found.bad, found.found) == (-1, kept.sum())
        offsets, scores, ids = blank(len(queries) + 1, dtype=np.int64), blank(found.found), blank(found.found, dtype=np.int64)
        found.write(offsets, scores, ids)
        np.testing.assert_array_equal(offsets, np.cumsum([0, *kept.sum(axis=1)]))
        assert scores.tobytes() == outs[0][kept].tobytes()
        assert ids.tobytes() == outs[1][kept].tobytes()
    if kept.any():
        assert backend.range_search(*inputs, thresholds, int(kept.sum()) - 1, **options).found == kept.sum()


@given(case=searches(), k=st.sampled_from([1, 10]), named=st.booleans(), kind=st.sampled_from(GATES), raw=st.booleans())
def test_gates(backend, case, k, named, kind, raw):
    """Rows that a bound or a mask rules out are never read; the bytes are those of the full scan all the same."""
    rng = np.random.default_rng(case.seed)
    sketch = None if raw else make_sketch(backend, case)
    ids = rng.permutation(len(case.corpus)).astype(np.int64) if named else None
    thresholds, allow = make_gate(rng, kind, case)
    inputs = (case.queries, case.corpus, None, case.metric, ids)
    outs = blank(len(case.queries), k), blank(len(case.queries), k, dtype=np.int64)
    expected = [out.copy() for out in outs]
    reference.topk(*inputs, *expected, thresholds=thresholds, allow=allow)
    for threads in (1, 3):
        filled = [out.copy() for out in outs]
        answer = backend.topk(*inputs, *filled, num_threads=threads, sketch=sketch, thresholds=thresholds, allow=allow)
        compare("topk", inputs, (answer, filled), (-1, expected), f"gate {kind}, {threads} threads")
        if thresholds is not None:
            check_range(backend, inputs, thresholds, num_threads=threads, sketch=sketch, allow=allow)


@pytest.mark.parametrize("metric", METRICS)
def test_many_queries_on_raw_rows(backend, metric):
    """Enough of both for rows to be quantised on the way."""
    queries, corpus = problem(11, 20, 1500, 37, ("normal", "duplicate", "any norm", "huge coordinate", "zero", "constant"))
    inputs = (queries, corpus, None, metric, None)
    outs = blank(20, 10), blank(20, 10, dtype=np.int64)
    expected = call(reference, "topk", inputs, outs)
    for threads in (1, 3):
        compare("topk", inputs, call(backend, "topk", inputs, outs, threads), expected, f"{threads} threads")
    for bad in (np.nan, np.inf):
        corpus[[1400, 1200, 700], [0, 5, 36]] = bad
        assert call(backend, "topk", inputs, outs, 3)[0] == 700


def test_a_score_at_the_threshold_passes_whatever_its_id(backend):
    """The largest id, and minus infinity, are as good as any."""
    corpus = np.full((3, 16), 3e38, dtype=np.float32)
    corpus[0], corpus[1, 0] = -3e38, 1.0
    ids = np.array([2**63 - 1, 5, 2**63 - 2])
    scores, names = blank(1, 3), blank(1, 3, dtype=np.int64)
    assert backend.topk(corpus[2:], corpus, None, "dot", ids, scores, names, num_threads=1) == -1
    assert names.tolist() == [[5, 2**63 - 2, 2**63 - 1]]
    assert scores.tolist() == [[np.inf, np.inf, -np.inf]]
    same = np.ones((2, 4), np.float32)
    out = blank(1, 2), blank(1, 2, dtype=np.int64)
    assert backend.topk(same[:1], same, None, "dot", ids[:2], *out, num_threads=1, thresholds=np.array([4.0], np.float32)) == -1
    assert out[1].tolist() == [[5, 2**63 - 1]]
