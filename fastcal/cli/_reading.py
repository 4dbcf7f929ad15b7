"""How labelled files are read: the options of every command that takes judgements, and what they lead to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from fastcal.cli._labels import Labelled, labelled
from fastcal.cli._options import DROP, Distances, DocColumn, GradeColumn, MinRel, QueryColumn, ScoreColumn, Split, Unjudged
from fastcal.cli._texts import Texts
from fastcal.cli._use import check_direction, unseen
from fastcal.errors import InvalidTypeError, InvalidValueError
from fastcal.files import is_table, read_qrels, read_run
from fastcal.profile import Profile
from fastcal.run import Qrels, Run

AllQueries = Annotated[
    bool,
    typer.Option("--all-queries", help="Count queries without judgements too, as --unjudged says, and judged ones without a list; default: neither."),
]
Answers = Annotated[
    str | None,
    typer.Option("--answers", metavar="CSV", help="With --unjudged ask: answers are kept here, and not asked for again.", show_default=False),
]


_GRADE = "relevance"


def _has_columns(path: str) -> bool:
    """Whether it may be a table; of standard input nobody knows yet."""
    return path == "-" or is_table(path) or Path(path).is_dir()


@dataclass(frozen=True, kw_only=True)
class Columns:
    """How a run is read: which scores are better, and the names of the columns of tables."""

    distances: Distances = False
    query_column: QueryColumn = "query_id"
    doc_column: DocColumn = "doc_id"
    score_column: ScoreColumn = "score"

    def judge(self, runs: Sequence[str], *others: str | None, by: str | None = None, grade_column: str = _GRADE) -> None:
        """Refuse names of columns where nothing that is read has columns: `others` are judgements, `by` a table of groups."""
        judgements = [other for other in others if other is not None]
        for option, name, default, places in (
            ("--score-column", self.score_column, "score", runs),
            ("--grade-column", grade_column, _GRADE, judgements),
            ("--doc-column", self.doc_column, "doc_id", [*runs, *judgements]),
            ("--query-column", self.query_column, "query_id", [*runs, *judgements, *([] if by is None else [by])]),
        ):
            if name != default and not any(place == by or _has_columns(place) for place in places):
                raise InvalidValueError(f"{option} {name}: {' and '.join(places) or 'what is read'}: no named columns there")


@dataclass(frozen=True, kw_only=True)
class Judging:
    """How judgements become labels."""

    unjudged: Unjudged = "irrelevant"
    min_rel: MinRel = 1
    all_queries: AllQueries = False
    texts: Texts = None
    answers: Answers = None
    grade_column: GradeColumn = _GRADE
    split: Split = "test"

    def __post_init__(self) -> None:
        if self.unjudged != "ask" and (self.texts is not None or self.answers is not None):
            raise InvalidValueError("--texts and --answers go with --unjudged ask")

    @property
    def options(self) -> dict[str, Any]:
        """What ``labelled`` takes."""
        return {name: getattr(self, name) for name in ("unjudged", "min_rel", "all_queries", "texts", "answers")}


def pool(path: str, columns: Columns, *, top_k: int | None = None, duplicates: Literal["error", "keep"] = "error") -> Run:
    """Read a run, cut to its best `top_k` per query."""
    names: dict[str, Any] = {"query": columns.query_column, "doc": columns.doc_column, "score": columns.score_column}
    run = read_run(path, higher_is_better=not columns.distances, duplicates=duplicates, **names)
    return run if top_k is None else run.top_k(top_k)


def judgements(path: str, columns: Columns, grade_column: str, split: str) -> Qrels:
    """Read judgements."""
    return read_qrels(path, query=columns.query_column, doc=columns.doc_column, grade=grade_column, split=split)


def pairs_of(
    run_path: str,
    qrels_path: str,
    columns: Columns,
    judging: Judging,
    *,
    top_k: int | None = None,
    profile: Profile | None = None,
    seen: str = DROP,
    by: str | None = None,
    **split: Any,
) -> tuple[Labelled, Qrels]:
    """Read a run and its judgements, and label the one by the other.

    Queries that `profile` was fitted on are left out of both first, unless `seen` says otherwise; `split` is what ``labelled`` takes besides.
    """
    if run_path == qrels_path == "-":
        raise InvalidValueError("RUN and QRELS are both -, and there is one standard input")
    columns.judge([run_path], qrels_path, by=by, grade_column=judging.grade_column)
    run, qrels = pool(run_path, columns, top_k=top_k), judgements(qrels_path, columns, judging.grade_column, judging.split)
    if profile is not None:
        check_direction(profile, run)
        run, qrels = unseen(profile, run, qrels, seen)
    with naming_files(run_path, qrels_path):
        return labelled(run, qrels, **judging.options, **split), qrels


@contextmanager
def naming_files(run_path: str, qrels_path: str) -> Iterator[None]:
    """Let errors about a run beside its judgements name both."""
    try:
        yield
    except (InvalidValueError, InvalidTypeError) as error:
        if str(error).startswith("--"):
            raise
        hint = "; write the names of both as text, or of both as integers" if "integers" in str(error) else ""
        names = " and ".join("standard input" if path == "-" else path for path in (run_path, qrels_path))
        raise InvalidValueError(f"{names}: {error}{hint}") from error
