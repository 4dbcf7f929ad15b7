"""What normalisation has to know about all scores of a query, gathered piece by piece in any order."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from fastcal._backend.protocol import Array
from fastcal._extras import require
from fastcal._validate.numbers import instance, one_of
from fastcal.bulk._columns import keys_of_arrow
from fastcal.bulk._frames import ArrowFrame, frame_of
from fastcal.bulk._keys import Groups, Keys, grouped, joined, places, require_one_kind
from fastcal.bulk._moments import NEEDS, Lines, Moments, lines_of
from fastcal.errors import InvalidTypeError, InvalidValueError

WHOLE_LIST = ("rank", "borda", "robust", "tail")
PLAIN_MAPS = ("atan", "sigmoid")
_NUMBERS = ("n", "min", "max", "sum", "sum_of_squares")


class QueryStatistics:
    """Statistics by which a norm maps the scores of each query, gathered from rows in any order and any split.

    Sums are exact, so whatever the rows are split into, the result is the same to the bit: mean and deviation are rounded once.
    :func:`fastcal.normalize` rounds its own in float64 as it goes: its result on the whole list is within one float32 step, but for scores so
    near the mean that the difference is that rounding; of "minmax" and "max" it is the same. The state of a query is its id and 16 to 144
    bytes.

    Parameters
    ----------
    norm : {"minmax", "max", "sum", "l2", "zscore", "dbsf"}
        With the defaults of :func:`fastcal.normalize`. "atan" and "sigmoid" need no statistics; "rank", "borda", "robust" and "tail" need the
        whole list of a query at once.
    query, score : str
        Names of the columns. Ids are integers or strings; scores are floats, rounded once to float32; null and NaN count for nothing.

    Raises
    ------
    ValueError
        If `norm` is another one.

    Examples
    --------
    >>> import numpy as np
    >>> from fastcal.bulk import QueryStatistics
    >>> one = QueryStatistics("zscore").update({"query_id": np.array([7, 7]), "score": np.array([1.0, 2.0])})
    >>> two = QueryStatistics("zscore").update({"query_id": np.array([7, 9]), "score": np.array([6.0, 0.5])})
    >>> one.merge(two)
    QueryStatistics('zscore', 4 scores of 2 queries)
    """

    def __init__(self, norm: str, *, query: str = "query_id", score: str = "score") -> None:
        if norm in WHOLE_LIST:
            raise InvalidValueError(
                f"norm {norm!r} needs all scores of a query at once: rescore tables that hold whole queries without statistics, or choose one of "
                f"{', '.join(map(repr, NEEDS))}"
            )
        if norm in PLAIN_MAPS:
            raise InvalidValueError(f"norm {norm!r} maps each score by itself and needs no statistics")
        self.norm, self.query, self.score = one_of(norm, "norm", tuple(NEEDS)), query, score
        self._parts: list[Moments] = []  # each at least twice as large as the next: an update costs what it brings
        self._lines: dict[bool, Lines] = {}

    def update(self, table: Any) -> Self:
        """Take the rows of a table: any kind that :class:`Rescorer` takes.

        Raises ValueError for a null query or an infinite score, TypeError for columns of other types.
        """
        frame = frame_of(table)
        frame.need(self.query, self.score)
        return self.add(grouped(frame.keys(self.query)), frame.scores(self.score))

    def add(self, groups: Groups, scores: Array) -> Self:
        """Take float32 scores whose queries have been told apart."""
        self._push(Moments.of(self.norm, groups, scores, self.score))
        return self

    def merge(self, other: QueryStatistics) -> Self:
        """Take what another one has seen. Raises ValueError if it is of another norm."""
        instance(other, "other", QueryStatistics)
        if other.norm != self.norm:
            raise InvalidValueError(f"statistics of norm {other.norm!r} cannot be merged into those of {self.norm!r}")
        if len(other):
            self._push(other._settled())
        return self

    def to_table(self) -> Any:
        """Return a ``pyarrow.Table`` with a row for each query, ids ascending, and the norm in its metadata.

        Columns: the query, ``n``, ``min``, ``max`` and, as the norm needs them, ``sum`` (48 bytes) and ``sum_of_squares`` (80 bytes):
        two's complement integers, least significant byte first, in units of 2^-149 and 2^-298.
        """
        pa = require("pyarrow", "parquet")
        if self.query in _NUMBERS:
            raise InvalidValueError(f"the query column is named {self.query!r}, as one of the statistics is")
        found = self._settled()
        ids = found.keys.ids()
        columns = {self.query: pa.array(ids, pa.large_string() if found.keys.kind == "text" else None)}
        columns |= dict(zip(_NUMBERS, map(pa.array, (found.counts, found.least, found.greatest)), strict=False))
        for name, words in (("sum", found.sums), ("sum_of_squares", found.squares)):
            if words is not None:
                raw = pa.py_buffer(np.ascontiguousarray(words, "<u8"))
                columns[name] = pa.Array.from_buffers(pa.binary(8 * words.shape[1]), len(words), [None, raw])
        return pa.table(columns).replace_schema_metadata({"fastcal.norm": self.norm})

    @classmethod
    def from_table(cls, table: Any, norm: str | None = None, *, query: str = "query_id", score: str = "score") -> Self:
        """Return the statistics of what :meth:`to_table` gave, or of several such tables in one: rows of one query are merged.

        `norm` is that of the table's metadata, and may be left out where an engine has not lost it.
        """
        frame = frame_of(table)
        if not isinstance(frame, ArrowFrame):
            raise InvalidTypeError(f"table is a {type(table).__name__}; expected a pyarrow Table")
        told = (table.schema.metadata or {}).get(b"fastcal.norm", b"").decode() or norm
        if told is None:
            raise InvalidValueError("norm is missing: the metadata of the table do not say it")
        if norm not in (None, told):
            raise InvalidValueError(f"the table holds statistics of norm {told!r}, not {norm!r}")
        found = cls(told, query=query, score=score)
        wanted = (query, *_NUMBERS[:3], *(name for name, needed in zip(_NUMBERS[3:], NEEDS[told], strict=True) if needed))
        frame.need(*wanted)
        keys = keys_of_arrow(frame.arrow(query), query)
        found._push(Moments(keys, *_numbers(frame, told)).settled())
        return found

    @property
    def n_scores(self) -> int:
        """How many scores it has seen."""
        return sum(int(part.counts.sum()) for part in self._parts)

    def __len__(self) -> int:
        return len(self._settled())

    def __repr__(self) -> str:
        return f"QueryStatistics({self.norm!r}, {self.n_scores} scores of {len(self)} queries)"

    def __getstate__(self) -> dict[str, Any]:
        return {"norm": self.norm, "query": self.query, "score": self.score, "_parts": [self._settled()], "_lines": {}}

    def normalized(self, groups: Groups, scores: Array, *, higher_is_better: bool) -> Array:
        """Return float32 scores by the lines of their queries. A query it does not know is an error."""
        found = self._settled()
        at = places(found.keys, groups.distinct, ("the statistics", f"column {self.query!r}"))
        if (at < 0).any():
            unknown = groups.distinct.take(np.flatnonzero(at < 0)[:1]).ids().tolist()[0]
            raise InvalidValueError(f"query {unknown!r} is not in the statistics, which know {len(found)} queries: gather them from all rows first")
        if higher_is_better not in self._lines:
            self._lines[higher_is_better] = lines_of(found, self.norm, higher_is_better)
        return self._lines[higher_is_better].map(scores, at[groups.codes])

    def _push(self, part: Moments) -> None:
        for known in self._parts:
            require_one_kind(known.keys, part.keys, ("the statistics", "the new rows"))
        self._parts.append(part)
        self._lines = {}
        while len(self._parts) > 1 and len(self._parts[-2]) < 2 * len(self._parts[-1]):
            self._fold()

    def _fold(self) -> None:
        last = self._parts.pop()
        first = self._parts[-1]
        self._parts[-1] = Moments.stacked(joined(first.keys, last.keys, ("one part", "the other")), [first, last]).settled()

    def _settled(self) -> Moments:
        """Return all in one."""
        if not self._parts:
            return Moments.empty(self.norm, Keys("int64", np.empty(0, np.int64)))
        while len(self._parts) > 1:
            self._fold()
        return self._parts[0]


def _numbers(frame: ArrowFrame, norm: str) -> list[Any]:
    """Columns of statistics as arrays."""
    pa = require("pyarrow", "parquet")
    found: list[Any] = []
    for name, kind in zip(_NUMBERS[:3], (pa.int64(), pa.float32(), pa.float32()), strict=True):
        found.append(frame.data.column(name).cast(kind).to_numpy())
    for name, needed, size in zip(_NUMBERS[3:], NEEDS[norm], (48, 80), strict=True):
        if not needed:
            found.append(None)
            continue
        found.append(_words(frame.data.column(name), name, size))
    return found


def _words(column: Any, name: str, size: int) -> Array:
    """Return binaries of one size, whatever an engine has made of their type, as rows of words."""
    pa = require("pyarrow", "parquet")
    fixed = pa.binary(size)
    try:
        chunks = [chunk if chunk.type == fixed else chunk.cast(fixed) for chunk in getattr(column, "chunks", [column])]
    except pa.ArrowInvalid:
        chunks = None
    if chunks is None or column.null_count:
        raise InvalidValueError(f"column {name!r} must hold {size} bytes in every row")
    parts = [np.frombuffer(chunk.buffers()[1] or b"", np.uint8)[chunk.offset * size : (chunk.offset + len(chunk)) * size] for chunk in chunks]
    return np.concatenate([np.empty(0, np.uint8), *parts]).view("<u8").reshape(-1, size // 8).astype(np.uint64, copy=False)
