"""Errors about a flat position of a run, told by query and document."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from fastcal.errors import InvalidValueError
from fastcal.run import Run, pairs

_QUERY = "query "
_PLACES = tuple(
    map(
        re.compile,
        (
            r"scores\[(?P<at>\d+)\] is (?P<value>[^\s;]+); ",
            r"scores is (?P<value>\S+) at position (?P<at>\d+); ",
            r"scores: got (?P<value>\S+) in list (?P<list>\d+) at position (?P<at>\d+); ",
            r"column 'score' holds (?P<value>\S+) in row (?P<at>\d+), of query \d+: ",
        ),
    )
)


@contextmanager
def located(run: Run, path: str | None = None) -> Iterator[None]:
    """Let errors about a score of a run name query and document, and the file it was read from."""
    try:
        yield
    except InvalidValueError as error:
        text = _told(str(error), run)
        if path is not None and text.startswith(_QUERY):
            text = f"{'standard input' if path == '-' else path}: {text}"
        raise InvalidValueError(text) from error


def _told(text: str, run: Run) -> str:
    found = next(filter(None, (place.match(text) for place in _PLACES)), None)
    at = None if found is None else _position(run, found)
    if found is None or at is None:
        return text
    query, document = (names.item() for names in pairs(run, [at]))
    return f"{_QUERY}{query!r}, document {document!r}: score {found['value']}; {text[found.end() :]}"


def _position(run: Run, found: re.Match[str]) -> int | None:
    """Return where the score stands; a fold counts its own positions, and the score itself then tells."""
    assert run.scores is not None
    at = int(found["at"]) + (int(run.offsets[int(found["list"])]) if "list" in found.re.groupindex else 0)
    value = np.float32(found["value"])
    if at < run.scores.size and run.scores[at] == value:
        return at
    same = np.flatnonzero(run.scores == value)
    return int(same[0]) if same.size else None
