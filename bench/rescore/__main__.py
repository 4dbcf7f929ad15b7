"""``fastcal rescore`` beside pyarrow reading and writing the same columns, each run a process of its own.

python -m bench.rescore --rows 100000000 --rounds 3 --folder /tmp/rescore --into bench/RESCORE.md
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

from bench.pages import replace, table
from bench.rescore.candidates import VARIANTS, make, profile

PYARROW = """
import sys
import pyarrow.dataset as ds, pyarrow.parquet as pq
source, target, how, dictionary = sys.argv[1:]
options = {"use_dictionary": ["query_id"] if dictionary == "queries" else True}
if how == "whole":
    pq.write_table(pq.read_table(source), target, **options)
elif how == "dataset":
    written = ds.ParquetFileFormat().make_write_options(**options)
    ds.write_dataset(ds.dataset(source), target, format="parquet", file_options=written, max_rows_per_file=1 << 20, max_rows_per_group=1 << 20)
else:
    file = pq.ParquetFile(source, pre_buffer=True)
    with pq.ParquetWriter(target, file.schema_arrow, **options) as writer:
        for batch in file.iter_batches(batch_size=int(how), use_threads=True):
            writer.write_batch(batch)
"""
SETTINGS = [(how, dictionary) for how in ("65536", "1048576", "dataset", "whole") for dictionary in ("all", "queries")]
BEST = ["--floor", "0.3", "--top-k", "100"]
PLAIN, NORM = "profile.json", "min-max.json"
OURS = {"floor + top-100": (PLAIN, BEST), "min-max, floor + top-100": (NORM, BEST), "top-100": (PLAIN, BEST[2:]), "all rows": (PLAIN, [])}


def spent(arguments, target):
    """Seconds and peak bytes of a process that writes to a path, which is removed afterwards."""
    clear(target)
    began = time.perf_counter()
    process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(map(str, arguments))} ended with {process.returncode}")
    clear(target)
    return seconds, usage.ru_maxrss << 10


def clear(target):
    if target.is_dir():
        shutil.rmtree(target)
    target.unlink(missing_ok=True)


def contenders(source, folder, settings):
    """Name -> arguments, all of one variant."""
    target = folder / "out"
    told = {f"pyarrow, {how}, dictionary of {d}": [sys.executable, "-c", PYARROW, source, target, how, d] for how, d in settings}
    for name, (profile_name, options) in OURS.items():
        told[f"fastcal, {name}"] = [sys.executable, "-m", "fastcal", "rescore", source, target, "--profile", folder / profile_name, *options]
    return told


def measured(source, folder, rows, rounds, rest):
    """Rows of the table of one variant; settings of pyarrow are tried once, the best one then takes turns with ours."""
    tried = {setting: spent(contenders(source, folder, [setting])[label(setting)], folder / "out")[0] for setting in SETTINGS}
    best = min(tried, key=tried.get)
    runs = {name: [] for name in contenders(source, folder, [best])}
    for _ in range(rounds):
        for name, arguments in contenders(source, folder, [best]).items():
            time.sleep(rest)
            runs[name].append(spent(arguments, folder / "out"))
    base = statistics.median(seconds for seconds, _ in runs[label(best)])
    for name, found in runs.items():
        seconds = statistics.median(each for each, _ in found)
        peak = max(each for _, each in found)
        yield name, f"{seconds:.1f}", f"{rows / seconds / 1e6:.1f}", f"{base / seconds:.2f}", f"{peak / 2**20:,.0f}"


def label(setting):
    return "pyarrow, {}, dictionary of {}".format(*setting)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rest", type=float, default=0.0, help="seconds between runs")
    parser.add_argument("--folder", type=Path, default=Path("build/bench/rescore"))
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, default=VARIANTS)
    parser.add_argument("--into", type=Path)
    arguments = parser.parse_args()
    for variant in arguments.variants:
        source = make(arguments.folder, variant, arguments.rows)
        profile(arguments.folder / PLAIN)
        profile(arguments.folder / NORM, norm="minmax")
        rows = measured(source, arguments.folder, arguments.rows, arguments.rounds, arguments.rest)
        made = table((f"{arguments.rows:,} rows, {variant}", "s", "M rows/s", "of pyarrow's speed", "peak MiB"), rows)
        made += f"\n\nMedian of {arguments.rounds} runs; {os.cpu_count()} CPUs, {platform.machine()}, Python {platform.python_version()}."
        print(made, flush=True)
        source.unlink()
        if arguments.into is not None:
            replace(arguments.into, variant, "bench.rescore", made)


if __name__ == "__main__":
    main()
