"""A labeler for people with a spreadsheet: labels come from a CSV that grows."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from os import PathLike
from typing import Any

import numpy as np
import numpy.typing as npt

from fastcal._validate import files
from fastcal._validate.numbers import number
from fastcal.errors import InvalidTypeError, LabelsWanted
from fastcal.labelling import _table
from fastcal.labelling._names import as_names, as_positions
from fastcal.run import Run


class CsvLabeler:
    r"""Look labels up in a CSV file; say what is missing, and wait or stop until somebody has filled it in.

    The file has a header with ``label`` and the columns of a key, in any order and beside any others. A label is 1, 0, -1 (cannot
    judge) or empty (not yet). It is read again when it has changed. UTF-8, with or without a byte order mark; comma, semicolon or
    tab; quoted fields; any line breaks. Spreadsheets turn names such as 007 or 1-2 into numbers and dates: format that column as text.
    A ``position`` may have become 7.0. Functions ask for all they want at a time (``positions_per_call`` is None), so that people get
    one list.

    Parameters
    ----------
    path : path
        The labels; a file that does not exist has none yet.
    keys : Run, (query_id, doc_ids) or None, default None
        What stands at a position. A run: its pairs, columns ``query_id`` and ``doc_id``. ``(query_id, doc_ids)``: of one query the
        document ``doc_ids[position]``, or number `position` if `doc_ids` is None. None: column ``position``.
    wanted : path, optional
        Rows that lack a label are appended to this file, with an empty label, unless they are in it; it may be `path` itself.
    describe : callable, optional
        Gets a position, returns a mapping of column to text, for the rows of `wanted`: what a person needs to judge. Text that a
        spreadsheet would run as a formula, beginning with =, +, -, @, a tab or a line break, is written after an apostrophe; names in the columns
        of the key are written as they are.
    poll : float, optional
        Seconds between looks at the file until all labels are there; without it, missing labels raise at once.
    patience : float, optional
        With `poll`: seconds without a new label after which missing labels raise; None waits forever.

    Raises
    ------
    LabelsWanted
        If labels are missing. Fill them in and call the function again with the same ``log=`` (or the exception's ``.state`` as
        ``state=``): without it a fresh seed would want other labels.
    ValueError
        If the file cannot be understood; the message names file and line.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> import fastcal as fc
    >>> path = pathlib.Path(tempfile.mkdtemp(), "labels.csv")
    >>> labeler = fc.CsvLabeler(path, fc.Run.from_dict({"q1": {"d7": 0.9, "d1": 0.5}}), wanted=path)
    >>> try:
    ...     labeler([1])
    ... except fc.LabelsWanted as error:
    ...     print(error.positions.tolist(), path.read_text(encoding="utf-8-sig").split())
    [1] ['query_id,doc_id,label', 'q1,d1,']
    >>> _ = path.write_text("query_id,doc_id,label\nq1,d1,1\n")
    >>> labeler([1]).tolist()
    [1]
    """

    positions_per_call = None

    def __init__(
        self,
        path: str | PathLike[str],
        keys: Run | tuple[Any, npt.ArrayLike | None] | None = None,
        *,
        wanted: str | PathLike[str] | None = None,
        describe: Callable[[int], Mapping[str, Any]] | None = None,
        poll: float | None = None,
        patience: float | None = None,
    ) -> None:
        self._path = files.path(path, "path")
        self._names = as_names(keys)
        self.n_positions = self._names.size
        self._wanted = None if wanted is None else files.path(wanted, "wanted")
        if describe is not None and (wanted is None or not callable(describe)):
            raise InvalidTypeError("describe must be callable and goes with wanted")
        if patience is not None and poll is None:
            raise InvalidTypeError("patience goes with poll")
        self._describe = describe
        self._poll = None if poll is None else _seconds(poll, "poll")
        self._patience = np.inf if patience is None else _seconds(patience, "patience")
        self._seen: tuple[int, int] | None = None
        self._labels: dict[_table.Key, int] = {}

    def __call__(self, positions: npt.ArrayLike) -> npt.NDArray[np.int8]:
        """Return 1, 0 or -1 (cannot judge) for each position."""
        asked = as_positions(positions)
        keys = [tuple(str(part).strip() for part in name) for name in self._names.of(asked)]
        n_missing, since = -1, time.monotonic()
        while True:
            self._refresh()
            missing = np.array([key not in self._labels for key in keys], np.bool_)
            if not missing.any():
                return np.array([self._labels[key] for key in keys], np.int8)
            if int(missing.sum()) != n_missing:
                n_missing, since = int(missing.sum()), time.monotonic()
                self._want(asked[missing], [key for key, lacks in zip(keys, missing, strict=True) if lacks])
            if self._poll is None or time.monotonic() - since >= self._patience:
                raise self._lacking(asked, keys, missing)
            time.sleep(self._poll)

    def _refresh(self) -> None:
        """Read the file again if it is another one than last time."""
        try:
            status = self._path.stat()
        except FileNotFoundError:
            self._labels, self._seen = {}, None
            return
        if self._seen != (status.st_mtime_ns, status.st_size):
            labels = _table.read(self._path, self._names.columns).labels
            self._labels = {key: label for key, label in labels.items() if label is not None}
            self._seen = status.st_mtime_ns, status.st_size

    def _want(self, positions: npt.NDArray[np.int64], keys: list[_table.Key]) -> None:
        """Append what is not in the file of wanted rows."""
        if self._wanted is None:
            return
        table = _table.read(self._wanted, self._names.columns)
        rows = [
            self._described(position) | dict(zip(self._names.columns, key, strict=True)) | {"label": ""}
            for position, key in zip(positions.tolist(), keys, strict=True)
            if key not in table.labels
        ]
        if rows and not table.has_header:
            columns = list(dict.fromkeys([*table.layout.columns, *(column for row in rows for column in row)]))
            table = table._replace(layout=table.layout._replace(columns=columns))
        if rows:
            _table.append(self._wanted, table, rows)

    def _described(self, position: int) -> dict[str, Any]:
        """Return what a person needs to judge a position."""
        return {column: _table.harmless(text) for column, text in self._describe(position).items()} if self._describe else {}

    def _lacking(self, asked: npt.NDArray[np.int64], keys: list[_table.Key], missing: npt.NDArray[np.bool_]) -> LabelsWanted:
        where = "" if self._wanted is None else f"; they are rows of {self._wanted}"
        first = self._names.told(int(asked[missing.argmax()]))
        error = LabelsWanted(f"{self._path} lacks {int(missing.sum())} of {asked.size} labels, first {first}{where}{self._hint(keys)}")
        error.positions = asked[missing]
        error.paid = {position: self._labels[key] for position, key in zip(asked.tolist(), keys, strict=True) if key in self._labels}
        return error

    def _hint(self, keys: list[_table.Key]) -> str:
        """Name a label that is there under a number written in another way."""
        plain = {tuple(map(_table.plain, key)): key for key in self._labels}
        for key in keys:
            there = plain.get(tuple(map(_table.plain, key)))
            if key not in self._labels and there is not None:
                return f"; it has a label of {there}, perhaps {key} as a spreadsheet writes it"
        return ""


def _seconds(value: float, name: str) -> float:
    return number(value, name, "a positive number of seconds", lambda x: 0.0 < x < np.inf)
