"""Arguments and options that commands share: one name, one spelling, one help text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from fastcal.errors import InvalidValueError

_KINDS = ("precision", "recall")
_COLUMNS = "Columns of tables"


def choice(*allowed: str) -> Callable[[Any], Any]:
    """Return the callback of an option that takes one of these words."""

    def judged(value: Any) -> Any:
        if value is not None and value not in allowed:
            raise typer.BadParameter(f"{value!r} is not one of {', '.join(allowed)}")
        return value

    return judged


def one_of(name: str, help: str, *allowed: str) -> Any:  # noqa: A002
    """Return an option that takes one of these words: ``Annotated[str, one_of("--unjudged", "...", "irrelevant", "ask")]``."""
    return typer.Option(name, metavar="|".join(allowed), callback=choice(*allowed), help=help)


def writable(out: str | None) -> str | None:
    """Refuse a file that cannot be made, before any work is done: callback of options that name one."""
    if out is None or out == "-":
        return out
    from fastcal.files._source import form_of

    path = Path(out)
    if path.is_dir():
        raise InvalidValueError(f"{out}: is a folder, expected a file")
    if not path.parent.is_dir():
        raise InvalidValueError(f"{out}: the folder {path.parent} does not exist")
    form_of(path)
    return out


def in_file(path: str | None) -> str | None:
    """Refuse standard input for what is no run: callback of options that name a file."""
    if path == "-":
        raise InvalidValueError("a profile cannot be -: standard input is for the run")
    return path


def of_trec(context: typer.Context, out: str | None, as_json: bool) -> None:
    """Refuse options that shape TREC where none is written."""
    from fastcal.files._source import form_of

    if (out is None and not as_json) or (out is not None and form_of(Path(out)) == "text"):
        return
    for name in ("tag", "untie"):
        source = context.get_parameter_source(name)
        if source is not None and source.name != "DEFAULT" and context.params[name]:
            raise InvalidValueError(f"--{name} is for TREC, and none is written: {'--json is JSON' if out is None else f'{out} is no TREC file'}")


RunArgument = Annotated[str, typer.Argument(metavar="RUN", help="TREC (.gz), Parquet, Arrow, CSV, TSV or JSON, told by the name; - is stdin.")]
QrelsArgument = Annotated[
    str, typer.Argument(metavar="QRELS", help="TREC (.gz), BEIR's .tsv, Parquet, CSV or JSON, told by the name, or a folder in BEIR layout.")
]
OptionalQrels = Annotated[str | None, typer.Argument(metavar="[QRELS]", help="As QRELS of fastcal evaluate.", show_default=False)]
ProfilePath = Annotated[str, typer.Option("--profile", "-p", metavar="FILE", callback=in_file, help="Profile that fastcal fit wrote.")]
CutProfile = Annotated[
    str | None,
    typer.Option(
        "--profile", "-p", metavar="FILE", callback=in_file, help="Cut the probabilities of this profile, not the scores.", show_default=False
    ),
]
Out = Annotated[
    str | None,
    typer.Option("--out", "-o", metavar="FILE", callback=writable, help="Where it goes, whole or not at all; default and -: stdout."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Untie = Annotated[
    bool,
    typer.Option(
        "--untie/--keep-ties", help="In TREC, let equal scores fall by one float32 each: trec_eval sorts ties by document name, descending."
    ),
]
CheckedModel = Annotated[str | None, typer.Option("--model", metavar="NAME", help="Fail unless the profile is for this model.", show_default=False)]
CheckedMetric = Annotated[
    str | None, typer.Option("--metric", metavar="NAME", help="Fail unless the profile is for this metric.", show_default=False)
]
Distances = Annotated[bool, typer.Option("--distances", help="Scores are distances: lower is better.")]

DROP, KEEP, ERROR = "drop", "keep", "error"
Seen = Annotated[str, one_of("--seen", "Queries the profile was fitted on: leave out, count, or refuse.", DROP, KEEP, ERROR)]
Depth = Annotated[
    int | None, typer.Option("--top-k", metavar="K", min=1, help="Cut lists to this depth first; default: all of them.", show_default=False)
]
Splits = Annotated[int, typer.Option("--splits", metavar="N", min=2, help="Folds of whole queries that figures are held out by.")]

Unjudged = Annotated[
    str, one_of("--unjudged", "What pairs count as that nobody judged; ask: you are asked at the terminal.", "irrelevant", "ask", "error")
]
MinRel = Annotated[int, typer.Option("--min-rel", metavar="N", min=1, help="Lowest grade that is relevant.")]
Split = Annotated[str, typer.Option("--split", help="Of a BEIR folder: qrels/SPLIT.tsv.")]
By = Annotated[
    str | None,
    typer.Option("--by", metavar="TABLE:COLUMN", help="Group of each query: a column of a table with a row per query.", show_default=False),
]
TargetText = Annotated[str | None, typer.Option("--target", metavar="precision=P|recall=R", help="What the threshold has to reach.")]
TargetTexts = Annotated[
    list[str], typer.Option("--target", metavar="precision=P|recall=R", help="What a threshold has to reach; may be given several times.")
]

QueryColumn = Annotated[str, typer.Option("--query-column", metavar="NAME", help="Column of the queries.", rich_help_panel=_COLUMNS)]
DocColumn = Annotated[str, typer.Option("--doc-column", metavar="NAME", help="Column of the documents.", rich_help_panel=_COLUMNS)]
ScoreColumn = Annotated[str, typer.Option("--score-column", metavar="NAME", help="Column of the scores.", rich_help_panel=_COLUMNS)]
GradeColumn = Annotated[str, typer.Option("--grade-column", metavar="NAME", help="Column of the grades.", rich_help_panel=_COLUMNS)]


def target(text: str | None, default: str | None = None) -> dict[str, float]:
    """Return ``precision=0.9`` as the library's keyword, ``{"target_precision": 0.9}``; empty without a target."""
    text = default if text is None else text
    if text is None:
        return {}
    kind, _, number = text.partition("=")
    try:
        value = float(number)
    except ValueError:
        value = -1.0
    if kind not in _KINDS or not 0 < value <= 1:
        raise InvalidValueError(f"--target must be precision=P or recall=R with 0 < P, R <= 1, got {text!r}")
    return {f"target_{kind}": value}


def targets(texts: Sequence[str]) -> dict[str, list[float]]:
    """Return several targets as the keywords of ``Profile.fit``."""
    found: dict[str, list[float]] = {}
    for text in texts:
        for name, value in target(text).items():
            found.setdefault(name, []).append(value)
    return found
