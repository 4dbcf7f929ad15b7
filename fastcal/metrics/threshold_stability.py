"""Whether one threshold is enough, or each class of queries needs its own."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fastcal._clusters import Float64, Int64, multiplicities, numbered
from fastcal._validate.arrays import float_array
from fastcal._validate.groups import as_groups
from fastcal._validate.numbers import fraction, integer, number
from fastcal._validate.scores import Pairs, directed_scores, float32_floor, pairs
from fastcal.metrics._json import plain

if TYPE_CHECKING:
    from fastcal._backend.protocol import Array

ONE_IS_ENOUGH = "one global threshold is enough"
THEY_DIFFER = "thresholds differ between classes"


@dataclass(frozen=True, slots=True)
class ClassThreshold:
    """The best threshold of one class of queries.

    Attributes
    ----------
    name : str or int
    n, n_relevant, n_groups : int
        Pairs, relevant pairs, and queries (pairs where no groups were given).
    threshold : float
        The best on this class; inclusive. Infinite, selecting nothing, if no cut qualifies.
    low, high : float
        Interval of the best threshold from resampled queries; infinite where resamples have no cut that qualifies.
    precision, recall : float
        On this class at its own threshold: optimistic.
    global_precision, global_recall : float
        On this class at the threshold of all pairs.

    Examples
    --------
    >>> import fastcal as fc
    >>> fc.metrics.threshold_stability([0, 1, 0, 1], [0.1, 0.9, 0.2, 0.8], ["a"] * 4).rows[0].n
    4
    """

    name: Any
    n: int
    n_relevant: int
    n_groups: int
    threshold: float
    low: float
    high: float
    precision: float
    recall: float
    global_precision: float
    global_recall: float


@dataclass(frozen=True, slots=True)
class ThresholdStability:
    """The best threshold of all pairs, of each class, and the verdict.

    Attributes
    ----------
    threshold : float
        The best on all pairs; infinite if no cut qualifies.
    rows : tuple of ClassThreshold
        In order of the class names.
    verdict : str
        ``"one global threshold is enough"`` or ``"thresholds differ between classes"``.

    Examples
    --------
    >>> import fastcal as fc
    >>> fc.metrics.threshold_stability([0, 1, 0, 1], [0.1, 0.9, 0.2, 0.8], ["a"] * 4).verdict
    'one global threshold is enough'
    """

    threshold: float
    rows: tuple[ClassThreshold, ...]
    verdict: str

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types; None stands for an infinite threshold."""
        return {name: plain(value) for name, value in asdict(self).items()}


def threshold_stability(
    labels: npt.ArrayLike,
    scores: npt.ArrayLike,
    classes: npt.ArrayLike,
    *,
    groups: npt.ArrayLike | None = None,
    target_precision: float | None = None,
    higher_is_better: bool = True,
    sample_weight: npt.ArrayLike | None = None,
    confidence: float = 0.95,
    n_resamples: int = 500,
    seed: int = 0,
) -> ThresholdStability:
    """Find the best threshold of each class of queries and say whether the global one will do.

    The best threshold has the highest F1 or, with `target_precision`, is the laxest that reaches it. The verdict is
    "thresholds differ between classes" if the global threshold, moved up to the next score of the class, lies outside the
    interval of the best threshold of some class, else "one global threshold is enough". The intervals are made at
    ``1 - (1 - confidence) / n_classes``, so that all of them hold together with `confidence`. A class with few pairs has a wide
    interval and cannot overturn the verdict: look at `n`, and at what the global threshold does to it.

    Parameters
    ----------
    labels : array_like of 0/1, shape of `scores`
    scores : array_like of float, any shape, or a search result
        NaN marks padding; those pairs are dropped.
    classes : array_like of int or str, shape of `scores` or one per row
        The class of each pair or query: language, modality pair, kind of query.
    groups : array_like of int or str, shape of `scores` or one per row, optional
        Query ids. Without them every pair is its own group.
    target_precision : float in (0, 1], optional
        None looks for the best F1.
    higher_is_better : bool, default True
        False for distances; must agree with the result if one is given.
    sample_weight : array_like of float, shape of `scores`, optional
        Finite and not negative.
    confidence : float, default 0.95
        Of all intervals together; strictly between 0 and 1.
    n_resamples : int, default 500
        At least 100.
    seed : int, default 0

    Returns
    -------
    ThresholdStability

    Raises
    ------
    ValueError
        If a number is out of range, and as :func:`fastcal.threshold_sweep`.
    TypeError
        If an array is not numeric, `scores` is an array of integers, booleans or objects, or `classes` is of floats.

    Examples
    --------
    >>> import numpy as np, fastcal as fc
    >>> rng = np.random.default_rng(0)
    >>> language = np.repeat(["de", "en"], 400)
    >>> scores = rng.random(800)
    >>> labels = rng.random(800) < np.where(language == "de", scores > 0.4, scores > 0.7) * 0.9
    >>> found = fc.metrics.threshold_stability(labels, scores, language)
    >>> [round(row.threshold, 1) for row in found.rows], found.verdict
    ([0.4, 0.7], 'thresholds differ between classes')
    """
    target = None if target_precision is None else number(target_precision, "target_precision", "a number in (0, 1]", lambda x: 0.0 < x <= 1.0)
    level, resamples, start = fraction(confidence, "confidence"), integer(n_resamples, "n_resamples", least=100), integer(seed, "seed", least=0)
    values = directed_scores(scores, higher_is_better)
    sample = pairs(values, labels, sample_weight, groups)
    kinds, names = _classes(values, classes)
    if not higher_is_better:
        sample = sample._replace(scores=-sample.scores)
    cut = float(_Cuts(sample, target).best()[0])
    parts = [_Cuts(_part(sample, kinds == kind), target) for kind in range(len(names))]
    intervals = [part.interval(1 - (1 - level) / len(names), resamples, start) for part in parts]
    stable = all(low <= part.snapped(cut) <= high for part, (low, high) in zip(parts, intervals, strict=True))
    rows = tuple(_row(*each, cut, higher_is_better) for each in zip(names, parts, intervals, strict=True))
    return ThresholdStability(cut if higher_is_better else -cut, rows, ONE_IS_ENOUGH if stable else THEY_DIFFER)


