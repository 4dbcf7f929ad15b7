"""scikit-learn's protocol on fastcal's own calibrators: clone, Pipeline, GridSearchCV, tags, nested parameters."""

from __future__ import annotations

import copy
import subprocess
import sys

import numpy as np
import pytest

import fastcal as fc
from fastcal.calibration._estimator import clone as own_clone
from fastcal.selection._folds import fold_of_pairs

CALIBRATORS = [
    fc.PlattCalibrator("cosine"),
    fc.IsotonicCalibrator("nan", increasing=False),
    fc.BetaCalibrator("am"),
    fc.TemperatureCalibrator(input="prob"),
    fc.HistogramCalibrator(7, limits=(0.0, 1.0)),
    fc.VennAbersCalibrator(increasing=False),
    fc.GroupCalibrator(fc.IsotonicCalibrator("raise"), shrinkage=3, unknown="raise"),
]


def sample(n=500, seed=0):
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=n)
    return scores, (rng.random(n) < 1 / (1 + np.exp(-2 * scores - 0.5))).astype(int), np.arange(n) // 10


# -- without scikit-learn ------------------------------------------------------------------------------------
@pytest.mark.parametrize("calibrator", CALIBRATORS, ids=repr)
def test_parameters_make_an_equal_calibrator(calibrator):
    again = own_clone(calibrator)
    assert again is not calibrator
    assert repr(again) == repr(calibrator)
    for name, value in calibrator.get_params(deep=False).items():
        assert getattr(calibrator, name) is value
        if hasattr(value, "get_params"):
            assert getattr(again, name) is not value
    fresh = type(calibrator)().set_params(**calibrator.get_params(deep=False))
    assert repr(fresh) == repr(calibrator)


def test_parameters_that_fail_half_way_leave_no_fit_of_others():
    cal = fc.GroupCalibrator(fc.PlattCalibrator()).fit([0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1], [0, 1, 0, 1])
    with pytest.raises(ValueError, match="PlattCalibrator has no parameter 'nope'"):
        cal.set_params(shrinkage=3.0, calibrator__nope=1)
    with pytest.raises(fc.NotFittedError):
        cal.to_dict()


def test_nested_parameters():
    cal = fc.GroupCalibrator(fc.PlattCalibrator())
    assert cal.get_params(deep=False) == {"calibrator": cal.calibrator, "shrinkage": 30.0, "unknown": "pooled"}
    assert cal.get_params() == {**cal.get_params(deep=False), "calibrator__input": "logit"}
    inner = fc.IsotonicCalibrator()
    cal.set_params(calibrator__out_of_bounds="nan", shrinkage=2, calibrator=inner)  # the owner first, whatever the order
    assert cal.calibrator is inner
    assert (inner.out_of_bounds, cal.shrinkage) == ("nan", 2)
    with pytest.raises(ValueError, match=r"GroupCalibrator has no parameter 'nonsense__x'; expected one of 'calibrator'"):
        cal.set_params(nonsense__x=1)
    with pytest.raises(ValueError, match="IsotonicCalibrator has no parameter 'x'"):
        cal.set_params(calibrator__x=1)
    with pytest.raises(ValueError, match="calibrator is None, which has no parameters"):
        fc.GroupCalibrator().set_params(calibrator__input="cosine")
    assert repr(cal) == "GroupCalibrator(calibrator=IsotonicCalibrator(out_of_bounds='nan'), shrinkage=2)"


def test_a_column_of_scores_beside_flat_labels():
    scores, labels, _ = sample()
    weights = np.random.default_rng(1).uniform(size=len(scores))
    flat = fc.PlattCalibrator().fit(scores, labels, weights)
    column = fc.PlattCalibrator().fit(scores[:, np.newaxis], labels, weights)
    assert column.to_dict() == flat.to_dict()
    assert column.predict(scores[:, np.newaxis]).shape == (len(scores), 1)
    assert fc.PlattCalibrator().fit(scores[:, np.newaxis], labels[:, np.newaxis], weights[:, np.newaxis]).to_dict() == flat.to_dict()
    with pytest.raises(ValueError, match="labels has shape"):
        fc.PlattCalibrator().fit(np.stack([scores, scores], axis=1), labels)
    with pytest.raises(ValueError, match="labels has shape"):
        fc.PlattCalibrator().fit(scores[np.newaxis], labels)


