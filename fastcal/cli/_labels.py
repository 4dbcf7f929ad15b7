"""A run and its labels, for every command that reads judgements."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import numpy as np
import numpy.typing as npt
import typer

from fastcal.errors import InvalidValueError
from fastcal.labelling import TerminalLabeler
from fastcal.run import Labels, Qrels, Run

Texts = Annotated[str | None, typer.Option("--texts", metavar="DIR", help="BEIR folder whose texts are shown to who is asked.", show_default=False)]


class Labelled(NamedTuple):
    """The entries of a run, in its order, with what is known of them."""

    run: Run
    labels: Labels
    queries: npt.NDArray[np.int64]  # number of each entry's query, to split by


def labelled(run: Run, qrels: Qrels, *, unjudged: str = "irrelevant", min_rel: int = 1, texts: str | None = None) -> Labelled:
    """Label a run that has scores; with ``unjudged="ask"`` the person at the terminal is asked for what is missing.

    A run without scores, and one of which no pair is judged, is an error: names are then written in two ways.
    """
    if run.scores is None:
        raise InvalidValueError("the run has no scores")
    if not run.ids.size:
        raise InvalidValueError("the run lists nothing")
    if (qrels.grades_of(run, unjudged=_NONE) == _NONE).all():
        raise InvalidValueError(f"none of the {run.ids.size} pairs of the run is judged; are queries and documents named alike in both?")
    labeler = TerminalLabeler(describing(run, texts)) if unjudged == "ask" else None
    mode: Any = unjudged
    labels = qrels.labels_of(run, unjudged=mode, min_grade=min_rel, labeler=labeler)
    return Labelled(run, labels, np.repeat(np.arange(run.n_queries), run.counts()))


_NONE = -(2**63)


def describing(run: Run, texts: str | None) -> Callable[[int], str]:
    """Return what shows a position of a run to a person: names, and the texts of a BEIR folder."""
    queries, documents = ({}, {}) if texts is None else (_texts(Path(texts, name)) for name in ("queries.jsonl", "corpus.jsonl"))

    def show(position: int) -> str:
        row = int(np.searchsorted(run.offsets, position, side="right")) - 1
        query = str(row if run.query_ids is None else run.query_ids[row])
        document = str(run.ids[position] if run.doc_ids is None else run.doc_ids[run.ids[position]])
        return "\n".join(("query: " + _line(query, queries), "document: " + _line(document, documents)))

    return show


def _line(name: str, texts: dict[str, str]) -> str:
    return f"{name}  {texts[name]}" if name in texts else name


def _texts(path: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    with path.open(encoding="utf-8") as file:
        for line, text in enumerate(file, start=1):
            try:
                record = json.loads(text)
                found[str(record["_id"])] = " ".join(filter(None, (record.get("title"), record["text"])))
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise InvalidValueError(f"{path}, line {line}: expected a JSON object with _id and text") from error
    return found
