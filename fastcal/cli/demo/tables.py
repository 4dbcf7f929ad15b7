"""Screens as data: titled tables of cells, the same for the terminal and the report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fastcal.cli.demo.estimates import FEW, Estimate
from fastcal.cli.demo.experiment import Findings

RESAMPLED = "[ ]: 95 % interval, resampled by query"
BY_QUERY = f"{RESAMPLED} (at 0 and 1: Wilson over queries; on fewer than {FEW} pairs: widened to contain Wilson over pairs)"
Row = tuple[str, ...]
Cell = Callable[[Findings], str]


@dataclass(frozen=True)
class Group:
    """Rows that belong together, under an optional caption row."""

    rows: tuple[Row, ...]
    caption: Row = ()


@dataclass(frozen=True)
class Screen:
    """A titled table with remarks."""

    title: str
    columns: Row
    groups: tuple[Group, ...]
    notes: tuple[str, ...] = ()


def names(all_findings: Sequence[Findings]) -> Row:
    """Head of a table with a column for each collection."""
    return ("", *(f.name for f in all_findings))


def side_by_side(all_findings: Sequence[Findings], rows: dict[str, Cell]) -> Group:
    """Rows of such a table: a label and how to write the cell of a collection."""
    return Group(tuple((label, *(write(f) for f in all_findings)) for label, write in rows.items()))


def written(estimate: Estimate) -> str:
    """Write a value, its interval and n on two lines."""
    return f"{estimate.text()}\nn = {estimate.n:,} {estimate.unit}"
