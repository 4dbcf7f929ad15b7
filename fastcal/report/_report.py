"""The public door: measure once, write in three forms."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import numpy as np

from fastcal._atomic import replacing
from fastcal._validate import files
from fastcal._validate.numbers import flag
from fastcal._version import __version__
from fastcal.calibration import GroupCalibrator
from fastcal.errors import InvalidTypeError, InvalidValueError
from fastcal.profile import Profile, Threshold
from fastcal.report import _facts
from fastcal.report._edges import Edges, edges_of, inclusive_edge, label_of, others_edges
from fastcal.report._notes import notes
from fastcal.report._operating import RESULTS_FROM, THOUSANDS, grid_of, operating, score_edges, shares_of
from fastcal.report._sample import Reading, Sample, as_reading, sampled
from fastcal.report._transfer import Collection, transfer_facts
from fastcal.report._verdict import head
from fastcal.report._words import digits_for, edge_texts, many
from fastcal.run import Qrels, Run

FORMAT, SCHEMA_VERSION = "fastcal report", 1
FORMS = (".html", ".md", ".json")
JUDGED = ("precision_judged", "precision_judged_low", "precision_judged_high")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Report:
    """What :func:`make_report` measured; docs/report.md describes every key.

    Examples
    --------
    >>> import fastcal as fc
    >>> from fastcal.report import make_report
    >>> run = fc.Run.from_dict({"q1": {"a": 0.9, "b": 0.2}, "q2": {"a": 0.8, "c": 0.1}})
    >>> qrels = fc.Qrels.from_dict({"q1": {"a": 1}, "q2": {"a": 1}})
    >>> platt = fc.PlattCalibrator().fit([0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1])
    >>> report = make_report(run, qrels, fc.Profile("m", "cosine", platt, fc.Threshold(0.5)))
    >>> report
    Report('m (cosine) on these data: 2 queries, 4 candidates')
    >>> report.to_dict()["operating"]["n_selected"][report.to_dict()["operating"]["start"]]
    2
    """

    facts: Mapping[str, Any]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.facts['title']!r})"

    def to_dict(self) -> dict[str, Any]:
        """Return a copy of the facts: plain JSON types, None where there is no number."""
        return copy.deepcopy(dict(self.facts))

    def to_json(self) -> str:
        """Return the facts as JSON text."""
        return json.dumps(self.facts, indent=1, ensure_ascii=False, allow_nan=False) + "\n"

    def to_markdown(self) -> str:
        """Return the tables for a log or a pull request."""
        from fastcal.report._markdown import markdown

        return markdown(self.facts)

    def to_html(self) -> str:
        """Return one page that asks nothing of the network. MissingExtraError without the extra ``report``."""
        from fastcal.report._page import page

        return page(self.facts)

    def to_text(self, form: str) -> str:
        """Return the form that goes with the end of a file's name: ".html", ".md" or ".json" in upper or lower case."""
        made = {".html": self.to_html, ".md": self.to_markdown, ".json": self.to_json}.get(form.lower())
        if made is None:
            raise InvalidValueError(f"the name of a report must end in one of {', '.join(FORMS)}, got {form!r}")
        return made()

    def save(self, path: Any) -> None:
        """Write the form that the end of the name says; the file appears complete or not at all. OSError if it cannot be written."""
        target = files.path(path, "path")
        text = self.to_text(target.suffix)
        with replacing(target) as file:
            file.write(text.encode("utf-8"))


