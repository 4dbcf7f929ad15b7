"""fastcal.sklearn: every check of scikit-learn, and the numbers of the calibrators and of CalibratedClassifierCV."""

from __future__ import annotations

import subprocess
import sys
import warnings

import numpy as np
import pytest

import fastcal as fc
from fastcal import errors

sklearn = pytest.importorskip("sklearn")
import wide_classifiers  # noqa: E402
from sklearn import calibration, linear_model, metrics, model_selection, naive_bayes, neighbors, pipeline, preprocessing, svm  # noqa: E402
from sklearn.exceptions import SkipTestWarning  # noqa: E402
from sklearn.utils import estimator_checks  # noqa: E402

from fastcal import sklearn as theirs  # noqa: E402

CLASSIFIERS = [
    theirs.PlattClassifier(),
    theirs.IsotonicClassifier(),
    theirs.IsotonicClassifier(strict=True, bounds="laplace"),
    theirs.BetaClassifier(input="logit"),
    theirs.TemperatureClassifier(),
    theirs.HistogramClassifier(),
    theirs.VennAbersClassifier(),
]


def sample(n=600, seed=0):
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=n)
    labels = np.where(rng.random(n) < 1 / (1 + np.exp(-2 * scores - 0.5)), "yes", "no")
    return scores, labels, rng.uniform(0.1, 3, n)


# scikit-learn 1.6 makes two classes out of three on each side of this check by the first label there, which differ.
BROKEN = {"expected_failed_checks": {"check_sample_weight_equivalence_on_dense_data": "1.6"}} if sklearn.__version__.startswith("1.6.") else {}


def skipped_checks(estimator):
    """Run every check, which raises if one fails, and return why others were skipped."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        estimator_checks.check_estimator(estimator, **BROKEN)
    return {str(warning.message).rpartition(":")[2] for warning in caught if issubclass(warning.category, SkipTestWarning)}


@pytest.fixture(scope="module")
def usually_skipped():
    """What needs a setting of the environment (SCIPY_ARRAY_API), and is skipped for scikit-learn's own classifiers."""
    return skipped_checks(naive_bayes.GaussianNB())


@pytest.mark.parametrize("classifier", CLASSIFIERS, ids=repr)
def test_every_check_passes_on_the_classifiers(classifier, usually_skipped):
    skipped_checks(classifier)  # those for one feature, as for IsotonicRegression
    wide = getattr(wide_classifiers, type(classifier).__name__)(**classifier.get_params())
    assert skipped_checks(wide) <= usually_skipped


@pytest.mark.parametrize("calibrator", [None, fc.IsotonicCalibrator(), fc.VennAbersCalibrator()], ids=repr)
def test_every_check_passes_on_the_calibrated_classifier(calibrator, usually_skipped):
    assert skipped_checks(theirs.CalibratedClassifier(naive_bayes.GaussianNB(), calibrator)) <= usually_skipped


def test_there_is_a_classifier_for_every_method():
    methods = {name.removesuffix("Calibrator") for name in fc.__all__ if name.endswith("Calibrator")} - {"Group"}
    assert {name.removesuffix("Classifier") for name in theirs.__all__} - {"Calibrated"} == methods
    for name in theirs.__all__:
        assert getattr(theirs, name).__doc__


@pytest.mark.parametrize("classifier", CLASSIFIERS, ids=repr)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_probabilities_are_those_of_the_calibrator(classifier, dtype):
    scores, labels, weights = sample()
    scores = scores.astype(dtype)
    model = sklearn.base.clone(classifier).fit(scores[:, np.newaxis], labels, sample_weight=weights)
    alone = classifier._method(**classifier.get_params()).fit(scores, labels == "yes", weights)
    found = model.predict_proba(scores)
    assert (found.shape, found.dtype, model.classes_.tolist()) == ((len(scores), 2), dtype, ["no", "yes"])
    np.testing.assert_array_equal(found[:, 1], alone.predict(scores))
    np.testing.assert_array_equal(found.sum(axis=1), np.ones(len(scores), dtype=dtype))
    np.testing.assert_array_equal(model.predict(scores), np.where(found[:, 1] > found[:, 0], "yes", "no"))
    assert model.calibrator_.to_dict() == alone.to_dict()
    assert 0.5 < model.score(scores, labels) <= 1.0


def test_one_feature_and_two_classes():
    scores, labels, _ = sample()
    with pytest.raises(ValueError, match=r"X has shape \(300, 2\); expected one feature"):
        theirs.PlattClassifier().fit(scores.reshape(300, 2), labels[:300])
    with pytest.raises(ValueError, match="Only binary classification is supported"):
        theirs.PlattClassifier().fit(scores, np.arange(600) % 3)
    with pytest.raises(ValueError, match="out_of_bounds must be one of"):
        theirs.IsotonicClassifier("extrapolate").fit(scores, labels)


