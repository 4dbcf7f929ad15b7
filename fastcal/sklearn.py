"""Calibrators as real scikit-learn classifiers (extra ``sklearn``).

fastcal's calibrators follow scikit-learn's protocol without these: they work in ``Pipeline``, ``GridSearchCV`` and ``clone``, and
``predict`` gives probabilities, as that of ``IsotonicRegression``. The classes here subclass scikit-learn's: any two classes,
``predict_proba``, ``classes_``, metadata routing, its own errors. A classifier per method takes scores, one feature;
:class:`CalibratedClassifier` takes what a classifier takes. ``calibrator_`` is the fitted one, with ``to_dict`` and ``adjust_prior``.
``check_estimator`` has few checks for one feature; fastcal's tests run the others on subclasses that read two columns.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from fastcal import calibration
from fastcal._backend.protocol import Array
from fastcal._extras import require
from fastcal.errors import InvalidTypeError, InvalidValueError

require("sklearn", "sklearn")
from sklearn.base import BaseEstimator, ClassifierMixin, clone  # noqa: E402  (the line above says what is missing)
from sklearn.linear_model import LogisticRegression  # noqa: E402
from sklearn.model_selection import StratifiedGroupKFold, check_cv  # noqa: E402
from sklearn.utils import _safe_indexing, indexable  # noqa: E402
from sklearn.utils.multiclass import check_classification_targets, type_of_target  # noqa: E402
from sklearn.utils.validation import _check_sample_weight, check_array, check_consistent_length, check_is_fitted, column_or_1d  # noqa: E402

__all__ = [
    "BetaClassifier",
    "CalibratedClassifier",
    "HistogramClassifier",
    "IsotonicClassifier",
    "PlattClassifier",
    "TemperatureClassifier",
    "VennAbersClassifier",
]


class _Binary(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Two classes of any kind, the later in sorted order being the relevant one, and a fitted ``calibrator_``."""

    classes_: Array
    calibrator_: calibration.Calibrator

    def predict_proba(self, X: npt.ArrayLike) -> Array:
        """Return the probabilities of both classes, shape (n, 2), in the dtype of the scores."""
        check_is_fitted(self)
        second = self.calibrator_.predict(self._scores(X))
        return np.stack([1.0 - second, second], axis=1)

    def predict(self, X: npt.ArrayLike) -> Array:
        """Return the likelier class of each score, shape (n,); at 1/2 the first."""
        likelier = self.predict_proba(X).argmax(axis=1)  # raises if not fitted, before classes_ is asked for
        return np.asarray(self.classes_[likelier])

    def _scores(self, X: Any) -> Array:
        raise NotImplementedError

    def _codes(self, X: Any, y: npt.ArrayLike) -> Array:
        """Set ``classes_`` and return 0 or 1 for each label."""
        check_classification_targets(y)
        marks = column_or_1d(y, warn=True)
        check_consistent_length(X, marks)
        self.classes_, codes = np.unique(marks, return_inverse=True)
        if len(self.classes_) > 2:
            raise ValueError(f"Only binary classification is supported. The type of the target is {type_of_target(marks)}.")
        if len(self.classes_) == 1:
            raise ValueError(f"Classifier can't train when only one class is present: {self.classes_[0]!r}")
        return codes

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags

    def _more_tags(self) -> dict[str, Any]:
        """Tags before scikit-learn 1.6."""
        return {"binary_only": True}


class _ScoreClassifier(_Binary):
    """One calibrator, fitted on a single feature; the constructor is the calibrator's own."""

    _method: ClassVar[type[calibration.Calibrator]]

    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> Self:
        """Fit on scores, shape (n,) or (n, 1), and labels of two classes, shape (n,)."""
        scores = self._scores(X, reset=True)
        codes = self._codes(scores, y)
        weights = None if sample_weight is None else _check_sample_weight(sample_weight, scores, dtype=np.float64)
        self.calibrator_ = self._method(**self.get_params(deep=False)).fit(scores, codes, weights)
        return self

    def _scores(self, X: Any, *, reset: bool = False) -> Array:  # noqa: ARG002  (for subclasses that count features)
        """Return flat scores in their float dtype; anything but one feature is an error."""
        array: Array = check_array(X, ensure_2d=False, dtype=[np.float64, np.float32], input_name="X")
        array = array[:, 0] if array.ndim == 2 and array.shape[1] == 1 else array
        if array.ndim != 1:
            raise ValueError(f"X has shape {array.shape}; expected one feature, shape (n,) or (n, 1)")
        return array

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.one_d_array, tags.input_tags.two_d_array = True, False
        return tags

    def _more_tags(self) -> dict[str, Any]:
        return super()._more_tags() | {"X_types": ["1darray"]}


