"""fit_fusion: the penalised maximum of the likelihood, its definition in use, and the grid by brute force."""

from __future__ import annotations

import itertools
import json
import math

import ir_measures
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fastcal as fc

NORMS = st.sampled_from([None, "minmax", "zscore"])


@st.composite
def problems(draw, n_runs=None):
    """(runs, qrels): overlapping lists with ties and doubles, a distance run, empty lists, both classes."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n_queries, count = draw(st.integers(2, 6)), n_runs or draw(st.integers(1, 3))
    runs = []
    for at in range(count):
        lengths = rng.choice([0, 1, 5, 12], n_queries) if at else np.full(n_queries, 8)
        scores = rng.integers(1, 9, lengths.sum()) / 4 if draw(st.booleans()) else rng.normal(size=lengths.sum())
        ids = rng.integers(0, 20, lengths.sum()) if at else np.concatenate([rng.permutation(20)[:8] for _ in lengths])
        runs.append(fc.Run(ids, scores, np.cumsum([0, *lengths]), higher_is_better=at != 1))
    qrels = {query: {int(d): int(rng.integers(0, 3)) for d in rng.permutation(20)} for query in range(n_queries)}
    first = runs[0].ids[:2].tolist()
    qrels[0] |= {first[0]: 2, first[1]: 0}
    return runs, qrels


def listed(run, norm):
    """{(query, document): normalised score}: the first entry of a document, higher is better."""
    scores = run.scores if run.higher_is_better else -run.scores
    scores = scores if norm is None else getattr(fc, norm)(scores, offsets=run.offsets)
    out = {}
    for query, (start, stop) in enumerate(itertools.pairwise(run.offsets.tolist())):
        for at in range(start, stop):
            out.setdefault((query, int(run.ids[at])), float(scores[at]))
    return out


def log_odds(fitted, runs, pairs, features=None):
    """The definition, one pair at a time."""
    lists = [listed(run, norm) for run, norm in zip(runs, fitted.norm, strict=True)]
    out = []
    for query, document in pairs:
        x = fitted.feature_means if features is None else features[query]
        bias, *rest = np.array([fitted.bias, *fitted.weights, *fitted.missing]) + (x - fitted.feature_means) @ fitted.interactions
        for entries, weight, missing in zip(lists, rest[: len(runs)], rest[len(runs) :], strict=True):
            bias += weight * entries[query, document] if (query, document) in entries else missing
        out.append(bias)
    return np.array(out)


def expit(t):
    return 1 / (1 + math.exp(-t)) if t >= 0 else math.exp(t) / (1 + math.exp(t))


def design(runs, norms, features=None):
    """(pairs, matrix): standardised columns of each pair, written out; the first is the intercept's."""
    columns = [listed(run, norm) for run, norm in zip(runs, norms, strict=True)]
    pairs = sorted(set().union(*columns))
    base = np.ones((len(pairs), 1 + 2 * len(runs)))
    for r, column in enumerate(columns):
        values = np.array(list(column.values()))
        spread = (values.std() if values.size and values.min() < values.max() else 0) or 1.0
        base[:, 1 + r] = [(column[pair] - values.mean()) / spread if pair in column else 0.0 for pair in pairs]
        base[:, 1 + len(runs) + r] = [pair not in column for pair in pairs]
    if features is None:
        return pairs, base
    used = np.unique([query for query, _ in pairs])
    z = (features - features[used].mean(0)) / features[used].std(0)
    rows = np.array([query for query, _ in pairs])
    return pairs, np.hstack([base, *(z[rows, f, None] * base for f in range(z.shape[1]))])


def entries(run):
    return run.offsets.tobytes(), run.ids.tobytes(), run.scores.tobytes()


def made(seed=0, n_queries=60, depth=20):
    """Two runs of 40 documents whose relevance depends on a hidden quality that both see with noise."""
    rng = np.random.default_rng(seed)
    quality = rng.normal(size=(n_queries, 40))
    relevant = quality + 0.5 * rng.normal(size=quality.shape) > 1.2
    runs = []
    for noise, scale, shift in ((0.5, 0.1, 0.5), (1.0, 5.0, 10.0)):
        seen = (quality + noise * rng.normal(size=quality.shape)) * scale + shift
        order = np.argsort(-seen, axis=1)[:, :depth]
        runs.append(fc.Run(order, np.take_along_axis(seen, order, axis=1)))
    return runs, {query: {document: int(relevant[query, document]) for document in range(40)} for query in range(n_queries)}


