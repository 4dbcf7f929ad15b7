"""One threshold from a target: what it selects, how good that was, and how far to believe it."""

from __future__ import annotations

import warnings
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fastcal._clusters import effective_trials
from fastcal._validate.numbers import number
from fastcal._validate.scores import Pairs, directed_scores, pairs
from fastcal.errors import InvalidValueError, SmallSampleWarning
from fastcal.intervals.wilson import wilson_interval
from fastcal.thresholds.sweep import Sweep, cumulative_counts, rates

if TYPE_CHECKING:
    from fastcal._backend.protocol import Array

_FEW = 30


@dataclass(frozen=True, slots=True, eq=False)
class OperatingPoint:
    """A threshold and what it did on the pairs it was chosen on.

    Attributes
    ----------
    threshold : float
        Inclusive; a float32 value.
    precision, recall : float
        On those same pairs, weighted where weights were given: optimistic.
    n_selected : int
        Pairs selected, whatever their weight.
    interval : tuple of float
        95 % Wilson interval of the precision, of effective trials: by query with groups, Kish's with weights. It does not
        know that the threshold was chosen on the same labels.
    in_sample : bool
        Always True: a reminder that precision and recall were not measured on new pairs.
    higher_is_better : bool
        True: selected means ``score >= threshold``; False: ``score <= threshold``.

    Examples
    --------
    >>> import numpy as np, fastcal as fc
    >>> point = fc.choose_threshold(np.arange(40.0), np.ones(40))
    >>> point.n_selected, [round(limit, 3) for limit in point.interval], point.in_sample
    (40, [0.912, 1.0], True)
    """

    threshold: float
    precision: float
    recall: float
    n_selected: int
    interval: tuple[float, float]
    in_sample: bool = True
    higher_is_better: bool = True

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types."""
        return asdict(self) | {"interval": list(self.interval)}


def choose_threshold(
    scores: npt.ArrayLike,
    labels: npt.ArrayLike,
    target_precision: float | None = None,
    *,
    target_recall: float | None = None,
    sample_weight: npt.ArrayLike | None = None,
    higher_is_better: bool = True,
    groups: npt.ArrayLike | None = None,
    num_threads: int | None = None,
) -> OperatingPoint | None:
    """Choose the threshold that reaches a target on labelled pairs.

    For a precision target, the laxest threshold whose precision reaches it, so recall is as high as it can be; for
    a recall target, the strictest. The precision reported is that of the luckiest qualifying cut on these very
    labels, so on new pairs expect less (winner's curse), and the less the fewer pairs are selected. Measure it on
    held-out pairs before relying on it.

    Parameters
    ----------
    scores : array_like of float, any shape, or a search result
        NaN marks padding; those pairs are dropped.
    labels : array_like of 0/1, shape of `scores`
    target_precision, target_recall : float, optional
        In (0, 1]. Neither means ``target_precision=0.9``.
    sample_weight : array_like of float, shape of `scores`, optional
        Finite and not negative.
    higher_is_better : bool, default True
        False for distances; must agree with the result if one is given.
    groups : array_like of int or str, shape of `scores` or one per row, optional
        Query ids; the interval is then by query, for pairs of one query are not independent. They do not move the threshold.
    num_threads : int, optional
        The result does not depend on it.

    Returns
    -------
    OperatingPoint or None
        None if no cut qualifies; ``threshold_sweep(...).best_precision`` says what was within reach.

    Raises
    ------
    ValueError
        If both targets are given or one is out of range, and as :func:`fastcal.threshold_sweep`.
    TypeError
        If an array is not numeric, or `scores` is an array of integers, booleans or objects.

    Warns
    -----
    SmallSampleWarning
        If fewer than 30 pairs are selected.

    Examples
    --------
    >>> import numpy as np, fastcal as fc
    >>> scores = np.arange(100, dtype=np.float32)
    >>> point = fc.choose_threshold(scores, scores >= 60, target_precision=0.8)
    >>> point.threshold, point.precision, point.recall, point.n_selected
    (50.0, 0.8, 1.0, 50)
    """
    sample = pairs(directed_scores(scores, higher_is_better), labels, sample_weight, groups)
    sweep = rates(cumulative_counts(sample, higher_is_better, num_threads), higher_is_better, in_place=True)
    at = _cut(sweep, target_precision, target_recall)
    if at is None:
        return None
    if sweep.n_selected[at] < _FEW:
        _warn_few(int(sweep.n_selected[at]))
    threshold = float(sweep.threshold[at])
    return OperatingPoint(
        threshold,
        float(sweep.precision[at]),
        float(sweep.recall[at]),
        int(sweep.n_selected[at]),
        _interval(sample, threshold, higher_is_better),
        higher_is_better=sweep.higher_is_better,
    )


def _cut(sweep: Sweep, target_precision: float | None, target_recall: float | None) -> int | None:
    """Position of the threshold the target asks for: the last that is precise enough, or the first with enough recall."""
    if target_precision is not None and target_recall is not None:
        raise InvalidValueError("target_precision and target_recall are both given; expected one of them")
    if target_recall is not None:
        good = np.flatnonzero(sweep.recall >= _target(target_recall, "target_recall"))
        return int(good[0]) if len(good) else None
    wanted = 0.9 if target_precision is None else target_precision
    good = np.flatnonzero(sweep.precision >= _target(wanted, "target_precision"))
    return int(good[-1]) if len(good) else None


def _target(value: float, name: str) -> float:
    return number(value, name, "a number in (0, 1]", lambda x: 0.0 < x <= 1.0)


def _interval(sample: Pairs, threshold: float, higher_is_better: bool) -> tuple[float, float]:
    """Wilson interval of the precision, of effective trials."""
    selected: Array = sample.scores >= threshold if higher_is_better else sample.scores <= threshold
    weights, groups = (None if column is None else column[selected] for column in (sample.weights, sample.groups))
    return wilson_interval(*effective_trials(sample.labels[selected], weights, groups))


def _warn_few(selected: int) -> None:
    warnings.warn(f"the threshold selects {selected} pairs; below {_FEW} its precision says little about new pairs", SmallSampleWarning, stacklevel=3)
