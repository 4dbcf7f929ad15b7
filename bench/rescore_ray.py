"""``fastcal.distributed.ray.rescore`` on two CPUs beside one process on one: Platt + floor + top-100 of generated Parquet.

python -m bench.rescore_ray --rows 20000000 [--folder build/bench/rescore-ray] [--rounds 3]
"""

from __future__ import annotations

import argparse
import logging
import os
import shutil
import statistics
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import fastcal as fc
from fastcal.bulk import Rescorer, TopRows

PER_QUERY, PER_FILE = 1000, 2_500_000
SETTINGS = {"floor": 0.2, "top_k": 100}


def generate(folder, n_rows):
    """Write candidates query by query (the last one of a file goes on in the next), in files of 2.5 M rows."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for number, first in enumerate(range(0, n_rows, PER_FILE)):
        rows = np.arange(first, min(first + PER_FILE, n_rows))
        scores = rng.beta(2, 5, len(rows)).astype(np.float32)
        table = pa.table({"query_id": rows // (PER_QUERY - 1), "doc_id": rng.integers(0, 10**8, len(rows)), "score": scores})
        pq.write_table(table, folder / f"{number:05d}.parquet", row_group_size=500_000)


def profile():
    rng = np.random.default_rng(1)
    scores = rng.beta(2, 5, 20_000)
    platt = fc.PlattCalibrator().fit(scores, rng.random(20_000) < scores)
    return fc.Profile("bench", "cosine", platt, fc.Threshold(0.5, target_precision=0.9))


def in_one_process(source, target):
    """Stream every file through a rescorer; what is left of the queries that two files share is merged at the end."""
    rescorer, best = Rescorer(profile(), **SETTINGS), TopRows(SETTINGS["top_k"])
    found = [rescorer(pq.read_table(file)) for file in sorted(source.iterdir())]
    target.mkdir()
    pq.write_table(best.merge(found), target / "best.parquet")


def on_ray(source, target):
    import ray

    from fastcal.distributed.ray import rescore

    rescore(ray.data.read_parquet(str(source)), profile(), **SETTINGS).write_parquet(str(target))


def seconds(work, source, target):
    shutil.rmtree(target, ignore_errors=True)
    begin = time.perf_counter()
    work(source, target)
    return time.perf_counter() - begin


def check(target, expected):
    """The same rows in the same order."""
    one, other = (pq.read_table(folder).sort_by([("query_id", "ascending"), ("probability", "descending"), ("doc_id", "ascending")]) for folder in (target, expected))
    assert one.equals(other), "Ray gave other rows than one process"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=20_000_000)
    parser.add_argument("--folder", type=Path, default=Path("build/bench/rescore-ray"))
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    import ray
    import ray.data

    source, expected, target = (options.folder / name for name in (f"rows-{options.rows}", "one", "ray"))
    if not source.exists():
        generate(source, options.rows)
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
    ray.data.DataContext.get_current().enable_progress_bars = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    on_ray_once = seconds(on_ray, source, target)
    rounds = [(seconds(in_one_process, source, expected), seconds(on_ray, source, target)) for _ in range(options.rounds)]
    check(target, expected)
    one, spread = (statistics.median(column) for column in zip(*rounds, strict=True))
    print(f"| rows | one process | Ray, 2 CPUs | share of the speed | first run on Ray |\n|---|---|---|---|---|")
    print(f"| {options.rows:,} | {one:.2f} s | {spread:.2f} s | {one / spread:.0%} | {on_ray_once:.2f} s |")


if __name__ == "__main__":
    main()
