"""A profile beside the lists it is used on."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt

from fastcal.bulk._settings import direction
from fastcal.calibration import GroupCalibrator
from fastcal.cli._groups import groups_of
from fastcal.cli._labels import scores_of, some_judgements, some_queries
from fastcal.cli._options import DROP, ERROR
from fastcal.errors import InvalidValueError, ProfileWarning
from fastcal.profile import Profile
from fastcal.run import Qrels, Run


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


def unseen(profile: Profile, run: Run, qrels: Qrels, seen: str) -> tuple[Run, Qrels]:
    """Leave out the lists and the judgements of queries that the profile was fitted on, unless told otherwise."""
    known = _known(profile, run, seen)
    return (run, qrels) if known is None else (some_queries(run, ~known), some_judgements(qrels, ~profile.seen_queries(qrels.query_ids)))


def unseen_lists(profile: Profile, run: Run, seen: str) -> Run:
    """Leave out the lists alone."""
    known = _known(profile, run, seen)
    return run if known is None else some_queries(run, ~known)


def _known(profile: Profile, run: Run, seen: str) -> npt.NDArray[np.bool_] | None:
    """Return which queries are to be left out, None for none of them; what became of them is a warning."""
    if profile.queries is None:
        warnings.warn("the profile does not record its training queries: figures may be of those", ProfileWarning, stacklevel=3)
        return None
    known = profile.seen_queries(names_of(run))
    if not known.any():
        return None
    n, of = int(np.count_nonzero(known)), run.n_queries
    if seen == ERROR or (seen == DROP and n == of):
        raise InvalidValueError(f"the profile was fitted on {n} of the {of} queries of the run; take others, or see --seen for figures that flatter")
    did = "left out" if seen == DROP else "counted, and figures on them flatter"
    warnings.warn(f"the profile was fitted on {n} of the {of} queries of the run: they are {did}", ProfileWarning, stacklevel=3)
    return known if seen == DROP else None


def names_of(run: Run) -> npt.NDArray[Any]:
    """Return the names of the queries of a run; unnamed queries are 0, 1, 2, ..."""
    return np.arange(run.n_queries) if run.query_ids is None else run.query_ids
