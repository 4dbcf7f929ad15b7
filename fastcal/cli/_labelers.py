"""Who labels, and where what was paid is kept: the options of ``fastcal certify`` and the labelers they stand for."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import typer

from fastcal.cli._asking import terminal_labeler
from fastcal.cli._labels import check_least, some_queries
from fastcal.cli._options import GradeColumn, MinRel, Split, Unjudged
from fastcal.cli._reading import AllQueries, Columns, judgements
from fastcal.cli._texts import Texts, describing, telling
from fastcal.cli._use import names_of
from fastcal.errors import InvalidValueError, LabelingStopped
from fastcal.labelling import CsvLabeler, QrelsLabeler
from fastcal.run import Qrels, Run

_NONE = -(2**63)


def _file(name: str, metavar: str, text: str) -> Any:
    return typer.Option(name, metavar=metavar, help=text, show_default=False)


@dataclass(frozen=True, kw_only=True)
class Source:
    """Who labels."""

    qrels: Annotated[str | None, _file("--qrels", "QRELS", "Labels are judgements.")] = None
    labels: Annotated[str | None, _file("--labels", "CSV", "Labels are in a CSV that grows: what is missing is appended, for people to fill in.")] = (
        None
    )
    ask: Annotated[bool, typer.Option("--ask", help="You are asked at the terminal.")] = False
    texts: Texts = None
    unjudged: Unjudged = "irrelevant"
    min_rel: MinRel = 1
    all_queries: AllQueries = False
    grade_column: GradeColumn = "relevance"
    split: Split = "test"
    log: Annotated[
        str | None, _file("--log", "FILE", "Each label is appended to it, and one that is there is gone on from; with --labels: CSV.log.")
    ] = None
    state: Annotated[str | None, _file("--state", "FILE", "Labels of a log or of the state of a certificate, to go on from.")] = None

    def __post_init__(self) -> None:
        if (self.qrels is not None) + (self.labels is not None) + self.ask != 1:
            raise InvalidValueError("who labels? give one of --qrels, --labels and --ask")
        people = self.qrels is None or self.unjudged == "ask"
        if self.texts is not None and not people:
            raise InvalidValueError("--texts are shown to people: with --labels, --ask, or --unjudged ask")
        if self.qrels is not None and self.unjudged != "ask":
            return
        if self.kept_in is None:
            raise InvalidValueError("--log FILE is missing: answers at the terminal are kept there, and lost without")

    @property
    def kept_in(self) -> str | None:
        """Where labels go as they arrive."""
        return f"{self.labels}.log" if self.log is None and self.labels is not None else self.log


class JudgedOrAsked:
    """Answer from judgements; ask a person about the rest."""

    def __init__(self, run: Run, qrels: Qrels, min_rel: int, ask: Any) -> None:
        self._grades, self._least, self._ask = qrels.grades_of(run, unjudged=_NONE), min_rel, ask
        self.n_positions = run.ids.size

    def __call__(self, positions: npt.NDArray[np.int64]) -> npt.NDArray[np.int8]:
        """Return 1, 0 or -1 (cannot judge) for each position."""
        grades = self._grades[positions]
        answers = (grades >= self._least).astype(np.int8)
        unknown = grades == _NONE
        if unknown.any():
            answers[unknown] = self._ask(positions[unknown])
        return answers


def labeler_of(source: Source, run: Run, columns: Columns) -> tuple[Run, Any]:
    """Return the pool and who labels it; queries without judgements leave the pool of judgements unless all are wanted."""
    if source.labels is not None:
        tell = telling(run, source.texts)
        describe: Any = None if source.texts is None else tell
        return run, CsvLabeler(source.labels, run, wanted=source.labels, describe=describe)
    if source.qrels is None:
        return run, terminal_labeler(describing(run, source.texts))
    qrels = judgements(source.qrels, columns, source.grade_column, source.split)
    check_least(qrels, source.min_rel)
    if not source.all_queries:
        judged = set(qrels.query_ids.tolist())
        known = np.array([name in judged for name in names_of(run).tolist()], np.bool_)
        run = run if known.all() or not known.any() else some_queries(run, known)  # QrelsLabeler says what is wrong where none is
    if source.unjudged == "ask":
        return run, JudgedOrAsked(run, qrels, source.min_rel, terminal_labeler(describing(run, source.texts)))
    unjudged: Any = source.unjudged
    return run, QrelsLabeler(run, qrels, min_grade=source.min_rel, unjudged=unjudged)


@contextmanager
def kept(source: Source) -> Iterator[None]:
    """Say where the labels are when the person stops or interrupts."""
    where = f"the answers are in {source.kept_in}, and the same command goes on from there"
    try:
        yield
    except LabelingStopped as stopped:
        told = LabelingStopped(f"labelling was stopped; {where}")
        told.state = stopped.state
        raise told from None
    except KeyboardInterrupt:
        if source.kept_in is not None:
            print(f"\nfastcal: {where}", file=sys.stderr, flush=True)
        raise
