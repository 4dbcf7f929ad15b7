"""A CSV of labels as spreadsheets and people leave it: with a byte order mark, CRLF, semicolons, rows that are not finished."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from fastcal.errors import InvalidValueError

_FORMULA = ("=", "+", "-", "@", "\t", "\n")  # what a spreadsheet takes for a formula begins so
_NUMBER = re.compile(r"0*(\d+)(?:\.0*)?")
_LABELS = {"": None, "1": 1, "0": 0, "-1": -1, "1.0": 1, "0.0": 0, "-1.0": -1}  # pandas writes floats where labels are missing

Key = tuple[str, ...]


class Layout(NamedTuple):
    """How the rows of a file are written."""

    columns: list[str]
    delimiter: str
    line_break: str


class Table(NamedTuple):
    """What a file says: labels by key, None where the cell is empty."""

    layout: Layout
    labels: dict[Key, int | None]
    has_header: bool = True
    ends_in_line_break: bool = True


def read(path: Path, keys: Sequence[str]) -> Table:
    """Read the columns `keys` and ``label`` of a file; one that does not exist, or is empty, has no rows.

    Of a last row without a line break, which may be half written, only what is surely whole is taken: a row whose label stands after
    its keys.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        text = ""
    except UnicodeDecodeError as error:
        raise InvalidValueError(f"{path} is not UTF-8 ({error.reason} at byte {error.start}); save it as CSV UTF-8") from None
    if not text:
        return Table(Layout([*keys, "label"], ",", "\n"), {}, has_header=False)
    whole = text.endswith(("\n", "\r"))
    layout = _layout(path, text, keys)
    places, label_at = [layout.columns.index(key) for key in keys], layout.columns.index("label")
    found: dict[Key, tuple[int | None, int]] = {}
    for line, row, may_be_torn in _rows(path, text, layout.delimiter, whole):
        torn = may_be_torn and (len(row) <= label_at or row[label_at].strip() not in _LABELS or label_at < max(places))
        if not torn and any(cell.strip() for cell in row):
            _add(found, row, layout, places, label_at, path, line)
    return Table(layout, {key: label for key, (label, _) in found.items()}, ends_in_line_break=whole)


def plain(name: str) -> str:
    """Return a number as it was before a spreadsheet or pandas wrote it as 07 or 7.0; anything else as it is."""
    number = _NUMBER.fullmatch(name)
    return number[1] if number else name


def harmless(value: Any) -> Any:
    """Return text that no spreadsheet takes for a formula: with an apostrophe before it if it begins like one."""
    if not isinstance(value, str):
        return value
    value = value.replace("\r\n", "\n").replace("\r", "\n")  # csv does not quote a bare CR
    return f"'{value}" if value.startswith(_FORMULA) else value


def append(path: Path, table: Table, rows: Iterable[Mapping[str, Any]]) -> None:
    """Append rows in the layout of a file, in one write; columns the file lacks are left out."""
    layout, written = table.layout, io.StringIO()
    writer = csv.DictWriter(written, layout.columns, extrasaction="ignore", delimiter=layout.delimiter, lineterminator=layout.line_break)
    if not table.has_header:
        written.write("\ufeff")  # without it, Excel takes UTF-8 for a code page of its own
        writer.writeheader()
    elif not table.ends_in_line_break:
        written.write(layout.line_break)
    writer.writerows(rows)
    with path.open("ab" if table.has_header else "wb") as file:
        file.write(written.getvalue().encode())


def _layout(path: Path, text: str, keys: Sequence[str]) -> Layout:
    for delimiter in ",;\t":
        columns = [name.strip() for name in next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))]
        if {*keys, "label"} <= set(columns):
            for name in (*keys, "label"):
                if columns.count(name) > 1:
                    raise InvalidValueError(f"{path}, line 1: {columns.count(name)} columns are named {name!r}; expected one")
            return Layout(columns, delimiter, "\r\n" if "\r\n" in text else "\n")
    raise InvalidValueError(f"{path}, line 1: expected the columns {', '.join([*keys, 'label'])}; got {text.splitlines()[0][:200]!r}")


def _rows(path: Path, text: str, delimiter: str, whole: bool) -> Iterator[tuple[int, list[str], bool]]:
    """Yield line, cells and whether the row may be half written, of every row below the header."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True, strict=True)
    n_lines = len(io.StringIO(text, newline="").readlines())
    next(reader)
    while True:
        line = reader.line_num + 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if not whole and line == n_lines:
                return
            raise InvalidValueError(f"{path}, line {line}: {error}") from None
        yield line, row, not whole and reader.line_num == n_lines


def _add(found: dict[Key, tuple[int | None, int]], row: list[str], layout: Layout, places: list[int], label_at: int, path: Path, line: int) -> None:
    if len(row) <= max(*places, label_at):
        raise InvalidValueError(f"{path}, line {line}: {len(row)} fields; expected at least {max(*places, label_at) + 1}")
    text = row[label_at].strip()
    if text not in _LABELS:
        raise InvalidValueError(f"{path}, line {line}: label {text!r}; expected 1, 0, -1 (cannot judge) or nothing (not yet)")
    key, label = _key(layout.columns, row, places), _LABELS[text]
    before, at = found.get(key, (None, 0))
    if before is not None and label is not None and before != label:
        raise InvalidValueError(f"{path}, line {line}: {', '.join(key)} has label {label} here and {before} in line {at}")
    if before is None:
        found[key] = label, line


def _key(columns: list[str], row: list[str], places: list[int]) -> Key:
    """Return the name of a row; a position is a number, however it is written."""
    return tuple(plain(row[place].strip()) if columns[place] == "position" else row[place].strip() for place in places)
