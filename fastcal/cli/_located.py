"""Errors about a score of a run, told by file, query and document."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from fastcal.cli._reading import Columns
from fastcal.errors import InvalidElementError, InvalidValueError
from fastcal.files import line_of
from fastcal.run import Run, pairs


@contextmanager
def about(path: str) -> Iterator[None]:
    """Let errors about values name the file that they have to go with."""
    try:
        yield
    except InvalidValueError as error:
        raise InvalidValueError(f"{path}: {error}") from error


@contextmanager
def located(run: Run, path: str, columns: Columns | None = None, /, **others: tuple[Run, str]) -> Iterator[None]:
    """Let errors about a score name the file it was read from, the line, query and document; `others` are runs under the names of arguments."""
    try:
        yield
    except InvalidElementError as error:
        found = (run, path) if error.argument in {"scores", "score"} else others.get(error.argument)
        if found is None:
            raise
        raise InvalidValueError(_told(error, *found, columns or Columns())) from error


def _told(error: InvalidElementError, run: Run, path: str, columns: Columns) -> str:
    query, document = (names.item() for names in pairs(run, [error.at]))
    assert run.scores is not None
    score = run.scores[error.at]
    normed = f", normalised {error.value}" if isinstance(error.value, np.floating) and error.value != score else ""
    line = line_of(path, (str(query), str(document)), float(score), (columns.query_column, columns.doc_column, columns.score_column))
    file = ("standard input" if path == "-" else path) + (f", {line}" if line else "")
    return f"{file}: query {query!r}, document {document!r}: score {score}{normed}; {error.reason}"
