"""What a Rescorer is told, judged against its profile before a row is read."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from fastcal._backend.protocol import Array
from fastcal._validate.numbers import flag, float32_number, instance
from fastcal.bulk._statistics import PLAIN_MAPS, QueryStatistics
from fastcal.calibration import GroupCalibrator
from fastcal.errors import InvalidTypeError, InvalidValueError
from fastcal.policy import AbstainBand
from fastcal.profile import Profile

ADDED = ("probability", "decision")


class Cut(NamedTuple):
    """The band of a profile's threshold, and the direction of what it cuts."""

    band: AbstainBand
    higher_is_better: bool

    def codes(self, probabilities: Array, fed: Array) -> Array:
        """Return a Decision code for each row: of its probability, or of the score that the calibrator is fed."""
        values = probabilities if self.band.space == "probability" else fed
        return self.band.edges().codes(values, self.higher_is_better)


def direction(profile: Profile, told: bool | None) -> bool:
    """Return whether higher raw scores are better: as told, else as the calibrator rises or, of a normalised or constant one, by the metric."""
    fitted = None if profile.norm is not None else profile.calibrator.higher_is_better_
    if told is None:
        return profile.metric != "euclidean" if fitted is None else fitted
    if fitted is not None and flag(told, "higher_is_better") != fitted:
        raise InvalidValueError(f"higher_is_better is {told}, but the probabilities of the profile {'rise' if fitted else 'fall'} with the score")
    return flag(told, "higher_is_better")


def cut_of(
    profile: Profile,
    higher_is_better: bool,
    *,
    target_precision: float | None,
    target_recall: float | None,
    escalate_from: float | None,
    drop_not_found: bool,
) -> Cut | None:
    """Return the cut of the threshold that is asked for, or None for a profile without any, of which nothing may be asked."""
    asked = {"target_precision": target_precision, "target_recall": target_recall, "escalate_from": escalate_from}
    given = [name for name, value in asked.items() if value is not None]
    given += ["drop_not_found"] * flag(drop_not_found, "drop_not_found")
    if not profile.thresholds:
        if given:
            raise InvalidValueError(f"{given[0]} needs a threshold, and the profile holds none")
        return None
    band = profile.policy(target_precision=target_precision, target_recall=target_recall, escalate_from=escalate_from).band
    if not isinstance(band, AbstainBand):
        raise InvalidTypeError(f"the policy of the profile has the band {band!r}; expected one band for all queries")
    if band.space == "probability":
        return Cut(band, higher_is_better=True)
    fed_higher = True if profile.norm is not None else higher_is_better
    chosen = {each.higher_is_better for each in profile.thresholds if each.space == "score" and each.value in (band.low, band.high)}
    if fed_higher not in chosen:
        raise InvalidValueError(f"the threshold on scores is for higher_is_better={not fed_higher}, and the scores are {fed_higher}")
    return Cut(band, fed_higher)


def judge_by(profile: Profile, by: str | None) -> None:
    """Raise unless groups are told apart exactly where the calibrator does."""
    grouped = isinstance(profile.calibrator, GroupCalibrator)
    if grouped and by is None:
        raise InvalidValueError("by= is missing: the profile's calibrator tells groups apart; name the column that holds them")
    if by is not None and not grouped:
        raise InvalidValueError(f"by={by!r} has no use: the profile has one calibrator for all pairs")


def judge_statistics(profile: Profile, statistics: QueryStatistics | None) -> None:
    """Raise unless statistics are those of the profile's norm."""
    if statistics is None:
        return
    instance(statistics, "statistics", QueryStatistics)
    if profile.norm is None or profile.norm in PLAIN_MAPS:
        raise InvalidValueError(f"statistics have no use: the norm of the profile is {profile.norm!r}")
    if statistics.norm != profile.norm:
        raise InvalidValueError(f"statistics are of norm {statistics.norm!r}; expected {profile.norm!r}, that of the profile")


def floor_of(floor: float | None) -> np.float32 | None:
    """Return the floor as it is compared."""
    return None if floor is None else float32_number(floor, "floor")


def judge_columns(query: str, doc: str, score: str, by: str | None) -> None:
    """Raise unless the roles are played by columns of their own."""
    roles = {"query": query, "doc": doc, "score": score} | ({} if by is None else {"by": by})
    for role, name in roles.items():
        if not isinstance(name, str):
            raise InvalidTypeError(f"{role} must be the name of a column, got {name!r}")
        if name in ADDED:
            raise InvalidValueError(f"{role}={name!r} is the name of a column that is added")
    if len({query, doc, score}) < 3:
        raise InvalidValueError(f"query, doc and score must be three columns, got {query!r}, {doc!r} and {score!r}")


def reached(scores: Array, floor: np.float32 | None, higher_is_better: bool) -> Array:
    """Return which scores are numbers that reach the floor."""
    if floor is None:
        floor = np.float32(-math.inf if higher_is_better else math.inf)
    found: Array = scores >= floor if higher_is_better else scores <= floor
    return found
