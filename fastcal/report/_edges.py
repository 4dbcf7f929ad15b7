"""Where the sliders start: the edges of the profile's policy, as float32 numbers that are compared inclusively."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from fastcal.errors import InvalidValueError
from fastcal.profile import Profile, Threshold
from fastcal.report._sample import quietly

FALLBACK = 0.5  # of a profile without a threshold


class Edges(NamedTuple):
    """What is cut and where; `stored` is None where the profile holds no threshold."""

    space: str
    act: float
    escalate: float
    stored: Threshold | None
    notes: list[str]


def edges_of(profile: Profile, *, target_precision: Any, target_recall: Any, escalate_from: Any) -> Edges:
    """Return the edges that ``profile.policy`` has; without a target the first stored threshold, without any 0.5."""
    asked = {"target_precision": target_precision, "target_recall": target_recall}
    if not profile.thresholds and not any(value is not None for value in (*asked.values(), escalate_from)):
        return Edges("probability", FALLBACK, FALLBACK, None, [])
    if not profile.thresholds:
        raise InvalidValueError("the profile holds no threshold; expected neither a target nor escalate_from")
    plain = all(value is None for value in asked.values())
    chosen = {"threshold": profile.thresholds[0]} if plain else asked
    policy, said = quietly(profile.policy, escalate_from=escalate_from, **chosen)
    cut = next(each for each in profile.thresholds if plain or all(value in {None, getattr(each, name)} for name, value in asked.items()))
    act, escalate = (policy.band.high, policy.band.low) if cut.higher_is_better else (policy.band.low, policy.band.high)
    return Edges(cut.space, inclusive_edge(cut, act), inclusive_edge(cut, escalate), cut, said)


def others_edges(profile: Profile, stored: Threshold | None) -> Edges:
    """Return the edges of another profile: at its threshold for the same target, if it has exactly one, else at its first threshold."""
    kinds = ("target_precision", "target_recall")
    wanted = {name: getattr(stored, name, None) for name in kinds}
    has = [cut for cut in profile.thresholds if all(getattr(cut, name) == value for name, value in wanted.items())]
    if len(has) != 1 or not any(value is not None for value in wanted.values()):
        wanted = dict.fromkeys(kinds)
    return edges_of(profile, **wanted, escalate_from=None)


def label_of(cut: Threshold | None) -> str:
    """Return which target a threshold was stored for."""
    if cut is None:
        return "no threshold"
    for name in ("precision", "recall"):
        target = getattr(cut, f"target_{name}")
        if target is not None:
            return f"target {name} {target:g}"
    return "stored"


def inclusive_edge(cut: Threshold, value: float) -> float:
    """Return the edge that selects with "at least" what a threshold selects with its own rule."""
    edge = np.float32(value)
    if not cut.inclusive:
        edge = np.nextafter(edge, np.float32(np.inf if cut.higher_is_better else -np.inf))
    return float(edge)