def test_nothing_imports_scikit_learn():
    code = """
        import sys, numpy as np, fastcal as fc
        scores, labels, queries = np.linspace(0, 1, 60), np.arange(60) % 3 == 0, np.arange(60) // 4
        fc.cross_fit(fc.GroupCalibrator(), scores, labels, queries, by=queries % 2)
        fc.select_calibrator(scores, labels, queries).calibrator.get_params()
        assert not {"sklearn", "scipy"} & set(sys.modules)
    """
    subprocess.run([sys.executable, "-c", "\n".join(line.strip() for line in code.splitlines())], check=True, timeout=120)


# -- with it -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("calibrator", CALIBRATORS, ids=repr)
def test_their_clone(calibrator):
    base = pytest.importorskip("sklearn.base")
    assert repr(base.clone(calibrator)) == repr(own_clone(calibrator)) == repr(calibrator)
    assert base.is_regressor(calibrator)
    assert not base.is_classifier(calibrator)


def test_fitted_or_not():
    validation = pytest.importorskip("sklearn.utils.validation")
    exceptions = pytest.importorskip("sklearn.exceptions")
    cal = fc.PlattCalibrator()
    with pytest.raises(exceptions.NotFittedError):
        validation.check_is_fitted(cal)
    validation.check_is_fitted(cal.fit(*sample()[:2]))


def test_tags():
    utils = pytest.importorskip("sklearn.utils")
    if not hasattr(utils, "get_tags"):
        pytest.skip("scikit-learn before 1.6 has no get_tags")
    tags = utils.get_tags(fc.GroupCalibrator())
    assert (tags.estimator_type, tags.target_tags.required, tags.requires_fit, tags.input_tags.allow_nan) == ("regressor", True, True, True)
    assert (tags.transformer_tags, tags.classifier_tags) == (None, None)


def test_last_step_of_a_pipeline_with_weights():
    pipeline = pytest.importorskip("sklearn.pipeline")
    preprocessing = pytest.importorskip("sklearn.preprocessing")
    scores, labels, _ = sample()
    weights = np.random.default_rng(1).uniform(size=len(scores))
    model = pipeline.make_pipeline(preprocessing.FunctionTransformer(np.negative), fc.IsotonicCalibrator(increasing=False))
    model.fit(scores[:, np.newaxis], labels, isotoniccalibrator__sample_weight=weights)
    expected = fc.IsotonicCalibrator().fit(scores, labels, weights).predict(scores)
    np.testing.assert_array_equal(model.predict(scores[:, np.newaxis])[:, 0], expected)
    again = copy.deepcopy(model)
    np.testing.assert_array_equal(again.predict(scores[:, np.newaxis])[:, 0], expected)
    assert "IsotonicCalibrator" in repr(model)
    assert "IsotonicCalibrator" in model._repr_html_()


def test_grid_search_over_parameters_and_methods_by_query():
    selection = pytest.importorskip("sklearn.model_selection")
    pipeline = pytest.importorskip("sklearn.pipeline")
    scores, labels, queries = sample()
    grid = [
        {"calibrator": [fc.PlattCalibrator()]},
        {"calibrator": [fc.IsotonicCalibrator()], "calibrator__increasing": [True, False]},
    ]
    model = pipeline.Pipeline([("calibrator", fc.PlattCalibrator())])
    search = selection.GridSearchCV(model, grid, scoring="neg_mean_squared_error", cv=selection.GroupKFold(5))
    search.fit(scores[:, np.newaxis], labels, groups=queries)
    assert search.best_params_.get("calibrator__increasing", True)
    means = search.cv_results_["mean_test_score"]
    folds = selection.GroupKFold(5).split(scores, labels, queries)
    by_hand = [np.mean((fc.PlattCalibrator().fit(scores[a], labels[a]).predict(scores[b]) - labels[b]) ** 2) for a, b in folds]
    assert means[0] == pytest.approx(-np.mean(by_hand))
    assert means[2] == min(means)
    np.testing.assert_allclose(search.predict(scores[:5, np.newaxis]), search.best_estimator_.predict(scores[:5, np.newaxis]))


def test_cross_fit_is_cross_val_predict_on_our_folds():
    selection = pytest.importorskip("sklearn.model_selection")
    scores, labels, queries = sample()
    folds = fold_of_pairs(labels.astype(np.uint8), queries, np.ones(len(labels), dtype=bool), 5, 0)
    theirs = selection.cross_val_predict(fc.PlattCalibrator(), scores, labels, cv=selection.PredefinedSplit(folds))
    np.testing.assert_array_equal(fc.cross_fit(fc.PlattCalibrator(), scores, labels, queries), theirs)
