"""The main job: from real retrieval scores to probabilities, a threshold and a decision."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import fastcal as fc
from fastcal._extras import require
from fastcal.cli.demo import files, screens
from fastcal.cli.demo.beir import load_beir, peers
from fastcal.cli.demo.candidates import engine
from fastcal.cli.demo.collections import Collection
from fastcal.cli.demo.digits import load_digits
from fastcal.cli.demo.docstrings import load_docstrings
from fastcal.cli.demo.experiment import SEED, Findings, experiment, home_of
from fastcal.cli.demo.report import write_report
from fastcal.cli.demo.tables import Screen
from fastcal.cli.demo.terminal import show, show_summary
from fastcal.cli.demo.transfer import Home, transfers
from fastcal.errors import FastcalError

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

Loader = Callable[[], Collection]


def run(data: Path | None, out: Path, console: Console) -> None:
    """Run the demo on the bundled collections, or on the one in ``data``, and write the report to ``out``."""
    started = time.perf_counter()
    for module in ("sklearn", "bm25s", "ir_measures", "matplotlib"):
        require(module, "demo")
    files.prepare(out)
    loaders: list[Loader] = [load_digits, load_docstrings] if data is None else [lambda: load_beir(data)]
    with console.status("searching, calibrating, measuring ..."):
        found = [experiment(load()) for load in loaders]
        others, remarks = ([], []) if data is None else _others(data)
        shown = _screens(found, others, remarks)
        summaries = {f.name: screens.summary(f) for f in found}
        heading = f"fastcal {fc.__version__}, {engine()}, seed {SEED}"
        written = write_report(out, heading, shown, summaries, found)  # first: the reader of stdout may leave
    console.print(heading, markup=False, highlight=False)
    console.print()
    for screen in shown:
        show(screen, console)
    for name, lines in summaries.items():
        show_summary(name, lines, console)
    console.print(f"\n{written[0]} and {len(written) - 1} pictures written; {time.perf_counter() - started:.1f} s.", markup=False, highlight=False)


def _screens(found: Sequence[Findings], others: Sequence[Home], remarks: Sequence[str]) -> tuple[Screen, ...]:
    return (
        screens.overview(found),
        screens.hardcoded(found),
        screens.reliability(found),
        screens.decision(found),
        screens.transfer(transfers([f.home for f in found], others, SEED), remarks),
        screens.ranking(found),
        screens.promise(found),
    )


def _others(data: Path) -> tuple[list[Home], list[str]]:
    """Search digits and the small sibling collections; one that cannot be read is a remark, not an error."""
    homes, remarks = [home_of(load_digits())], ["digits: pixel vectors, another model."]
    for folder in peers(data):
        try:
            homes.append(home_of(load_beir(folder, with_lexical=False)))
        except FastcalError as error:
            remarks.append(f"{folder.name} is left out: {error}")
    if len(homes) > 1:
        remarks.append(f"{', '.join(home.name for home in homes[1:])}: beside {data.resolve().name}, vectors of the same width.")
    return homes, remarks