# -- the logistic fit -----------------------------------------------------------------------------------
@pytest.mark.parametrize("l2", [1e-3, 1.0, 50.0])
@pytest.mark.parametrize("with_features", [False, True])
def test_coefficients_are_those_of_scikit_learn(l2, with_features):
    linear_model = pytest.importorskip("sklearn.linear_model")
    runs, qrels = made()
    features = np.random.default_rng(1).normal(3, 2, (60, 2)) if with_features else None
    pairs, matrix = design(runs, ["zscore", None], features)
    labels = [qrels[query][document] for query, document in pairs]
    theirs = linear_model.LogisticRegression(C=1 / l2, tol=1e-12, max_iter=10_000).fit(matrix[:, 1:], labels)
    ours = fc.fit_fusion(runs, qrels, norm=["zscore", None], l2=l2, query_features=features)
    expected = theirs.decision_function(matrix[:, 1:])
    np.testing.assert_allclose(log_odds(ours, runs, pairs, features), expected, atol=2e-5)
    assert (ours.n_pairs, ours.base_rate) == (len(pairs), pytest.approx(np.mean(labels)))


@given(problems(), st.data())
def test_the_gradient_vanishes_at_the_fit(problem, data):
    """The objective is strictly convex, so this is the optimum; the probabilities are those that `fuse` gives."""
    runs, qrels = problem
    norms = data.draw(st.lists(NORMS, min_size=len(runs), max_size=len(runs)))
    l2 = data.draw(st.sampled_from([0.01, 1.0, 10.0]))
    pairs, matrix = design(runs, norms)
    labels = np.array([qrels[query][document] > 0 for query, document in pairs])
    fitted = fc.fit_fusion(runs, qrels, norm=norms, l2=l2)
    t = log_odds(fitted, runs, pairs)
    theta = np.linalg.lstsq(matrix, t, rcond=None)[0]
    np.testing.assert_allclose(matrix @ theta, t, atol=1e-6)
    residual = np.array([expit(each) for each in t]) - labels
    # Stationary: X' (p - y) + l2 theta = 0 but for the intercept. theta = -X' (p - y) / l2 has to give the same log-odds.
    theta = -(matrix.T @ residual) / l2
    np.testing.assert_allclose(matrix[:, 1:] @ theta[1:] - t, (matrix[:, 1:] @ theta[1:] - t)[0], atol=1e-5)
    assert abs(residual.sum()) < 1e-6 * len(pairs)


@given(problems(), st.data())
def test_fuse_is_its_definition(problem, data):
    runs, qrels = problem
    norms = data.draw(st.lists(NORMS, min_size=len(runs), max_size=len(runs)))
    features = data.draw(st.none() | st.just(np.random.default_rng(0).normal(size=(runs[0].n_queries, 2))))
    fitted = fc.fit_fusion(runs, qrels, norm=norms, query_features=features)
    fused = fitted.fuse(runs, query_features=features)
    rows = np.repeat(np.arange(fused.n_queries), fused.counts())
    pairs = list(zip(rows.tolist(), fused.ids.tolist(), strict=True))
    assert sorted(pairs) == design(runs, norms)[0]
    expected = log_odds(fitted, runs, pairs, features)
    np.testing.assert_allclose(fused.scores, [expit(t) for t in expected], rtol=2e-5, atol=1e-12)
    inside = rows[1:] == rows[:-1]
    assert (np.diff(expected)[inside] < 1e-5).all()
    assert entries(fitted.fuse(runs, query_features=features, top_k=3)) == entries(fused.top_k(3))
    back = fc.fusion_from_dict(json.loads(json.dumps(fitted.to_dict())))
    assert entries(back.fuse(runs, query_features=features)) == entries(fused)
    assert back.to_dict() == fitted.to_dict()


