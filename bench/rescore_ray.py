"""``fastcal.distributed.ray.rescore_files`` and ``rescore`` on two CPUs beside ``fastcal.bulk.rescore_files`` in one process.

Platt + floor + top-100:

python -m bench.rescore_ray --rows 20000000 --rounds 3 --folder build/bench/rescore-ray
"""

from __future__ import annotations

import argparse
import logging
import os
import shutil
import statistics
import time
from pathlib import Path

import pyarrow.dataset as ds

import fastcal as fc
from bench.rescore.candidates import VARIANTS, make, profile
from fastcal.bulk import rescore_files

SETTINGS = {"floor": 0.3, "top_k": 100}


def one_process(source, target, fitted):
    rescore_files(source, target, fitted, **SETTINGS)


def files_on_ray(source, target, fitted):
    from fastcal.distributed.ray import rescore_files

    rescore_files(source, target, fitted, **SETTINGS)


def dataset_on_ray(source, target, fitted, exchange="sort_shuffle_pull_based"):
    import ray

    from fastcal.distributed.ray import rescore

    context = ray.data.DataContext.get_current()
    before, context.shuffle_strategy = context.shuffle_strategy, exchange or context.shuffle_strategy
    rescore(ray.data.read_parquet(str(source)), fitted, **SETTINGS).write_parquet(str(target))
    context.shuffle_strategy = before


def dataset_by_default(source, target, fitted):
    dataset_on_ray(source, target, fitted, exchange=None)


def read_and_write(source, target, fitted):
    """What Ray itself takes for the same columns, without a computation or an exchange."""
    import ray

    ray.data.read_parquet(str(source)).write_parquet(str(target))


CONTENDERS = (one_process, files_on_ray, dataset_on_ray, dataset_by_default, read_and_write)


def seconds(work, source, target, fitted):
    shutil.rmtree(target, ignore_errors=True)
    began = time.perf_counter()
    work(source, target, fitted)
    return time.perf_counter() - began


def check(one, other):
    """Both folders hold the same rows, to the bit."""
    keys = [(name, "ascending") for name in ("query_id", "doc_id", "score")]
    found, expected = (ds.dataset(folder, exclude_invalid_files=True).to_table().sort_by(keys) for folder in (one, other))
    if not found.equals(expected):
        raise SystemExit("Ray gave other rows than one process")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=20_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=Path("build/bench/rescore-ray"))
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, default=["clustered"])
    options = parser.parse_args()
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    import ray
    import ray.data

    sources = {variant: make(options.folder, variant, options.rows) for variant in options.variants}
    fitted = fc.Profile.load(profile(options.folder / "profile.json"))
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
    ray.data.DataContext.get_current().enable_progress_bars = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    columns = [
        "rows",
        "one process",
        "files on Ray, 2 CPUs",
        "share of the speed",
        "a dataset, pull-based",
        "share",
        "by default",
        "Ray reads and writes",
    ]
    print(f"| {' | '.join(columns)} |\n{'|---' * len(columns)}|")
    for variant, source in sources.items():
        targets = [options.folder / work.__name__ for work in CONTENDERS]
        for work, target in zip(CONTENDERS, targets, strict=True):
            seconds(work, source, target, fitted)  # workers start, files get into the page cache
        rounds = [[seconds(work, source, target, fitted) for work, target in zip(CONTENDERS, targets, strict=True)] for _ in range(options.rounds)]
        one, files, spread, default, plain = (statistics.median(column) for column in zip(*rounds, strict=True))
        check(targets[0], targets[1])
        check(targets[0], targets[2])
        check(targets[0], targets[3])
        files_told, spread_told = (f"{each:.2f} s | {one / each:.0%}" for each in (files, spread))
        print(f"| {options.rows:,}, {variant} | {one:.2f} s | {files_told} | {spread_told} | {default:.2f} s | {plain:.2f} s |")


if __name__ == "__main__":
    main()
