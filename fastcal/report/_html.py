"""HTML from text: everything that comes from data is escaped here."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any, NamedTuple

VOID = {"input", "link", "meta"}


class Safe(str):
    """Markup that was put together here."""

    __slots__ = ()


class Cell(NamedTuple):
    """A number of a table, with its interval and its n in small type."""

    text: str
    small: str | tuple[str, ...] = ""
    css: str = ""


def text(value: Any) -> Safe:
    """Return text as HTML shows it."""
    return value if isinstance(value, Safe) else Safe(escape(str(value), quote=True))


def tag(name: str, *parts: Any, **attributes: Any) -> Safe:
    """Return an element; ``class_`` and ``data_out`` are the attributes class and data-out, True stands without a value, None is left out."""
    told = []
    for key, value in attributes.items():
        if value is not None and value is not False:
            written = key.rstrip("_").replace("_", "-")
            told.append(f" {written}" if value is True else f' {written}="{escape(str(value), quote=True)}"')
    opened = f"<{name}{''.join(told)}>"
    return Safe(opened if name in VOID else f"{opened}{joined(parts)}</{name}>")


def joined(parts: Iterable[Any]) -> Safe:
    """Return several parts one after the other."""
    return Safe("".join(text(part) for part in parts if part is not None))


def data_script(name: str, value: Any) -> Safe:
    """Return JSON that scripts of the page read, in which nothing ends the script element."""
    body = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for sign in "<>&\u2028\u2029":
        body = body.replace(sign, f"\\u{ord(sign):04x}")
    return Safe(f'<script type="application/json" id="{name}">{body}</script>')


def table(caption: str, head: Sequence[str], rows: Iterable[Sequence[Any]], *, cards: bool = True) -> Safe:
    """Return a table whose first column heads the rows and which scrolls by itself where it is wider than the page.

    On a phone each row of one with `cards` is a card, whose cells bear the names of their columns; styles that make it one would take the
    table's roles from it, so they are told.
    """
    heads = [tag("th", name, scope="col", role="columnheader", class_="number" if i else None) for i, name in enumerate(head)]
    body = [tag("tr", *(_cell(value, name, first=not i) for i, (value, name) in enumerate(zip(row, head, strict=True))), role="row") for row in rows]
    parts = [tag("thead", tag("tr", *heads, role="row"), role="rowgroup"), tag("tbody", *body, role="rowgroup")]
    made = tag("table", tag("caption", caption), *parts, role="table", class_="cards" if cards else None)
    return tag("div", made, class_="scroll", tabindex="0", role="region", aria_label=caption)


def _cell(value: Any, name: str, *, first: bool) -> Safe:
    cell = value if isinstance(value, Cell) else Cell(value)
    css = " ".join(filter(None, ["" if first else "number", cell.css])) or None
    lines = (cell.small,) if isinstance(cell.small, str) else cell.small
    small = joined(tag("span", line, class_="n") for line in lines if line)
    if first:
        return tag("th", cell.text, small, scope="row", role="rowheader", class_=css)
    return tag("td", cell.text, small, role="cell", data_label=name, class_=css)


def facts_table(caption: str, rows: Iterable[tuple[str, Any]]) -> Safe:
    """Return names beside values."""
    body = [tag("tr", tag("th", name, scope="row"), tag("td", value)) for name, value in rows]
    return tag("table", tag("caption", caption), tag("tbody", *body), class_="facts")


def figures(rows: Iterable[tuple[str, Any, Any, Any]]) -> Safe:
    """Return a board of numbers: name, value, interval, n."""
    made = []
    for name, value, limits, n in rows:
        parts = [tag("dt", name), tag("dd", tag("span", value, class_="value") if not isinstance(value, Safe) else value)]
        parts += [tag("dd", small, class_="n") if not isinstance(small, Safe) else small for small in (limits, n) if small]
        made.append(tag("div", *parts))
    return tag("dl", *made, class_="figures")


def chart(name: str, caption: str, note: str, description: str, *, lines: Safe | None = None, small: bool = False) -> Safe:
    """Return the place of a chart with its caption."""
    told = tag("figcaption", tag("b", caption), f" {note}" if note else None)
    place = tag("div", tag("div", id=name), class_="chart needs-script", role="img", aria_label=description)
    return tag("figure", told, lines, place, class_="small" if small else None)


def more(summary: str, *parts: Any) -> Safe:
    """Return what opens on demand."""
    return tag("details", tag("summary", summary), *parts)


def legend(*entries: tuple[str, str, str]) -> Safe:
    """Return a legend of lines: name, colour and the style of the line."""
    made = [tag("li", tag("span", style=f"border-top-style:{style};border-top-color:var({color})"), name) for name, color, style in entries]
    return tag("ul", *made, class_="legend needs-script", aria_hidden="true")
