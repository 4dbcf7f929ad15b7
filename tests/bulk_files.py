"""Candidates on the disk for the tests of ``fastcal.bulk``, and a run of ``rescore_files`` in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

import fastcal as fc

PROGRAM = """
import json, sys
from fastcal.bulk import _memory, _plan, rescore_files
import fastcal as fc
source, target, profile, options, sizes = sys.argv[1], sys.argv[2], sys.argv[3], json.loads(sys.argv[4]), json.loads(sys.argv[5])
for name, value in sizes.items():
    setattr(_plan, name, value)
if "memory" in options:
    options["memory"] = _memory.of_command(options["memory"])
report = rescore_files(source, target, fc.Profile.load(profile), **options)
print(json.dumps(report.to_dict() | {"peak": int(next(l for l in open("/proc/self/status") if l.startswith("VmHWM")).split()[1]) << 10}))
"""


def profile_of(norm=None):
    rng = np.random.default_rng(5)
    scores = rng.random(400)
    platt = fc.PlattCalibrator().fit(scores, rng.random(400) < scores)
    made = "2026-01-01T00:00:00+00:00"  # whatever the second it is made in, it is the same profile
    return fc.Profile("m", "cosine", platt, fc.Threshold(0.5, target_precision=0.9), norm=norm, created=made)


def candidates(pa, n=5000, n_queries=37, seed=0, text=True, padding=True):
    """Scattered rows with ties, padding and a column that comes along."""
    rng = np.random.default_rng(seed)
    scores = np.round(rng.beta(2, 3, n), 2).astype(np.float32)
    if padding:
        scores[rng.random(n) < 0.02] = np.nan
    queries, docs = rng.integers(0, n_queries, n), rng.permutation(n)
    columns = {"query_id": queries, "doc_id": docs, "score": scores, "note": rng.integers(0, 9, n).astype(np.int16)}
    if text:
        columns["query_id"] = pa.array([f"q{i}é" for i in queries])
        columns["doc_id"] = pa.array([f"d{i}" for i in docs])
    return pa.table(columns)


def start(source, target, profile, options, sizes=None):
    """Begin a run in a process of its own."""
    arguments = [sys.executable, "-c", PROGRAM, str(source), str(target), str(profile), json.dumps(options), json.dumps(sizes or {})]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ | {"PYTHONUNBUFFERED": "1"})


def report_of(process):
    """What a run that went well has reported, and the peak of its memory."""
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return json.loads(out)


def content(folder):
    """Every file of a folder, by name."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(Path(folder).rglob("*")) if path.is_file()}
