"""The files of a table: which there are, in which order, and the columns that all of them must have."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from fastcal._extras import require
from fastcal.errors import InvalidTypeError, InvalidValueError

NULL_PARTITION = "__HIVE_DEFAULT_PARTITION__"


@dataclass(frozen=True)
class Input:
    """A file, as the plan and the manifest know it; ``partitions`` are the columns that its folders spell as ``name=value``."""

    path: Path
    name: str
    size: int
    mtime_ns: int
    kind: str
    partitions: dict[str, str] = field(default_factory=dict)

    @property
    def noun(self) -> str:
        """Return what its groups of rows are called."""
        return "row group" if self.kind == "parquet" else "record batch"

    def to_dict(self) -> dict[str, Any]:
        """Return what a resumed run must find again."""
        return {"name": self.name, "size": self.size, "mtime_ns": self.mtime_ns}


def found(source: Path) -> list[Input]:
    """Return the data files of a folder and its folders, by name, or the one file; names that begin with ``.`` or ``_`` are not data."""
    if not source.exists():
        raise InvalidValueError(f"{source} does not exist")
    if not source.is_dir():
        return [_input(source, source.name, {})]
    names = sorted(_names(source), key=lambda name: name.split("/"))
    if not names:
        raise InvalidValueError(f"{source} holds no files")
    return [_input(source / name, name, _partitions(name)) for name in names]


def _names(source: Path) -> list[str]:
    names = []
    for folder, folders, files in os.walk(source, followlinks=True):
        folders[:] = [name for name in folders if not name.startswith((".", "_"))]
        here = Path(folder).relative_to(source)
        names += [(here / name).as_posix() for name in files if not name.startswith((".", "_"))]
    return names


def _partitions(name: str) -> dict[str, str]:
    pairs = [part.split("=", 1) for part in name.split("/")[:-1] if "=" in part]
    return {unquote(key): unquote(value) for key, value in pairs}


def _input(path: Path, name: str, partitions: dict[str, str]) -> Input:
    with path.open("rb") as file:
        head = file.read(8)
    facts = path.stat()
    return Input(path, name, facts.st_size, facts.st_mtime_ns, _kind(path, head), partitions)


def _kind(path: Path, head: bytes) -> str:
    """Tell the formats apart by their first bytes; an Arrow stream begins with a continuation mark."""
    if head[:4] == b"PAR1":
        return "parquet"
    if head[:6] == b"ARROW1":
        return "arrow"
    if head[:4] == b"\xff\xff\xff\xff":
        return "stream"
    if head[:4] == b"FEA1":
        raise InvalidValueError(f"{path} is a Feather file of version 1; write it again as version 2")
    raise InvalidValueError(f"{path} is neither Parquet nor Arrow IPC" + (": it is empty" if not head else ""))


class Columns:
    """The columns of the whole table: those of the first file, then those of its folders.

    Every other file must have the same ones, in any order; see `_plain` for what comes out as another type.
    """

    def __init__(self, inputs: list[Input], schema: Any) -> None:
        self._pa = require("pyarrow", "parquet")
        self._first = inputs[0].path
        self._stored = self._pa.schema([_plain(self._pa, column) for column in schema])
        for name in self._stored.names:
            if self._stored.names.count(name) > 1:
                raise InvalidValueError(f"{self._first}: there are several columns {name!r}")
            if name in inputs[0].partitions:
                raise InvalidValueError(f"{self._first}: column {name!r} is in the file and in the name of its folder")
        self._types = {key: self._type_of(key, inputs) for key in inputs[0].partitions}
        self.schema = self._pa.schema([*self._stored, *(self._pa.field(key, kind) for key, kind in self._types.items())])

    def _type_of(self, key: str, inputs: list[Input]) -> Any:
        for one in inputs:
            if one.partitions.keys() != inputs[0].partitions.keys():
                raise InvalidValueError(f"{one.path}: expected folders that spell the columns {sorted(inputs[0].partitions)}")
        values = [one.partitions[key] for one in inputs if one.partitions[key] != NULL_PARTITION]
        try:
            widest = max((abs(int(value)) for value in values), default=None)
        except ValueError:
            return self._pa.string()
        if widest is None:
            return self._pa.string()
        return self._pa.int32() if widest < 2**31 else self._pa.int64()

    def check(self, path: Path, schema: Any) -> None:
        """Raise where a file has other columns than the first one."""
        here = {column.name: _plain(self._pa, column).type for column in schema}
        wanted = {column.name: column.type for column in self._stored}
        for name in [*wanted, *here]:
            if name not in here:
                raise InvalidValueError(f"{path}: column {name!r} of {self._first} is missing")
            if name not in wanted:
                raise InvalidValueError(f"{path}: column {name!r} is not in {self._first}")
            if here[name] != wanted[name]:
                raise InvalidTypeError(f"{path}: column {name!r} is {here[name]}, in {self._first} it is {wanted[name]}")

    def stored(self, names: list[str] | None) -> list[str]:
        """Return which columns of a file to read for these (all, by default): one at least, for its number of rows."""
        return [name for name in self._stored.names if names is None or name in names] or self._stored.names[:1]

    def completed(self, one: Input, table: Any, names: list[str] | None) -> Any:
        """Return the rows of a file with the columns of its folders, in the order and the types of the whole table."""
        wanted = self.schema if names is None else self._pa.schema([column for column in self.schema if column.name in names])
        arrays = [self._column(one, table, column) for column in wanted]
        return self._pa.Table.from_arrays(arrays, schema=wanted)

    def _column(self, one: Input, table: Any, column: Any) -> Any:
        if column.name not in self._types:
            held = table.column(column.name)
            return held if held.type == column.type else held.cast(column.type)
        text = one.partitions[column.name]
        if text == NULL_PARTITION:
            return self._pa.nulls(table.num_rows, column.type)
        value = text if column.type == self._pa.string() else int(text)
        return self._pa.repeat(self._pa.scalar(value, column.type), table.num_rows)


def _plain(pa: Any, column: Any) -> Any:
    """A column without notes, nullable; indices of dictionaries are int32, as Parquet has them, and views, which cannot be taken from, plain."""
    kind = {pa.string_view(): pa.string(), pa.binary_view(): pa.binary()}.get(column.type, column.type)
    if pa.types.is_dictionary(kind):
        kind = pa.dictionary(pa.int32(), kind.value_type)
    return pa.field(column.name, kind)