def make_report(
    run: Run,
    qrels: Qrels,
    profile: Profile,
    *,
    by: Any = None,
    others: Mapping[str, tuple[Any, ...]] | None = None,
    target_precision: float | None = None,
    target_recall: float | None = None,
    escalate_from: float | None = None,
    unjudged: Literal["irrelevant", "ask", "error"] = "irrelevant",
    min_grade: int = 1,
    labeler: Any = None,
    all_queries: bool = False,
    seen: Literal["drop", "keep", "error"] = "drop",
    name: str = "these data",
) -> Report:
    """Measure a profile on labelled lists: calibration, thresholds, results per query, drift, and how it does elsewhere.

    Scores go through ``profile.norm`` first. Queries without any judgement are left out, and so are those the profile was fitted on.
    Rates are of pairs, their intervals by query.

    Parameters
    ----------
    run : Run
        With scores.
    qrels : Qrels
    profile : Profile
    by : mapping of query to class, or array_like of str or int, one per query of the run, optional
        Classes for the table of thresholds; what the profile's GroupCalibrator tells apart, which needs them.
    others : mapping of str to (run, qrels, profile) or (run, qrels, profile, by), optional
        Further collections, each with the profile made for it: every profile is applied to every collection, from its threshold for the
        target that the report starts from, or from its first one if it has none for that.
    target_precision, target_recall : float, optional
        Which stored threshold the report starts from; the first one by default.
    escalate_from : float, optional
        The laxer edge to start from, as in :meth:`Profile.policy`; without it nothing escalates.
    unjudged : {"irrelevant", "ask", "error"}, default "irrelevant"
    min_grade : int, default 1
    labeler : callable, with ``unjudged="ask"``
        As for :meth:`Qrels.labels_of`; the labeler gets positions in ``run.ids``, and cannot be used together with `others`.
    all_queries : bool, default False
        Measure queries without judgements too, as `unjudged` says, and judged ones without a list, which get no result.
    seen : {"drop", "keep", "error"}, default "drop"
        What to do about queries that the profile was fitted on, also where it is tried on another collection; they are told by their
        names. If there are no others, to drop them is an error.
    name : str, default "these data"
        Of these data, for the title.

    Returns
    -------
    Report

    Raises
    ------
    ValueError, TypeError
        If the run has no scores, nothing is judged, no query is left, the profile's scores run the other way, classes are missing, or
        an argument is not one of the above.

    Examples
    --------
    >>> import fastcal as fc
    >>> from fastcal.report import make_report
    >>> run = fc.Run.from_dict({"q1": {"a": 0.9, "b": 0.2}, "q2": {"a": 0.8, "c": 0.1}})
    >>> qrels = fc.Qrels.from_dict({"q1": {"a": 1}, "q2": {"a": 1}})
    >>> platt = fc.PlattCalibrator().fit([0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1])
    >>> report = make_report(run, qrels, fc.Profile("m", "cosine", platt, []), name="toy")
    >>> report.to_markdown().splitlines()[0]
    '# m (cosine) on toy: 2 queries, 4 candidates'
    """
    if not isinstance(name, str):
        raise InvalidTypeError(f"name must be a str, got {type(name).__name__}")
    if others is not None and labeler is not None:
        raise InvalidValueError("others and a labeler are both given: its positions would be ambiguous; expected one of them")
    whole = flag(all_queries, "all_queries")
    reading = as_reading(unjudged=unjudged, min_grade=min_grade, labeler=labeler, all_queries=whole, seen=seen)
    sample = sampled(run, qrels, profile, by, reading)
    edges = edges_of(profile, target_precision=target_precision, target_recall=target_recall, escalate_from=escalate_from)
    here = Collection(name, sample, profile, edges.act, edges.space, label_of(edges.stored))
    queries, candidates = many(sample.n_queries, "query", "queries"), many(len(sample.labels), "candidate", "candidates")
    facts: dict[str, Any] = {
        "format": FORMAT,
        "schema_version": SCHEMA_VERSION,
        "library_version": __version__,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "title": f"{profile.model} ({profile.metric}) on {name}: {queries}, {candidates}",
    }
    with sample.located():
        facts |= _measured(sample, qrels, profile, edges, name=name, unjudged=unjudged, min_grade=min_grade, all_queries=whole)
    facts["verdict"] = head(facts["validation"])
    facts["transfer"] = None if others is None else transfer_facts([here, *_others(others, name, reading, edges.stored)], seen)
    return Report(facts | {"warnings": notes(facts, edges)})


def _measured(sample: Sample, qrels: Qrels, profile: Profile, edges: Edges, **said: Any) -> dict[str, Any]:
    probabilities = sample.probabilities(profile)
    on_scores = edges.space == "score"
    values, better = (sample.scores, sample.higher_is_better) if on_scores else (probabilities, True)
    target = edges.stored.target_precision if edges.stored is not None else None
    domain = (float(values.min()), float(values.max())) if on_scores else (0.0, 1.0)
    digits = digits_for(*domain)
    data = _facts.data_facts(sample, qrels, **said)
    found = _operating(sample, values, profile, edges, domain, better=better)
    if not data["judgements_hold_irrelevant"]:
        found |= {name: [None] * len(found["threshold"]) for name in JUDGED}
    found["threshold_text"] = edge_texts(np.array(found["threshold"], np.float32), values, better, digits)
    return {
        "data": data,
        "profile": _facts.profile_facts(profile),
        "validation": _facts.validation_facts(sample, profile),
        "calibration": _facts.calibration_facts(sample, probabilities, profile),
        "scores": _facts.score_facts(sample),
        "operating": found,
        "classes": _facts.class_facts(sample, values, edges.act, target, better, digits),
    }


def _operating(sample: Sample, values: Any, profile: Profile, edges: Edges, domain: tuple[float, float], *, better: bool) -> dict[str, Any]:
    stored = [cut for cut in profile.thresholds if cut.space == edges.space]
    marks = [inclusive_edge(cut, cut.value) for cut in stored]
    grid = grid_of(values, [edges.act, edges.escalate, *marks], domain, better)
    columns = operating(values, sample.labels, sample.judged, sample.codes, sample.n_queries, grid, better)
    place = {value: i for i, value in enumerate(columns["threshold"])}
    return {
        "space": edges.space,
        "higher_is_better": better,
        "stored": edges.stored is not None,
        "start": place[edges.act],
        "escalate_start": place[edges.escalate],
        "marks": [{"at": place[mark], "label": label_of(cut)} for cut, mark in zip(stored, marks, strict=True)],
        **columns,
        "score_edge": None
        if isinstance(profile.calibrator, GroupCalibrator)
        else score_edges(sample.scores, values, grid, better=better, higher_is_better=sample.higher_is_better),
        "results_from": list(RESULTS_FROM),
        "thousands_from": THOUSANDS,
        "query_shares": shares_of(columns, sample.n_queries),
    }


def _others(others: Any, name: str, reading: Reading, stored: Threshold | None) -> list[Collection]:
    if not isinstance(others, Mapping):
        raise InvalidTypeError(f"others must be a mapping of names to (run, qrels, profile), got {type(others).__name__}")
    found = []
    for key, given in others.items():
        if not isinstance(key, str) or key == name:
            raise InvalidValueError(f"others must have names (str) that differ from {name!r}, got {key!r}")
        if not isinstance(given, tuple | list) or len(given) not in {3, 4}:
            raise InvalidValueError(f"others[{key!r}] must be (run, qrels, profile) or (run, qrels, profile, by)")
        run, qrels, profile, *by = given
        sample = sampled(run, qrels, profile, by[0] if by else None, reading, f"others[{key!r}]")
        edges = others_edges(profile, stored)
        found.append(Collection(key, sample, profile, edges.act, edges.space, label_of(edges.stored)))
    return found
