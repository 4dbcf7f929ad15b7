"""The risk-coverage curve: how often the accepted are wrong as the cut moves."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from fastcal._clusters import numbered
from fastcal._validate.numbers import one_of
from fastcal._validate.scores import Pairs, directed_scores, pairs
from fastcal.errors import InvalidValueError
from fastcal.intervals.wilson import wilson_interval
from fastcal.metrics._rate_bands import precision_bands
from fastcal.thresholds.sweep import cumulative_counts


@dataclass(frozen=True, slots=True, eq=False)
class RiskCoverage:
    """One entry per distinct cut, strictest first; all arrays have shape (n_cuts,).

    Attributes
    ----------
    coverage : ndarray of float64
        Share of the pairs, or queries, that are accepted.
    risk : ndarray of float64
        Share of irrelevant ones among the accepted.
    risk_low, risk_high : ndarray of float64
        Its 95 % interval: Wilson's, of effective trials by query, or by pair without groups.
    threshold : ndarray of float32
        Inclusive.
    aurc : float
        Area under the curve: the mean of the risk over all coverages, a step per cut. Lower is better; a ranking without
        any skill has the share of irrelevant ones.
    n, n_groups : int
        Pairs and queries; without groups every pair is one.
    per : {"pair", "query"}
        What is accepted.

    Examples
    --------
    >>> import fastcal as fc
    >>> fc.metrics.risk_coverage([1, 0], [0.75, 0.25]).to_dict()["coverage"]
    [0.5, 1.0]
    """

    coverage: npt.NDArray[np.float64]
    risk: npt.NDArray[np.float64]
    risk_low: npt.NDArray[np.float64]
    risk_high: npt.NDArray[np.float64]
    threshold: npt.NDArray[np.float32]
    aurc: float
    n: int
    n_groups: int
    per: Literal["pair", "query"]

    def __len__(self) -> int:
        return len(self.coverage)

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists."""
        return {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in asdict(self).items()}


def risk_coverage(
    labels: npt.ArrayLike,
    scores: npt.ArrayLike,
    *,
    per: Literal["pair", "query"] = "pair",
    groups: npt.ArrayLike | None = None,
    sample_weight: npt.ArrayLike | None = None,
    higher_is_better: bool = True,
    num_threads: int | None = None,
) -> RiskCoverage:
    """Measure the risk of every cut (El-Yaniv & Wiener 2010; AURC: Geifman, Uziel & El-Yaniv 2019).

    Per pair, a pair is accepted if it scores at least the cut. Per query, the query is answered with its best pair if that
    scores at least the cut, and abstained from otherwise: what a system does that shows one answer or none. Pairs that
    tie for the best of a query count as their mean, as if one of them were shown at random.

    Parameters
    ----------
    labels : array_like of 0/1, shape of `scores`
    scores : array_like of float, any shape, or a search result
        Scores or probabilities; NaN marks padding, and those pairs are dropped.
    per : {"pair", "query"}, default "pair"
    groups : array_like of int or str, shape of `scores` or one per row, optional
        Query ids, which ``per="query"`` needs; per pair they are for the interval.
    sample_weight : array_like of float, shape of `scores`, optional
        Finite and not negative; for pairs only.
    higher_is_better : bool, default True
        False for distances; must agree with the result if one is given.
    num_threads : int, optional
        The result does not depend on it.

    Returns
    -------
    RiskCoverage

    Raises
    ------
    ValueError
        If ``per="query"`` comes without `groups` or with `sample_weight`, and as :func:`fastcal.threshold_sweep`.
    TypeError
        If an array is not numeric, or `scores` is an array of integers, booleans or objects.

    Examples
    --------
    >>> import fastcal as fc
    >>> curve = fc.metrics.risk_coverage([1, 0, 0, 1], [0.9, 0.8, 0.7, 0.6])
    >>> curve.risk.round(3).tolist(), round(curve.aurc, 4)
    ([0.0, 0.5, 0.667, 0.5], 0.4167)
    >>> fc.metrics.risk_coverage([[1, 0], [0, 1]], [[0.9, 0.8], [0.7, 0.6]], per="query", groups=[1, 2]).risk.tolist()
    [0.0, 0.5]
    """
    one_of(per, "per", ("pair", "query"))
    sample = pairs(directed_scores(scores, higher_is_better), labels, sample_weight, groups)
    n, n_groups = len(sample.labels), numbered(sample.groups, len(sample.labels))[1]
    if per == "query":
        sample = _best_of_queries(sample, higher_is_better)
    counts = cumulative_counts(sample, higher_is_better, num_threads)
    coverage = counts.weight / counts.weight[-1]
    risk = 1.0 - np.divide(counts.positive, counts.weight, out=np.ones(len(coverage)), where=counts.weight > 0)
    if per == "query":
        accepted = coverage * n_groups
        low, high = wilson_interval(np.clip(risk * accepted, 0, accepted), accepted)
    else:
        right_low, right_high = precision_bands(sample, counts.threshold, higher_is_better)
        low, high = 1.0 - right_high, 1.0 - right_low
    aurc = float(np.diff(coverage, prepend=0.0) @ risk)
    return RiskCoverage(coverage, risk, np.asarray(low), np.asarray(high), counts.threshold, aurc, n, n_groups, per)


def _best_of_queries(sample: Pairs, higher_is_better: bool) -> Pairs:
    """The pairs that share the best score of their query, with weights that sum to 1 in each query."""
    if sample.groups is None:
        raise InvalidValueError('per="query" needs groups: the query id of each pair, or of each row')
    if sample.weights is not None:
        raise InvalidValueError('sample_weight is for per="pair"; with per="query" every query counts once')
    codes, n_queries = numbered(sample.groups, len(sample.labels))
    best = np.full(n_queries, -np.inf if higher_is_better else np.inf)
    (np.maximum if higher_is_better else np.minimum).at(best, codes, sample.scores)
    shown = sample.scores == best[codes]
    ties = np.bincount(codes[shown], minlength=n_queries)
    return Pairs(sample.scores[shown], sample.labels[shown], 1.0 / ties[codes[shown]])
