"""Search on every backend: the bytes of docs/numerics.md, whatever the dtype, layout and number of threads."""

from __future__ import annotations

import math

import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st
from parity import THREADS, blank, call, check, check_topk, compare
from strategies import DTYPES, METRICS, lay_out, metrics, narrow, problem, searches, seeds, sizes


@given(case=searches(), k=st.sampled_from([1, 10, "n", "n + 3"]), norms=st.booleans(), named=st.booleans())
def test_topk(backend, case, k, norms, named):
    n_rows = len(case.corpus)
    k = {"n": n_rows, "n + 3": n_rows + 3}.get(k, k)
    ids = np.random.default_rng(case.seed).permutation(n_rows).astype(np.int64) * 7 - 50 if named else None
    given_norms = blank(n_rows, dtype=np.float64)
    reference.row_norms(case.corpus, given_norms)
    use_norms = given_norms if norms and case.metric == "cosine" else None
    check_topk(backend, case.queries, case.corpus, case.metric, k, ids=ids, norms=use_norms)


@given(case=searches(), norms=st.booleans())
def test_exact_scores(backend, case, norms):
    given_norms = blank(len(case.corpus), dtype=np.float64)
    reference.row_norms(case.corpus, given_norms)
    use_norms = given_norms if norms and case.metric == "cosine" else None
    out = blank(len(case.queries), len(case.corpus))
    check(backend, "scores", (case.queries, case.corpus, use_norms, case.metric, "exact"), [out])


@given(case=searches())
def test_row_norms(backend, case):
    check(backend, "row_norms", (case.corpus,), [blank(len(case.corpus), dtype=np.float64)])


@given(case=searches(), width=sizes)
def test_rescore(backend, case, width):
    rng = np.random.default_rng(case.seed)
    ids = rng.integers(-1, len(case.corpus), (len(case.queries), width))
    check(backend, "rescore", (case.queries, case.corpus, ids, case.metric), [blank(*ids.shape)])


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_every_thread_count_and_layout_on_a_large_corpus(backend, metric, dtype):
    queries, rows = problem(1, 3, 20_000, 97, ("normal", "duplicate", "integers", "one ulp off"))
    corpus = narrow(rows, dtype)
    expected = check_topk(backend, queries, corpus, metric, 10, threads=THREADS)
    for layout in ("padded rows", "every other row", "misplaced by one"):
        inputs = (queries, lay_out(corpus, layout), None, metric, None)
        outs = blank(3, 10), blank(3, 10, dtype=np.int64)
        compare("topk", inputs, call(backend, "topk", inputs, outs, 2), expected, layout)


@pytest.mark.parametrize("n_queries", [1, 64, 65, 200])
def test_many_queries(backend, n_queries):
    queries, corpus = problem(2, n_queries, 3000, 33)
    for metric in METRICS:
        check_topk(backend, queries, corpus, metric, 10, threads=(1, 2, 5))


def test_k_of_the_whole_corpus(backend):
    queries, corpus = problem(3, 2, 30_000, 17, ("integers", "duplicate"))
    check_topk(backend, queries, corpus, "dot", 30_000, threads=(1, 2, 8))


@pytest.mark.parametrize("metric", METRICS)
def test_nothing_to_search(backend, metric):
    queries, corpus = problem(6, 2, 3, 16)
    check_topk(backend, queries, corpus[:0], metric, 4)
    check_topk(backend, queries[:0], corpus, metric, 4)
    check(backend, "scores", (queries, corpus[:0], None, metric, "exact"), [blank(2, 0)])
    check(backend, "scores", (queries[:0], corpus, None, metric, "exact"), [blank(0, 3)])
    check(backend, "rescore", (queries, corpus, np.full((2, 3), -1), metric), [blank(2, 3)])
    check(backend, "rescore", (queries, corpus, np.empty((2, 0), dtype=np.int64), metric), [blank(2, 0)])
    check(backend, "row_norms", (corpus[:0],), [blank(0, dtype=np.float64)])


def test_ties_go_to_the_lower_external_id(backend):
    corpus = np.ones((5000, 16), dtype=np.float32)
    ids = np.random.default_rng(0).permutation(5000).astype(np.int64) - 2500
    (_, (_, found)) = check_topk(backend, corpus[:1], corpus, "cosine", 7, ids=ids, threads=THREADS)
    assert found[0].tolist() == list(range(-2500, -2493))


def test_overflow_of_float32_is_infinity_with_ties_by_id(backend):
    corpus = np.full((4, 16), 3e38, dtype=np.float32)
    corpus[1], corpus[2, 0] = -3e38, 1.0
    _, (values, ids) = check_topk(backend, corpus[:1], corpus, "dot", 4)
    assert values.tolist() == [[math.inf, math.inf, math.inf, -math.inf]]
    assert ids.tolist() == [[0, 2, 3, 1]]


# (q0, x0), (q16, x16) share lane 0. Fusing the second square into the sum moves the rounded distance by one float32 ulp.
FUSION_SHOWS = [
    (("0x1.21e49ep-1", "0x1.0cc69p-25"), ("0x1.e62434p-1", "-0x1.113f4ep-30"), 1.1054953),
    (("0x1.c4227ap-1", "0x1.b0c9b4p-25"), ("0x1.a42196p+0", "0x1.ab393cp-29"), 1.8636401),
    (("0x1.b377a4p-1", "0x1.1b2cdcp-27"), ("0x1.ad13cap-1", "0x1.2f2298p-26"), 1.1940275),
]


