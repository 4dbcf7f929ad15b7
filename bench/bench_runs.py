"""Reading and writing runs, and what a small run costs. `python -m bench.bench_runs` for the run of FASTCAL_BENCH_LINES lines (10 million).

The large run (10,000 queries x 1,000, names like MS MARCO's, about 2.9 million of them, 575 MB) is read once by each reader in a process
of its own, which also tells its peak memory. A peer that is not installed is named and left out.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

import fastcal as fc

DEPTH = 1000
LINES = int(os.environ.get("FASTCAL_BENCH_LINES", "10000000"))
COLUMNS = "names = ['query', 'q0', 'doc', 'rank', 'score', 'tag']; kept = ['query', 'doc', 'score']\n"
PANDAS = COLUMNS + "import pandas\nstart()\npandas.read_csv(path, sep=' ', header=None, names=names, "
ARROW = COLUMNS + "import pyarrow, pyarrow.csv as csv\ntext = pyarrow.string(); numbered = pyarrow.dictionary(pyarrow.int32(), text)\nstart()\n"
ARROW += "csv.read_csv(path, read_options=csv.ReadOptions(column_names=names), parse_options=csv.ParseOptions(delimiter=' '), "
READERS = {
    "fastcal": "import fastcal\nfastcal.backend(), fastcal.Run\nstart()\nfastcal.Run.from_trec(path)",
    "pandas, C engine": PANDAS + "usecols=kept, dtype={'query': str, 'doc': str, 'score': 'float32'})",
    "pandas, pyarrow engine": PANDAS + "engine='pyarrow', dtype={'query': str, 'doc': str, 'score': 'float32'})[kept]",
    "pyarrow.csv, strings": ARROW + "convert_options=csv.ConvertOptions(include_columns=kept, column_types={'query': text, 'doc': text}))",
    "pyarrow.csv, numbered": ARROW + "convert_options=csv.ConvertOptions(include_columns=kept, column_types={'query': numbered, 'doc': numbered}))",
    "polars": "import polars\nstart()\npolars.read_csv(path, separator=' ', has_header=False, columns=[0, 2, 4])",
    "ranx": "import ranx\nstart()\nranx.Run.from_file(path, kind='trec')",
}
CLOCK = """
import resource, sys, time
path = sys.argv[1]
def start():
    global began
    began = time.perf_counter()
"""
STOP = "\nprint(time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)"


def write_run(path, n_lines, seed=0):
    """Write a run like a first stage's over MS MARCO: each query draws from 3 million passages."""
    rng = np.random.default_rng(seed)
    numbers = rng.permutation(np.unique(rng.integers(1000, 900_000_000, 3_050_000)))[:3_000_000]
    names = [f"msmarco_passage_{n % 70:02d}_{n}" for n in numbers.tolist()]
    with path.open("w") as file:
        for query in rng.choice(1_200_000, max(1, n_lines // DEPTH), replace=False).tolist():
            drawn = rng.permutation(np.unique(rng.integers(0, len(names), DEPTH + 50)))[:DEPTH].tolist()
            scores = np.sort(rng.gamma(8, 1.6, DEPTH))[::-1].tolist()
            file.write("".join([f"{query} Q0 {names[d]} {r} {s:.6f} bm25\n" for r, (d, s) in enumerate(zip(drawn, scores, strict=True), 1)]))


def measured(name, path):
    """Seconds and megabytes of one reader in a process of its own; the last line of its error if it failed."""
    command = [sys.executable, "-W", "ignore", "-c", CLOCK + READERS[name] + STOP, str(path)]
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=1800)
    except subprocess.TimeoutExpired:
        return "over 1800 s"
    return tuple(map(float, done.stdout.split()[-2:])) if done.returncode == 0 else done.stderr.strip().splitlines()[-1]


def report(path, rounds=3):
    """Print the median seconds, the peak memory and the ratio to ours of each reader; they take turns."""
    print(f"{sum(1 for _ in path.open('rb')):,} lines, {path.stat().st_size / 1e6:.0f} MB, median of {rounds}")
    results = {name: [] for name in READERS}
    for _ in range(rounds):
        for name, found in results.items():
            if not found or not isinstance(found[-1], str):
                found.append(measured(name, path))
    ours = np.median([seconds for seconds, _ in results["fastcal"]])
    for name, found in results.items():
        if isinstance(found[-1], str):
            print(f"{name:24} left out: {found[-1]}")
            continue
        seconds, peak = np.median(found, axis=0)
        print(f"{name:24} {seconds:8.2f} s {peak:8.0f} MB {seconds / ours:7.1f}x")


@pytest.fixture(scope="module")
def small_run(tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "a.run"
    write_run(path, 200_000)
    return path


@pytest.mark.parametrize("name", ["fastcal", "python-split"])
def bench_read_trec(measure, small_run, name):
    def split():
        run = {}
        with small_run.open() as file:
            for line in file:
                query, _, document, _, score, _ = line.split()
                run.setdefault(query, {})[document] = float(score)
        return run

    measure("reading a TREC run of 200,000 lines", {"fastcal": lambda: fc.Run.from_trec(small_run), "python-split": split}[name])


def bench_write_trec(measure, small_run, tmp_path):
    run = fc.Run.from_trec(small_run)
    measure("writing a TREC run of 200,000 lines", lambda: run.to_trec(tmp_path / "b.run"))


@pytest.mark.parametrize("name", ["ids", "ids and scores"])
def bench_small_run(measure, name):
    ids = np.random.default_rng(0).permutation(1000)[:100].reshape(1, 100)
    scores = np.sort(np.random.default_rng(0).random((1, 100), dtype=np.float32))[:, ::-1].copy()
    arguments = (ids,) if name == "ids" else (ids, scores)
    measure("Run of 1 query x 100, 100 times", lambda: [fc.Run(*arguments) for _ in range(100)])


if __name__ == "__main__":
    if len(sys.argv) > 1:
        report(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as folder:
            write_run(Path(folder) / "large.run", LINES)
            report(Path(folder) / "large.run")