@given(problems(n_runs=2), st.sampled_from([0.001, 1000.0]), st.integers(-9, 9))
def test_scale_and_order_of_the_runs_and_a_run_that_finds_nothing_do_not_matter(problem, scale, shift):
    runs, qrels = problem
    plain = fc.fit_fusion(runs, qrels, norm=None)
    moved = fc.Run(runs[0].ids, runs[0].scores.astype(np.float64) * scale + shift * scale, runs[0].offsets)
    pairs = design(runs, [None, None])[0]
    turned = [runs[1], moved, fc.Run([], [], np.zeros(runs[0].n_queries + 1, int))]
    other = fc.fit_fusion(turned, qrels, norm=None)
    np.testing.assert_allclose(log_odds(other, turned, pairs), log_odds(plain, runs, pairs), atol=2e-3)  # the moved scores are rounded to float32


def test_separable_labels_have_finite_weights():
    runs = [fc.Run([[1, 2, 3, 4]], [[4.0, 3.0, 2.0, 1.0]])]
    strengths = []
    for l2 in (1.0, 1e-3, 1e-6):
        fitted = fc.fit_fusion(runs, {0: {1: 1, 2: 1}}, l2=l2)
        scores = fitted.fuse(runs).scores
        assert np.isfinite(fitted.weights).all()
        assert (scores[:2] > 0.5).all()
        assert (scores[2:] < 0.5).all()
        strengths.append(float(fitted.weights[0]))
    assert strengths == sorted(strengths)


def test_threads_and_repetition_do_not_change_a_bit():
    runs, qrels = made(2, 200)
    one, many = (fc.fit_fusion(runs, qrels, num_threads=threads) for threads in (1, 3))
    assert one.to_dict() == many.to_dict() == fc.fit_fusion(runs, dict(reversed(qrels.items()))).to_dict()
    assert entries(one.fuse(runs, num_threads=1)) == entries(many.fuse(runs, num_threads=3))


_found = {}


def test_every_backend_gives_the_same_bytes(backend):
    runs, qrels = made(3)
    fitted = fc.fit_fusion(runs, qrels, query_features=np.arange(60.0))
    grid = fc.fit_fusion(runs, qrels, method="grid", norm="minmax")
    got = fitted.to_dict(), entries(fitted.fuse(runs, query_features=np.arange(60.0))), grid.to_dict(), entries(grid.fuse(runs))
    assert _found.setdefault("got", got) == got


# -- query features ------------------------------------------------------------------------------------------
def test_features_say_which_run_to_trust():
    """The first run is right for long queries, the second for short ones; the weights learn to cross."""
    rng = np.random.default_rng(5)
    n_queries = 200
    words = rng.integers(1, 11, n_queries)
    relevant = rng.random((n_queries, 10)) < 0.3
    noisy = rng.normal(size=(2, n_queries, 10))
    right = np.stack([words > 5, words <= 5])[:, :, None]
    scores = noisy + 2.0 * (right & relevant)
    runs = [fc.Run(np.tile(np.arange(10), (n_queries, 1)), each) for each in scores]
    qrels = {query: {d: int(relevant[query, d]) for d in range(10)} for query in range(n_queries)}
    fitted = fc.fit_fusion(runs, qrels, query_features=words)
    short, long = fitted.weights_for([2.0, 9.0])
    assert short[1] > short[0]
    assert long[0] > long[1]
    np.testing.assert_allclose(fitted.weights_for(fitted.feature_means), fitted.weights[None])
    with_words = fc.compare_runs(fitted.fuse(runs, query_features=words), fc.fit_fusion(runs, qrels).fuse(runs), qrels, "AP")
    assert with_words.interval[0] > 0


# -- labels ---------------------------------------------------------------------------------------------------
def test_arrays_beside_the_runs_are_judgements_by_name():
    rng = np.random.default_rng(3)
    runs = [
        fc.Run(rng.integers(0, 9, (4, 5)), rng.normal(size=(4, 5)), query_ids=queries, doc_ids=list("abcdefghi"))
        for queries in (["q1", "q2", "q3", "q4"], ["q3", "q4", "q1", "q2"])
    ]
    qrels = {query: {document: int(rng.integers(0, 2)) for document in "abcdeg"} for query in ("q1", "q2", "q4")}
    arrays = [
        [qrels.get(query, {}).get(document, -1) for query, document in zip(*fc.pairs(run, np.arange(run.ids.size)), strict=True)] for run in runs
    ]
    for unjudged in ("irrelevant", "skip"):
        assert fc.fit_fusion(runs, arrays, unjudged=unjudged).to_dict() == fc.fit_fusion(runs, qrels, unjudged=unjudged).to_dict()


