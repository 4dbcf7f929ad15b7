"""Which group of rows an error of a whole chunk comes from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastcal._validate.elements import told_from
from fastcal.bulk._plan import Plan, Stream
from fastcal.bulk._readers import opened
from fastcal.errors import InvalidTypeError, InvalidValueError


def accuse(plan: Plan, stream: Stream, names: list[str] | None, judge: Callable[[Any], object]) -> None:
    """Read the groups of a stream one by one, and raise for the first one that cannot be read or that ``judge`` refuses.

    Rows are counted from the beginning of the group, or, in one that is read in pieces, from the row that the message says.
    """
    stored = plan.columns.stored(names)
    for file, group in stream.groups:
        one, row = plan.inputs[file], 0
        with opened(one) as reader:
            for table in reader.pieces([group], max(stream.rows), stored):
                try:
                    judge(plan.columns.completed(one, table, names))
                except (InvalidValueError, InvalidTypeError) as error:
                    begin = f", from row {row} on" if row else ""
                    raise told_from(f"{one.path}: {one.noun} {group}{begin}", error) from error
                row += table.num_rows
