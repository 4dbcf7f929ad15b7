"""What commands print and write: JSON for machines, tables for people, files that appear whole or not at all."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastcal._atomic import replacing

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_WIDTH = 160  # columns of tables where stdout is no terminal


def show(facts: Any, people: Callable[[Console], object], *, as_json: bool) -> None:
    """Print a result on stdout: one JSON object, or what `people` prints on a console."""
    if as_json:
        write_text(to_json(facts))
    else:
        people(console())


def to_json(facts: Any) -> str:
    """Return a result (its ``to_dict()``), or plain and NumPy values, as JSON text that ends a line; NaN and infinity are null."""
    return json.dumps(_plain(facts), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def write_text(text: str, out: str | None = None) -> None:
    """Write text to a file, whole or not at all, or to stdout for None and "-"."""
    if out is None or out == "-":
        sys.stdout.write(text)
        sys.stdout.flush()
    else:
        write_bytes(text.encode(), out)


def write_bytes(content: bytes, out: str) -> None:
    """Write a file, whole or not at all; a pipe or a device is written to as it is."""
    with replacing(Path(out)) as file:
        file.write(content)


def console(*, wide: bool = True) -> Console:
    """Return a console on stdout, on which text is never read as markup: wide where it is no terminal, unless rich's width will do."""
    from rich.console import Console

    class Plain(Console):
        def on_broken_pipe(self) -> None:
            """Leave it to ``main``; rich would end the process with the exit code of a failed gate."""
            raise BrokenPipeError

    found = Plain(markup=False, highlight=False, emoji=False)
    return found if found.is_terminal or not wide else Plain(markup=False, highlight=False, emoji=False, width=_WIDTH)


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, title: str | None = None) -> Table:
    """Return a table for people; numbers stand right, None is left blank and floats have four digits."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    listed = [list(row) for row in rows]
    made = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 2, 0, 0), title=title, title_justify="left", title_style="bold")
    for at, name in enumerate(columns):
        numeric = all(row[at] is None or isinstance(row[at], int | float) for row in listed)
        made.add_column(Text(name), overflow="fold", justify="right" if numeric and listed else "left")
    for row in listed:
        made.add_row(*(Text(written(value)) for value in row))
    return made


def written(value: object) -> str:
    """Return a value as people read it."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4g}" if math.isfinite(value) else "-"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    if isinstance(value, list | tuple):
        return " ".join(map(written, value)) or "none"
    return str(value)


def _plain(value: Any) -> Any:
    if hasattr(value, "to_dict"):
        return _plain(value.to_dict())
    if hasattr(value, "tolist"):
        return _plain(value.tolist())
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
