"""``--by TABLE:COLUMN``: the group of each query, from a table with a row per query."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fastcal.errors import InvalidValueError
from fastcal.files import read_groups
from fastcal.run import Run


def groups_of(by: str | None, run: Run, query_column: str) -> npt.NDArray[Any] | None:
    """Return the group of each query of a run, as text; None without `by`."""
    if by is None:
        return None
    path, colon, column = by.rpartition(":")
    if not colon or not path or not column:
        raise InvalidValueError(f"--by must be TABLE:COLUMN, such as queries.csv:language, got {by!r}")
    found = read_groups(by, query=query_column)
    names = list(map(str, range(run.n_queries) if run.query_ids is None else run.query_ids.tolist()))
    lacking = [name for name in names if name not in found]
    if lacking:
        raise InvalidValueError(f"{path} has no {column} for {len(lacking)} of {len(names)} queries, first {lacking[0]!r}")
    return np.array([found[name] for name in names], dtype=object)
