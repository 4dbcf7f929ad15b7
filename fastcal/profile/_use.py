"""A profile where it is used: checked against what is in use there, and turned into a policy."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from fastcal._validate.numbers import float32_number, number
from fastcal.calibration._odds import logit
from fastcal.errors import InvalidValueError, ProfileWarning
from fastcal.policy import AbstainBand, GapCheck, OnEscalate, PerClass, Policy, ScoreFloor
from fastcal.profile import _check
from fastcal.profile._prior import moved_thresholds
from fastcal.profile._record import MADE, Record
from fastcal.profile._revalidate import predicted
from fastcal.profile._threshold import Threshold


class Used(Record):
    """Probabilities, policies and the check."""

    def predict(self, scores: npt.ArrayLike, *, by: npt.ArrayLike | None = None) -> npt.NDArray[Any]:
        """Return the calibrator's probabilities; `by` names the groups of a GroupCalibrator, one for all scores or as in its ``predict``.

        Examples
        --------
        >>> import fastcal as fc
        >>> fc.Profile("m", "cosine", fc.IsotonicCalibrator().fit([0.0, 1.0], [0, 1]), []).predict([0.25]).tolist()
        [0.25]
        """
        return predicted(self._predictor, scores, by)

    def adjust_prior(self, base_rate: float) -> Self:
        """Return a profile for another share of relevant pairs; this one stays as it is.

        Bayes' rule, if only that share has changed: the calibrator's ``adjust_prior``, and thresholds that cut the same
        scores, up to rounding to float32. Their recall stays, the odds of their precision move with those of the base rate, and a target
        precision that is then missed is dropped: such a threshold promises the precision it reaches. Figures and
        reference scores of the old share are dropped, so that :meth:`revalidate` needs labels; :meth:`fit` with
        ``prior=`` measures them anew.

        Parameters
        ----------
        base_rate : float
            Strictly between 0 and 1.

        Returns
        -------
        Profile

        Raises
        ------
        ValueError, TypeError
            If `base_rate` is not a number strictly between 0 and 1.

        Warns
        -----
        ProfileWarning
            If a threshold does not reach its target precision at the new share.

        Examples
        --------
        >>> import fastcal as fc
        >>> platt = fc.PlattCalibrator().fit([0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1])
        >>> moved = fc.Profile("m", "cosine", platt, fc.Threshold(0.5, recall=0.75, precision=0.8)).adjust_prior(0.2)
        >>> cut = moved.thresholds[0]
        >>> round(cut.value, 6), cut.recall, round(cut.precision, 6)
        (0.2, 0.75, 0.5)
        """
        calibrator = self.calibrator
        shift = -logit(calibrator.base_rate_)
        shift += logit(calibrator.adjust_prior(base_rate).base_rate_)
        told = self.diagnostics
        if told is not None:
            told = {name: value for name, value in told.items() if name != "held_out"} | {"prior": calibrator.base_rate_}
        cuts = moved_thresholds(self.thresholds, shift, stacklevel=3)
        return replace(self, calibrator=calibrator, thresholds=cuts, diagnostics=told, reference=None, created=MADE, library_version=MADE)

    def policy(
        self,
        *,
        target_precision: float | None = None,
        target_recall: float | None = None,
        threshold: Threshold | None = None,
        escalate_from: float | None = None,
        floor: ScoreFloor | PerClass[ScoreFloor] | None = None,
        gap: GapCheck | PerClass[GapCheck] | None = None,
        on_escalate: OnEscalate = "rerank",
    ) -> Policy:
        """Return a policy that acts from a stored threshold on.

        Parameters
        ----------
        target_precision, target_recall : float, optional
            Which threshold, by its target; not needed if there is only one.
        threshold : Threshold, optional
            Which threshold, itself: one of ``profile.thresholds``, instead of a target.
        escalate_from : float, optional
            A laxer edge in the space of the threshold: between the two, queries escalate. Without it none do.
        floor, gap, on_escalate
            As for :class:`Policy`.

        Raises
        ------
        ValueError
            If no stored threshold, or more than one, answers; if `escalate_from` is not laxer than the threshold.

        Warns
        -----
        ProfileWarning
            If :meth:`Profile.fit` found the calibrator no better than the constant base rate.

        Examples
        --------
        >>> import fastcal as fc
        >>> platt = fc.PlattCalibrator().fit([0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1])
        >>> profile = fc.Profile("m", "cosine", platt, fc.Threshold(0.75, target_precision=0.9))
        >>> profile.policy(escalate_from=0.5).band
        AbstainBand(low=0.5, high=0.75, space='probability', inclusive=True)
        """
        cut = self._threshold(target_precision, target_recall) if threshold is None else self._own(threshold, target_precision, target_recall)
        self._warn_of_no_use()
        other = cut.value if escalate_from is None else _laxer(cut, escalate_from)
        low, high = (other, cut.value) if cut.higher_is_better else (cut.value, other)
        band = AbstainBand(low, high, space=cut.space, inclusive=cut.inclusive)
        return Policy(self.calibrator, band, floor, gap, on_escalate)

    def _warn_of_no_use(self) -> None:
        selection = (self.diagnostics or {}).get("selection")
        if isinstance(selection, Mapping) and selection.get("beats_constant") is False:
            warnings.warn(
                "by its log loss on held-out queries the calibrator was no better than the base rate for every pair",
                ProfileWarning,
                stacklevel=3,
            )

    def _threshold(self, target_precision: float | None, target_recall: float | None) -> Threshold:
        wanted = {name: value for name, value in (("target_precision", target_precision), ("target_recall", target_recall)) if value is not None}
        found = [each for each in self.thresholds if all(getattr(each, name) == value for name, value in wanted.items())]
        if len(found) != 1:
            have = ", ".join(_named(each) for each in self.thresholds)
            asked = ", ".join(f"{name}={value}" for name, value in wanted.items()) or "no target"
            raise InvalidValueError(
                f"{asked} selects {len(found)} of the profile's thresholds; expected one of: {have or 'none, it holds no threshold'}"
            )
        return found[0]

    def _own(self, threshold: Threshold, target_precision: float | None, target_recall: float | None) -> Threshold:
        if target_precision is not None or target_recall is not None:
            raise InvalidValueError("threshold and a target are both given; expected one of them")
        if threshold not in self.thresholds:
            raise InvalidValueError(f"threshold must be one of profile.thresholds, got {threshold!r}")
        return threshold

    def check(
        self,
        *,
        model: str | None = None,
        revision: str | None = None,
        metric: str | None = None,
        dims: int | None = None,
        modality: tuple[str, str] | None = None,
        task: str | None = None,
        stage: str | None = None,
        norm: str | None = None,
        top_k: int | None = None,
        corpus: Any = None,
    ) -> None:
        """Raise if the profile was fitted for something else.

        What is None is not compared. A corpus that has changed only warns: corpora grow every day, and whether that matters
        is what :meth:`revalidate` measures.

        Parameters
        ----------
        model, revision, metric, dims, modality, task, stage, norm
            What is in use here; a difference makes the probabilities wrong and raises.
        top_k, corpus
            A difference warns.

        Raises
        ------
        ProfileMismatchError
            Names every difference, with both sides.
        ValueError, TypeError
            If nothing is given, or a value cannot be what it is said to be.

        Warns
        -----
        ProfileWarning
            If `top_k` or `corpus` differ, or the profile does not record what is asked.

        Examples
        --------
        >>> import fastcal as fc
        >>> profile = fc.Profile("m", "cosine", fc.PlattCalibrator().fit([0.1, 0.9], [0, 1]), [], dims=256)
        >>> profile.check(metric="dot")
        Traceback (most recent call last):
            ...
        fastcal.errors.ProfileMismatchError: this profile was fitted for something else: metric is 'cosine' in the profile and 'dot' here
        """
        asked = {"model": model, "revision": revision, "metric": metric, "dims": dims, "modality": modality, "task": task, "stage": stage}
        _check.compare(self._facts(), asked | {"norm": norm, "top_k": top_k, "corpus": corpus})

    def _facts(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in (*_check.FATAL, *_check.DOUBTFUL)}


def _named(threshold: Threshold) -> str:
    """How to ask for a threshold: by its target, or by itself where it has none."""
    targets = (("target_precision", threshold.target_precision), ("target_recall", threshold.target_recall))
    return next((f"{name}={value}" for name, value in targets if value is not None), f"threshold=the one at {threshold.value}")


def _laxer(cut: Threshold, edge: float) -> float:
    """Return the edge to escalate from, which is the threshold itself if it is that in float32; ValueError if it is stricter, or cannot be cut."""
    if cut.space == "score":
        float32_number(edge, "escalate_from")
    else:
        number(edge, "escalate_from", "a number in [0, 1]", lambda x: 0.0 <= x <= 1.0)
    given = float(np.float32(edge))
    if given == cut.value:
        return given
    side, limit = ("exceeds", "at most") if cut.higher_is_better else ("is below", "at least")
    if given > cut.value if cut.higher_is_better else given < cut.value:
        at = f"{cut.space} {cut.value:.9g}, {_named(cut)}"
        raise InvalidValueError(f"escalate_from={float(edge)} {side} the threshold ({at}), which acts already; expected {limit} that")
    return edge
