"""Whether thresholds carry over from one collection to another."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fastcal._clusters import effective_trials
from fastcal._validate.numbers import number
from fastcal._validate.scores import Pairs, directed_scores, pairs
from fastcal.errors import InvalidTypeError, InvalidValueError
from fastcal.intervals.wilson import wilson_interval
from fastcal.metrics._json import plain
from fastcal.thresholds.sweep import cumulative_counts, rates

if TYPE_CHECKING:
    from fastcal.calibration._base import Calibrator


@dataclass(frozen=True, slots=True, eq=False)
class TransferMatrix:
    """Row i is the rule fitted on collection i, column j the collection it was applied to.

    Attributes
    ----------
    names : tuple of str
    target_precision : float
    threshold : ndarray of float64, shape (n,)
        The rule of each row, on scores or, with a calibrator, on probabilities; NaN where no cut reaches the target.
    precision, recall : ndarray of float64, shape (n, n)
        NaN where there is no rule, and precision where nothing is selected. The diagonal is in-sample: optimistic.
    precision_low, precision_high : ndarray of float64, shape (n, n)
        95 % Wilson interval of effective trials, by query where groups were given.
    n_selected : ndarray of int64, shape (n, n)

    Examples
    --------
    >>> import fastcal as fc
    >>> pairs = [0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1]
    >>> fc.metrics.transfer_matrix({"faq": pairs, "code": pairs}).to_dict()["precision"]
    [[1.0, 1.0], [1.0, 1.0]]
    """

    names: tuple[str, ...]
    target_precision: float
    threshold: npt.NDArray[np.float64]
    precision: npt.NDArray[np.float64]
    recall: npt.NDArray[np.float64]
    precision_low: npt.NDArray[np.float64]
    precision_high: npt.NDArray[np.float64]
    n_selected: npt.NDArray[np.int64]

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists; None stands for NaN."""
        return {name: plain(value) for name, value in asdict(self).items()}


def transfer_matrix(
    collections: Mapping[str, Any],
    target_precision: float = 0.9,
    *,
    calibrator: Calibrator | None = None,
    higher_is_better: bool = True,
    num_threads: int | None = None,
) -> TransferMatrix:
    """Fit a threshold on each collection and apply it to every other one.

    Without a calibrator, row i cuts scores at the laxest threshold that reaches the target on collection i. With one, a
    copy is fitted on collection i and the rule is "probability of at least `target_precision`", which is how calibrated
    scores are used. Both promise the target; the matrix shows where it is kept.

    Parameters
    ----------
    collections : mapping of str to (scores, labels) or (scores, labels, groups)
        Arrays as in :func:`precision_recall_at`; groups are query ids, for the intervals.
    target_precision : float in (0, 1], default 0.9
    calibrator : calibrator, optional
        Not changed; its settings are used.
    higher_is_better : bool, default True
        False for distances. A calibrator learns the direction.
    num_threads : int, optional
        The result does not depend on it.

    Returns
    -------
    TransferMatrix

    Raises
    ------
    ValueError
        If there are no collections, one is not two or three arrays, the target is out of range, a calibrator meets labels of
        one class only, and as :func:`precision_recall_at`.
    TypeError
        If `collections` is not a mapping of str, or an array is not numeric.

    Examples
    --------
    >>> import fastcal as fc
    >>> faq, code = ([0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1]), ([0.7, 0.8, 0.9, 0.95], [0, 0, 0, 1])
    >>> found = fc.metrics.transfer_matrix({"faq": faq, "code": code})
    >>> found.precision.round(2).tolist()
    [[1.0, 0.33], [nan, 1.0]]
    """
    target = number(target_precision, "target_precision", "a number in (0, 1]", lambda x: 0.0 < x <= 1.0)
    samples = {name: _sample(name, given, higher_is_better) for name, given in _items(collections)}
    n = len(samples)
    threshold, selected = np.full(n, np.nan), np.zeros((n, n), np.int64)
    cells = np.full((4, n, n), np.nan)
    for i, source in enumerate(samples.values()):
        rule = _rule(source, target, calibrator, higher_is_better, num_threads)
        if rule is None:
            continue
        threshold[i] = rule[0]
        for j, sample in enumerate(samples.values()):
            chosen = _chosen(sample, *rule, higher_is_better, num_threads)
            selected[i, j] = np.count_nonzero(chosen)
            cells[:, i, j] = _measured(sample, chosen)
    precision, recall, low, high = cells
    return TransferMatrix(tuple(samples), target, threshold, precision, recall, low, high, selected)


def _items(collections: Any) -> list[tuple[str, Any]]:
    if not isinstance(collections, Mapping):
        raise InvalidTypeError(f"collections must be a mapping of names to (scores, labels), got {type(collections).__name__}")
    for name in collections:
        if not isinstance(name, str):
            raise InvalidTypeError(f"collections must have names (str) as keys, got the key {name!r}")
    if not collections:
        raise InvalidValueError("collections is empty; expected at least one")
    return list(collections.items())


def _sample(name: str, given: Any, higher_is_better: bool) -> Pairs:
    if not isinstance(given, tuple | list) or len(given) not in {2, 3}:
        raise InvalidValueError(f"collections[{name!r}] must be (scores, labels) or (scores, labels, groups)")
    scores, labels, *groups = given
    return pairs(directed_scores(scores, higher_is_better), labels, None, *groups)


def _rule(
    source: Pairs, target: float, calibrator: Calibrator | None, higher_is_better: bool, num_threads: int | None
) -> tuple[float, Calibrator | None] | None:
    """The cut of a collection and the calibrator it is made on; None if no cut qualifies."""
    if calibrator is not None:
        return target, copy.deepcopy(calibrator).fit(source.scores, source.labels, num_threads=num_threads)
    sweep = rates(cumulative_counts(source, higher_is_better, num_threads), higher_is_better)
    good = np.flatnonzero(sweep.precision >= target)
    return (float(sweep.threshold[good[-1]]), None) if len(good) else None


def _chosen(sample: Pairs, cut: float, calibrator: Calibrator | None, higher_is_better: bool, num_threads: int | None) -> npt.NDArray[np.bool_]:
    if calibrator is not None:
        return np.asarray(calibrator.predict(sample.scores.astype(np.float64), num_threads=num_threads) >= cut)
    return np.asarray(sample.scores >= cut if higher_is_better else sample.scores <= cut)


def _measured(sample: Pairs, chosen: npt.NDArray[np.bool_]) -> tuple[float, float, float, float]:
    hits, relevant = sample.labels[chosen], np.count_nonzero(sample.labels)
    found, trials = effective_trials(hits, None, None if sample.groups is None else sample.groups[chosen])
    low, high = wilson_interval(found, trials)
    return found / trials if trials else np.nan, np.count_nonzero(hits) / relevant if relevant else np.nan, low, high
