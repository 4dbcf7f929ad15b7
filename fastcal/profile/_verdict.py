"""The rule from numbers to keep, refit or stop. Its constants were set on the collections of tests/test_profile_real.py."""

from __future__ import annotations

from typing import NamedTuple

from fastcal.profile._recalibration import BaseRate, Gain, Moved
from fastcal.profile._reference import Drift
from fastcal.profile._report import Recalibration, ThresholdCheck, Verdict

ALPHA = 0.01  # evidence: smaller p-values count
RESAMPLES = 200  # of the interval of the ECE, which is shown and decides nothing
FEW_SELECTED = 10  # a precision of fewer is held against nothing
FEW_QUERIES = 20  # below this only strong evidence shows; the report says so
DRIFT, STRONG_DRIFT = 0.1, 0.25  # Kolmogorov-Smirnov distance that matters; the one between unlike collections
MATERIAL = 0.02  # share of the base-rate guess's Brier score that recalibration would gain
EXPLAINED = 0.5  # share of the test statistic that a new base rate must explain to be named
FAR_BELOW = 0.2  # a promise missed by more than this is no matter of refitting later


class Labels(NamedTuple):
    """What labels told."""

    calibration: Recalibration
    base_rate: BaseRate
    thresholds: tuple[ThresholdCheck, ...]
    claimed: float
    moved: Moved
    gain: Gain

    @property
    def wrong(self) -> bool:
        """Whether the probabilities are refuted, by enough to matter."""
        return self.calibration.p_value < ALPHA and self.gain.removable >= MATERIAL

    @property
    def prior_shift(self) -> bool:
        """Whether the base rate has moved, the probabilities are wrong, and the one repairs most of the other."""
        elsewhere = not self.base_rate.low <= self.claimed <= self.base_rate.high
        return elsewhere and self.wrong and self.moved.explained >= EXPLAINED and not self.moved.worse_than_constant


def by_labels(found: Labels) -> tuple[Verdict, list[str]]:
    """Judge probabilities and promises. A base-rate shift is repaired by moving the prior, so it is asked first."""
    broken = [check for check in found.thresholds if check.kept is False]
    if found.prior_shift:
        rate = found.base_rate.rate
        return "refit", [
            (
                f"prior shift: {rate:.4g} of the pairs are relevant [{found.base_rate.low:.4g}, {found.base_rate.high:.4g}], the probabilities are "
                f"right for {found.claimed:.4g}; moving them explains {found.moved.explained:.0%} of the evidence against them: "
                f"profile.adjust_prior({rate:.4g}) moves them; Profile.fit with prior={rate:.4g} chooses the thresholds again too"
            ),
            *map(_broken, broken),
        ]
    fatal = [_broken(check) for check in broken if _far(check)]
    if found.calibration.worse_than_constant and found.calibration.p_value < ALPHA:
        fatal.append(
            f"the probabilities are worse than guessing the base rate {found.base_rate.rate:.4g} for every pair (Brier skill "
            f"{found.calibration.brier_skill:+.3f})"
        )
    if fatal:
        return "stop", fatal
    reasons = [_broken(check) for check in broken]
    if found.wrong:
        reasons.append(
            f"miscalibrated: p = {found.calibration.p_value:.2g}, recalibration would gain {found.gain.removable:.1%} of the base rate's Brier score"
        )
    if reasons:
        return "refit", reasons
    return "keep", [f"no promise is refuted; recalibration test p = {found.calibration.p_value:.2g}, ECE {found.calibration.ece:.4g}"]


def by_drift(drift: Drift, labelled: bool = False) -> tuple[Verdict, list[str]]:
    """Judge scores without labels: whether the probabilities are wrong cannot be seen, only that they are asked about other scores."""
    advice = ("", "") if labelled else ("; label some of them and revalidate, or fit again", "; label some of them before use")
    told = (
        f"{drift.share_below:.1%} of the scores lie below {drift.at:.4g}, of the reference {drift.reference_share_below:.1%} "
        f"(Kolmogorov-Smirnov distance {drift.statistic:.3f}, p = {drift.p_value:.2g} by query)"
    )
    if drift.p_value >= ALPHA or drift.statistic < DRIFT:
        return "keep", [f"the scores are those of the reference as far as can be seen: {told}"]
    if drift.statistic < STRONG_DRIFT:
        return "refit", [f"the scores have drifted: {told}{advice[0]}"]
    return "stop", [f"the scores are of another kind than those the profile was fitted on: {told}{advice[1]}"]


def _far(check: ThresholdCheck) -> bool:
    return check.interval is not None and check.promised is not None and check.interval[1] < check.promised - FAR_BELOW


def _broken(check: ThresholdCheck) -> str:
    assert check.interval is not None
    low, high = check.interval
    return (
        f"the {check.space} threshold {check.value:.4g} promised {check.kind} {check.promised:.2f} and achieved {check.achieved:.2f} "
        f"[{low:.2f}, {high:.2f}] on {check.n_selected} selected pairs"
    )
