"""Does the promise hold? 2,000 trials a cell, and recipes that must be caught breaking it by the same count.

``python -m bench.coverage [--only PART ...] [--trials N] [--into docs/certificates.md]``; exits with 1 if a cell is not as expected.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from pathlib import Path

from bench.pages import replace, table
from tests.promises.cells import all_cells
from tests.promises.protocol import TRIALS, Tally, limit, run

CHUNK = 100


@dataclass(frozen=True)
class Spent:
    """A tally and the seconds it took in all processes."""

    tally: Tally
    seconds: float


@cache
def cells():
    """By part and name; every process makes its own."""
    return {(cell.part, cell.name): cell for cell in all_cells()}


def some(key, seeds):
    """Run some trials of a cell."""
    started = time.process_time()
    found = run(cells()[key], seeds)
    return found.trials, found.broken, found.certified, found.trials * found.labels, time.process_time() - started


def together(key, parts):
    """Add up what the processes found."""
    trials, broken, certified, labels, seconds = map(sum, zip(*parts, strict=True))
    return Spent(Tally(cells()[key], trials, broken, certified, labels / trials), seconds)


def measure(keys, trials, workers):
    """Yield the result of each cell, in order."""
    ranges = [range(start, min(start + CHUNK, trials)) for start in range(0, trials, CHUNK)]
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        pending = {key: [pool.submit(some, key, seeds) for seeds in ranges] for key in keys}
        for key, futures in pending.items():
            yield together(key, [future.result() for future in futures])


def row(spent):
    found = spent.tally
    allowed = limit(found.trials, found.cell.delta)
    verdict = ("caught" if found.cell.control else "kept") if found.as_expected else ("NOT CAUGHT" if found.cell.control else "BROKEN")
    rates = (f"{found.broken / found.trials:.4f}", f"{allowed / found.trials:.4f}", f"{found.certified / found.trials:.2f}", f"{found.labels:.0f}")
    return (found.cell.part, found.cell.name, found.cell.delta, *rates, verdict, f"{spent.seconds:.1f}")


HEAD = ("part", "cell", "delta", "false", "limit", "certified", "labels", "", "CPU s")


def worst(found):
    """The cell of each part whose failures come nearest to its delta, and every negative control."""
    rows = []
    for part in dict.fromkeys(spent.tally.cell.part for spent in found):
        cells = [spent for spent in found if spent.tally.cell.part == part]
        shown = cells if cells[0].tally.cell.control else [max(cells, key=lambda spent: spent.tally.broken / spent.tally.cell.delta)]
        where = part if cells[0].tally.cell.control else f"{part}: {len(cells)} cells, worst"
        rows += [(where if spent is shown[0] else "", *row(spent)[1:8]) for spent in shown]
    return table(HEAD[:8], rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parts = list(dict.fromkeys(part for part, _ in cells()))
    parser.add_argument("--only", nargs="+", choices=parts, default=parts)
    parser.add_argument("--trials", type=int, default=TRIALS)
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--into", type=Path)
    arguments = parser.parse_args()
    os.environ["FASTCAL_NUM_THREADS"] = "1"  # of the workers
    started, found = time.perf_counter(), []
    for spent in measure([key for key in cells() if key[0] in arguments.only], arguments.trials, arguments.workers):
        found.append(spent)
        print(*row(spent), sep=" | ", flush=True)
    if arguments.into is not None:
        replace(arguments.into, "coverage", "bench.coverage", worst(found))
    wrong = [spent.tally.cell.name for spent in found if not spent.tally.as_expected]
    print(f"{len(found)} cells of {arguments.trials:,} trials in {time.perf_counter() - started:.0f} s; not as expected: {wrong or 'none'}")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
