"""What every calibrator shares: judged input, the prior shift, plain-JSON state."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from fastcal import _threads
from fastcal._validate.arrays import float_array, kept_dtype, output_array
from fastcal._validate.numbers import fraction, number
from fastcal._validate.scores import Pairs, pairs, require_both_classes
from fastcal.calibration._estimator import Estimator
from fastcal.calibration._inverse import first_reaching
from fastcal.calibration._label_noise import LabelNoise, base_rate, judged_noise
from fastcal.calibration._odds import logit, shifted
from fastcal.calibration._state import plain
from fastcal.calibration._weight_scale import warn_if_weights_are_shares
from fastcal.errors import NotFittedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastcal._backend.protocol import Array


class Calibrator(Estimator, ABC):
    """Base class: a subclass fits, predicts and shifts flat float arrays; everything a user can get wrong is judged here.

    Attributes
    ----------
    base_rate_ : float
        The share of relevant pairs the probabilities are right for: that of the training labels, or the prior.
    """

    json_type: ClassVar[str]
    json_version: ClassVar[int] = 1
    fitted_names: ClassVar[tuple[str, ...]]
    base_rate_: float

    def fit(
        self,
        scores: npt.ArrayLike,
        labels: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None = None,
        prior: float | None = None,
        *,
        label_noise: tuple[float, float] | None = None,
        num_threads: int | None = None,
    ) -> Self:
        """Fit on labelled pairs.

        Parameters
        ----------
        scores : array_like of float, any shape
            NaN marks padding; those pairs are dropped. A column (n, 1) may stand beside labels (n,), as in scikit-learn.
        labels : array_like of 0/1, shape of `scores`
            Booleans, integers or floats.
        sample_weight : array_like of float, shape of `scores`, optional
            How many pairs each stands for: 2 is two pairs, 0 drops it. Keep their mean near 1: methods that smooth read weights
            that sum to 1 as a single pair (:class:`fastcal.SmallSampleWarning` says so).
        prior : float, optional
            Base rate where the calibrator will be used, if it differs from the training labels':
            after the fit, as :meth:`adjust_prior`.
        label_noise : (float, float), optional
            How often the labeller calls an irrelevant pair relevant, and a relevant one irrelevant; at least 0, with a sum
            below 1. The most likely curve of the true labels is fitted, and ``base_rate_`` is theirs
            (Rogan & Gladen 1978; Lawrence & Schölkopf 2001).
        num_threads : int, optional
            For the sort of an unweighted isotonic fit; the others run on one thread. The result does not depend on it.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If shapes differ, nothing is left to fit, a score is infinite (or outside the range that ``input=`` promises), a
            label is not 0 or 1, only one class is there, a weight is negative, NaN or infinite, `prior` is not strictly
            between 0 and 1, or `label_noise` alone explains the labels of a class.
        TypeError
            If an array is not numeric, or `scores` is an array of integers, booleans or objects.

        Examples
        --------
        >>> import fastcal as fc
        >>> fc.PlattCalibrator().fit([0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1], prior=0.01).base_rate_
        0.01
        """
        self._check_params()
        target = None if prior is None else fraction(prior, "prior")
        noise, threads = judged_noise(label_noise), _threads.resolve(num_threads)
        self._check_scores(float_array(scores, "scores"))
        sample = pairs(scores, labels, sample_weight)
        if self._smooths():
            warn_if_weights_are_shares(sample)
        self._fit_pairs(sample, noise, threads)
        return self if target is None else self.adjust_prior(target)

    def _fit_pairs(self, sample: Pairs, noise: LabelNoise | None, threads: int) -> None:
        """Fit judged pairs."""
        require_both_classes(sample.labels, sample.weights)
        rate = base_rate(sample.labels, sample.weights, noise)
        if not (sample.weights is None and noise is None and self._fit_labels(sample.scores, sample.labels, threads)):
            weights = np.ones(len(sample.labels)) if sample.weights is None else sample.weights
            scores, labels = (part[weights > 0].astype(np.float64) for part in (sample.scores, sample.labels))
            self._fit(scores, labels, weights[weights > 0], noise)
        self.base_rate_ = rate

    def predict(self, scores: npt.ArrayLike, out: Array | None = None, num_threads: int | None = None) -> Array:
        """Return the probability that each pair is relevant.

        Parameters
        ----------
        scores : array_like of float, any shape
            NaN stays NaN.
        out : ndarray, shape and dtype of `scores`, optional
            Filled and returned; may be `scores` itself.
        num_threads : int, optional
            The result does not depend on it.

        Returns
        -------
        ndarray, shape and dtype of `scores`
            float16 is computed in float32 and rounded back; lists give float64.

        Raises
        ------
        NotFittedError
            Before :meth:`fit`.
        TypeError, ValueError
            If `scores` is not of a float type, or `out` is read-only or has another shape or dtype.

        Examples
        --------
        >>> import numpy as np, fastcal as fc
        >>> cal = fc.IsotonicCalibrator().fit([0.0, 1.0], [0, 1])
        >>> cal.predict(np.array([[0.25, np.nan]], dtype=np.float32))
        array([[0.25,  nan]], dtype=float32)
        """
        return self._map(self._predict, scores, out, num_threads)

    def _map(self, mapped: Callable[[Array, Array, int], None], scores: npt.ArrayLike, out: Array | None, num_threads: int | None) -> Array:
        """Judge the scores and the output, and have ``mapped(flat scores, flat output, threads)`` fill it."""
        self._require_fitted()
        self._check_params()
        values = float_array(scores, "scores")
        self._check_scores(values)
        result = output_array(out, values.shape, kept_dtype(scores, values))
        source = np.require(values, requirements=["C", "A"]).reshape(-1)
        direct = result.flags.carray and result.dtype == values.dtype and not _partly_overlaps(source, result)
        target = result.reshape(-1) if direct else np.empty_like(source)
        mapped(source, target, _threads.resolve(num_threads))
        if not direct:
            result[...] = target.reshape(result.shape)
        return result

    def adjust_prior(self, base_rate: float) -> Self:
        """Move the probabilities from the current base rate to another one.

        The log-odds of every probability move by logit(base_rate) - logit(base_rate_) (Bayes' rule when only the
        share of relevant pairs changes: Saerens, Latinne & Decaestecker 2002); 0 and 1 stay.

        Parameters
        ----------
        base_rate : float
            Strictly between 0 and 1; kept as ``base_rate_``.

        Returns
        -------
        self

        Raises
        ------
        NotFittedError
            Before :meth:`fit`.
        ValueError
            If `base_rate` is not strictly between 0 and 1.

        Examples
        --------
        >>> import fastcal as fc
        >>> cal = fc.PlattCalibrator().fit([0.5] * 4, [0, 0, 1, 1])
        >>> round(float(cal.adjust_prior(0.1).predict(0.5)), 6)
        0.1
        """
        self._require_fitted()
        target = fraction(base_rate, "base_rate")
        self._shift_log_odds(logit(target) - logit(self.base_rate_))
        self.base_rate_ = target
        return self

    def _move_prior(self, shift: float) -> None:
        """Move the log-odds of all probabilities and of the base rate, which stays strictly between 0 and 1."""
        self._shift_log_odds(shift)
        self.base_rate_ = float(np.clip(shifted(np.array(self.base_rate_), shift), 5e-324, 1.0 - 2.0**-53))

    def threshold_for(self, probability: float) -> float | None:
        """Return the score from which on :meth:`predict` gives at least `probability`, in float64.

        The smallest such score, the largest if lower scores are better: exactly the scores on its better side, itself included,
        reach the probability. For float32 scores the two may differ where rounding to float32 does.

        Parameters
        ----------
        probability : float
            Above 0, at most 1.

        Returns
        -------
        float or None
            None if no score reaches it; infinite if every score does (``out_of_bounds`` "nan" or "raise": the worst knot).

        Raises
        ------
        NotFittedError
            Before :meth:`fit`.
        ValueError
            If `probability` is not above 0 and at most 1, or probabilities both rise and fall.

        Examples
        --------
        >>> import fastcal as fc
        >>> cal = fc.IsotonicCalibrator().fit([0.0, 1.0], [0, 1])
        >>> cal.threshold_for(0.75)
        0.75
        """
        self._require_fitted()
        target = number(probability, "probability", "a number above 0 and at most 1", lambda p: 0.0 < p <= 1.0)
        low, high, closed = self._score_range()
        return first_reaching(self.predict, target, low, high, rising=self.higher_is_better_ is not False, closed=closed)

    # -- plain JSON --------------------------------------------------------------------------------------
    def to_dict(self) -> dict[str, Any]:
        """Return the fitted state as plain JSON types; :func:`fastcal.calibrator_from_dict` reads it back to the bit.

        Raises
        ------
        NotFittedError
            Before :meth:`fit`.

        Examples
        --------
        >>> import fastcal as fc
        >>> fc.IsotonicCalibrator().fit([0.0, 1.0], [0, 1]).to_dict()["fitted"]
        {'X_thresholds_': [0.0, 1.0], 'y_thresholds_': [0.0, 1.0], 'shift_': 0.0, 'base_rate_': 0.5}
        """
        self._require_fitted()
        fitted = {name: np.asarray(getattr(self, name)).tolist() for name in self.fitted_names}
        return {"type": self.json_type, "version": self.json_version, "params": plain(self.get_params()), "fitted": fitted}

    def _require_fitted(self) -> None:
        if not hasattr(self, "base_rate_"):
            raise NotFittedError(f"this {type(self).__name__} is not fitted, or its parameters were changed since; call fit(scores, labels) first")

    # -- what a method must say ----------------------------------------------------------------------------
    @property
    @abstractmethod
    def higher_is_better_(self) -> bool | None:
        """Whether the fitted probability rises with the score; None if it is constant."""

    @abstractmethod
    def _check_params(self) -> None:
        """Raise if a constructor parameter cannot be used."""

    def _smooths(self) -> bool:
        """Whether fits add pseudo-pairs, so that the scale of the weights matters."""
        return True

    def _check_scores(self, scores: Array) -> None:
        """Raise if a score cannot be what the parameters say it is."""

    def _score_range(self) -> tuple[float, float, bool]:
        """Return the ends of what has a probability, and whether they are knots; raise if it both rises and falls in between."""
        return -sys.float_info.max, sys.float_info.max, False

    @abstractmethod
    def _fit(self, scores: Array, labels: Array, weights: Array, noise: LabelNoise | None) -> None: ...

    def _fit_labels(self, scores: Array, labels: Array, num_threads: int) -> bool:  # noqa: ARG002
        """Fit unweighted uint8 labels to scores of their own dtype, without copies of either; False if the method has no such fit."""
        return False

    @abstractmethod
    def _predict(self, scores: Array, out: Array, num_threads: int) -> None: ...

    @abstractmethod
    def _shift_log_odds(self, shift: float) -> None: ...

    @abstractmethod
    def _restore(self, fitted: dict[str, Any]) -> None:
        """Set the attributes of the method from JSON values, judging them."""


def _partly_overlaps(source: Array, target: Array) -> bool:
    return source.ctypes.data != target.ctypes.data and np.may_share_memory(source, target)
