"""Can any threshold on these scores work? Several numbers and one verdict."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fastcal._validate.numbers import fraction
from fastcal._validate.scores import Pairs, directed_scores, pairs, require_both_classes
from fastcal.metrics._auroc import auroc, auroc_interval
from fastcal.thresholds.sweep import cumulative_counts, rates

if TYPE_CHECKING:
    from fastcal._backend.protocol import Array

CAN_WORK = "a threshold can work"
CANNOT_SEPARATE = "these scores cannot separate"


@dataclass(frozen=True, slots=True, eq=False)
class Separation:
    """How far relevant and irrelevant scores lie apart.

    Attributes
    ----------
    auroc : float
        Chance that a relevant pair scores better than an irrelevant one, ties counting half.
    auroc_interval : tuple of float
        Wilson interval of the effective trials behind it (DeLong et al. 1988; by query with groups, Obuchowski 1997).
    overlap : float
        Common area of the two normalised score histograms, in [0, 1].
    best_f1 : float
        Highest F1 of any threshold.
    best_balance : float
        Highest min(precision, recall) of any threshold.
    prevalence : float
        Share of relevant pairs.
    n, n_relevant : int
        Pairs, and the relevant ones among them, whatever their weight.
    verdict : str
        ``"a threshold can work"`` or ``"these scores cannot separate"``.
    note : str or None
        Says that the scores look reversed: `auroc_interval` ends below 0.5.
    edges : ndarray of float64, shape (n_bins + 1,)
    relevant_share, irrelevant_share : ndarray of float64, shape (n_bins,)
        The two histograms that `overlap` is the common area of; each sums to 1.

    Examples
    --------
    >>> import fastcal as fc
    >>> fc.metrics.separation([0, 1], [0.25, 0.75]).to_dict()["best_balance"]
    1.0
    """

    auroc: float
    auroc_interval: tuple[float, float]
    overlap: float
    best_f1: float
    best_balance: float
    prevalence: float
    n: int
    n_relevant: int
    verdict: str
    note: str | None
    edges: npt.NDArray[np.float64]
    relevant_share: npt.NDArray[np.float64]
    irrelevant_share: npt.NDArray[np.float64]

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types."""
        return {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in asdict(self).items()} | {
            "auroc_interval": list(self.auroc_interval)
        }


def separation(
    labels: npt.ArrayLike,
    scores: npt.ArrayLike,
    higher_is_better: bool = True,
    sample_weight: npt.ArrayLike | None = None,
    *,
    groups: npt.ArrayLike | None = None,
    confidence: float = 0.95,
    num_threads: int | None = None,
) -> Separation:
    """Measure whether a threshold on these scores can work.

    The verdict is "a threshold can work" if some threshold has precision and recall together of at least one half, and of at least a
    quarter of the way from the base rate to 1: ``best_balance >= max(1/2, (1 + 3 prevalence) / 4)``. Accepting every pair has recall 1
    and the base rate for precision, whatever the scores; the way from there counts. Otherwise it is "these scores cannot separate".
    `note` says where the pairs are too few for a verdict: where the AUROC interval does not exclude chance.

    AUROC alone does not decide: it compares pairs one to one, whatever the base rate. With 1 relevant pair in 1,000, an AUROC of 0.95
    may leave the relevant pairs under a fifty times larger heap of irrelevant ones that score as well, and no cut reaches a useful
    precision. An AUROC clearly below 0.5 more often means distances taken for similarities than bad scores; `note` says so.

    Thresholds are float32, as in :func:`fastcal.threshold_sweep`. Histograms have equal-width bins over the range of
    the scores, as many as the square root of the smaller class, at least 2 and at most 50.

    Parameters
    ----------
    labels : array_like of 0/1, shape of `scores`
        Both classes.
    scores : array_like of float, any shape, or a search result
        NaN marks padding; those pairs are dropped.
    higher_is_better : bool, default True
        False for distances; must agree with the result if one is given.
    sample_weight : array_like of float, shape of `scores`, optional
        Finite and not negative.
    groups : array_like of int or str, shape of `scores` or one per row, optional
        Query ids, for the interval. Without them every pair is its own group.
    confidence : float, default 0.95
        Of the interval; strictly between 0 and 1.
    num_threads : int, optional
        The result does not depend on it.

    Returns
    -------
    Separation

    Raises
    ------
    ValueError
        If only one class is there, and as :func:`fastcal.threshold_sweep`.
    TypeError
        If an array is not numeric, or `scores` is an array of integers, booleans or objects.

    Examples
    --------
    >>> import fastcal as fc
    >>> labels, scores = [0, 0, 0, 0, 1, 1, 1, 1], [0.1, 0.2, 0.3, 0.4, 0.6, 0.7, 0.8, 0.9]
    >>> found = fc.metrics.separation(labels, scores)
    >>> found.auroc, found.verdict
    (1.0, 'a threshold can work')
    >>> fc.metrics.separation(labels, scores, higher_is_better=False).note
    'the scores look reversed; higher_is_better=True may be meant'
    """
    sample = pairs(directed_scores(scores, higher_is_better), labels, sample_weight, groups)
    level = fraction(confidence, "confidence")
    require_both_classes(sample.labels, sample.weights)
    counts = cumulative_counts(sample, higher_is_better, num_threads)
    sweep = rates(counts, higher_is_better)
    balance = float(np.minimum(sweep.precision, sweep.recall).max())
    area = auroc(counts)
    interval = auroc_interval(sample, area, level, higher_is_better)
    prevalence = float(np.average(sample.labels, weights=sample.weights))
    verdict = _verdict(balance, prevalence)
    edges, relevant, irrelevant = _histograms(sample)
    return Separation(
        auroc=area,
        auroc_interval=interval,
        overlap=float(np.minimum(relevant, irrelevant).sum()),
        best_f1=float(sweep.f1.max()),
        best_balance=balance,
        prevalence=prevalence,
        n=len(sample.labels),
        n_relevant=int(np.count_nonzero(sample.labels)),
        verdict=verdict,
        note=_note(verdict, interval, higher_is_better),
        edges=edges,
        relevant_share=relevant,
        irrelevant_share=irrelevant,
    )


def _verdict(balance: float, prevalence: float) -> str:
    return CAN_WORK if balance >= max(0.5, (1 + 3 * prevalence) / 4) else CANNOT_SEPARATE


def _note(verdict: str, auroc_limits: tuple[float, float], higher_is_better: bool) -> str | None:
    low, high = auroc_limits
    if high < 0.5:
        return f"the scores look reversed; higher_is_better={not higher_is_better} may be meant"
    if verdict == CAN_WORK and low <= 0.5:
        return f"too few pairs to be sure: the AUROC interval [{low:.2f}, {high:.2f}] does not exclude chance"
    return None


def _histograms(sample: Pairs) -> tuple[Array, Array, Array]:
    scores, relevant = sample.scores.astype(np.float64), sample.labels == 1
    smaller = min(np.count_nonzero(relevant), np.count_nonzero(~relevant))
    edges = np.histogram_bin_edges(scores, bins=int(np.clip(np.ceil(np.sqrt(smaller)), 2, 50)))
    return edges, _shares(sample, relevant, edges), _shares(sample, ~relevant, edges)


def _shares(sample: Pairs, chosen: Array, edges: Array) -> Array:
    weights = None if sample.weights is None else sample.weights[chosen]
    heights = np.histogram(sample.scores[chosen], bins=edges, weights=weights)[0]
    shares: Array = heights / heights.sum()
    return shares
