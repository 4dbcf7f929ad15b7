"""Tables of measured numbers, and their places in the pages of docs/."""

from __future__ import annotations

import argparse
import os
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MARKS = "<!-- {} of {} -->"


def table(head, rows):
    """A table in Markdown."""
    first, *others = (f"| {' | '.join(map(str, line))} |" for line in (head, *rows))
    return "\n".join([first, "|---" * len(head) + "|", *others])


def collections():
    """The folder of the real collections."""
    return Path(os.environ.get("FASTCAL_DATA", ROOT.parent / "shared" / "data"))


def publish(module, doc, tables):
    """Make the tables that are asked for, print them, and put them between their marks in the page named by ``--into``.

    `tables` maps a name to a function without arguments that returns one table in Markdown.
    """
    parser = argparse.ArgumentParser(description=doc)
    parser.add_argument("--into", type=Path)
    parser.add_argument("--only", nargs="+", choices=sorted(tables), default=list(tables))
    arguments = parser.parse_args()
    for name in arguments.only:
        made = tables[name]()
        print(f"\n{name}\n{made}", flush=True)
        if arguments.into is not None:
            replace(arguments.into, name, module, made)


def replace(page, name, module, made):
    """Put one table between its marks; a page without them is an error."""
    begin, end = MARKS.format(name, module), MARKS.format(f"end of {name}", module)
    text, found = re.subn(
        f"(?<={re.escape(begin)}\n).*?(?={re.escape(end)})", lambda _: f"{made}\n", page.read_text(encoding="utf-8"), count=1, flags=re.DOTALL
    )
    if not found:
        raise SystemExit(f"{page} has no place for {name}: {begin} ... {end}")
    page.write_text(text, encoding="utf-8")