class PlattClassifier(_ScoreClassifier):
    """:class:`fastcal.PlattCalibrator` as a classifier; its parameters are the calibrator's.

    Examples
    --------
    >>> from fastcal.sklearn import PlattClassifier
    >>> PlattClassifier().fit([0.2, 0.4, 0.6, 0.8], ["no", "yes", "no", "yes"]).predict_proba([0.8]).round(2).tolist()
    [[0.35, 0.65]]
    """

    _method = calibration.PlattCalibrator
    __init__ = calibration.PlattCalibrator.__init__


class IsotonicClassifier(_ScoreClassifier):
    """:class:`fastcal.IsotonicCalibrator` as a classifier; its parameters are the calibrator's.

    Examples
    --------
    >>> from fastcal.sklearn import IsotonicClassifier
    >>> IsotonicClassifier(out_of_bounds="clip").fit([0.1, 0.2, 0.3, 0.4], [0, 1, 0, 1]).predict_proba([0.2]).tolist()
    [[0.5, 0.5]]
    """

    _method = calibration.IsotonicCalibrator
    __init__ = calibration.IsotonicCalibrator.__init__


class TemperatureClassifier(_ScoreClassifier):
    """:class:`fastcal.TemperatureCalibrator` as a classifier; its parameters are the calibrator's.

    Examples
    --------
    >>> from fastcal.sklearn import TemperatureClassifier
    >>> TemperatureClassifier().fit([-4.0, -2.0, 1.0, 3.0, -3.0, 4.0], [0, 1, 0, 1, 0, 1]).predict([-1.0, 2.0]).tolist()
    [0, 1]
    """

    _method = calibration.TemperatureCalibrator
    __init__ = calibration.TemperatureCalibrator.__init__


class BetaClassifier(_ScoreClassifier):
    """:class:`fastcal.BetaCalibrator` as a classifier; its parameters are the calibrator's.

    Examples
    --------
    >>> from fastcal.sklearn import BetaClassifier
    >>> BetaClassifier("am", input="cosine").fit([-0.1, 0.3, 0.6, 0.8], [0, 1, 0, 1]).predict([0.0, 0.9]).tolist()
    [0, 1]
    """

    _method = calibration.BetaCalibrator
    __init__ = calibration.BetaCalibrator.__init__


class HistogramClassifier(_ScoreClassifier):
    """:class:`fastcal.HistogramCalibrator` as a classifier; its parameters are the calibrator's.

    Examples
    --------
    >>> from fastcal.sklearn import HistogramClassifier
    >>> HistogramClassifier(2, smoothing=0.0).fit([0.1, 0.2, 0.6, 0.9], [0, 0, 0, 1]).predict_proba([0.8]).tolist()
    [[0.5, 0.5]]
    """

    _method = calibration.HistogramCalibrator
    __init__ = calibration.HistogramCalibrator.__init__


class VennAbersClassifier(_ScoreClassifier):
    """:class:`fastcal.VennAbersCalibrator` as a classifier; its parameters are the calibrator's.

    Examples
    --------
    >>> from fastcal.sklearn import VennAbersClassifier
    >>> VennAbersClassifier().fit([0.1, 0.2, 0.3, 0.4], [0, 1, 0, 1]).predict_proba([0.2]).round(2).tolist()
    [[0.5, 0.5]]
    """

    _method = calibration.VennAbersCalibrator
    __init__ = calibration.VennAbersCalibrator.__init__


