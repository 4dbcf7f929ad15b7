"""A threshold, and what it does on queries it was not chosen on."""

from __future__ import annotations

import warnings
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fastcal._backend.protocol import Array
from fastcal._validate.arrays import float_array
from fastcal._validate.scores import Pairs, directed_scores
from fastcal.errors import SmallSampleWarning
from fastcal.metrics import PrecisionRecall, precision_recall_at
from fastcal.selection._folds import Codes
from fastcal.selection._sample import as_sample
from fastcal.thresholds import choose_threshold

FEW = 30


@dataclass(frozen=True, slots=True)
class HeldOutThreshold:
    """A threshold and what the same choice did on queries it was not made on.

    Attributes
    ----------
    threshold : float
        Chosen on all pairs; inclusive; a float32 value.
    precision, recall : float
        Of cutting each fold where the other folds say. Recall is of the relevant pairs that are there: a document that no list
        holds is missed by every threshold.
    precision_interval, recall_interval : tuple of float
        95 % Wilson intervals of effective trials, by query.
    n_selected : int
        Held-out pairs selected.
    n, n_groups : int
        Pairs and queries.
    higher_is_better : bool

    Examples
    --------
    >>> import numpy as np, fastcal as fc
    >>> scores = np.random.default_rng(0).random((100, 10))
    >>> fc.held_out_threshold(scores, scores > 0.5, np.arange(100)).to_dict()["n_groups"]
    100
    """

    threshold: float
    precision: float
    recall: float
    precision_interval: tuple[float, float]
    recall_interval: tuple[float, float]
    n_selected: int
    n: int
    n_groups: int
    higher_is_better: bool = True

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types."""
        intervals = {"precision_interval": list(self.precision_interval), "recall_interval": list(self.recall_interval)}
        return asdict(self) | intervals


def held_out_threshold(
    scores: npt.ArrayLike,
    labels: npt.ArrayLike,
    groups: npt.ArrayLike,
    target_precision: float | None = None,
    *,
    target_recall: float | None = None,
    sample_weight: npt.ArrayLike | None = None,
    higher_is_better: bool = True,
    n_splits: int = 5,
    seed: int = 0,
) -> HeldOutThreshold | None:
    """Choose the threshold that reaches a target, and measure the choice on queries left out.

    The threshold is that of :func:`choose_threshold` on all pairs. Its figures are not: each fold of whole queries is cut where the
    pairs outside it say, so that no pair is judged by a threshold it helped to choose.

    Parameters
    ----------
    scores : array_like of float, any shape, or a search result
        NaN marks padding.
    labels : array_like of 0/1, shape of `scores`
    groups : array_like of int or str
        Query of each pair, in the shape of `scores`, or one per row of it.
    target_precision, target_recall : float, optional
        In (0, 1]. Neither means ``target_precision=0.9``.
    sample_weight : array_like of float, shape of `scores`, optional
        Finite and not negative.
    higher_is_better : bool, default True
        False for distances; must agree with the result if one is given.
    n_splits, seed : int
        As in :func:`cross_fit`.

    Returns
    -------
    HeldOutThreshold or None
        None if no cut of all pairs qualifies; ``threshold_sweep(...).best_precision`` says what was within reach.

    Raises
    ------
    ValueError, TypeError
        As :func:`choose_threshold` and :func:`cross_fit`.

    Warns
    -----
    SmallSampleWarning
        If fewer than 30 held-out pairs are selected.

    Examples
    --------
    >>> import numpy as np, fastcal as fc
    >>> rng = np.random.default_rng(0)
    >>> scores = rng.random((200, 10))
    >>> found = fc.held_out_threshold(scores, rng.random((200, 10)) < scores, np.arange(200), 0.8)
    >>> round(found.threshold, 2), round(found.precision, 2), found.n_selected
    (0.58, 0.8, 831)
    """
    values = float_array(directed_scores(scores, higher_is_better), "scores")
    sample = as_sample(values, labels, groups, n_splits, seed, sample_weight, None)
    target = {"target_precision": target_precision, "target_recall": target_recall}
    found = measured(Pairs(sample.scores, sample.labels, sample.weights, sample.groups), sample.folds, target, higher_is_better)
    if found is None:
        return None
    threshold, at = found
    if at.n_selected < FEW:
        warnings.warn(
            f"the threshold selects {at.n_selected} held-out pairs; below {FEW} its precision says little", SmallSampleWarning, stacklevel=2
        )
    return HeldOutThreshold(
        threshold,
        at.precision,
        at.recall,
        at.precision_interval,
        at.recall_interval,
        at.n_selected,
        at.n,
        at.n_groups,
        bool(higher_is_better),
    )


def measured(sample: Pairs, folds: Codes, target: dict[str, Any], higher_is_better: bool = True) -> tuple[float, PrecisionRecall] | None:
    """Return the threshold of all pairs and the figures of the choice on pairs left out; None if no cut qualifies."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SmallSampleWarning)
        point = choose_threshold(sample.scores, sample.labels, sample_weight=sample.weights, higher_is_better=higher_is_better, **target)
        if point is None:
            return None
        margins = _margins(sample, folds, target, higher_is_better)
    return point.threshold, precision_recall_at(sample.labels, margins, 0.0, groups=sample.groups, sample_weight=sample.weights)


def _margins(sample: Pairs, folds: Codes, target: dict[str, Any], higher_is_better: bool) -> Array:
    """How far each score is beyond the threshold that the other folds choose; below zero where they find none."""
    margins = np.full(len(sample.scores), -1.0)
    sign = 1.0 if higher_is_better else -1.0
    for fold in np.unique(folds):
        inside = folds == fold
        weights = None if sample.weights is None else sample.weights[~inside]
        point = choose_threshold(sample.scores[~inside], sample.labels[~inside], sample_weight=weights, higher_is_better=higher_is_better, **target)
        if point is not None:
            margins[inside] = sign * (sample.scores[inside].astype(np.float64) - point.threshold)
    return margins
