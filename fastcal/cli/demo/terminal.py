"""Screens on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from fastcal.cli.demo.tables import Screen


def show(screen: Screen, console: Console) -> None:
    """Print one screen; text is never read as markup."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 2, 0, 0))
    for at, column in enumerate(screen.columns):
        table.add_column(Text(column), overflow="fold", style="" if at else "cyan")
    for group in screen.groups:
        if group.caption:
            table.add_row(*(Text(cell, style="bold") for cell in group.caption))
        for row in group.rows:
            table.add_row(*map(Text, row))
        table.add_section()
    console.print(Text(screen.title, style="bold"))
    console.print()
    console.print(table)
    console.print()
    for note in screen.notes:
        console.print(Text(note, style="dim"))
    console.print("\n")


def show_summary(name: str, lines: Sequence[str], console: Console) -> None:
    """Print the closing lines of one collection."""
    console.print(Text(name, style="bold"))
    for line in lines:
        console.print(Text(f"  - {line}"))
