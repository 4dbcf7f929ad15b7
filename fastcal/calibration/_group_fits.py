"""What each group of a GroupCalibrator is fitted on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fastcal._backend.protocol import Array
from fastcal._validate.groups import Groups

Label = int | str | bool


@dataclass(frozen=True)
class GroupFit:
    """What one group's calibrator was fitted on.

    Attributes
    ----------
    label : int, str or bool
    n, positives : float
        Pairs and relevant pairs, as sums of weights.
    own_weight : float
        Share of the group's own pairs among those its fit rests on, counted in the rarer class: 1 is a separate fit.
    """

    label: Label
    n: float
    positives: float
    own_weight: float


def group_fits(told: Groups, kept: npt.NDArray[np.bool_], labels: Array, weights: Array, shrinkage: float) -> Iterator[tuple[GroupFit, Array]]:
    """Give each group with pairs that count: its row, and the weights of all pairs in its fit."""
    codes = told.codes[kept]
    sums = np.stack([np.bincount(codes, weights * (labels == label), minlength=len(told.labels)) for label in (0, 1)])
    for code in np.flatnonzero(sums.sum(axis=0) > 0).tolist():
        own, others = sums[:, code], sums.sum(axis=1) - sums[:, code]
        share, rare = _share_of_others(own, others, shrinkage), float(own.min())
        own_weight = rare / (rare + share * float(others.min())) if rare > 0.0 else 0.0
        row = GroupFit(told.labels[code].item(), float(own.sum()), float(own[1]), own_weight)
        yield row, np.where(codes == code, weights, share * weights)


def _share_of_others(own: Array, others: Array, shrinkage: float) -> float:
    """Factor on the weights of all other groups, with which they count as `shrinkage` pairs of the rarer class; 1 pools."""
    rarer = float(others.min())
    if rarer <= shrinkage or (shrinkage == 0.0 and own.min() == 0.0):
        return 1.0
    return shrinkage / rarer
