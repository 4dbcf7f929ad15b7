"""``fastcal report``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from fastcal.cli._asking import KeptAnswers, terminal_labeler
from fastcal.cli._groups import groups_of
from fastcal.cli._options import AsJson, By, ProfilePath, QrelsArgument, RunArgument, TargetText, one_of, target
from fastcal.cli._output import console, write_text
from fastcal.cli._progress import progress
from fastcal.cli._reading import Columns, Judging, judgements, pool
from fastcal.cli._spread import spread
from fastcal.cli._texts import describing
from fastcal.cli._use import check_direction
from fastcal.errors import InvalidValueError
from fastcal.profile import Profile
from fastcal.report import Report, make_report
from fastcal.run import Run

STDOUT, MARKDOWN = "-", ".md"


@spread
def report(
    run: RunArgument,
    qrels: QrelsArgument,
    *,
    profile: ProfilePath,
    by: By = None,
    also: Annotated[
        list[str],
        typer.Option("--also", metavar="RUN,QRELS,PROFILE", help="Another collection with its own profile; several times.", show_default=False),
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
        typer.Option("--out", "-o", metavar="FILE", help="Ends in .html, .md or .json; whole or not at all. Default and -: Markdown on stdout."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write what a profile does on labelled lists as one page that needs no network, as Markdown, or as JSON.

    Calibration, thresholds with a slider, results per query, classes (--by), other collections (--also) and drift; 95 % intervals by
    query. Queries that the profile was fitted on are left out, so every figure is held out.

    Examples:
    fastcal report run.trec qrels.trec --profile profile.json --target precision=0.7 -o report.html
    fastcal report run.trec qrels.trec --profile single.json --by groups.csv:lang -o report.md
    fastcal report run.trec qrels.trec --profile single.json --also run2.trec,qrels.trec,norm.json --json
    """
    if run == qrels == STDOUT:
        raise InvalidValueError("RUN and QRELS are both -, and there is one standard input")
    form = _form(out)
    used = Profile.load(profile)
    lists = pool(run, columns)
    check_direction(used, lists)
    others = _others(also, columns, judging) or None
    title = _stem(run) if name is None else name
    with progress("measuring"):
        made = make_report(
            lists,
            judgements(qrels, columns, judging.grade_column, judging.split),
            used,
            by=groups_of(by, lists, columns.query_column),
            others=_named_apart(others, title),
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
        console().print(f"{out}: {made.facts['title']}; {made.facts['validation']['verdict']}")
    else:
        write_text(text)


def _form(out: str | None) -> str:
    """Return the end of the name, judged before anything is measured."""
    if out is None or out == STDOUT:
        return MARKDOWN
    form = Path(out).suffix
    if form not in {".html", MARKDOWN, ".json"}:
        raise InvalidValueError(f"--out must end in .html, .md or .json, got {out!r}")
    return form


def _others(also: list[str], columns: Columns, judging: Judging) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for text in also:
        parts = text.split(",")
        if len(parts) != 3:
            raise InvalidValueError(f"--also must be RUN,QRELS,PROFILE, got {text!r}")
        run, qrels, path = parts
        theirs = Profile.load(path)
        lists = pool(run, columns)
        check_direction(theirs, lists)
        key = _stem(run) if _stem(run) not in found else f"{_stem(run)} ({len(found) + 2})"
        found[key] = lists, judgements(qrels, columns, judging.grade_column, judging.split), theirs
    return found


def _named_apart(others: dict[str, Any] | None, title: str) -> dict[str, Any] | None:
    """Return the other collections under names that are not the title's."""
    if others is None:
        return None
    return {f"{key} (other)" if key == title else key: value for key, value in others.items()}


def _stem(path: str) -> str:
    return "stdin" if path == STDOUT else Path(path).name.partition(".")[0]


def _labeler(lists: Run, judging: Judging) -> Any:
    if judging.unjudged != "ask":
        return None
    show = describing(lists, judging.texts)
    return terminal_labeler(show) if judging.answers is None else KeptAnswers(lists, show, judging.answers)
