"""The classifiers of fastcal.sklearn with the difference of two of many features as their score: scikit-learn has next to no checks for one feature.

At the top of a module, since the checks pickle them.
"""

from __future__ import annotations

import numpy as np

from fastcal import sklearn as one_feature

try:
    from sklearn.utils.validation import validate_data
except ImportError:  # before scikit-learn 1.6

    def validate_data(estimator, X, **options):
        return estimator._validate_data(X, **options)


class _Wide:
    def _scores(self, X, *, reset=False):
        checked = validate_data(self, X, reset=reset, dtype=[np.float64, np.float32])
        return super()._scores(checked[:, 0] - checked[:, -1])

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.one_d_array, tags.input_tags.two_d_array = False, True
        tags.classifier_tags.poor_score = True  # a difference need not separate
        return tags

    def _more_tags(self):
        return {**super()._more_tags(), "X_types": ["2darray"], "poor_score": True}


class PlattClassifier(_Wide, one_feature.PlattClassifier):
    pass


class IsotonicClassifier(_Wide, one_feature.IsotonicClassifier):
    pass


class TemperatureClassifier(_Wide, one_feature.TemperatureClassifier):
    pass


class BetaClassifier(_Wide, one_feature.BetaClassifier):
    pass


class HistogramClassifier(_Wide, one_feature.HistogramClassifier):
    pass


class VennAbersClassifier(_Wide, one_feature.VennAbersClassifier):
    pass