class CalibratedClassifier(_Binary):
    """A classifier of two classes whose probabilities a calibrator makes of its out-of-fold scores.

    ``CalibratedClassifierCV(ensemble=False)`` with any calibrator of fastcal, and with folds by query if `groups` are given.

    Parameters
    ----------
    estimator : classifier, optional
        Scores are its ``decision_function``, or else ``predict_proba`` of the second class; by default ``LogisticRegression()``.
    calibrator : calibrator, optional
        :class:`fastcal.PlattCalibrator` by default.
    cv : int, splitter or iterable of splits, optional
        As everywhere in scikit-learn, but every row must be tested exactly once, as for ``cross_val_predict`` (so no
        ``ShuffleSplit``); by default 5 stratified folds, of whole groups if there are groups.

    Examples
    --------
    >>> import numpy as np, fastcal as fc
    >>> from fastcal.sklearn import CalibratedClassifier
    >>> rng = np.random.default_rng(0)
    >>> X, queries = rng.normal(size=(500, 3)), np.arange(500) // 10
    >>> y = X[:, 0] + rng.normal(size=500) > 0
    >>> model = CalibratedClassifier(calibrator=fc.IsotonicCalibrator()).fit(X, y, groups=queries)
    >>> model.predict_proba(X).shape
    (500, 2)
    """

    def __init__(self, estimator: Any = None, calibrator: calibration.Calibrator | None = None, *, cv: Any = None) -> None:
        self.estimator = estimator
        self.calibrator = calibrator
        self.cv = cv

    def fit(self, X: Any, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None, groups: npt.ArrayLike | None = None) -> Self:
        """Fit the calibrator on out-of-fold scores, then the classifier on everything; weights go to both."""
        X, y, groups = indexable(X, y, groups)
        if isinstance(self.calibrator, calibration.GroupCalibrator):
            raise InvalidTypeError("calibrator must be that of one group: a GroupCalibrator needs groups at predict, which a classifier is not given")
        codes = self._codes(X, y)
        weights = None if sample_weight is None else _check_sample_weight(sample_weight, X, dtype=np.float64)
        scores = np.empty(len(codes))
        for train, test in _partition(self._folds(codes, groups).split(X, codes, groups), len(codes)):
            scores[test] = _response(self._fitted(X, codes, weights, train), _safe_indexing(X, test))
        self.calibrator_ = clone(calibration.PlattCalibrator() if self.calibrator is None else self.calibrator).fit(scores, codes, weights)
        self.estimator_ = self._fitted(X, codes, weights, np.arange(len(codes)))
        return self

    def _scores(self, X: Any) -> Array:
        return _response(self.estimator_, X)

    def _folds(self, codes: Array, groups: npt.ArrayLike | None) -> Any:
        if self.cv is None and groups is not None:
            return StratifiedGroupKFold()
        return check_cv(self.cv, codes, classifier=True)

    def _fitted(self, X: Any, codes: Array, weights: Array | None, rows: Array) -> Any:
        model = LogisticRegression() if self.estimator is None else clone(self.estimator)
        if weights is not None and not _takes_weights(model):
            raise InvalidTypeError(f"sample_weight goes to the estimator as well, and fit of {type(model).__name__} does not take it")
        counted = codes[rows] if weights is None else codes[rows][weights[rows] > 0.0]
        if len(np.unique(counted)) < 2:
            raise InvalidValueError(f"the {len(counted)} rows to fit on hold one class only, in a fold or in all; use fewer or stratified folds")
        return model.fit(_safe_indexing(X, rows), codes[rows], **({} if weights is None else {"sample_weight": weights[rows]}))

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import get_tags  # of scikit-learn 1.6, which is the first to call this

        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = get_tags(LogisticRegression() if self.estimator is None else self.estimator).input_tags.sparse
        return tags

    @property
    def n_features_in_(self) -> int:
        """As the classifier has it."""
        return int(self.estimator_.n_features_in_)

    @property
    def feature_names_in_(self) -> Array:
        """As the classifier has it, after a fit on a data frame."""
        return np.asarray(self.estimator_.feature_names_in_)


def _partition(splits: Iterable[tuple[Array, Array]], n_rows: int) -> list[tuple[Array, Array]]:
    """Return the splits; raise unless each row is tested exactly once, so that it has one out-of-fold score."""
    found = list(splits)
    tested = np.concatenate([np.empty(0, dtype=np.int64), *(test for _, test in found)])
    if not np.array_equal(np.sort(tested), np.arange(n_rows)):
        raise InvalidValueError(
            f"cv tests {len(np.unique(tested))} of {n_rows} rows, in {len(tested)} places; expected each exactly once, as KFold does"
        )
    return found


def _takes_weights(model: Any) -> bool:
    """Whether ``fit`` takes ``sample_weight``, or names of any kind, which it then judges itself."""
    options = inspect.signature(model.fit).parameters
    return "sample_weight" in options or any(option.kind is option.VAR_KEYWORD for option in options.values())


def _response(model: Any, X: Any) -> Array:
    """Return flat float64 scores for the later class."""
    found = model.decision_function(X) if hasattr(model, "decision_function") else model.predict_proba(X)[:, 1]
    return np.asarray(found, dtype=np.float64)
