"""Out-of-fold probabilities: every query's by a calibrator that never saw the query."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fastcal._backend.protocol import Array
from fastcal._validate.arrays import float_array, kept_dtype
from fastcal.calibration._estimator import clone
from fastcal.calibration.group import GroupCalibrator
from fastcal.errors import InvalidValueError
from fastcal.selection._adapter import fitted
from fastcal.selection._sample import Sample, as_sample


def cross_fit(
    calibrator: Any,
    scores: npt.ArrayLike,
    labels: npt.ArrayLike,
    groups: npt.ArrayLike,
    *,
    n_splits: int = 5,
    seed: int = 0,
    sample_weight: npt.ArrayLike | None = None,
    label_noise: tuple[float, float] | None = None,
    by: npt.ArrayLike | None = None,
) -> Array:
    """Return for each pair the probability of a calibrator that was fitted without the pair's query.

    Pairs of one query are not independent: a split by pair shows the calibrator the answers. Folds are made of whole
    queries, of nearly the same number of irrelevant and of relevant pairs, and depend on nothing but `labels`, `groups`
    (their equality and sorted order), which weights are 0, `n_splits` and `seed`.

    Parameters
    ----------
    calibrator : calibrator or scikit-learn estimator
        Any of fastcal, or any object with ``get_params``, ``fit`` and ``predict_proba`` (the column of class 1 is taken)
        or ``predict`` (probabilities), which gets the scores as a column. It is cloned, never fitted itself.
    scores : array_like of float, any shape
        NaN marks padding: not fitted on, NaN in the result.
    labels : array_like of 0/1, shape of `scores`
    groups : array_like of int or str
        Query of each pair, in the shape of `scores`, or one per row of it.
    n_splits : int, default 5
        At least 2 and at most the number of queries.
    seed : int, default 0
        Orders queries of the same size before they are dealt to folds.
    sample_weight : array_like of float, shape of `scores`, optional
        How many pairs each stands for, as in the calibrators' ``fit``; pairs of weight 0 are not fitted on but get their probability.
    label_noise : (float, float), optional
        Handed to ``fit`` of fastcal's calibrators.
    by : array_like of int or str, as `groups`, optional
        What a :class:`fastcal.GroupCalibrator` tells apart (language, modality pair).

    Returns
    -------
    ndarray, shape and float dtype of `scores`

    Raises
    ------
    ValueError
        If arrays do not fit each other or hold unusable values, there are fewer queries than folds, or the pairs outside a
        fold are all of one class.
    TypeError
        If `calibrator` has no ``get_params`` and ``fit``, an option does not apply to it, or an array is of the wrong type.

    Examples
    --------
    >>> import fastcal as fc
    >>> scores, labels = [[0.9, 0.2], [0.8, 0.3], [0.7, 0.1], [0.6, 0.4]], [[1, 0], [1, 0], [0, 0], [1, 1]]
    >>> fc.cross_fit(fc.PlattCalibrator(), scores, labels, ["q1", "q2", "q3", "q4"], n_splits=2).shape
    (4, 2)
    """
    values = float_array(scores, "scores")
    if by is not None and not isinstance(calibrator, GroupCalibrator):
        raise InvalidValueError(f"by= is what a GroupCalibrator tells apart; {type(calibrator).__name__} would ignore it")
    sample = as_sample(values, labels, groups, n_splits, seed, sample_weight, by)
    result = np.full(values.shape, np.nan, kept_dtype(scores, values))
    result[~np.isnan(values)] = out_of_fold(calibrator, sample, label_noise)
    return result


def out_of_fold(calibrator: Any, sample: Sample, label_noise: tuple[float, float] | None = None) -> Array:
    """Return the flat probabilities, each by a clone fitted on the other folds."""
    result = np.empty_like(sample.scores)
    for fold in range(int(sample.folds.max()) + 1):
        inside = sample.folds == fold
        predict = fitted(clone(calibrator), sample.where(~inside), label_noise)
        result[inside] = predict(sample.where(inside))
    return result
