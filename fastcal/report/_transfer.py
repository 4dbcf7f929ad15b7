"""Profiles on each other's data."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from fastcal.calibration import GroupCalibrator
from fastcal.profile import Profile
from fastcal.report._facts import at_edge
from fastcal.report._sample import Sample, normalised


class Collection(NamedTuple):
    """Labelled lists, and the profile that was made for them with the edge that it acts from."""

    name: str
    sample: Sample
    profile: Profile
    edge: float
    space: str


def transfer_facts(collections: list[Collection]) -> dict[str, Any]:
    """Return row i, the profile and edge of collection i, on collection j; None where the rule does not apply there."""
    cells = [[_cell(rule, data) for data in collections] for rule in collections]
    return {
        "names": [each.name for each in collections],
        "models": [each.profile.model for each in collections],
        "threshold": [each.edge for each in collections],
        "space": [each.space for each in collections],
        "cells": cells,
    }


def _cell(rule: Collection, data: Collection) -> dict[str, Any]:
    scores, better = normalised(data.sample.run, rule.profile)
    rises = rule.profile.calibrator.higher_is_better_
    if rises is not None and rises != better:
        return {"reason": "its scores run the other way"}
    if rule.space == "score":
        return at_edge(data.sample.labels, scores, rule.edge, data.sample.codes, better)
    grouped = isinstance(rule.profile.calibrator, GroupCalibrator)
    if grouped and data.sample.classes is None:
        return {"reason": "its calibrator needs classes, which these data do not have"}
    values = rule.profile.predict(scores, by=data.sample.classes if grouped else None).astype(np.float32)
    return at_edge(data.sample.labels, values, rule.edge, data.sample.codes, better=True)
