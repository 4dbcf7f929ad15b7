"""report.md: the same screens as Markdown, with the pictures."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from fastcal.cli.demo import files, plots

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from fastcal.cli.demo.experiment import Findings
    from fastcal.cli.demo.tables import Row, Screen


def write_report(
    folder: Path, heading: str, screens: Sequence[Screen], summaries: Mapping[str, Sequence[str]], all_findings: Sequence[Findings]
) -> list[Path]:
    """Write the pictures, then the report that shows them; return the paths, the report first."""
    pictures: list[str] = []
    for f in all_findings:
        slug = re.sub(r"[^\w.-]+", "_", f.name)
        for kind, draw in (("reliability", plots.reliability_diagram), ("scores", plots.score_histogram)):
            files.write(folder / f"{kind}-{slug}.png", draw(f))
            pictures.append(f"{kind}-{slug}.png")
    parts = ["# fastcal demo", heading, *map(markdown, screens), "## In short"]
    parts += [f"**{name}**\n\n" + "\n".join(f"- {line}" for line in lines) for name, lines in summaries.items()]
    parts += ["## Pictures", *(f"![{picture.removesuffix('.png')}]({picture})" for picture in pictures)]
    report = folder / "report.md"
    files.write(report, ("\n\n".join(parts) + "\n").encode())
    return [report, *(folder / picture for picture in pictures)]


def markdown(screen: Screen) -> str:
    """Write one screen as a Markdown section."""
    lines = [_row(screen.columns), _row(("---",) * len(screen.columns))]
    for group in screen.groups:
        if group.caption:
            lines.append(_row(tuple(cell and f"**{cell}**" for cell in group.caption)))
        lines += map(_row, group.rows)
    notes = "\n".join(f"- {_escape(note)}" for note in screen.notes)
    return f"## {screen.title}\n\n" + "\n".join(lines) + f"\n\n{notes}"


def _row(cells: Row) -> str:
    return "| " + " | ".join(_escape(cell) for cell in cells) + " |"


def _escape(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", "<br>")
