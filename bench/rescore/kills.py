"""``fastcal rescore`` killed with SIGKILL at random moments and resumed: is the result that of a run that nobody disturbed?

python -m bench.rescore.kills --kills 20 --into bench/RESCORE.md
"""

from __future__ import annotations

import argparse
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

from bench.pages import replace, table
from bench.rescore.candidates import make, profile

RUNS = {"min-max, floor, top-100": ["--floor", "0.2", "--top-k", "100"], "min-max, all rows": []}


def begin(source, folder, name, options):
    command = [sys.executable, "-m", "fastcal", "rescore", source, folder / name, "--profile", folder / "profile.json", "--resume", *options]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL)


def content(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def tried(source, folder, options, kills, draw):
    """How many runs were killed while at work, and how many came out the same; a run that ended before its moment is tried again."""
    began = time.perf_counter()
    assert begin(source, folder, "whole", options).wait() == 0
    took, whole = time.perf_counter() - began, content(folder / "whole")
    hit = same = midway = 0
    while hit < kills:
        shutil.rmtree(folder / "out", ignore_errors=True)
        process = begin(source, folder, "out", options)
        time.sleep(draw.uniform(0, took))
        process.kill()
        if process.wait() == 0:
            continue
        hit += 1
        journal = folder / "out" / "_unfinished" / "journal.jsonl"
        midway += journal.exists() and journal.stat().st_size > 0
        assert begin(source, folder, "out", options).wait() == 0
        same += content(folder / "out") == whole
    shutil.rmtree(folder / "whole")
    return hit, midway, same


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=8_000_000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, default=Path("build/bench/rescore"))
    parser.add_argument("--into", type=Path)
    arguments = parser.parse_args()
    source, draw = make(arguments.folder, "scattered", arguments.rows), random.Random(arguments.seed)
    profile(arguments.folder / "profile.json", norm="minmax")
    found = {name: tried(source, arguments.folder, options, arguments.kills, draw) for name, options in RUNS.items()}
    head = ("run", "killed", "with tasks done by then", "identical after --resume")
    made = f"{arguments.rows:,} rows, scattered\n\n" + table(head, [(name, *counts) for name, counts in found.items()])
    print(made)
    source.unlink()
    if arguments.into is not None:
        replace(arguments.into, "kills", "bench.rescore", made)
    sys.exit(any(hit != same for hit, _, same in found.values()))


if __name__ == "__main__":
    main()
