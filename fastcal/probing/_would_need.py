"""What a certificate would have taken, by the cost formula of the walk."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from fastcal.intervals.evidence import log_evidence

_DELTA = 0.05


def certify_would_need(rows: int, precision: float, target: float) -> dict[str, float | int | None]:
    """Return the labels that certifying a selection takes, if its precision is the estimate.

    ``n1 (1 + .7 ln(rows / n1))``: n1 labels for the selection alone, and the cuts of a walk of ratio 2 on the way to it. Near the
    target n1 approaches the whole selection, below it no number is enough.
    """
    single = single_prefix(rows, precision, target) if rows else None
    floor = math.ceil(math.log(_DELTA) / math.log(target) - 1e-12)
    labels = None if single is None else min(rows, math.ceil(single * (1 + 0.7 * math.log(rows / single))))
    return {"delta": _DELTA, "precision": precision, "labels_floor": floor, "single_prefix": single, "labels": labels}


def single_prefix(rows: int, precision: float, target: float) -> int | None:
    """Return after how many labels the e-process certifies `rows` rows whose misses come evenly spread; None if never."""
    positives = math.floor(precision * rows + 1e-9)
    null_hits = math.ceil(Fraction(str(target)) * rows) - 1
    if positives <= null_hits:
        return None
    misses = rows - positives
    seen = (2 * misses * np.arange(1, rows + 1) + rows) // (2 * rows)
    labels = (np.diff(seen, prepend=0) == 0).astype(np.uint8)
    size = 64
    while True:
        passed = np.flatnonzero(log_evidence(labels[:size], rows, null_hits) >= math.log(1 / _DELTA))
        if passed.size:
            return int(passed[0]) + 1
        size *= 2