def test_grid_search_with_routed_weights():
    scores, words, weights = sample()
    labels = (words == "yes").astype(int)
    with sklearn.config_context(enable_metadata_routing=True):
        last = theirs.IsotonicClassifier().set_fit_request(sample_weight=True)
        model = pipeline.make_pipeline(preprocessing.StandardScaler().set_fit_request(sample_weight=False), last)
        scorer = metrics.get_scorer("neg_brier_score").set_score_request(sample_weight=True)
        search = model_selection.GridSearchCV(model, {"isotonicclassifier__bounds": [None, "laplace"]}, scoring=scorer, cv=3)
        search.fit(scores[:, np.newaxis], labels, sample_weight=weights)
    scaled = search.best_estimator_[0].transform(scores[:, np.newaxis])
    expected = fc.IsotonicCalibrator(bounds=search.best_params_["isotonicclassifier__bounds"]).fit(scaled, labels, weights)
    np.testing.assert_array_equal(search.predict_proba(scores[:, np.newaxis])[:, 1], expected.predict(scaled)[:, 0])


@pytest.mark.parametrize(("method", "calibrator"), [("sigmoid", None), ("isotonic", fc.IsotonicCalibrator())])
@pytest.mark.parametrize("estimator", [svm.LinearSVC(dual=False), linear_model.LogisticRegression()], ids=repr)
def test_calibrated_classifier_is_calibrated_classifier_cv(method, calibrator, estimator):
    scores, labels, weights = sample()
    X = np.stack([scores, np.random.default_rng(1).normal(size=len(scores))], axis=1)
    folds = model_selection.StratifiedKFold(4)
    expected = calibration.CalibratedClassifierCV(estimator, method=method, cv=folds, ensemble=False).fit(X, labels, sample_weight=weights)
    found = theirs.CalibratedClassifier(estimator, calibrator, cv=folds).fit(X, labels, sample_weight=weights)
    np.testing.assert_allclose(found.predict_proba(X), expected.predict_proba(X), atol=1e-4 if method == "sigmoid" else 1e-9)
    assert (found.predict(X) == expected.predict(X)).all()
    assert found.n_features_in_ == 2


def test_calibrated_classifier_leaves_whole_queries_out():
    scores, labels, _ = sample()
    seen = []

    class Spy(linear_model.LogisticRegression):
        def fit(self, X, y):
            seen.append(set(X[:, 1].tolist()))
            return super().fit(X, y)

        def decision_function(self, X):
            assert hasattr(self, "coef_")
            if len(seen) < 6:
                assert not seen[-1] & set(X[:, 1].tolist())
            return super().decision_function(X)

    queries = np.arange(600) // 10
    model = theirs.CalibratedClassifier(Spy()).fit(np.stack([scores, queries], axis=1), labels, groups=queries)
    assert len(seen) == 6
    assert len(seen[-1]) == 60
    assert model.predict_proba(np.zeros((1, 2))).shape == (1, 2)


@pytest.mark.parametrize(
    "cv",
    [
        [(np.arange(300), np.arange(300, 600))],
        [(np.arange(300), np.arange(299, 600)), (np.arange(300, 600), np.arange(300))],
        model_selection.ShuffleSplit(5, random_state=0),
        [],
    ],
    ids=["a half is never tested", "a row is tested twice", "shuffled", "no folds"],
)
def test_folds_must_test_every_row_once(cv):
    scores, labels, _ = sample()
    with pytest.raises(errors.InvalidValueError, match=r"cv tests \d+ of 600 rows, in \d+ places; expected each exactly once"):
        theirs.CalibratedClassifier(cv=cv).fit(scores[:, np.newaxis], labels)


def test_what_the_estimator_or_the_calibrator_cannot_do_is_said():
    scores, labels, weights = sample()
    X, order = scores[:, np.newaxis], np.argsort(labels)
    with pytest.raises(errors.InvalidTypeError, match="fit of KNeighborsClassifier does not take it"):
        theirs.CalibratedClassifier(neighbors.KNeighborsClassifier()).fit(X, labels, weights)
    with pytest.raises(errors.InvalidTypeError, match="a GroupCalibrator needs groups at predict"):
        theirs.CalibratedClassifier(calibrator=fc.GroupCalibrator()).fit(X, labels)
    halves = model_selection.PredefinedSplit((labels[order] == "yes").astype(int))
    with pytest.raises(errors.InvalidValueError, match=r"the \d+ rows to fit on hold one class only, in a fold or in all"):
        theirs.CalibratedClassifier(naive_bayes.GaussianNB(), cv=halves).fit(X[order], labels[order])


def test_without_scikit_learn_the_extra_is_named():
    code = """
import sys
sys.modules["sklearn"] = None
import fastcal as fc
try:
    import fastcal.sklearn
except fc.MissingExtraError as error:
    print(error, error.name)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "sklearn is not installed: pip install 'fastcal[sklearn]' sklearn"
