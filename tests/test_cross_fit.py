"""cross_fit: whole queries are left out, folds are balanced, and any estimator will do."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastcal as fc
from fastcal.selection._folds import fold_of_pairs

CALIBRATORS = [
    fc.PlattCalibrator(),
    fc.IsotonicCalibrator(),
    fc.BetaCalibrator(),
    fc.TemperatureCalibrator(),
    fc.HistogramCalibrator(4),
    fc.VennAbersCalibrator(),
]


def sample(n_queries=40, k=6, seed=0):
    """Scores in (0, 1), labels that follow them, and query names, each (n_queries, k)."""
    rng = np.random.default_rng(seed)
    scores = rng.uniform(0.05, 0.95, (n_queries, k))
    return scores, (rng.random((n_queries, k)) < scores).astype(int), np.array([f"q{q}" for q in range(n_queries)])


def folds_by_hand(labels, groups, n_splits, seed):
    """The dealing of _folds in plain Python: largest query first, to the fold where its classes are rarest."""
    names = sorted(set(groups))
    totals = [max(sum(1 for y in labels if y == c), 1) for c in (0, 1)]
    share = {g: [sum(1 for y, h in zip(labels, groups, strict=True) if h == g and y == c) / totals[c] for c in (0, 1)] for g in names}
    order = [names[i] for i in np.random.default_rng(seed).permutation(len(names))]
    held, sizes, fold = [[0.0, 0.0] for _ in range(n_splits)], [0] * n_splits, {}
    for g in sorted(order, key=lambda g: -max(share[g])):
        best = min(range(n_splits), key=lambda f: (sum(a * b for a, b in zip(held[f], share[g], strict=True)), sizes[f]))
        fold[g], sizes[best] = best, sizes[best] + 1
        held[best] = [a + b for a, b in zip(held[best], share[g], strict=True)]
    return [fold[g] for g in groups]


class Remembers:
    """An estimator without a base class that predicts 1 for exactly the scores it was fitted on."""

    def __init__(self, note="kept"):
        self.note = note

    def get_params(self, deep=True):
        return {"note": self.note}

    def fit(self, X, y):
        assert X.shape == (len(y), 1)
        assert self.note == "kept"
        self.seen_ = set(X[:, 0].tolist())
        return self

    def predict(self, X):
        return np.array([float(x in self.seen_) for x in X[:, 0].tolist()])


def test_no_calibrator_sees_a_pair_of_the_query_it_predicts():
    scores, labels, queries = sample()
    assert not fc.cross_fit(Remembers(), scores, labels, queries).any()
    leaky = np.arange(scores.size).reshape(scores.shape)  # every pair its own query: the copy below is seen
    assert fc.cross_fit(Remembers(), np.repeat(scores[:, :1], 6, axis=1), labels, leaky).any()


@pytest.mark.parametrize("calibrator", CALIBRATORS, ids=repr)
def test_each_fold_is_a_fit_on_the_others(calibrator):
    scores, labels, queries = sample()
    weights = np.random.default_rng(1).uniform(0.5, 2.0, scores.shape)
    found = fc.cross_fit(calibrator, scores, labels, queries, n_splits=3, seed=5, sample_weight=weights)
    assert not hasattr(calibrator, "base_rate_")
    fold = np.reshape(folds_by_hand(labels.ravel().tolist(), np.repeat(queries, 6).tolist(), 3, 5), scores.shape)
    for f in range(3):
        rest = fold != f
        model = type(calibrator)(**calibrator.get_params()).fit(scores[rest], labels[rest], weights[rest])
        np.testing.assert_array_equal(found[~rest], model.predict(scores[~rest]))


def test_label_noise_reaches_the_fit():
    scores, labels, queries = sample()
    noisy = fc.cross_fit(fc.PlattCalibrator(), scores, labels, queries, label_noise=(0.1, 0.0))
    assert noisy.mean() < fc.cross_fit(fc.PlattCalibrator(), scores, labels, queries).mean() - 0.02
    with pytest.raises(TypeError, match="label_noise is understood by fastcal's calibrators only, not by Remembers"):
        fc.cross_fit(Remembers(), scores, labels, queries, label_noise=(0.1, 0.0))


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 6)), min_size=6, max_size=40), st.integers(2, 6), st.integers(0, 9))
def test_folds_are_balanced_in_both_classes(sizes, n_splits, seed):
    sizes = [(negative + 1, positive) for negative, positive in sizes]
    labels = np.concatenate([[0] * n + [1] * p for n, p in sizes]).astype(np.uint8)
    groups = np.repeat(np.arange(len(sizes)), [n + p for n, p in sizes])
    everything = np.ones(len(labels), dtype=bool)
    if sum(positive > 0 for _, positive in sizes) < 2:
        with pytest.raises(ValueError, match="hold one class only"):
            fold_of_pairs(labels, groups, everything, n_splits, seed)
        return
    folds = fold_of_pairs(labels, groups, everything, n_splits, seed)
    assert folds.tolist() == folds_by_hand(labels.tolist(), groups.tolist(), n_splits, seed)
    assert set(folds) == set(range(n_splits))
    for label in (0, 1):
        each = np.bincount(folds[labels == label], minlength=n_splits)
        largest = max(pair[label] for pair in sizes)
        assert each.max() - each.min() <= 2 * max(largest, 1) + max(1, each.sum() // n_splits)


def test_equal_queries_are_dealt_evenly():
    _, labels, queries = sample(50, 10)
    labels[:] = [1] + [0] * 9
    codes = np.repeat(np.arange(len(queries)), 10)
    folds = fold_of_pairs(labels.ravel().astype(np.uint8), codes, np.ones(500, dtype=bool), 5, 0)
    assert np.bincount(folds).tolist() == [100] * 5
    other = fold_of_pairs(labels.ravel().astype(np.uint8), codes, np.ones(500, dtype=bool), 5, 1)
    assert (folds != other).any()


def test_folds_depend_on_queries_and_not_on_the_order_of_pairs():
    scores, labels, queries = (part.ravel() if part.ndim == 2 else np.repeat(part, 6) for part in sample())
    found = fc.cross_fit(fc.PlattCalibrator(), scores, labels, queries)
    order = np.random.default_rng(2).permutation(scores.size)
    np.testing.assert_allclose(fc.cross_fit(fc.PlattCalibrator(), scores[order], labels[order], queries[order]), found[order], atol=1e-9)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_shape_dtype_and_padding_are_kept(dtype):
    scores, labels, queries = sample()
    scores = scores.astype(dtype)
    scores[3, 4:] = np.nan
    scores[7] = np.nan  # a query with nothing but padding
    found = fc.cross_fit(fc.IsotonicCalibrator(), scores, labels, queries)
    assert (found.shape, found.dtype) == (scores.shape, dtype)
    np.testing.assert_array_equal(np.isnan(found), np.isnan(scores))
    kept = ~np.isnan(scores)
    flat = fc.cross_fit(fc.IsotonicCalibrator(), scores[kept], labels[kept], np.repeat(queries, 6)[kept.ravel()])
    np.testing.assert_array_equal(found[kept], flat)


def test_a_column_of_scores_beside_flat_labels():
    scores, labels, queries = sample()
    flat, names = scores.ravel(), np.repeat(queries, 6)
    column = fc.cross_fit(fc.PlattCalibrator(), flat[:, np.newaxis], labels.ravel(), names)
    assert column.shape == (flat.size, 1)
    np.testing.assert_array_equal(column[:, 0], fc.cross_fit(fc.PlattCalibrator(), flat, labels.ravel(), names))


def test_weightless_pairs_are_predicted_but_not_fitted_on():
    scores, labels, queries = sample()
    weights = np.ones(scores.shape)
    weights[:5] = 0.0
    changed = labels.copy()
    changed[:5] = 1 - changed[:5]
    found = fc.cross_fit(fc.PlattCalibrator(), scores, labels, queries, sample_weight=weights)
    np.testing.assert_array_equal(found, fc.cross_fit(fc.PlattCalibrator(), scores, changed, queries, sample_weight=weights))
    assert not np.isnan(found).any()


def test_scikit_learn_estimators_agree_with_their_twins():
    isotonic = pytest.importorskip("sklearn.isotonic")
    linear_model = pytest.importorskip("sklearn.linear_model")
    pipeline = pytest.importorskip("sklearn.pipeline")
    preprocessing = pytest.importorskip("sklearn.preprocessing")
    scores, labels, queries = sample(200)
    ours = fc.cross_fit(fc.IsotonicCalibrator(), scores, labels, queries)
    np.testing.assert_allclose(fc.cross_fit(isotonic.IsotonicRegression(out_of_bounds="clip"), scores, labels, queries), ours, atol=1e-12)
    logistic = pipeline.make_pipeline(preprocessing.StandardScaler(), linear_model.LogisticRegression(C=1e9))
    theirs = fc.cross_fit(logistic, scores, labels, queries)  # unsmoothed targets: equal but for terms of 1/n
    np.testing.assert_allclose(theirs, fc.cross_fit(fc.PlattCalibrator(), scores, labels, queries), atol=0.01)


@pytest.mark.parametrize(
    ("change", "error", "match"),
    [
        ({"n_splits": 1}, ValueError, "n_splits must be an integer of at least 2"),
        ({"n_splits": 41}, ValueError, "groups holds 40 distinct labels; expected at least n_splits=41"),
        ({"seed": -1}, ValueError, "seed"),
        ({"groups": None}, TypeError, "folds of single pairs leak"),
        ({"groups": np.arange(39)}, ValueError, "groups has shape"),
        ({"calibrator": fc.PlattCalibrator}, TypeError, "needs get_params, fit and predict; got <class"),
        ({"calibrator": object()}, TypeError, "needs get_params, fit and predict; got <object"),
        (
            {"labels": np.repeat([[1], [0]], [1, 39], axis=0) * np.ones((1, 6), dtype=int)},
            ValueError,
            r"without fold \d of 5 the labels .* 0 of them",
        ),
        ({"calibrator": fc.GroupCalibrator()}, ValueError, "needs by="),
        ({"by": np.arange(40)}, ValueError, "PlattCalibrator would ignore it"),
        ({"sample_weight": np.ones(3)}, ValueError, "sample_weight has shape"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_bad_calls(change, error, match):
    scores, labels, queries = sample()
    arguments = {"calibrator": fc.PlattCalibrator(), "scores": scores, "labels": labels, "groups": queries} | change
    with pytest.raises(error, match=match):
        fc.cross_fit(arguments.pop("calibrator"), arguments.pop("scores"), arguments.pop("labels"), arguments.pop("groups"), **arguments)


def test_what_is_no_probability_is_an_error():
    class Shouts(Remembers):
        def predict(self, X):
            return 2.0 * np.ones(len(X))

    with pytest.raises(ValueError, match="Shouts gave something else than one probability"):
        fc.cross_fit(Shouts(), *sample())


def test_group_calibrators_are_told_their_groups():
    scores, labels, queries = sample()
    language = np.arange(40) % 2
    found = fc.cross_fit(fc.GroupCalibrator(shrinkage=math.inf), scores, labels, queries, by=language)
    np.testing.assert_array_equal(found, fc.cross_fit(fc.PlattCalibrator(), scores, labels, queries))
    labels[language == 1] = 1 - labels[language == 1]  # the second language is the other way round
    found = fc.cross_fit(fc.GroupCalibrator(shrinkage=0), scores, labels, queries, by=language)
    assert np.corrcoef(found[language == 0].ravel(), scores[language == 0].ravel())[0, 1] > 0.9
    assert np.corrcoef(found[language == 1].ravel(), scores[language == 1].ravel())[0, 1] < -0.9
