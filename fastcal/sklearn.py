"""Calibrators as scikit-learn classifiers of one feature, for code that wants the real base classes (extra ``sklearn``).

fastcal's calibrators follow scikit-learn's protocol without these: they work in ``Pipeline``, ``GridSearchCV`` and ``clone``, and
``predict`` gives probabilities, as that of ``IsotonicRegression``. The classes here are :class:`sklearn.base.ClassifierMixin`:
any two classes, ``predict_proba``, ``classes_``, metadata routing, scikit-learn's own errors; ``calibrator_`` holds the
calibrator, with ``to_dict`` and ``adjust_prior``.
"""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from fastcal import calibration
from fastcal._backend.protocol import Array
from fastcal._extras import require

require("sklearn", "sklearn")
from sklearn.base import BaseEstimator, ClassifierMixin  # noqa: E402  (the line above says what is missing)
from sklearn.utils.multiclass import check_classification_targets, type_of_target  # noqa: E402
from sklearn.utils.validation import _check_sample_weight, check_array, check_consistent_length, check_is_fitted, column_or_1d  # noqa: E402

__all__ = ["IsotonicClassifier", "PlattClassifier"]


class _ScoreClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """One calibrator, fitted on a single feature; the constructor is the calibrator's own."""

    _method: ClassVar[type[calibration.Calibrator]]

    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> Self:
        """Fit on scores, shape (n,) or (n, 1), and labels of two classes, shape (n,); the later in sorted order is the relevant one."""
        scores = self._column(X, reset=True)
        marks = column_or_1d(y, warn=True)
        check_consistent_length(scores, marks)
        check_classification_targets(marks)
        self.classes_, codes = np.unique(marks, return_inverse=True)
        if len(self.classes_) > 2:
            raise ValueError(f"Only binary classification is supported. The type of the target is {type_of_target(marks)}.")
        if len(self.classes_) == 1:
            raise ValueError(f"Classifier can't train when only one class is present: {self.classes_[0]!r}")
        weights = None if sample_weight is None else _check_sample_weight(sample_weight, scores, dtype=np.float64)
        self.calibrator_ = self._method(**self.get_params(deep=False)).fit(scores, codes, weights)
        return self

    def predict_proba(self, X: npt.ArrayLike) -> Array:
        """Return the probabilities of both classes, shape (n, 2), in the dtype of the scores."""
        check_is_fitted(self)
        second = self.calibrator_.predict(self._column(X))
        return np.stack([1.0 - second, second], axis=1)

    def predict(self, X: npt.ArrayLike) -> Array:
        """Return the likelier class of each score, shape (n,); at 1/2 the first."""
        likelier = self.predict_proba(X).argmax(axis=1)
        found: Array = self.classes_[likelier]
        return found

    def _column(self, X: npt.ArrayLike, *, reset: bool = False) -> Array:  # noqa: ARG002  (for subclasses of several features)
        """Return flat scores in their float dtype; anything but one feature is an error."""
        array: Array = check_array(X, ensure_2d=False, dtype=[np.float64, np.float32], input_name="X")
        if array.ndim == 2 and array.shape[1] == 1:
            array = array[:, 0]
        if array.ndim != 1:
            raise ValueError(f"X has shape {array.shape}; expected one feature, shape (n,) or (n, 1)")
        return array

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.one_d_array, tags.input_tags.two_d_array = True, False
        tags.classifier_tags.multi_class = False
        return tags

    def _more_tags(self) -> dict[str, Any]:
        """Tags before scikit-learn 1.6."""
        return {"X_types": ["1darray"], "binary_only": True}


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