def test_unjudged_documents():
    runs = [fc.Run([[1, 2, 3, 4], [5, 6, 7, 8]], [[4.0, 3.0, 2.0, 1.0], [4.0, 3.0, 2.0, 1.0]])]
    qrels = {0: {1: 2, 2: 0, 3: 1, 99: 1}}
    assert (fc.fit_fusion(runs, qrels).n_pairs, fc.fit_fusion(runs, qrels).base_rate) == (4, 0.5)
    skipped = fc.fit_fusion(runs, qrels, unjudged="skip")
    assert (skipped.n_pairs, skipped.base_rate) == (3, pytest.approx(2 / 3))
    assert fc.fit_fusion(runs, qrels, min_rel=2).base_rate == 0.25
    with pytest.raises(fc.FastcalError, match="1 documents of judged queries are not judged, such as '4' of query 0"):
        fc.fit_fusion(runs, qrels, unjudged="error")
    complete = {0: qrels[0] | {4: -2}}
    assert fc.fit_fusion(runs, complete, unjudged="error").to_dict() == fc.fit_fusion(runs, qrels).to_dict()


# -- grid search -----------------------------------------------------------------------------------------------
@settings(max_examples=8)
@given(problems(n_runs=3), st.sampled_from(["nDCG@5", "AP", "RR@2"]), st.sampled_from(["minmax", "zscore"]))
def test_the_grid_by_brute_force(problem, metric, norm):
    runs, qrels = problem
    measure = ir_measures.parse_measure(metric)
    judged = {str(query): {str(document): relevance for document, relevance in documents.items()} for query, documents in qrels.items()}
    values = {}
    for point in itertools.product(range(5), repeat=3):
        if sum(point) == 4:
            fused = fc.fuse(runs, "sum", norm, weights=np.array(point) / 4)
            ranks = fc.Run(fused.ids, None, fused.offsets).to_dict()
            named = {str(query): {str(document): rank for document, rank in documents.items()} for query, documents in ranks.items()}
            values[point] = ir_measures.calc_aggregate([measure], judged, named)[measure]
    fitted = fc.fit_fusion(runs, qrels, method="grid", norm=norm, metric=metric, step=0.25)
    assert fitted.value == pytest.approx(max(values.values()))
    found = tuple(round(4 * weight) for weight in fitted.weights)
    best = [point for point, value in values.items() if value > max(values.values()) - 1e-12]
    assert found in best
    assert fitted.weights.sum() == 1.0
    back = fc.fusion_from_dict(json.loads(json.dumps(fitted.to_dict())))
    assert entries(back.fuse(runs)) == entries(fitted.fuse(runs)) == entries(fc.fuse(runs, "sum", norm, weights=fitted.weights))


def test_among_equal_points_of_the_grid_the_most_even_one():
    runs = [fc.Run([[1, 2]], [[1.0, 0.0]])] * 3
    assert fc.fit_fusion(runs, {0: {1: 1}}, method="grid", step=0.5).weights.tolist() == [0.5, 0.5, 0.0]


# -- real data ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["cranfield", "cacm"])
def test_out_of_fold_probabilities_are_calibrated(data_dir, name):
    """What docs/fusion.md reports, on two collections: every query is fused by weights fitted without it."""
    from real_runs import crossfit, read

    real = read(data_dir / name)
    runs = [real.runs["MiniLM"], real.runs["BM25"]]
    fused = crossfit(runs, real)
    probabilities, labels = fused.scores, real.labels(fused)
    metrics = fc.metrics
    assert metrics.expected_calibration_error(labels, probabilities, strategy="quantile") < 0.02
    skill = 1 - metrics.brier_score(labels, probabilities) / (labels.mean() * (1 - labels.mean()))
    assert skill > 0.1
    against_the_first = fc.compare_runs(fused, runs[0], real.qrels)
    assert against_the_first.interval[0] > 0
