"""normalize: the value of every method, against published numbers, NumPy, or the formula written out slowly."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastcal as fc
from fastcal.normalization._lists import METHODS
from fastcal.normalization._tail import fit_pareto

pytestmark = pytest.mark.usefixtures("backend")
X = np.array([0.9, 0.7, 0.2])


def cohorts(scores, n_lists, seed=3):
    """What the methods need that have no defaults."""
    rng = np.random.default_rng(seed)
    return {
        "cohort": {"cohort_scores": rng.normal(size=(n_lists, 8)), "document_cohort_scores": rng.normal(size=(scores.size, 8)), "top_n": 5},
        "csls": {"query_means": rng.normal(size=n_lists), "row_means": rng.normal(size=scores.size)},
    }


# -- published numbers ---------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("method", "options", "expected"),
    [
        ("minmax", {}, [1, 5 / 7, 0]),
        ("max", {}, [1, 7 / 9, 2 / 9]),
        ("sum", {}, [0.583333, 0.416667, 0.0]),  # ranx
        ("l2", {}, [0.777482, 0.604708, 0.172774]),  # OpenSearch, Elasticsearch
        ("zscore", {}, [1.019049, 0.339683, -1.358732]),  # ranx zmuv
        ("dbsf", {"ddof": 1}, [0.638675, 0.546225, 0.3151]),  # Qdrant
        ("dbsf", {}, [0.669842, 0.556614, 0.273545]),  # Haystack
        ("rank", {}, [1, 2 / 3, 1 / 3]),
        ("borda", {"n_candidates": 4}, [1, 0.75, 0.5]),  # ranx, where another list holds a fourth document
        ("minmax", {"bounds": (-1, 1)}, [0.95, 0.85, 0.6]),  # Milvus COSINE
        ("sigmoid", {"scale": 8}, 1 / (1 + np.exp(-X / 8))),  # Haystack scale_score
        ("identity", {}, X),
        ("robust", {}, [0.2 / 0.35, 0, -0.5 / 0.35]),
    ],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_golden_values(method, options, expected, dtype):
    got = fc.normalize(X.astype(dtype), method, **options)
    assert got.dtype == dtype
    np.testing.assert_allclose(got, expected, atol=1e-6)


def test_milvus_maps():
    assert fc.normalize([0.8], "atan")[0] == pytest.approx(0.714777, abs=1e-6)  # IP
    assert fc.normalize([12.0], "atan", nonnegative=True)[0] == pytest.approx(0.947071, abs=1e-6)  # BM25
    assert fc.normalize([2.0], "atan", nonnegative=True, higher_is_better=False)[0] == pytest.approx(1 - 2 * math.atan(2.0) / math.pi)  # L2
    with pytest.raises(ValueError, match=r"nonnegative.*-0\.5"):
        fc.normalize([1.0, -0.5], "atan", nonnegative=True)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_ulp_bound_of_atan(dtype):
    scores = (np.random.default_rng(0).standard_normal(2000) * 10).astype(dtype)
    got = fc.normalize(scores, "atan")
    exact = np.array([0.5 + float(np.arctan(np.longdouble(s))) / math.pi for s in scores])
    ulps = np.abs(got.astype(np.float64) - exact) / np.spacing(got)
    assert ulps.max() <= (1.0 if dtype is np.float32 else 4.0)


# -- edge lists -------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("method", "constant", "single", "negative"),  # results of [3, 3, 3], [-2] and [-1, -3]
    [
        ("minmax", [0, 0, 0], [0], [1, 0]),
        ("max", [1, 1, 1], [-1], [-1 / 3, -1]),
        ("sum", [0, 0, 0], [0], [1, 0]),
        ("l2", [3**-0.5] * 3, [-1], [-(0.1**0.5), -3 * 0.1**0.5]),
        ("zscore", [0, 0, 0], [0], [1, -1]),
        ("dbsf", [0.5, 0.5, 0.5], [0.5], [0.5 + 1 / 6, 0.5 - 1 / 6]),
        ("robust", [0, 0, 0], [0], [1, -1]),
        ("rank", [1, 2 / 3, 1 / 3], [1], [1, 0.5]),
        ("borda", [1, 2 / 3, 1 / 3], [1], [1, 0.5]),
        ("tail", [0, 0, 0], [0], [math.log10(2), 0]),
        ("identity", [3, 3, 3], [-2], [-1, -3]),
    ],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_edge_lists(method, constant, single, negative, dtype):
    scores = np.array([3, 3, 3, -2, -1, -3], dtype)
    got = fc.normalize(scores, method, offsets=[0, 3, 3, 4, 6])  # the second list is empty
    np.testing.assert_allclose(got, [*constant, *single, *negative], rtol=1e-6, atol=1e-7)
    assert fc.normalize(np.empty((2, 0), dtype), method).shape == (2, 0)
    assert not np.signbit(got[got == 0]).any()


@pytest.mark.parametrize("method", ["max", "l2"])
def test_a_list_of_zeros_has_no_scale(method):
    np.testing.assert_array_equal(fc.normalize(np.array([0.0, -0.0]), method), [0, 0])
    np.testing.assert_array_equal(fc.normalize(np.zeros(2), method, on_constant=1.0), [1, 1])


# -- against slow formulas --------------------------------------------------------------------------------
@given(seed=st.integers(0, 99), size=st.integers(1, 30), ties=st.sampled_from(["ordinal", "min", "average"]))
def test_ranks(seed, size, ties):
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, 6, size).astype(np.float32)
    scores[rng.random(size) < 0.2] = np.nan
    real = scores[~np.isnan(scores)].tolist()

    def rank_of(i):
        above, same = sum(s > scores[i] for s in real), sum(s == scores[i] for s in real)
        before = sum(s == scores[i] for s in scores[:i].tolist())
        return above + {"ordinal": before, "min": 0, "average": (same - 1) / 2}[ties]

    ranks = np.array([math.nan if math.isnan(s) else rank_of(i) for i, s in enumerate(scores)])
    np.testing.assert_array_equal(fc.normalize(scores, "rank", ties=ties), (1 - ranks / max(len(real), 1)).astype(np.float32))
    np.testing.assert_array_equal(fc.normalize(scores, "borda", n_candidates=40, ties=ties), (1 - ranks / 40).astype(np.float32))


@given(seed=st.integers(0, 99), counts=st.lists(st.integers(1, 40), min_size=1, max_size=4), low=st.sampled_from([0.0, 0.25, 0.1]))
def test_robust_is_numpys_quantiles(seed, counts, low):
    scores = np.random.default_rng(seed).normal(size=sum(counts))
    offsets = np.cumsum([0, *counts])
    got = fc.normalize(scores, "robust", offsets=offsets, quantiles=(low, 0.75))
    for start, stop in itertools.pairwise(offsets):
        part = scores[start:stop]
        bottom, middle, top = np.quantile(part, [low, 0.5, 0.75])
        np.testing.assert_allclose(got[start:stop], (part - middle) / (top - bottom) if top > bottom else 0 * part, rtol=1e-9, atol=1e-9)


def test_robust_with_unit_variance_is_the_zscore_of_normal_scores():
    scores = np.random.default_rng(0).standard_normal(20_000)
    np.testing.assert_allclose(fc.normalize(scores, "robust", unit_variance=True), fc.zscore(scores), atol=0.06)


@pytest.mark.parametrize("top_n", [None, 5, 2])
def test_cohort_is_the_mean_of_both_sides(top_n):
    rng = np.random.default_rng(0)
    scores, queries, documents = rng.normal(size=(3, 4)), rng.normal(size=(3, 5)), rng.normal(size=(3, 4, 6))

    def standardised(score, cohort):
        best = sorted(cohort, reverse=True)[:top_n]
        return (score - np.mean(best)) / np.std(best)

    got = fc.normalize(scores, "cohort", cohort_scores=queries, document_cohort_scores=documents, top_n=top_n)
    one_side = fc.normalize(scores, "cohort", cohort_scores=queries, top_n=top_n)
    for q, d in np.ndindex(scores.shape):
        first, second = standardised(scores[q, d], queries[q]), standardised(scores[q, d], documents[q, d])
        assert got[q, d] == pytest.approx((first + second) / 2)
        assert one_side[q, d] == pytest.approx(first)
    moved = fc.normalize(2 * scores + 1, "cohort", cohort_scores=2 * queries + 1, document_cohort_scores=2 * documents + 1, top_n=top_n)
    np.testing.assert_allclose(moved, got)
    swapped = fc.normalize(scores.reshape(-1, 1), "cohort", cohort_scores=documents.reshape(12, 6), top_n=top_n)
    other = fc.normalize(scores, "cohort", document_cohort_scores=documents, top_n=top_n)
    np.testing.assert_array_equal(swapped.reshape(3, 4), other)


def test_csls():
    scores, queries, rows = np.array([[0.9, 0.2], [0.4, 0.6]]), np.array([0.5, 0.3]), np.array([[0.1, 0.2], [0.3, 0.4]])
    expected = 2 * scores - queries[:, None] - rows
    np.testing.assert_allclose(fc.normalize(scores, "csls", query_means=queries, row_means=rows), expected)
    np.testing.assert_allclose(fc.normalize(scores, "csls", query_means=queries, row_means=rows, higher_is_better=False), -expected)


# -- the tail ---------------------------------------------------------------------------------------------
def slow_fit(x):
    """Zhang and Stephens 2009, one number at a time."""
    n, m = len(x), 20 + int(math.sqrt(len(x)))
    quartile = sorted(x)[int(n / 4 + 0.5) - 1]
    thetas = [1 / max(x) + (1 - math.sqrt(m / (j - 0.5))) / (3 * quartile) for j in range(1, m + 1)]
    k = [-sum(math.log(1 - t * v) for v in x) / n for t in thetas]
    logs = [n * (math.log(t / s) + s - 1) for t, s in zip(thetas, k, strict=True)]
    weights = [1 / sum(math.exp(min(other - mine, 700)) for other in logs) for mine in logs]
    theta = sum(t * w for t, w in zip(thetas, weights, strict=True))
    return theta, -sum(math.log(1 - theta * v) for v in x) / n


@pytest.mark.parametrize("shape", [-0.3, 0.01, 0.4])
def test_the_fit_of_the_tail(shape):
    uniform = np.random.default_rng(1).random(3000)
    excess = np.sort((uniform**-shape - 1) / shape)
    theta, k = fit_pareto(excess)
    assert (theta, k) == pytest.approx(slow_fit(excess.tolist()), rel=1e-6)
    assert -k == pytest.approx(shape, abs=0.07)
    assert k / theta == pytest.approx(1.0, abs=0.1)


def test_the_tails_of_many_lists_are_those_of_each():
    """Ragged, tied and empty lists are fitted side by side, to the same bytes."""
    rng = np.random.default_rng(2)
    scores = rng.normal(size=(300, 120)).astype(np.float32)
    scores[::2] = np.round(scores[::2], 1)
    scores[rng.random(scores.shape) < rng.random((300, 1))] = np.nan
    scores[7], scores[8] = 0.5, np.nan
    together = fc.normalize(scores, "tail")
    assert together.tobytes() == np.stack([fc.normalize(each, "tail") for each in scores]).tobytes()


def test_the_tail_probability_of_exponential_scores():
    scores = np.random.default_rng(0).exponential(size=(20, 5000))
    surprise = fc.normalize(scores, "tail")
    truth = scores / math.log(10)
    body = truth < 2
    np.testing.assert_allclose(surprise[body], truth[body], atol=0.2)
    assert np.abs(surprise.max(axis=1) - math.log10(5000)).mean() < 0.4  # the best of 5,000 is one in 5,000
    planted = scores[:, :2000].copy()
    planted[:, 7] = 3 * planted.max(axis=1)
    assert (fc.normalize(planted, "tail")[:, 7] > surprise.max(axis=1)).mean() > 0.9


@given(seed=st.integers(0, 99), size=st.sampled_from([5, 60, 400]), scale=st.floats(0.1, 10), shift=st.floats(-5, 5))
def test_the_tail_follows_the_order_and_no_affine_map(seed, size, scale, shift):
    scores = np.random.default_rng(seed).standard_normal(size)
    surprise = fc.normalize(scores, "tail")
    assert (np.diff(surprise[np.argsort(scores)]) >= 0).all()
    assert surprise.min() == 0
    np.testing.assert_allclose(fc.normalize(scores * scale + shift, "tail"), surprise, rtol=1e-6, atol=1e-9)


def test_a_short_tail_is_a_share_of_the_list():
    scores = np.random.default_rng(0).standard_normal(40)  # min(40 / 5, 3 sqrt(40)) = 8 scores
    share = (np.argsort(np.argsort(-scores)) + 1) / 40
    np.testing.assert_allclose(fc.normalize(scores, "tail"), -np.log10(share))
    assert not np.allclose(fc.normalize(scores, "tail", min_tail=5), -np.log10(share))
    np.testing.assert_allclose(fc.normalize(scores, "tail", tail_fraction=0.1, min_tail=5), -np.log10(share))


# -- all methods ------------------------------------------------------------------------------------------
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16])
def test_layouts_threads_and_in_place(method, dtype):
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(7, 60)).astype(dtype)
    scores[rng.random(scores.shape) < 0.1] = np.nan
    options = cohorts(scores, 7).get(method, {})
    expected = fc.normalize(scores, method, num_threads=1, **options)
    assert (expected.dtype, expected.shape) == (dtype, scores.shape)
    np.testing.assert_array_equal(np.isnan(expected), np.isnan(scores))
    flat = fc.normalize(scores.reshape(-1), method, offsets=np.arange(8) * 60, num_threads=3, **options)
    np.testing.assert_array_equal(flat, expected.reshape(-1))
    assert fc.normalize(scores, method, out=scores, **options) is scores
    np.testing.assert_array_equal(scores, expected)


@pytest.mark.parametrize("method", METHODS)
def test_lower_is_better_normalises_the_negative(method):
    scores = np.random.default_rng(0).normal(size=(4, 50))
    options = cohorts(scores, 4).get(method, {})
    flipped = {name: -value if isinstance(value, np.ndarray) else value for name, value in options.items()}
    got = fc.normalize(scores, method, higher_is_better=False, **options)
    np.testing.assert_array_equal(got, fc.normalize(-scores, method, **flipped))
    if method not in {"cohort", "csls"}:
        assert (np.argmax(got, axis=1) == np.argmin(scores, axis=1)).all()
