"""What a person needs to see to judge a pair: names, and the texts of a folder in BEIR layout."""

from __future__ import annotations

from collections.abc import Callable, Container
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from fastcal.errors import InvalidValueError
from fastcal.files._source import lines, source
from fastcal.files._tables import parsed
from fastcal.run import Run, pairs

Texts = Annotated[
    str | None,
    typer.Option("--texts", metavar="DIR", help="BEIR folder whose texts are shown to who is asked.", show_default=False),
]


def describing(run: Run, texts: str | None) -> Callable[[int], str]:
    """Return what shows a position of a run to a person."""
    told = telling(run, texts)

    def show(position: int) -> str:
        return "\n".join(f"{name}: {text}" for name, text in told(position).items())

    return show


def telling(run: Run, texts: str | None) -> Callable[[int], dict[str, str]]:
    """Return what tells query and document of a position of a run, each with its text where there is one."""
    queries, documents = ({}, {}) if texts is None else _folder(Path(texts), run)

    def tell(position: int) -> dict[str, str]:
        query, document = (str(name[0]) for name in pairs(run, [position]))
        return {"query": _line(query, queries), "document": _line(document, documents)}

    return tell


def _line(name: str, texts: dict[str, str]) -> str:
    return f"{name}  {texts[name]}" if name in texts else name


def _folder(folder: Path, run: Run) -> tuple[dict[str, str], dict[str, str]]:
    """Return the texts of the queries, and of the documents that the run lists."""
    listed = np.unique(run.ids)
    wanted = set(map(str, (listed if run.doc_ids is None else run.doc_ids[listed]).tolist()))
    return _texts(folder / "queries.jsonl", None), _texts(folder / "corpus.jsonl", wanted)


def _texts(path: Path, wanted: Container[str] | None) -> dict[str, str]:
    found: dict[str, str] = {}
    for line, text in lines(source(path)):
        record: Any = parsed(text, f"{path}, line {line}")
        try:
            name, told = str(record["_id"]), " ".join(filter(None, (record.get("title"), record["text"])))
        except (KeyError, TypeError, AttributeError) as error:
            raise InvalidValueError(f"{path}, line {line}: expected a JSON object with _id and text") from error
        if wanted is None or name in wanted:
            found[name] = told
    return found
