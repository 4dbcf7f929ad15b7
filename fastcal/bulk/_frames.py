"""The tables people have, behind one face: Arrow tables and record batches, dicts of arrays, pandas and polars frames."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fastcal._backend.protocol import Array
from fastcal._extras import require
from fastcal.bulk import _columns
from fastcal.bulk._keys import Keys
from fastcal.errors import InvalidTypeError, InvalidValueError


class Frame(ABC):
    """A table; its columns are asked for by name."""

    def __init__(self, data: Any) -> None:
        self.data = data

    @property
    @abstractmethod
    def names(self) -> list[Any]:
        """Names of the columns."""

    @abstractmethod
    def __len__(self) -> int: ...

    def need(self, *names: str) -> None:
        """Raise unless each of these is the name of one column."""
        for name in names:
            if self.names.count(name) != 1:
                found = "several columns are" if name in self.names else "no column is"
                raise InvalidValueError(f"{found} named {name!r}; the table has {', '.join(map(repr, self.names)) or 'no columns'}")

    @abstractmethod
    def arrow(self, name: str) -> Any:
        """Return a column as Arrow has it."""

    def judge_ids(self, name: str) -> None:
        """Raise for a column that cannot hold ids, or holds a null."""
        _columns.judge_arrow_ids(self.arrow(name), name)

    def keys(self, name: str) -> Keys:
        """Return a column of ids."""
        return _columns.keys_of_arrow(self.arrow(name), name)

    def scores(self, name: str) -> npt.NDArray[np.float32]:
        """Return a column of scores, rounded once to float32; NaN for what is missing."""
        return _columns.scores_of_arrow(self.arrow(name), name)

    def labels(self, name: str) -> Array:
        """Return a column as the groups of a GroupCalibrator."""
        return _columns.labels_of_arrow(self.arrow(name), name)

    @abstractmethod
    def finish(self, rows: Array | None, added: Mapping[str, Array]) -> Any:
        """Return some rows, all if None, with these columns behind their own, as the kind of table this is."""


class ArrowFrame(Frame):
    """A ``pyarrow.Table`` or ``RecordBatch``."""

    @property
    def names(self) -> list[Any]:
        return list(self.data.schema.names)

    def __len__(self) -> int:
        return int(self.data.num_rows)

    def arrow(self, name: str) -> Any:
        return self.data.column(name)

    def finish(self, rows: Array | None, added: Mapping[str, Array]) -> Any:
        pa = require("pyarrow", "parquet")
        columns, schema = list(self.data.columns), self.data.schema
        if rows is not None:
            at = pa.array(rows)
            columns = [_columns.taken(column, at) for column in columns]
        for name, values in added.items():
            columns.append(pa.array(values))
            schema = schema.append(pa.field(name, columns[-1].type))
        return type(self.data).from_arrays(columns, schema=schema)


class ArrayFrame(Frame):
    """A dict of arrays of one length; needs no Arrow."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        for name, column in data.items():
            if isinstance(column, np.ma.MaskedArray):
                raise InvalidTypeError(f"column {name!r} is a masked array; expected NaN where a score is missing")
        super().__init__({name: np.asarray(column) for name, column in data.items()})
        lengths = {name: column.shape[0] if column.ndim else None for name, column in self.data.items()}
        if len(set(lengths.values())) > 1 or None in lengths.values():
            raise InvalidValueError(f"columns must be arrays of one length, got {lengths}")
        self._length = next(iter(lengths.values()), 0)

    @property
    def names(self) -> list[Any]:
        return list(self.data)

    def __len__(self) -> int:
        return self._length or 0

    def arrow(self, name: str) -> Any:
        raise NotImplementedError

    def _column(self, name: str) -> Array:
        column: Array = self.data[name]
        if column.ndim != 1:
            raise InvalidValueError(f"column {name!r} has shape {column.shape}; expected one dimension")
        return column

    def judge_ids(self, name: str) -> None:
        _columns.judge_array_ids(self._column(name), name)

    def keys(self, name: str) -> Keys:
        return _columns.keys_of_array(self._column(name), name)

    def scores(self, name: str) -> npt.NDArray[np.float32]:
        return _columns.scores_of_array(self._column(name), name)

    def labels(self, name: str) -> Array:
        return self._column(name)

    def finish(self, rows: Array | None, added: Mapping[str, Array]) -> Any:
        return {name: column if rows is None else column[rows] for name, column in self.data.items()} | dict(added)


