"""One calibrator per language, modality pair or query class, drawn towards the pooled fit where a group is small."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from fastcal import _threads
from fastcal._backend.protocol import Array
from fastcal._validate.arrays import float_array, kept_dtype, output_array
from fastcal._validate.elements import within
from fastcal._validate.groups import as_groups
from fastcal._validate.numbers import fraction, number, one_of
from fastcal._validate.scores import pairs, require_both_classes
from fastcal.calibration._base import Calibrator
from fastcal.calibration._estimator import Estimator, clone
from fastcal.calibration._group_fits import GroupFit, Label, group_fits
from fastcal.calibration._label_noise import judged_noise
from fastcal.calibration._odds import logit
from fastcal.calibration._state import plain
from fastcal.calibration._weight_scale import warn_if_weights_are_shares
from fastcal.calibration.platt import PlattCalibrator
from fastcal.errors import InvalidTypeError, InvalidValueError, NotFittedError


class GroupCalibrator(Estimator):
    """A calibrator per group of pairs: language, modality pair, query class.

    A group's calibrator is fitted on its own pairs at full weight and on those of all other groups at a weight at which
    they count as `shrinkage` pairs of the rarer class, and never more than they are (a power prior: Ibrahim & Chen,
    "Power prior distributions for regression models", Statistical Science 15, 2000). A group with few labels is close to
    the pooled fit, one with many close to a fit of its own. Being one fit of one calibrator, it stays monotone, takes any
    method, and costs nothing at ``predict``. Fits take time in proportion to groups times pairs.

    Measured on real runs (collections, encoders or topics as groups; 1 to 100 labelled queries in the group, Platt and isotonic),
    30 loses 0.006 nats against the best choice in hindsight, the pooled fit 0.025, separate fits 0.04 (Platt) and 0.15
    (isotonic); docs/decisions/0009-choosing-a-calibrator.md has the alternatives. To choose `shrinkage` by your own labels, give
    :func:`select_calibrator` several and ``by=``.

    Parameters
    ----------
    calibrator : calibrator, optional
        The method and its parameters, cloned for every group; :class:`PlattCalibrator` by default.
    shrinkage : float, default 30
        How many pairs of the rarer class the other groups may count for; a pair of `sample_weight` 2 is two pairs.
        0 fits groups separately (those with one class only get the pooled fit), ``math.inf`` gives all groups the pooled fit.
    unknown : {"pooled", "raise"}, default "pooled"
        What a group that was not fitted gets: the pooled fit, or a ValueError.

    Attributes
    ----------
    calibrators_ : dict of label to calibrator
        The fitted calibrator of each group; ``calibrators_["de"].adjust_prior(0.01)`` moves one of them.
    pooled_ : calibrator
        Fitted on all pairs alike.
    groups_ : tuple of GroupFit
        ``label``, ``n``, ``positives``, ``own_weight`` of each group.
    base_rate_ : float
        The share of relevant pairs of all groups together the probabilities are right for.

    Examples
    --------
    >>> import fastcal as fc
    >>> scores, labels = [0.1, 0.2, 0.6, 0.7, 0.3, 0.4, 0.8, 0.9], [0, 0, 1, 1, 0, 0, 1, 1]
    >>> cal = fc.GroupCalibrator(shrinkage=1).fit(scores, labels, ["de"] * 4 + ["en"] * 4)
    >>> bool(cal.predict(0.5, "de") > cal.predict(0.5, "en"))
    True
    >>> cal.groups_[0]
    GroupFit(label='de', n=4.0, positives=2.0, own_weight=0.6666666666666666)
    """

    json_type: ClassVar[str] = "group"
    json_version: ClassVar[int] = 1
    _read_by_predict: ClassVar[frozenset[str]] = frozenset({"unknown"})
    calibrators_: dict[Label, Calibrator]
    pooled_: Calibrator
    groups_: tuple[GroupFit, ...]
    base_rate_: float

    def __init__(self, calibrator: Calibrator | None = None, *, shrinkage: float = 30.0, unknown: str = "pooled") -> None:
        self.calibrator = calibrator
        self.shrinkage = shrinkage
        self.unknown = unknown

    def fit(
        self,
        scores: npt.ArrayLike,
        labels: npt.ArrayLike,
        groups: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None = None,
        prior: float | None = None,
        *,
        label_noise: tuple[float, float] | None = None,
        num_threads: int | None = None,
    ) -> Self:
        """Fit the pooled calibrator and one per group.

        Parameters
        ----------
        scores, labels, sample_weight
            As for the calibrator's own ``fit``.
        groups : array_like of int, bool or str
            In the shape of `scores`, or one label per row of it.
        prior : float, optional
            As :meth:`adjust_prior` after the fit.
        label_noise : (float, float), optional
            As for the calibrator's own ``fit``: the rates of one labeller for all groups.
        num_threads : int, optional
            As for the calibrator's own ``fit``.

        Returns
        -------
        self

        Raises
        ------
        ValueError, TypeError
            As the calibrator's ``fit``, or if a parameter or `groups` cannot be used.

        Examples
        --------
        >>> import fastcal as fc
        >>> cal = fc.GroupCalibrator(shrinkage=0).fit([[0.1, 0.9], [0.4, 0.6]], [[0, 1], [0, 1]], [7, 8], prior=0.1)
        >>> list(cal.calibrators_), round(cal.base_rate_, 6)
        ([7, 8], 0.1)
        """
        shrinkage = self._check_params()
        target = None if prior is None else fraction(prior, "prior")
        noise, threads = judged_noise(label_noise), _threads.resolve(num_threads)
        model: Calibrator = PlattCalibrator() if self.calibrator is None else clone(self.calibrator)
        model._check_params()  # noqa: SLF001  (the calibrator's own checks, once for all groups)
        values = float_array(scores, "scores")
        model._check_scores(values)  # noqa: SLF001
        sample = pairs(values, labels, sample_weight)
        told = as_groups(groups, values.shape)
        require_both_classes(sample.labels, sample.weights)
        if model._smooths() or 0.0 < shrinkage < math.inf:  # noqa: SLF001
            warn_if_weights_are_shares(sample)
        weights = np.ones(len(sample.labels)) if sample.weights is None else sample.weights

        def fitted_on(drawn: Array, whose: str) -> Calibrator:
            member: Calibrator = clone(model)
            try:
                member._fit_pairs(sample._replace(weights=drawn), noise, threads)  # noqa: SLF001
            except Exception as error:
                error.add_note(f"while fitting {whose}")
                raise
            return member

        pooled = fitted_on(weights, "all groups together")
        fits = group_fits(told, ~np.isnan(values), sample.labels, weights, shrinkage)
        fitted = {row: fitted_on(drawn, f"group {row.label!r}") for row, drawn in fits}
        self.pooled_, self.base_rate_ = pooled, pooled.base_rate_
        self.groups_, self.calibrators_ = tuple(fitted), {row.label: member for row, member in fitted.items()}
        return self if target is None else self.adjust_prior(target)

    def predict(self, scores: npt.ArrayLike, groups: npt.ArrayLike, out: Array | None = None, num_threads: int | None = None) -> Array:
        """Return the probability that each pair is relevant, by the calibrator of its group.

        Parameters
        ----------
        scores : array_like of float, any shape
            NaN stays NaN.
        groups : array_like of int, bool or str
            As in :meth:`fit`, labels of the same kind.
        out : ndarray, shape and dtype of `scores`, optional
            Filled and returned; may be `scores` itself.
        num_threads : int, optional
            The result does not depend on it.

        Returns
        -------
        ndarray, shape and dtype of `scores`

        Raises
        ------
        NotFittedError
            Before :meth:`fit`.
        ValueError
            If a group is not known and `unknown` is "raise", or shapes do not fit.
        TypeError
            If `scores` is not of a float type, or the labels are of another kind than those of the fit.

        Examples
        --------
        >>> import fastcal as fc
        >>> cal = fc.GroupCalibrator().fit([0.1, 0.9, 0.2, 0.6], [0, 1, 0, 1], ["de", "de", "en", "en"])
        >>> bool(cal.predict(0.5, "fr") == cal.pooled_.predict(0.5))
        True
        """
        self._require_fitted()
        self._check_params()
        values = float_array(scores, "scores")
        result = output_array(out, values.shape, kept_dtype(scores, values))
        told = as_groups(groups, values.shape)
        members = [self._member(label) for label in told.labels.tolist()]
        flat, codes, found = values.reshape(-1), told.codes.reshape(-1), np.empty(values.size, values.dtype)
        for code, member in enumerate(members):
            if len(members) == 1:
                found = member.predict(flat, num_threads=num_threads)
                break
            at = np.flatnonzero(codes == code)
            with within(at, shape=values.shape):
                found[at] = member.predict(flat[at], num_threads=num_threads)
        result[...] = found.reshape(values.shape)
        return result

    def adjust_prior(self, base_rate: float) -> Self:
        """Move the log-odds of all groups alike, from the current base rate of all groups together to another one.

        Parameters
        ----------
        base_rate : float
            Strictly between 0 and 1; kept as ``base_rate_``. The base rates of the groups move by the same log-odds.

        Returns
        -------
        self

        Raises
        ------
        NotFittedError, ValueError
            As for the calibrators of the groups.

        Examples
        --------
        >>> import fastcal as fc
        >>> cal = fc.GroupCalibrator().fit([0.1, 0.9, 0.2, 0.6], [0, 1, 0, 1], ["de", "de", "en", "en"])
        >>> cal.adjust_prior(0.01).base_rate_, round(cal.calibrators_["de"].base_rate_, 6)
        (0.01, 0.01)
        """
        self._require_fitted()
        target = fraction(base_rate, "base_rate")
        shift = logit(target) - logit(self.base_rate_)
        for member in (self.pooled_, *self.calibrators_.values()):
            member._move_prior(shift)  # noqa: SLF001
        self.base_rate_ = target
        return self

    def to_dict(self) -> dict[str, Any]:
        """Return the fitted state as plain JSON types; :func:`fastcal.calibrator_from_dict` reads it back to the bit.

        Raises
        ------
        NotFittedError
            Before :meth:`fit`.

        Examples
        --------
        >>> import fastcal as fc
        >>> cal = fc.GroupCalibrator().fit([0.1, 0.9, 0.2, 0.6], [0, 1, 0, 1], ["de", "de", "en", "en"])
        >>> list(fc.calibrator_from_dict(cal.to_dict()).calibrators_)
        ['de', 'en']
        """
        self._require_fitted()
        members = [asdict(row) | {"calibrator": self.calibrators_[row.label].to_dict()} for row in self.groups_]
        params = {"shrinkage": "inf" if math.isinf(self.shrinkage) else plain(self.shrinkage), "unknown": self.unknown}
        fitted = {"pooled_": self.pooled_.to_dict(), "groups_": members, "base_rate_": self.base_rate_}
        return {"type": self.json_type, "version": self.json_version, "params": params, "fitted": fitted}

    @property
    def higher_is_better_(self) -> bool | None:
        """Whether the probability rises with the score in every group where it is not constant; None if groups differ or all are constant."""
        self._require_fitted()
        found = {member.higher_is_better_ for member in self.calibrators_.values()} - {None}
        return found.pop() if len(found) == 1 else None

    def _check_params(self) -> float:
        if not isinstance(self.calibrator, Calibrator | None):
            raise InvalidTypeError(f"calibrator must be a calibrator of one group, such as PlattCalibrator(), or None; got {self.calibrator!r}")
        one_of(self.unknown, "unknown", ("pooled", "raise"))
        return number(self.shrinkage, "shrinkage", "a number of at least 0", lambda m: m >= 0.0)

    def _require_fitted(self) -> None:
        if not hasattr(self, "base_rate_"):
            raise NotFittedError("this GroupCalibrator is not fitted, or its parameters were changed since; call fit(scores, labels, groups) first")

    def _member(self, label: Label) -> Calibrator:
        known = next(iter(self.calibrators_))
        if isinstance(label, str) != isinstance(known, str):
            raise InvalidTypeError(f"groups holds {label!r}; expected labels like {known!r}, as in the fit")
        member = self.calibrators_.get(label)
        if member is None and self.unknown == "raise":
            raise InvalidValueError(f"group {label!r} was not fitted; expected one of {list(self.calibrators_)}, or unknown='pooled'")
        return self.pooled_ if member is None else member
