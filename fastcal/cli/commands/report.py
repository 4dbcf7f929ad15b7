"""``fastcal report``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from fastcal.cli._asking import KeptAnswers, terminal_labeler
from fastcal.cli._groups import groups_of
from fastcal.cli._labels import check_least
from fastcal.cli._located import located
from fastcal.cli._options import AsJson, By, ProfilePath, QrelsArgument, RunArgument, TargetText, one_of, target, writable
from fastcal.cli._output import console, write_text
from fastcal.cli._progress import progress
from fastcal.cli._reading import Columns, Judging, judgements, pool
from fastcal.cli._spread import spread
from fastcal.cli._texts import describing
from fastcal.cli._use import check_direction
from fastcal.cli._words import worded
from fastcal.errors import InvalidValueError
from fastcal.profile import Profile
from fastcal.report import Report, make_report
from fastcal.run import Run

STDOUT, MARKDOWN = "-", ".md"
_OPTIONS = {r'\b(seen|unjudged)="(\w+)"': r"--\1 \2", r"\bby= ": "--by ", r"\ball_queries=True": "--all-queries"}


@spread
def report(
    run: RunArgument,
    qrels: QrelsArgument,
    *,
    profile: ProfilePath,
    by: By = None,
    also: Annotated[
        list[str],
        typer.Option("--also", metavar="[NAME=]RUN,QRELS,PROFILE", help="Another collection and its profile; several times.", show_default=False),
    ] = [],  # noqa: B006
    target_: TargetText = None,
    escalate_from: Annotated[float | None, typer.Option("--escalate-from", metavar="X", help="Laxer edge to start from.", show_default=False)] = None,
    seen: Annotated[str, one_of("--seen", "Queries the profile was fitted on: leave out, count, or refuse.", "drop", "keep", "error")] = "drop",
    name: Annotated[
        str | None, typer.Option("--name", metavar="TEXT", help="What the data are called; default: the name of RUN.", show_default=False)
    ] = None,
    columns: Columns,
    judging: Judging,
    out: Annotated[
        str | None,
        typer.Option(
            "--out",
            "-o",
            metavar="FILE",
            callback=writable,
            help="Ends in .html, .md or .json; whole or not at all. Default and -: Markdown on stdout.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write what a profile does on labelled lists as one page that needs no network, as Markdown, or as JSON.

    Calibration, thresholds with a slider, results per query, classes (--by), other collections (--also, at the same target) and drift;
    95 % intervals by query. Queries that a profile was fitted on, by their names, are left out wherever it is measured.

    Examples:
    fastcal report run.trec qrels.trec --profile profile.json --target precision=0.7 -o report.html
    fastcal report run.trec qrels.trec --profile single.json --by groups.csv:lang -o report.md
    fastcal report run.trec qrels.trec --profile single.json --also normed=run2.trec,qrels.trec,norm.json --json
    """
    if run == qrels == STDOUT:
        raise InvalidValueError("RUN and QRELS are both -, and there is one standard input")
    form = _form(out)
    used = Profile.load(profile)
    lists = pool(run, columns)
    check_direction(used, lists)
    others = [_also(text) for text in also]
    title, *names = _names([run, *(each.run for each in others)], [name, *(each.name for each in others)])
    further = _others(others, names, columns, judging) or None
    runs = {f"others[{key!r}]": (further[key][0], each.run) for key, each in zip(names, others, strict=True)} if further else {}
    judged = judgements(qrels, columns, judging.grade_column, judging.split)
    check_least(judged, judging.min_rel)
    with progress("measuring"), worded(_OPTIONS), located(lists, run, columns, **runs):
        made = make_report(
            lists,
            judged,
            used,
            by=groups_of(by, lists, columns.query_column),
            others=further,
            escalate_from=escalate_from,
            unjudged=judging.unjudged,  # type: ignore[arg-type]
            min_grade=judging.min_rel,
            labeler=_labeler(lists, judging),
            all_queries=judging.all_queries,
            seen=seen,  # type: ignore[arg-type]
            name=title,
            **target(target_),
        )
        text = made.to_text(form)
    _write(made, text, out, as_json=as_json)


def _write(made: Report, text: str, out: str | None, *, as_json: bool) -> None:
    to_file = out not in {None, STDOUT}
    if to_file:
        write_text(text, out)
    if as_json:
        write_text(made.to_json())
    elif to_file:
        console().print(f"{out}: {made.facts['title']}; {made.facts['verdict']['word']}")
    else:
        write_text(text)


def _form(out: str | None) -> str:
    """Return the end of the name, judged before anything is measured."""
    if out is None or out == STDOUT:
        return MARKDOWN
    form = Path(out).suffix.lower()
    if form not in {".html", MARKDOWN, ".json"}:
        raise InvalidValueError(f"--out must end in .html, .md or .json, got {out!r}")
    return form


class _Also(NamedTuple):
    """What one --also names."""

    name: str | None
    run: str
    qrels: str
    profile: str


def _also(text: str) -> _Also:
    """Take ``RUN,QRELS,PROFILE`` or ``NAME=RUN,QRELS,PROFILE``; a file that has the "=" in its name, or a folder before it, is no name."""
    parts = text.split(",")
    if len(parts) != 3 or not all(parts):
        raise InvalidValueError(f"--also must be [NAME=]RUN,QRELS,PROFILE, got {text!r}")
    name, sign, run = parts[0].partition("=")
    if not sign or "/" in name or Path(parts[0]).exists():
        return _Also(None, *parts)
    if not name or not run:
        raise InvalidValueError(f"--also must be [NAME=]RUN,QRELS,PROFILE, got {text!r}")
    return _Also(name, run, *parts[1:])


def _others(also: list[_Also], names: list[str], columns: Columns, judging: Judging) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for each, key in zip(also, names, strict=True):
        theirs = Profile.load(each.profile)
        lists = pool(each.run, columns)
        check_direction(theirs, lists)
        found[key] = lists, judgements(each.qrels, columns, judging.grade_column, judging.split), theirs
    return found


def _names(runs: list[str], given: list[str | None]) -> list[str]:
    """Return what each collection is called: as given, by its run's file, or by folder and file where files are named alike."""
    stems = [_stem(run) for run, name in zip(runs, given, strict=True) if name is None]

    def named(run: str) -> str:
        stem = _stem(run)
        return f"{Path(run).resolve().parent.name}/{stem}" if stems.count(stem) > 1 and run != STDOUT else stem

    found = [named(run) if name is None else name for run, name in zip(runs, given, strict=True)]
    twice = next((name for name in found if found.count(name) > 1), None)
    if twice is not None:
        raise InvalidValueError(f"two collections are called {twice!r}: name them, with --name TEXT and --also NAME=RUN,QRELS,PROFILE")
    return found


def _stem(path: str) -> str:
    return "stdin" if path == STDOUT else Path(path).name.partition(".")[0]


def _labeler(lists: Run, judging: Judging) -> Any:
    if judging.unjudged != "ask":
        return None
    show = describing(lists, judging.texts)
    return terminal_labeler(show) if judging.answers is None else KeptAnswers(lists, show, judging.answers)
