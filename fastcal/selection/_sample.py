"""Labelled pairs, judged, with the fold of each."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from fastcal._backend.protocol import Array
from fastcal._validate.groups import as_groups
from fastcal._validate.numbers import integer
from fastcal._validate.scores import pairs
from fastcal.errors import InvalidTypeError
from fastcal.selection._folds import Codes, fold_of_pairs


class Sample(NamedTuple):
    """Pairs without padding, flat: query codes, folds, the labels that a GroupCalibrator tells apart, and positions in what was given."""

    scores: Array
    labels: Array
    weights: Array | None
    groups: Codes
    folds: Codes
    by: npt.NDArray[Any] | None
    places: Codes

    def where(self, chosen: npt.NDArray[np.bool_]) -> Sample:
        """Return the chosen pairs."""
        weights, by = (None if part is None else part[chosen] for part in (self.weights, self.by))
        return Sample(self.scores[chosen], self.labels[chosen], weights, self.groups[chosen], self.folds[chosen], by, self.places[chosen])


def as_sample(
    values: Array,
    labels: npt.ArrayLike,
    groups: npt.ArrayLike,
    n_splits: int,
    seed: int,
    sample_weight: npt.ArrayLike | None,
    by: npt.ArrayLike | None,
) -> Sample:
    """Judge everything that stands beside the scores and deal the queries to folds."""
    n_splits, seed = integer(n_splits, "n_splits", 2), integer(seed, "seed", 0)
    if groups is None:
        raise InvalidTypeError("groups is None; expected the query of each pair, since folds of single pairs leak the answers")
    sample = pairs(values, labels, sample_weight, groups)
    assert sample.groups is not None
    told = None if by is None else as_groups(by, values.shape, "by")
    counted = np.ones(len(sample.labels), dtype=bool) if sample.weights is None else sample.weights > 0
    folds = fold_of_pairs(sample.labels, sample.groups, counted, n_splits, seed)
    kept = ~np.isnan(values)
    names = None if told is None else told.labels[told.codes[kept]]
    return Sample(sample.scores, sample.labels, sample.weights, sample.groups, folds, names, np.flatnonzero(kept))
