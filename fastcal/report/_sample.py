"""The labelled pairs that a report measures: normalised, turned into probabilities, and reduced to queries that tell something."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from fastcal._validate.elements import within
from fastcal._validate.groups import as_groups
from fastcal._validate.numbers import instance, one_of
from fastcal.calibration import GroupCalibrator
from fastcal.errors import InvalidTypeError, InvalidValueError, ProfileWarning
from fastcal.normalization import normalize
from fastcal.profile import Profile
from fastcal.run import Qrels, Run

Bool = npt.NDArray[np.bool_]
DROP, KEEP, ERROR = "drop", "keep", "error"


class Reading(NamedTuple):
    """How judgements become labels, and which queries count."""

    unjudged: Any
    min_grade: int
    labeler: Callable[[npt.NDArray[np.int64]], Any] | None
    all_queries: bool
    seen: str


@dataclass(frozen=True, eq=False)
class Sample:
    """Pairs of the measured queries, in the order of ``run.ids``; ``counts`` says what was left out and why."""

    run: Run
    scores: npt.NDArray[np.float32]
    labels: npt.NDArray[np.uint8]
    judged: Bool
    codes: npt.NDArray[np.int64]
    classes: npt.NDArray[Any] | None
    higher_is_better: bool
    counts: dict[str, int | None]
    places: npt.NDArray[np.int64]  # of the pairs in the run that was given
    whose: str  # argument that the run was given in; "" is the first

    def located(self) -> AbstractContextManager[None]:
        """Let errors about a score of these pairs say where it stands in the run that was given."""
        return within(self.places, self.whose)

    @property
    def n_queries(self) -> int:
        """Queries, also those whose list is empty."""
        return self.run.n_queries

    @property
    def query_ids(self) -> npt.NDArray[Any]:
        """Name of each query, or its place."""
        return names_of(self.run)

    @property
    def drawn_by(self) -> npt.NDArray[np.int64]:
        """Number of each pair's query by name, to resample by: the order of a file does not matter."""
        numbers: npt.NDArray[np.int64] = np.unique(self.query_ids, return_inverse=True)[1][self.codes]
        return numbers

    def probabilities(self, profile: Profile) -> npt.NDArray[np.float32]:
        """Return the profile's probability of each pair."""
        grouped = isinstance(profile.calibrator, GroupCalibrator)
        if grouped and self.classes is None:
            raise InvalidTypeError("by= is missing: the profile's calibrator tells groups apart")
        return profile.predict(self.scores, by=self.classes if grouped else None).astype(np.float32)


def names_of(run: Run) -> npt.NDArray[Any]:
    """Return the name of each query of a run, or its place."""
    return np.arange(run.n_queries) if run.query_ids is None else run.query_ids


def sampled(run: Run, qrels: Qrels, profile: Profile, by: Any, reading: Reading, whose: str = "") -> Sample:
    """Label the lists of the queries that count."""
    for value, name, kind in ((run, "run", Run), (qrels, "qrels", Qrels), (profile, "profile", Profile)):
        instance(value, name, kind)
    if run.scores is None:
        raise InvalidValueError("run has ranks but no scores; expected scores, which the profile turns into probabilities")
    classes = None if by is None else _classes(by, run)
    listed = set(names_of(run).tolist())
    judged_only = [name for name in qrels.query_ids.tolist() if name not in listed]
    if reading.all_queries and judged_only:
        run = run.with_queries([*names_of(run).tolist(), *judged_only])
    kept, counts = _counted(run, qrels, profile, reading)
    inside = np.repeat(kept, run.counts())
    part = only(run, kept)
    if part.ids.size == 0:
        raise InvalidValueError(f"the lists of all {part.n_queries} judged queries are empty; expected at least one result")
    labeler = reading.labeler
    asked = None if labeler is None else lambda at: labeler(np.flatnonzero(inside)[at])
    labelled = qrels.labels_of(part, unjudged=reading.unjudged, min_grade=reading.min_grade, labeler=asked)
    if not labelled.judged.any() and asked is None:
        raise InvalidValueError(f"none of the {part.ids.size} candidates is judged; are documents named alike in run and qrels?")
    codes = np.repeat(np.arange(part.n_queries), part.counts())
    places = np.flatnonzero(inside)
    with within(places, whose):
        scores, better = normalised(part, profile)
    _require_direction(profile, better)
    per_pair = None if classes is None else np.repeat(classes, run.counts()[: len(classes)])[inside]
    counts["n_judged_queries_not_in_run"] = len(judged_only)
    return Sample(part, scores, labelled.labels, labelled.judged, codes, per_pair, better, counts, places, whose)


