"""Profiles on each other's data."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from fastcal.calibration import GroupCalibrator
from fastcal.errors import InvalidElementError, InvalidValueError
from fastcal.profile import Profile
from fastcal.report._facts import at_edge
from fastcal.report._sample import DROP, ERROR, Sample, normalised


class Collection(NamedTuple):
    """Labelled lists, and the profile that was made for them with the edge that it acts from and the target of that edge."""

    name: str
    sample: Sample
    profile: Profile
    edge: float
    space: str
    target: str


def transfer_facts(collections: list[Collection], seen: str) -> dict[str, Any]:
    """Return row i, the profile and edge of collection i, on the queries of collection j that `seen` allows; a reason where there is no figure."""
    cells = [[_cell(rule, data, seen) for data in collections] for rule in collections]
    return {
        "names": [each.name for each in collections],
        "models": [each.profile.model for each in collections],
        "threshold": [each.edge for each in collections],
        "space": [each.space for each in collections],
        "target": [each.target for each in collections],
        "cells": cells,
    }


def _cell(rule: Collection, data: Collection, seen: str) -> dict[str, Any]:
    known = _known(rule.profile, data.sample)
    n_seen, n = int(np.count_nonzero(known)), len(known)
    if n_seen and seen == ERROR:
        raise InvalidValueError(f"the profile of {rule.name!r} was fitted on {n_seen} of the {n} queries of {data.name!r}, by their names")
    if n_seen == n and seen == DROP:
        return {"reason": f"fitted on all {n} of these queries"}
    kept = ~known if seen == DROP else np.ones(n, np.bool_)
    said = {
        "n_queries": int(np.count_nonzero(kept)),
        "n_queries_left_out_as_seen": n - int(np.count_nonzero(kept)),
        "n_queries_seen": None if rule.profile.queries is None else int(np.count_nonzero(kept & known)),
    }
    return _measured(rule, data, kept[data.sample.codes]) | said


def _known(profile: Profile, sample: Sample) -> npt.NDArray[np.bool_]:
    return np.zeros(sample.n_queries, np.bool_) if profile.queries is None else profile.seen_queries(sample.query_ids)


def _measured(rule: Collection, data: Collection, inside: npt.NDArray[np.bool_]) -> dict[str, Any]:
    if not inside.any():
        return {"reason": "the lists of its queries are empty"}
    with data.sample.located():
        return _rated(rule, data, inside)


def _rated(rule: Collection, data: Collection, inside: npt.NDArray[np.bool_]) -> dict[str, Any]:
    scores, better = normalised(data.sample.run, rule.profile)
    rises = rule.profile.calibrator.higher_is_better_
    if rises is not None and rises != better:
        return {"reason": "its scores run the other way"}
    labels, codes = data.sample.labels[inside], data.sample.codes[inside]
    if rule.space == "score":
        return at_edge(labels, scores[inside], rule.edge, codes, better)
    grouped = isinstance(rule.profile.calibrator, GroupCalibrator)
    if grouped and data.sample.classes is None:
        return {"reason": "its calibrator needs classes, which these data do not have"}
    try:
        values = rule.profile.predict(scores, by=data.sample.classes if grouped else None).astype(np.float32)
    except InvalidElementError as error:
        if rule is data:
            raise
        return {"reason": f"its profile takes no score {error.value:g}, only {error.reason.removeprefix('expected ')}"}
    return at_edge(labels, values[inside], rule.edge, codes, better=True)