def _classes(values: Any, classes: npt.ArrayLike) -> tuple[Int64, list[Any]]:
    """The class of each pair that is not padding, numbered, and the names that occur."""
    array = float_array(values, "scores")
    found = as_groups(classes, array.shape, "classes")
    present, numbers = np.unique(found.codes[~np.isnan(array)], return_inverse=True)
    return numbers, found.labels[present].tolist()


class _Cuts:
    """Pairs of one class, best first, and the best cut under any weights of their queries. No cut is infinity."""

    def __init__(self, sample: Pairs, target: float | None) -> None:
        floors = float32_floor(sample.scores)
        order = np.argsort(-floors, kind="stable")
        codes, self.n_groups = numbered(sample.groups, len(order))
        self.scores, self.labels, self.codes, self.target = floors[order], sample.labels[order], codes[order], target
        self.weights = np.ones(len(order)) if sample.weights is None else sample.weights[order] / sample.weights.max()
        self.ends = np.flatnonzero(np.append(np.diff(self.scores) != 0, True))
        self.cuts = np.append(self.scores[self.ends].astype(np.float64), np.inf)

    def best(self, times: Float64 | None = None) -> Float64:
        """Return the best cut for each row of `times`, how often each query counts; (n_rows,)."""
        weights = self.weights[None] if times is None else self.weights * times[:, self.codes]
        total, positive = (np.cumsum(v, axis=1)[:, self.ends] for v in (weights, weights * self.labels))
        if self.target is None:
            at = np.argmax(positive / np.maximum(total + positive[:, -1:], np.finfo(np.float64).tiny), axis=1)
            return self.cuts[np.where(positive[:, -1] > 0, at, -1)]
        good = (positive >= self.target * total) & (total > 0)
        return self.cuts[np.where(good.any(axis=1), good.shape[1] - 1 - np.argmax(good[:, ::-1], axis=1), -1)]

    def interval(self, confidence: float, n_resamples: int, seed: int) -> tuple[float, float]:
        """Return outer percentiles of the best cut of resampled queries."""
        blocks = multiplicities(self.n_groups, n_resamples, seed, 4 * len(self.codes))
        draws = np.concatenate([self.best(times) for times in blocks])
        tail = (1 - confidence) / 2
        return float(np.quantile(draws, tail, method="lower")), float(np.quantile(draws, 1 - tail, method="higher"))

    def snapped(self, cut: float) -> float:
        """Return the laxest of the cuts that are at least as strict: it selects the same pairs."""
        return float(self.cuts[self.cuts >= cut].min())

    def rates(self, cut: float) -> tuple[float, float]:
        """Return precision and recall at a cut; 0 where there is nothing to count."""
        weights = self.weights * (self.scores >= cut)
        hits, relevant = weights @ self.labels, self.weights @ self.labels
        return float(hits / (weights.sum() or 1.0)), float(hits / (relevant or 1.0))


def _row(name: Any, part: _Cuts, interval: tuple[float, float], cut: float, higher_is_better: bool) -> ClassThreshold:
    own, (low, high) = float(part.best()[0]), interval
    turned = (own, low, high) if higher_is_better else (-own, -high, -low)
    relevant = int(np.count_nonzero(part.labels))
    return ClassThreshold(name, len(part.labels), relevant, part.n_groups, *turned, *part.rates(own), *part.rates(cut))


def _part(sample: Pairs, chosen: Array) -> Pairs:
    return Pairs(*(None if column is None else column[chosen] for column in sample))  # type: ignore[arg-type]