def _counted(run: Run, qrels: Qrels, profile: Profile, reading: Reading) -> tuple[Bool, dict[str, int | None]]:
    """Return which queries count, and how many do not."""
    names = names_of(run)
    known = set(qrels.query_ids.tolist())
    judged = np.array([name in known for name in names.tolist()], np.bool_)
    if not judged.any():
        raise InvalidValueError(f"qrels hold no judgement for any of the {run.n_queries} queries of the run; are they named alike in both?")
    wanted = np.ones_like(judged) if reading.all_queries else judged
    seen = np.zeros_like(judged) if profile.queries is None else profile.seen_queries(names)
    n_seen, n = int(np.count_nonzero(wanted & seen)), int(np.count_nonzero(wanted))
    if n_seen and (reading.seen == ERROR or (reading.seen == DROP and n_seen == n)):
        raise InvalidValueError(
            f'the profile was fitted on {n_seen} of these {n} queries; report on others, or say seen="keep" for figures that flatter'
        )
    kept = wanted & ~seen if reading.seen == DROP else wanted
    return kept, {
        "n_queries_in_run": run.n_queries,
        "n_queries_without_judgement": int(np.count_nonzero(~judged)),
        "n_queries_left_out_as_seen": n - int(np.count_nonzero(kept)),
        "n_queries_seen": None if profile.queries is None else int(np.count_nonzero(kept & seen)),
    }


def as_reading(**given: Any) -> Reading:
    """Judge what was asked for."""
    one_of(given["seen"], "seen", (DROP, KEEP, ERROR))
    return Reading(**given)


def normalised(run: Run, profile: Profile) -> tuple[npt.NDArray[np.float32], bool]:
    """Return the scores that the profile's calibrator takes, and their direction: higher is better in every norm."""
    assert run.scores is not None
    if profile.norm is None:
        return run.scores, run.higher_is_better
    return normalize(run.scores, profile.norm, offsets=run.offsets, higher_is_better=run.higher_is_better), True


def only(run: Run, kept: Bool) -> Run:
    """Return the run of some of its queries, which keep their names."""
    counts = run.counts()
    inside = np.repeat(kept, counts)
    offsets = np.concatenate(([0], np.cumsum(counts[kept])))
    assert run.scores is not None
    return Run(
        run.ids[inside], run.scores[inside], offsets, higher_is_better=run.higher_is_better, query_ids=names_of(run)[kept], doc_ids=run.doc_ids
    )


def _classes(by: Any, run: Run) -> npt.NDArray[Any]:
    """Return the class of each query: looked up by its name, or given in the order of the run."""
    names = names_of(run)
    if isinstance(by, Mapping):
        told = {str(query): label for query, label in by.items()}
        missing = [name for name in names.tolist() if str(name) not in told]
        if missing:
            raise InvalidValueError(f"by names no class for {len(missing)} of {len(names)} queries, first {missing[0]!r}")
        by = [told[str(name)] for name in names.tolist()]
    found = as_groups(by, (len(names),), "by", "the queries of the run")
    return found.labels[found.codes]


def quietly(call: Any, **arguments: Any) -> tuple[Any, list[str]]:
    """Call something and return with its result what it warned of, as a report says it in its own place."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ProfileWarning)
        result = call(**arguments)
    return result, [str(warning.message) for warning in caught if issubclass(warning.category, ProfileWarning)]


def _require_direction(profile: Profile, better: bool) -> None:
    rises = profile.calibrator.higher_is_better_
    if rises is not None and rises != better:
        raise InvalidValueError(f"the profile's calibrator has higher_is_better_={rises}, its scores here have higher_is_better={better}")
    for cut in profile.thresholds:
        if cut.space == "score" and cut.higher_is_better != better:
            raise InvalidValueError(f"the threshold {cut.value} has higher_is_better={cut.higher_is_better}, the scores here {better}")
