"""Precision and recall at a threshold that was chosen elsewhere, with intervals."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fastcal._clusters import effective_trials
from fastcal._validate.numbers import fraction, number
from fastcal._validate.scores import Pairs, directed_scores, pairs
from fastcal.intervals.wilson import wilson_interval
from fastcal.metrics._json import plain


@dataclass(frozen=True, slots=True)
class PrecisionRecall:
    """What a threshold did on labelled pairs.

    Attributes
    ----------
    precision : float
        Share of relevant pairs among the selected; 0 if nothing is selected.
    recall : float
        Share of the relevant pairs that are selected; 0 if there are none.
    n_selected : int
        Pairs selected, whatever their weight.
    precision_interval, recall_interval : tuple of float
        Wilson intervals of effective trials, by query where groups were given; (0, 1) where there is nothing to count.
    threshold : float
    n, n_groups : int
        Pairs and queries; without groups every pair is one.

    Examples
    --------
    >>> import fastcal as fc
    >>> fc.metrics.precision_recall_at([1, 0], [0.9, 0.2], 0.5).to_dict()["n_selected"]
    1
    """

    precision: float
    recall: float
    n_selected: int
    precision_interval: tuple[float, float]
    recall_interval: tuple[float, float]
    threshold: float
    n: int
    n_groups: int

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types."""
        return {name: plain(value) for name, value in asdict(self).items()}


def precision_recall_at(
    labels: npt.ArrayLike,
    scores: npt.ArrayLike,
    threshold: float,
    *,
    groups: npt.ArrayLike | None = None,
    sample_weight: npt.ArrayLike | None = None,
    higher_is_better: bool = True,
    confidence: float = 0.95,
) -> PrecisionRecall:
    """Measure a threshold on labelled pairs it was not chosen on.

    With `groups` the intervals count effective trials: pairs divided by the design effect of drawing whole queries (Rao &
    Scott 1992). Where everything selected is relevant there are as many trials as queries, so an interval is never a point.

    Parameters
    ----------
    labels : array_like of 0/1, shape of `scores`
    scores : array_like of float, any shape, or a search result
        Scores or probabilities; NaN marks padding, and those pairs are dropped.
    threshold : float
        Inclusive, compared with the scores as they are given.
    groups : array_like of int or str, shape of `scores` or one per row, optional
        Query ids. Without them pairs count as independent, which makes intervals too narrow where queries have several.
    sample_weight : array_like of float, shape of `scores`, optional
        Finite and not negative.
    higher_is_better : bool, default True
        False for distances: selected means ``score <= threshold``.
    confidence : float, default 0.95
        Strictly between 0 and 1.

    Returns
    -------
    PrecisionRecall

    Raises
    ------
    ValueError
        If shapes differ, no pair is left, a score is infinite, a label is not 0 or 1, a weight unusable, `threshold` NaN,
        or the directions disagree.
    TypeError
        If an array is not numeric, or `scores` is an array of integers, booleans or objects.

    Examples
    --------
    >>> import numpy as np, fastcal as fc
    >>> found = fc.metrics.precision_recall_at([1, 1, 0, 1], [0.9, 0.8, 0.7, 0.1], 0.5, groups=[1, 1, 2, 2])
    >>> round(found.precision, 4), round(found.recall, 4), found.n_selected, found.n_groups
    (0.6667, 0.6667, 3, 2)
    """
    cut = number(threshold, "threshold", "a number", lambda x: not math.isnan(x))
    level = fraction(confidence, "confidence")
    sample = pairs(directed_scores(scores, higher_is_better), labels, sample_weight, groups)
    selected = sample.scores >= cut if higher_is_better else sample.scores <= cut
    precise, recalled = _trials(sample, selected, sample.labels), _trials(sample, sample.labels == 1, selected)
    n_groups = len(sample.labels) if sample.groups is None else len(np.unique(sample.groups))
    return PrecisionRecall(
        precise[0] / (precise[1] or 1.0),
        recalled[0] / (recalled[1] or 1.0),
        int(np.count_nonzero(selected)),
        wilson_interval(*precise, level),
        wilson_interval(*recalled, level),
        cut,
        len(sample.labels),
        n_groups,
    )


def _trials(sample: Pairs, among: npt.NDArray[np.bool_], hits: npt.NDArray[Any]) -> tuple[float, float]:
    """Effective hits and trials among some of the pairs."""
    weights = None if sample.weights is None else sample.weights[among]
    return effective_trials(hits[among], weights, None if sample.groups is None else sample.groups[among])
