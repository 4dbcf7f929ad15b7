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
    """Return after how many labels the e-process certifies half of all random orders of `rows` rows, about; None if never.

    At the median of the first passage the sum of the labels lies above the threshold with probability 1/4, by the reflection
    principle: 0.6745 standard deviations of luck. So E is asked at n labels with that many positives.
    """
    positives = math.floor(precision * rows + 1e-9)
    null_hits = math.ceil(Fraction(str(target)) * rows) - 1
    if positives <= null_hits:
        return None
    rate = positives / rows
    low, high = 0, rows
    while high - low > 1:
        n = min(2 * low + 32, (low + high) // 2)
        luck = 0.6745 * math.sqrt(n * rate * (1 - rate) * (rows - n) / max(rows - 1, 1))
        labels = np.zeros(n, np.uint8)
        labels[: min(n, positives, round(n * rate + luck))] = 1
        passes = log_evidence(labels, rows, null_hits, start=n - 1)[0] >= math.log(1 / _DELTA)
        low, high = (low, n) if passes else (n, high)
    return high