class PandasFrame(Frame):
    """A pandas frame; rows keep their labels."""

    @property
    def names(self) -> list[Any]:
        return list(self.data.columns)

    def __len__(self) -> int:
        return len(self.data)

    def arrow(self, name: str) -> Any:
        return require("pyarrow", "parquet").Array.from_pandas(self.data[name])

    def finish(self, rows: Array | None, added: Mapping[str, Array]) -> Any:
        found = self.data if rows is None else self.data.take(rows)
        return found.assign(**added)


class PolarsFrame(Frame):
    """A polars frame."""

    @property
    def names(self) -> list[Any]:
        return list(self.data.columns)

    def __len__(self) -> int:
        return int(self.data.height)

    def arrow(self, name: str) -> Any:
        return self.data[name].to_arrow()

    def finish(self, rows: Array | None, added: Mapping[str, Array]) -> Any:
        found = self.data if rows is None else self.data[rows]
        return found.with_columns(**{name: require("polars", "polars").Series(values) for name, values in added.items()})


def frame_of(data: Any) -> Frame:
    """Return the face of a table."""
    if isinstance(data, Mapping):
        return ArrayFrame(data)
    home = type(data).__module__.partition(".")[0]
    if home == "pyarrow" and isinstance(data, _of("pyarrow", "Table", "RecordBatch")):
        return ArrowFrame(data)
    if home == "pandas" and isinstance(data, _of("pandas", "DataFrame")):
        return PandasFrame(data)
    if home == "polars" and isinstance(data, _of("polars", "DataFrame")):
        return PolarsFrame(data)
    raise InvalidTypeError(f"table is a {_kind(data)}; expected a pyarrow Table or RecordBatch, a dict of arrays, or a pandas or polars DataFrame")


def joined(tables: Sequence[Any]) -> Any:
    """Return the rows of all tables, which must be of one kind and have the same columns."""
    frames = [frame_of(table) for table in tables]
    if not frames:
        raise InvalidValueError("no table to merge; expected at least one")
    kind = type(frames[0])
    for at, frame in enumerate(frames):
        if type(frame) is not kind or frame.names != frames[0].names:
            raise InvalidValueError(f"table {at} is a {kind_of(frame)}; expected one like the first, a {kind_of(frames[0])}")
    if kind is ArrowFrame:
        return _joined_arrow([frame.data for frame in frames])
    if len(frames) == 1:
        return frames[0].data
    if kind is ArrayFrame:
        return {name: np.concatenate([frame.data[name] for frame in frames]) for name in frames[0].names}
    concat = sys.modules["pandas" if kind is PandasFrame else "polars"].concat
    return concat([frame.data for frame in frames])


def kind_of(frame: Frame) -> str:
    """Return words for a table in a message."""
    return f"{type(frame.data).__name__} with the columns {frame.names}"


def _joined_arrow(tables: list[Any]) -> Any:
    pa = require("pyarrow", "parquet")
    for at, table in enumerate(tables):
        if not table.schema.equals(tables[0].schema):
            raise InvalidValueError(f"table {at} has another schema than the first:\n{table.schema}\n\n{tables[0].schema}")
    whole = [pa.Table.from_batches([table]) if isinstance(table, pa.RecordBatch) else table for table in tables]
    return pa.concat_tables(whole).unify_dictionaries()


def _of(module: str, *names: str) -> tuple[type, ...]:
    return tuple(getattr(sys.modules[module], name) for name in names)


def _kind(data: Any) -> str:
    return f"{type(data).__module__}.{type(data).__qualname__}".removeprefix("builtins.")
