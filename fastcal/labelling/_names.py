"""What stands at a position, by name: a pair of query and document of a run, a document of one query, or the position itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from fastcal._validate.arrays import as_array, int64_array
from fastcal.errors import InvalidTypeError, InvalidValueError
from fastcal.run import Run, pairs

Int64 = npt.NDArray[np.int64]


class Names(NamedTuple):
    """How positions are named: the columns of a name, and the names of an array of positions."""

    columns: tuple[str, ...]
    of: Callable[[Int64], list[tuple[Any, ...]]]
    size: int | None = None  # positions lie below it

    def told(self, position: int) -> str:
        """Return the name of one position as an error message has it."""
        (name,) = self.of(np.array([position], np.int64))
        return ", ".join(f"{column}={value!r}" for column, value in zip(self.columns, name, strict=True))


def as_names(keys: Any) -> Names:
    """Take a run, (query, documents), where documents are named by position or, None, by number, or None: positions name themselves."""
    if keys is None:
        return Names(("position",), lambda positions: [(position,) for position in positions.tolist()])
    if isinstance(keys, Run):
        return Names(
            ("query_id", "doc_id"), lambda positions: list(zip(*(names.tolist() for names in pairs(keys, positions)), strict=True)), keys.ids.size
        )
    if not isinstance(keys, tuple) or len(keys) != 2:
        raise InvalidTypeError(f"keys must be a Run, a tuple (query_id, doc_ids) or None; got {type(keys).__name__}")
    query, documents = keys
    if documents is None:
        return Names(("query_id", "doc_id"), lambda positions: [(query, position) for position in positions.tolist()])
    listed = as_array(documents, "doc_ids")
    if listed.ndim != 1:
        raise InvalidValueError(f"doc_ids must have shape (n,), got {listed.shape}")
    return Names(("query_id", "doc_id"), lambda positions: [(query, name) for name in listed[within(positions, listed.size)].tolist()], listed.size)


def as_positions(positions: Any) -> Int64:
    """Return the positions a labeler was asked for."""
    asked = int64_array(positions, "positions")
    if asked.ndim != 1:
        raise InvalidValueError(f"positions must have shape (n,), got {asked.shape}")
    if asked.size and asked.min() < 0:
        raise InvalidValueError(f"positions must be at least 0, got {asked.min()}")
    return asked


def within(positions: Int64, size: int) -> Int64:
    """Return positions that all lie below `size`."""
    if positions.size and positions.max() >= size:
        raise InvalidValueError(f"positions must lie in [0, {size}), got {positions.max()}; the labeler is of another pool")
    return positions