@pytest.mark.parametrize(("first", "second", "expected"), FUSION_SHOWS)
def test_squared_differences_are_not_fused(backend, first, second, expected):
    query, row = np.zeros((2, 1, 17), dtype=np.float32)
    (query[0, 0], row[0, 0]), (query[0, 16], row[0, 16]) = ([float.fromhex(h) for h in pair] for pair in (first, second))
    _, (got,) = check(backend, "scores", (query, row, None, "euclidean", "exact"), [blank(1, 1)])
    assert got[0, 0] == np.float32(expected)


@given(seed=seeds, dim=st.sampled_from([16, 17, 33, 64, 97, 200]), metric=st.sampled_from(["dot", "cosine"]))
def test_cancellation_shows_the_order_of_the_sum(backend, seed, dim, metric):
    """Every term has its negative in the same row: what is left is rounding, which another order of additions changes."""
    rng = np.random.default_rng(seed)
    terms = rng.standard_normal((20, dim)) * 2.0 ** rng.integers(0, 60, (20, dim))
    corpus = rng.permuted(np.concatenate([terms, -terms], axis=1), axis=1).astype(np.float32)
    queries = np.ones((1, 2 * dim), dtype=np.float32)
    check(backend, "scores", (queries, corpus, None, metric, "exact"), [blank(1, 20)])
    check_topk(backend, queries, corpus, metric, 20)


def test_float16_denormals_and_bfloat16_widen_exactly(backend):
    every = np.arange(65536, dtype=np.uint16)
    one = np.ones((1, 1), dtype=np.float32)
    for view in (every.view(np.float16), every):
        finite = view[np.isfinite(reference.widen(view[:, np.newaxis]))[:, 0]][:, np.newaxis]
        check(backend, "scores", (one, finite, None, "dot", "exact"), [blank(1, len(finite))])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_first_bad_row(backend, dtype, bad):
    queries, rows = problem(5, 2, 9000, 33)
    queries[0] = 0.0  # a zero query still notices: 0 x infinity is NaN
    rows[[8111, 4003, 4005], [0, 32, 16]] = bad
    corpus = narrow(rows, dtype) if dtype == "bfloat16" else rows.astype(dtype)
    assert reference.first_bad_row(corpus) == 4003
    for metric in METRICS:
        check_topk(backend, queries, corpus, metric, 5, threads=THREADS)
        check(backend, "scores", (queries, corpus, None, metric, "exact"), [blank(2, 9000)], THREADS)
        assert call(backend, "scores", (queries, corpus, None, metric, "fast"), [blank(2, 9000)])[0] == 4003
        ids = np.array([[8111, 1, 4005], [-1, 3, 5]])
        assert check(backend, "rescore", (queries, corpus, ids, metric), [blank(2, 3)])[0] == 4005
        assert check(backend, "rescore", (queries[1:], corpus, ids[1:] + 1, metric), [blank(1, 3)])[0] == -1
    check(backend, "row_norms", (corpus,), [blank(9000, dtype=np.float64)], THREADS)


@given(seed=seeds, n_rows=sizes, dim=sizes, bad=st.sampled_from([None, np.nan, np.inf, 1e39]))
def test_round_to_float32(backend, seed, n_rows, dim, bad):
    rng = np.random.default_rng(seed)
    values = rng.standard_normal((n_rows, dim)) * 10.0 ** rng.uniform(-46, 37, (n_rows, 1))
    if bad is not None:
        values[rng.integers(n_rows), rng.integers(dim)] = bad
    check(backend, "round_to_float32", (values,), [blank(n_rows, dim)])


@given(seed=seeds, dim=sizes, metric=metrics)
def test_scores_are_within_one_ulp_of_the_true_sum(backend, seed, dim, metric):
    queries, corpus = problem(seed, 1, 20, dim, ("normal", "any norm", "huge coordinate"))
    out = blank(1, 20)
    backend.scores(queries, corpus, None, metric, "exact", out, num_threads=1)
    q = queries[0].tolist()
    for row, got in zip(corpus.tolist(), out[0], strict=True):
        products = [a * b for a, b in zip(q, row, strict=True)]
        truth, slack = math.fsum(products), math.fsum(map(abs, products)) * 2.0**-48
        if metric == "cosine":
            scale = math.sqrt(math.fsum(a * a for a in q)) * math.sqrt(math.fsum(b * b for b in row))
            truth, slack = truth / scale, slack / scale
        elif metric == "euclidean":
            truth, slack = math.sqrt(math.fsum((a - b) ** 2 for a, b in zip(q, row, strict=True))), 0.0
        with np.errstate(over="ignore"):
            rounded = np.float32(truth)
        if np.isfinite(rounded):
            assert abs(float(got) - float(rounded)) <= float(np.spacing(np.abs(rounded))) + slack


@given(case=searches())
def test_fast_scores_keep_their_bound(backend, case):
    out = blank(len(case.queries), len(case.corpus))
    if np.abs(reference.widen(case.corpus)).max() > 1e15 or np.abs(case.queries).max() > 1e15:
        return  # float32 products overflow: only precision="exact" promises anything
    assert backend.scores(case.queries, case.corpus, None, case.metric, "fast", out, num_threads=2) == -1
    dim, x = case.corpus.shape[1], reference.widen(case.corpus)
    unit = (dim + 8) * 2.0**-23
    for query, got in zip(case.queries, out, strict=True):
        truth = reference.score(query, x, case.metric).astype(np.float64)
        q = query.astype(np.float64)
        scale = {"dot": np.linalg.norm(q) * np.linalg.norm(x, axis=1), "cosine": 1.0, "euclidean": truth}[case.metric]
        assert (np.abs(got - truth) <= unit * scale + 2.0**-126).all()
