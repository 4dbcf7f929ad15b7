"""Reading id lists and column files; every error names the file and the line."""

from __future__ import annotations

import gzip
import json
import zlib
from typing import TYPE_CHECKING

from fastcal.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path


def read_ids(path: Path) -> dict[str, int]:
    """Map the ``_id`` of each line of a jsonl file to its row."""
    rows: dict[str, int] = {}
    for line, text in _lines(path):
        try:
            name = str(json.loads(text)["_id"])
        except (ValueError, KeyError, TypeError) as error:
            raise InvalidValueError(f"{path}, line {line}: expected a JSON object with an _id") from error
        if name in rows:
            raise InvalidValueError(f"{path}, line {line}: _id {name!r} appears twice")
        rows[name] = len(rows)
    if not rows:
        raise InvalidValueError(f"{path}: empty")
    return rows


def read_columns(path: Path, width: int, *, header: bool) -> Iterator[tuple[int, list[str]]]:
    """Yield (line number, columns) of a file separated by tabs or blanks; a first line whose last column is a word is a header."""
    for line, text in _lines(path):
        columns = text.rstrip("\r\n").split("\t") if "\t" in text else text.split()
        if len(columns) != width:
            raise InvalidValueError(f"{path}, line {line}: {len(columns)} columns, expected {width}")
        if not (header and line == 1 and columns[-1].isalpha()):
            yield line, columns


def row_of(rows: dict[str, int], name: str, path: Path, line: int, kind: str) -> int:
    """Look up the row of an id."""
    try:
        return rows[name]
    except KeyError:
        raise InvalidValueError(f"{path}, line {line}: unknown {kind} id {name!r}") from None


def integer(text: str, path: Path, line: int) -> int:
    """Read a whole number."""
    try:
        return int(text)
    except ValueError:
        raise InvalidValueError(f"{path}, line {line}: {text!r} is not an integer") from None


def known(rows: dict[str, int], names: Iterable[str] | None, path: Path, kind: str) -> list[str]:
    """Return the names, all of which have a row."""
    listed = [] if names is None else list(names)
    for name in listed:
        if name not in rows:
            raise InvalidValueError(f"{path}: unknown {kind} id {name!r}")
    return listed


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rt", encoding="utf-8") as file:
            for line, text in enumerate(file, start=1):
                if text.strip():
                    yield line, text
    except (OSError, EOFError, UnicodeDecodeError, zlib.error) as error:
        raise InvalidValueError(f"{path}: cannot be read ({type(error).__name__})") from error
