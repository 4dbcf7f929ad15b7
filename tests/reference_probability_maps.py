"""Beta calibration's map, step curves and Venn-Abers tables of docs/numerics.md, as slow, obvious Python."""

from __future__ import annotations

import math

import numpy as np
from reference_calibration import exp_minus
from reference_fusion import natural_log
from reference_numbers import round_once


def beta_probability(s, offset, slope, a, b, c):
    if math.isnan(s):
        return s
    least = 2.0**-25
    u = min(max(offset + slope * s, least), 1.0 - least)
    v = min(max((1.0 - offset) - slope * s, least), 1.0 - least)
    t = (a * natural_log(u) - b * natural_log(v)) + c
    e = exp_minus(abs(t))
    return (e if t < 0 else 1.0) / (1.0 + e)


def beta_predict(scores, offset, slope, a, b, c, out, num_threads=1):
    for i, s in enumerate(scores.tolist()):
        out[i] = round_once(beta_probability(s, offset, slope, a, b, c), out.dtype.type)


def step_predict(scores, knots, values, out, num_threads=1):
    for i, s in enumerate(scores.tolist()):
        below, up_to = sum(k < s for k in knots.tolist()), sum(k <= s for k in knots.tolist())
        out[i] = s if math.isnan(s) else values[below + up_to]


def venn_abers_value(points, before, after, y):
    """Max over starts up to point ``before`` of min over ends from point ``after`` on of the mean with the object in between."""
    starts, ends = points[: before + 1], points[after:]
    weight = ends[None, :, 0] - starts[:, None, 0] + 1.0
    return ((ends[None, :, 1] - starts[:, None, 1] + y) / weight).min(axis=1).max()


def venn_abers_fit(scores, labels, weights, out_knots, out_p0, out_p1):
    distinct = sorted({s + 0.0 for s, w in zip(scores.tolist(), weights.tolist(), strict=True) if w > 0})
    sums = [[0.0, 0.0]] + [[float(weights[scores <= s].sum()), float((weights * labels)[scores <= s].sum())] for s in distinct]
    points = np.array(sums)
    tables = [[venn_abers_value(points, j // 2, (j + 1) // 2, y) for j in range(2 * len(distinct) + 1)] for y in (0.0, 1.0)]
    kept = [i for i in range(len(distinct)) if any(table[2 * i] != table[2 * i + 2] for table in tables)]
    for out, table in zip((out_p0, out_p1), tables, strict=True):
        for place, i in enumerate(kept):
            out[2 * place : 2 * place + 2] = table[2 * i : 2 * i + 2]
        out[2 * len(kept)] = table[-1]
    for place, i in enumerate(kept):
        out_knots[place] = distinct[i]
    return len(kept)
