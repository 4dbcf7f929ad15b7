"""Histogram binning: the share of relevant pairs in each bin of scores."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from fastcal import _backend
from fastcal._validate.numbers import fraction, integer, number, one_of
from fastcal._validate.scores import pairs
from fastcal.calibration._base import Calibrator
from fastcal.calibration._label_noise import LabelNoise, base_rate, judged_noise
from fastcal.calibration._odds import shifted
from fastcal.calibration._state import float_list, probability_list
from fastcal.errors import InvalidTypeError, InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastcal._backend.protocol import Array


class _OnlyWithLimits:
    """A method that is there only where bins do not depend on the data, so that ``hasattr`` tells."""

    def __init__(self, method: Callable[..., Any]) -> None:
        self._method = method
        self.__doc__ = method.__doc__

    def __get__(self, owner: HistogramCalibrator | None, cls: type) -> Callable[..., Any]:
        if owner is not None and (owner.strategy != "uniform" or owner.limits is None):
            raise AttributeError("partial_fit needs bins that do not depend on the data: strategy='uniform' and limits=(low, high)")
        bound: Callable[..., Any] = self._method.__get__(owner, cls)
        return bound


class HistogramCalibrator(Calibrator):
    """Histogram binning (Zadrozny & Elkan 2001): one probability for each bin of scores.

    A bin is half open, [edge, next edge), and scores beyond the outer edges belong to the outer bins, so that equal scores are never
    split. A bin of weight W with S relevant gets (S + smoothing) / (W + 2 smoothing); an empty bin the mean of its nearest filled
    neighbours, or the only one. Rising scores need not get rising probabilities.

    Parameters
    ----------
    n_bins : int, default 10
        Fewer where edges coincide.
    strategy : {"uniform", "quantile"}, default "quantile"
        Bins of equal width, or of about equal weight: edge k is the smallest score such that scores up to it hold more
        than k / n_bins of the weight.
    smoothing : float, default 1.0
        Pseudo-pairs of each class in every bin: Laplace's rule of succession; 0 for plain shares.
    limits : (float, float), optional
        Outer edges of uniform bins; the range of the training scores if not given.

    Attributes
    ----------
    edges_ : ndarray of float64, shape (n_bins + 1,)
        The outer two are the range of the bins' scores; the last equals the one before if its bin holds one score.
    probabilities_, weights_, positives_ : ndarray of float64, shape (n_bins,)
        Of each bin: what is predicted, and the weights of all and of the relevant pairs as they were labelled.
    label_noise_ : (float, float)
        The rates of the labeller.
    base_rate_ : float
        The share of relevant pairs the probabilities are right for.

    Notes
    -----
    With `label_noise` the share seen in a bin is inverted and clipped to [0, 1], the most likely one, before smoothing.

    Examples
    --------
    >>> import fastcal as fc
    >>> cal = fc.HistogramCalibrator(2).fit([0.1, 0.2, 0.8, 0.9], [0, 0, 0, 1])
    >>> cal.predict([0.0, 0.8, 1.0]).tolist()
    [0.25, 0.5, 0.5]
    """

    json_type: ClassVar[str] = "histogram"
    fitted_names: ClassVar[tuple[str, ...]] = ("edges_", "probabilities_", "weights_", "positives_", "label_noise_", "base_rate_")
    edges_: Array
    probabilities_: Array
    weights_: Array
    positives_: Array
    label_noise_: tuple[float, float]

    def __init__(self, n_bins: int = 10, *, strategy: str = "quantile", smoothing: float = 1.0, limits: tuple[float, float] | None = None) -> None:
        self.n_bins = n_bins
        self.strategy = strategy
        self.smoothing = smoothing
        self.limits = limits

    @property
    def higher_is_better_(self) -> bool | None:
        """Whether the probability rises with the score; None if it is constant or both rises and falls."""
        self._require_fitted()
        steps = np.diff(self.probabilities_)
        if not steps.any() or (steps.min() < 0.0 < steps.max()):
            return None
        return bool(steps.max() > 0.0)

    @_OnlyWithLimits
    def partial_fit(
        self,
        scores: npt.ArrayLike,
        labels: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None = None,
        prior: float | None = None,
        *,
        label_noise: tuple[float, float] | None = None,
    ) -> Self:
        """Add labelled pairs to those of earlier calls; there only with ``strategy="uniform"`` and `limits`.

        The result is that of one :meth:`fit` on all pairs, but for the order in which weights are added: same bits where
        they are integers. The first calls may hold one class only; the calibrator is fitted once it has seen both.
        Parameters are those of :meth:`fit`; `prior` holds until the next call (so give it with each; before both classes are seen
        there is no probability to move), `label_noise` must stay what it was.

        Examples
        --------
        >>> import fastcal as fc
        >>> cal = fc.HistogramCalibrator(2, strategy="uniform", limits=(0.0, 1.0))
        >>> cal.partial_fit([0.1, 0.2], [0, 0]).partial_fit([0.8, 0.9], [0, 1]).predict([0.3, 0.7]).tolist()
        [0.25, 0.5]
        """
        self._check_params()
        target, noise = None if prior is None else fraction(prior, "prior"), judged_noise(label_noise)
        before = self._counts_so_far(noise)
        sample = pairs(scores, labels, sample_weight)
        weights = np.ones(len(sample.labels)) if sample.weights is None else sample.weights
        edges = self._edges(sample.scores, weights)
        counts = before + _counted(edges, sample.scores, sample.labels, weights)
        by_class = np.array([(counts[0] - counts[1]).sum(), counts[1].sum()])
        rate = base_rate(np.array([0.0, 1.0]), by_class, noise) if by_class.all() else None
        self._set(edges, counts, noise)
        if rate is not None:
            self.base_rate_ = rate
        return self if rate is None or target is None else self.adjust_prior(target)

    def _counts_so_far(self, noise: LabelNoise | None) -> Array | float:
        """Return the counts of earlier calls, or 0.0; raise unless this call can be added to them."""
        if not hasattr(self, "weights_"):
            return 0.0
        if _rates(noise) != self.label_noise_ or not np.array_equal(self._edges(self.edges_, self.edges_), self.edges_):
            raise InvalidValueError("partial_fit cannot change bins or label_noise of earlier calls; use fit, or a new calibrator")
        return np.stack([self.weights_, self.positives_])

    def _check_params(self) -> None:
        integer(self.n_bins, "n_bins", 1)
        one_of(self.strategy, "strategy", ("uniform", "quantile"))
        number(self.smoothing, "smoothing", "a finite number of at least 0", lambda x: 0.0 <= x < math.inf)
        limits: Any = self.limits
        if limits is None:
            return
        if not isinstance(limits, (tuple, list)) or len(limits) != 2:
            raise InvalidTypeError(f"limits must be two numbers (low, high) or None, got {limits!r}")
        low, high = (number(limit, "limits", "two finite numbers", math.isfinite) for limit in limits)
        if not low < high or self.strategy != "uniform":
            raise InvalidValueError(f"limits must be (low, high) with low < high, for uniform bins; got {self.limits!r}, {self.strategy!r}")

    def _smooths(self) -> bool:
        return self.smoothing > 0.0

    def _score_range(self) -> tuple[float, float, bool]:
        steps = np.diff(self.probabilities_)
        if len(steps) > 0 and steps.min() < 0.0 < steps.max():
            raise InvalidValueError("probabilities both rise and fall with the score, so that no threshold stands for one of them")
        return super()._score_range()

    def _fit(self, scores: Array, labels: Array, weights: Array, noise: LabelNoise | None) -> None:
        edges = self._edges(scores, weights)
        self._set(edges, _counted(edges, scores, labels, weights), noise)

    def _edges(self, scores: Array, weights: Array) -> Array:
        if self.strategy == "quantile":
            return _equal_mass(scores, weights, self.n_bins)
        low, high = self.limits or (float(scores.min()), float(scores.max()))
        share = np.arange(self.n_bins + 1) / self.n_bins
        return _distinct(low * (1.0 - share) + high * share)

    def _set(self, edges: Array, counts: Array, noise: LabelNoise | None) -> None:
        self.edges_, (self.weights_, self.positives_) = edges, counts
        self.label_noise_ = _rates(noise)
        filled = self.weights_ > 0.0
        relevant = self.positives_
        if noise:
            relevant = self.weights_ * noise.true_share(np.divide(relevant, self.weights_, out=np.zeros(len(relevant)), where=filled))
        weight = self.weights_ + 2.0 * self.smoothing
        shares = np.divide(relevant + self.smoothing, weight, out=np.zeros(len(relevant)), where=filled)
        self.probabilities_ = _between_neighbours(shares, filled)

    def _predict(self, scores: Array, out: Array, num_threads: int) -> None:
        values = np.repeat(self.probabilities_, 2)[1:]  # at an edge the bin above it
        _backend.active().step_predict(scores, self.edges_[1:-1], values, out, num_threads=num_threads)

    def _shift_log_odds(self, shift: float) -> None:
        self.probabilities_ = shifted(self.probabilities_, shift)

    def _restore(self, fitted: dict[str, Any]) -> None:
        edges = float_list(fitted["edges_"], "edges_")
        if len(edges) < 2 or not (np.diff(edges[:-1]) > 0.0).all() or edges[-1] < edges[-2]:
            raise InvalidValueError("edges_ must be at least two numbers, strictly increasing but for the last")
        weights, positives = float_list(fitted["weights_"], "weights_"), float_list(fitted["positives_"], "positives_")
        if not len(weights) == len(positives) == len(edges) - 1 or not ((positives >= 0.0) & (positives <= weights)).all():
            raise InvalidValueError("weights_ and positives_ must be one number a bin, with 0 <= positives_ <= weights_")
        rates = _rates(judged_noise(fitted["label_noise_"]))
        self.probabilities_ = probability_list(fitted["probabilities_"], "probabilities_", len(weights))
        self.edges_, self.weights_, self.positives_, self.label_noise_ = edges, weights, positives, rates


def _rates(noise: LabelNoise | None) -> tuple[float, float]:
    return (0.0, 0.0) if noise is None else (noise.false_positive, noise.false_negative)


def _distinct(edges: Array) -> Array:
    """Return edges without repetition; both ends stay, so that there is one bin at least."""
    inner = np.unique(edges[1:-1])
    inner = inner[(inner > edges[0]) & (inner < edges[-1])]
    return np.concatenate([edges[:1], inner, edges[-1:]]) + 0.0


def _equal_mass(scores: Array, weights: Array, n_bins: int) -> Array:
    distinct, place = np.unique(scores, return_inverse=True)
    up_to = np.cumsum(np.bincount(place, weights))
    at = np.searchsorted(up_to, up_to[-1] * (np.arange(1, n_bins) / n_bins), side="right")
    inner = np.unique(distinct[np.minimum(at, len(distinct) - 1)])
    return np.concatenate([distinct[:1], inner[inner > distinct[0]], distinct[-1:]]) + 0.0


def _counted(edges: Array, scores: Array, labels: Array, weights: Array) -> Array:
    """Weights of all and of the relevant pairs in each bin."""
    place = np.searchsorted(edges[1:-1], scores, side="right")
    n_bins = len(edges) - 1
    return np.stack([np.bincount(place, weights, n_bins), np.bincount(place, weights * labels, n_bins)])


def _between_neighbours(shares: Array, filled: Array) -> Array:
    """Fill empty bins with the mean of the nearest filled one on either side, or with the only one there is."""
    place = np.arange(len(shares))
    before = np.maximum.accumulate(np.where(filled, place, -1))
    after = np.minimum.accumulate(np.where(filled, place, len(shares))[::-1])[::-1]
    left, right = shares[np.where(before >= 0, before, after)], shares[np.where(after < len(shares), after, before)]
    return np.where(filled, shares, (left + right) / 2.0)
