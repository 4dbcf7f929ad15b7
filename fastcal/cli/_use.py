"""A profile beside the lists it is used on."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt

from fastcal.bulk._settings import direction
from fastcal.calibration import GroupCalibrator
from fastcal.cli._groups import groups_of
from fastcal.cli._labels import scores_of
from fastcal.errors import InvalidValueError, ProfileWarning
from fastcal.profile import Profile
from fastcal.run import Run


def check_direction(profile: Profile, run: Run) -> None:
    """Refuse distances for a profile of scores that rise, and the other way round."""
    try:
        direction(profile, run.higher_is_better)
    except InvalidValueError as error:
        hint = "are these distances? then say --distances" if run.higher_is_better else "are these no distances? then leave out --distances"
        raise InvalidValueError(f"{error}; {hint}") from None


def check_depth(profile: Profile, run: Run) -> None:
    """Warn of lists of another depth than the profile's."""
    depth = int(run.counts().max(initial=0))
    if profile.top_k is not None and depth:
        profile.check(top_k=depth)


def classes_of(profile: Profile, by: str | None, run: Run, query_column: str) -> npt.NDArray[Any] | None:
    """Return the group of each query, where the profile's calibrator tells groups apart; there it is needed, elsewhere of no use."""
    grouped = isinstance(profile.calibrator, GroupCalibrator)
    if grouped != (by is not None):
        told = "tells groups apart: give --by TABLE:COLUMN" if grouped else "has one curve for all queries: --by is of no use"
        raise InvalidValueError(f"the profile's calibrator {told}")
    return groups_of(by, run, query_column)


def probabilities_of(profile: Profile, run: Run, classes: npt.NDArray[Any] | None) -> npt.NDArray[np.float32]:
    """Return the probability of each entry, after the norm."""
    check_direction(profile, run)
    by = None if classes is None else np.repeat(classes, run.counts())
    found: npt.NDArray[np.float32] = profile.predict(scores_of(run, profile.norm)[0], by=by)
    return found


def warn_of_seen(profile: Profile, query_ids: npt.NDArray[Any]) -> None:
    """Warn of queries that the profile was fitted on."""
    if profile.queries is None:
        warnings.warn("the profile holds no training queries, so it cannot tell which it has seen", ProfileWarning, stacklevel=2)
        return
    n_seen = int(np.count_nonzero(profile.seen_queries(query_ids)))
    if n_seen:
        warnings.warn(
            f"{n_seen} of {len(query_ids)} queries are among those the profile was fitted on: figures on them are better than on new ones",
            ProfileWarning,
            stacklevel=2,
        )


def names_of(run: Run) -> npt.NDArray[Any]:
    """Return the names of the queries of a run; unnamed queries are 0, 1, 2, ..."""
    return np.arange(run.n_queries) if run.query_ids is None else run.query_ids
