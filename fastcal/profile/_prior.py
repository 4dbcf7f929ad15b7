"""Thresholds under another base rate, by Bayes' rule: what moves with it, and what stays."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np

from fastcal.calibration._odds import shifted
from fastcal.errors import ProfileWarning
from fastcal.profile._threshold import Threshold


def moved_thresholds(thresholds: tuple[Threshold, ...], shift: float, stacklevel: int) -> tuple[Threshold, ...]:
    """Return the same cuts of the scores after the log-odds of all probabilities moved; warn of target precisions they miss."""
    pairs = [(cut, _moved(cut, shift)) for cut in thresholds]
    lost = [f"{old.target_precision:g}" for old, new in pairs if old.target_precision != new.target_precision]
    if lost:
        warnings.warn(
            f"at the new base rate the thresholds for target_precision={', '.join(lost)} miss it and promise what they reach; "
            "Profile.fit with prior= chooses others",
            ProfileWarning,
            stacklevel=stacklevel,
        )
    return tuple(dict.fromkeys(new for _, new in pairs))


def _moved(cut: Threshold, shift: float) -> Threshold:
    """Odds of precision are the base rate's times a likelihood ratio, which stays; so does recall, a share of the relevant pairs."""
    precision = None if cut.precision is None else _odds_moved(cut.precision, shift)
    reaches = cut.target_precision is not None and precision is not None and precision >= cut.target_precision
    return replace(
        cut,
        value=_odds_moved(cut.value, shift) if cut.space == "probability" else cut.value,
        precision=precision,
        interval=None if cut.interval is None else (_odds_moved(cut.interval[0], shift), _odds_moved(cut.interval[1], shift)),
        target_precision=cut.target_precision if reaches else None,
    )


def _odds_moved(probability: float, shift: float) -> float:
    return float(shifted(np.array([probability]), shift)[0])
