"""Precision and recall at every threshold that makes a difference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fastcal import _backend, _threads
from fastcal._validate.scores import Pairs, directed_scores, float32_floor, pairs

if TYPE_CHECKING:
    from fastcal._backend.protocol import Array


@dataclass(frozen=True, slots=True, eq=False)
class Sweep:
    """Precision, recall and F1 of "select everything at least as good as the threshold", strictest threshold first.

    Attributes
    ----------
    threshold : ndarray of float32, shape (n_thresholds,)
        One per distinct score; inclusive.
    precision, recall, f1 : ndarray of float64, shape (n_thresholds,)
        Weighted where weights were given. Precision is 0 where all that is selected has weight 0; recall is 0 if
        no pair is relevant.
    n_selected : ndarray of int64, shape (n_thresholds,)
        Pairs selected, whatever their weight.
    higher_is_better : bool
        True: selected means ``score >= threshold``; False: ``score <= threshold``.

    Examples
    --------
    >>> import fastcal as fc
    >>> sweep = fc.threshold_sweep([0.75, 0.5, 0.25], [1, 0, 1])
    >>> sweep.precision.tolist()[:2], len(sweep)
    ([1.0, 0.5], 3)
    """

    threshold: npt.NDArray[np.float32]
    precision: npt.NDArray[np.float64]
    recall: npt.NDArray[np.float64]
    f1: npt.NDArray[np.float64]
    n_selected: npt.NDArray[np.int64]
    higher_is_better: bool = True

    def __len__(self) -> int:
        return len(self.threshold)

    @property
    def best_precision(self) -> float:
        """The highest precision any threshold reaches on these pairs, however few it selects."""
        return float(self.precision.max())

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists."""
        return {
            "threshold": self.threshold.tolist(),
            "precision": self.precision.tolist(),
            "recall": self.recall.tolist(),
            "f1": self.f1.tolist(),
            "n_selected": self.n_selected.tolist(),
            "best_precision": self.best_precision,
            "higher_is_better": self.higher_is_better,
        }


def threshold_sweep(
    scores: npt.ArrayLike,
    labels: npt.ArrayLike,
    *,
    sample_weight: npt.ArrayLike | None = None,
    higher_is_better: bool = True,
    num_threads: int | None = None,
) -> Sweep:
    """Measure precision and recall at each distinct score.

    Thresholds are float32. A float64 score counts at the nearest float32 that is not better than itself, so scores
    that no float32 can tell apart share a threshold, and ``scores >= threshold`` on the scores as they were given
    selects exactly ``n_selected`` pairs.

    The numbers describe these pairs only. Read off the best of many thresholds, they are optimistic for new ones
    (winner's curse); measure the threshold you choose on pairs it has not seen.

    Parameters
    ----------
    scores : array_like of float, any shape, or a search result
        NaN marks padding; those pairs are dropped.
    labels : array_like of 0/1, shape of `scores`
    sample_weight : array_like of float, shape of `scores`, optional
        Finite and not negative.
    higher_is_better : bool, default True
        False for distances; must agree with the result if one is given.
    num_threads : int, optional
        The result does not depend on it.

    Returns
    -------
    Sweep

    Raises
    ------
    ValueError
        If shapes differ, no pair is left, a score is infinite or beyond float32, a label is not 0 or 1, a weight is
        negative, NaN or infinite, all weights are 0, or the directions disagree.
    TypeError
        If an array is not numeric, or `scores` is an array of integers, booleans or objects.

    Examples
    --------
    >>> import fastcal as fc
    >>> sweep = fc.threshold_sweep([0.75, 0.5, 0.5, 0.25], [1, 1, 0, 0])
    >>> sweep.threshold.tolist(), sweep.n_selected.tolist(), sweep.recall.tolist()
    ([0.75, 0.5, 0.25], [1, 3, 4], [0.5, 1.0, 1.0])
    >>> sweep.best_precision
    1.0
    """
    sample = pairs(directed_scores(scores, higher_is_better), labels, sample_weight)
    if sample.weights is not None:
        return rates(cumulative_counts(sample, higher_is_better, num_threads), higher_is_better, in_place=True)
    values, threshold, selected = _descending(sample, higher_is_better)
    precision, recall, f1 = (np.empty(len(values)) for _ in range(3))
    outputs = threshold, selected, precision, recall, f1
    n = _backend.active().threshold_rates(values, sample.labels, *outputs, num_threads=_threads.resolve(num_threads))
    threshold, selected, precision, recall, f1 = (_trimmed(each, n) for each in outputs)
    if not higher_is_better:
        np.subtract(0.0, threshold, out=threshold)
    return Sweep(threshold, precision, recall, f1, selected, bool(higher_is_better))


@dataclass(frozen=True, slots=True, eq=False)
class CumulativeCounts:
    """Totals over everything at least as good as each distinct float32 score, best first."""

    threshold: Array
    selected: Array
    weight: Array
    positive: Array


def cumulative_counts(sample: Pairs, higher_is_better: bool, num_threads: int | None = None) -> CumulativeCounts:
    """Sort once and accumulate; lower-is-better scores are swept with their sign turned."""
    scores, threshold, selected = _descending(sample, higher_is_better)
    weight, positive = np.empty(len(scores)), np.empty(len(scores))
    threads = _threads.resolve(num_threads)
    n = _backend.active().threshold_sweep(scores, sample.labels, sample.weights, threshold, selected, weight, positive, num_threads=threads)
    signed = threshold[:n] if higher_is_better else 0.0 - threshold[:n]
    return CumulativeCounts(*(_trimmed(each, n) for each in (signed, selected, weight, positive)))


def _descending(sample: Pairs, higher_is_better: bool) -> tuple[Array, Array, Array]:
    """Return float32 scores of which higher ones are better, and room for thresholds and for numbers of selected pairs."""
    scores = sample.scores if higher_is_better else -sample.scores
    if scores.dtype != np.float32:
        scores = float32_floor(scores)
    return scores, np.empty_like(scores), np.empty(len(scores), np.int64)


def _trimmed(array: Array, n: int) -> Array:
    """Return the first `n` entries. Memory that was never written to is not in use, so a view of most of an array wastes little."""
    return array[:n] if 2 * n >= len(array) else array[:n].copy()


def rates(counts: CumulativeCounts, higher_is_better: bool, *, in_place: bool = False) -> Sweep:
    """Turn totals into precision, recall and F1; `in_place` writes over the weights, whose pages are in memory already."""
    total = counts.positive[-1]
    whole = counts.weight / 2
    whole += total / 2
    f1 = _ratio(counts.positive, whole, out=whole)
    precision = _ratio(counts.positive, counts.weight, out=counts.weight if in_place else None)
    recall = np.divide(counts.positive, total if total > 0 else 1.0, out=counts.positive if in_place else None)
    return Sweep(counts.threshold, precision, recall, f1, counts.selected, bool(higher_is_better))


def _ratio(part: Array, whole: Array, out: Array | None = None) -> Array:
    """Return ``part / whole``, 0 where a leading part of the rising ``whole`` is 0; ``out`` may be ``whole``."""
    if whole[0] > 0:
        return np.divide(part, whole, out=out)
    return np.divide(part, whole, out=np.zeros(len(part)), where=whole > 0)
