"""The calibration and threshold pages of docs/numerics.md, as slow, obvious Python; see reference.py."""

from __future__ import annotations

import math

import numpy as np
from reference_numbers import round_once


def exp_minus(x):
    """exp(-x) for x >= 0, one Python float operation at a time."""
    log2_e, high, low = (float.fromhex(h) for h in ("0x1.71547652b82fep+0", "0x1.62e42fee00000p-1", "0x1.a39ef35793c76p-33"))
    x = min(x, 708.0)
    n = float(round(-x * log2_e))
    r = (-x - n * high) - n * low
    value = 0.0
    for i in range(13, -1, -1):
        value = value * r
        value = value + 1.0 / math.factorial(i)
    return math.ldexp(value, int(n))


def platt_probability(s, a, b):
    t = a * s + b
    if math.isnan(t):
        return math.nan
    e = exp_minus(abs(t))
    return e / (1.0 + e) if t > 0 else 1.0 / (1.0 + e)


POWER_OF_TWO = [
    np.float32(float.fromhex(h)) for h in ("0x1.62e42ap-1", "0x1.ebfd74p-3", "0x1.c686b4p-5", "0x1.3d217cp-7", "0x1.462150p-10", "0x1.c765a6p-13")
]


def platt_probability_f32(s, a, b):
    """The float32 map, one operation at a time; NumPy's float32 scalars round each of them."""
    u = (a * s + b) * float.fromhex("0x1.71547652b82fep+0") - 0.5
    if math.isnan(u):
        return np.float32(math.nan)
    u = min(max(u, -32.0), 160.0)
    n = round(u)  # ties to even
    f = np.float32(u - n) + np.float32(0.5)
    q = POWER_OF_TWO[-1]
    for coefficient in POWER_OF_TWO[-2::-1]:
        q = q * f + coefficient
    e = (f * q + np.float32(1)) * np.float32(math.ldexp(1.0, n - 64))
    c = np.float32(2.0**-64)
    return c / (c + e)


def platt_predict(scores, a, b, out, num_threads=1):
    narrow = out.dtype == np.float32
    for i, s in enumerate(scores.tolist()):
        out[i] = platt_probability_f32(s, a, b) if narrow else round_once(platt_probability(s, a, b), np.float64)


def platt_fit(scores, targets, weights):
    """Plain Newton on standardised scores with correctly rounded sums; for data whose optimum is finite."""
    s, y, w = (x.tolist() for x in (scores, targets, weights))
    total = math.fsum(w)
    mean = math.fsum(wi * si for wi, si in zip(w, s, strict=True)) / total
    sd = math.sqrt(math.fsum(wi * (si - mean) ** 2 for wi, si in zip(w, s, strict=True)) / total)
    share = math.fsum(wi * yi for wi, yi in zip(w, y, strict=True)) / total
    if len({si for wi, si in zip(w, s, strict=True) if wi > 0}) == 1:
        return 0.0, -math.log(share / (1.0 - share))
    f = [(si - mean) / sd for si in s]

    def loss(a, b):
        t = [a * fi + b for fi in f]
        return math.fsum(wi * (yi * ti + max(-ti, 0.0) + math.log1p(math.exp(-abs(ti)))) for wi, yi, ti in zip(w, y, t, strict=True))

    a, b = 0.0, -math.log(share / (1.0 - share))
    for _ in range(200):
        p = [platt_probability(fi, a, b) for fi in f]
        slope = [wi * (yi - pi) for wi, yi, pi in zip(w, y, p, strict=True)]
        bend = [wi * pi * (1.0 - pi) for wi, pi in zip(w, p, strict=True)]
        da, db = math.fsum(g * fi for g, fi in zip(slope, f, strict=True)), math.fsum(slope)
        h_aa, h_ab, h_bb = (math.fsum(h * fi**power for h, fi in zip(bend, f, strict=True)) for power in (2, 1, 0))
        determinant = h_aa * h_bb - h_ab * h_ab
        step_a, step_b = (h_ab * db - h_bb * da) / determinant, (h_ab * da - h_aa * db) / determinant
        size = 1.0
        while size > 1e-6 and loss(a + size * step_a, b + size * step_b) > loss(a, b) * (1.0 + 1e-15):
            size /= 2.0
        a, b = a + size * step_a, b + size * step_b
        if max(abs(step_a), abs(step_b)) <= 1e-15 * max(abs(a), abs(b)):
            break
    return a / sd, b - a * mean / sd


def isotonic_fit(scores, labels, weights, out_x, out_y):
    samples = [sample for sample in zip(scores.tolist(), labels.tolist(), weights.tolist(), strict=True) if sample[2] != 0.0]
    blocks = []  # [first score, last score, S, W]
    groups = {}
    for score_, label, weight in sorted(samples, key=lambda sample: sample[0]):
        group = groups.setdefault(score_ + 0.0, [0.0, 0.0])
        group[0], group[1] = group[0] + weight * label, group[1] + weight
    for score_, (s, w) in groups.items():
        blocks.append([score_, score_, s, w])
        while len(blocks) > 1 and blocks[-2][2] / blocks[-2][3] >= blocks[-1][2] / blocks[-1][3]:
            _, last, s_, w_ = blocks.pop()
            blocks[-1] = [blocks[-1][0], last, blocks[-1][2] + s_, blocks[-1][3] + w_]
    knots = []
    for first, last, s, w in blocks:
        knots += [(first, s / w)] if first == last else [(first, s / w), (last, s / w)]
    for i, (x, y) in enumerate(knots):
        out_x[i], out_y[i] = x, y
    return len(knots)


def interpolate(v, x, y):
    if math.isnan(v):
        return v
    if v <= x[0]:
        return y[0]
    if v >= x[-1]:
        return y[-1]
    i = max(j for j in range(len(x)) if x[j] <= v)
    inside = y[i] + (y[i + 1] - y[i]) * ((v - x[i]) / (x[i + 1] - x[i]))
    return min(max(inside, y[i]), y[i + 1])


def isotonic_predict(scores, knots_x, knots_y, out, num_threads=1):
    x, y = knots_x.tolist(), knots_y.tolist()
    for i, v in enumerate(scores.tolist()):
        out[i] = interpolate(v, x, y)


def isotonic_fit_labels(scores, labels, out_x, out_y, num_threads=1):
    return isotonic_fit(scores.astype(float), labels.astype(float), np.ones(len(scores)), out_x, out_y)


def threshold_sweep(scores, labels, weights, out_threshold, out_selected, out_weight, out_positive, num_threads=1):
    order = sorted(range(len(scores)), key=lambda i: -float(scores[i]))  # Python's sort is stable
    total = positive = 0.0
    count = 0
    for selected, i in enumerate(order, start=1):
        weight = 1.0 if weights is None else float(weights[i])
        total += weight
        positive += weight if labels[i] else 0.0
        if selected == len(order) or scores[order[selected]] != scores[i]:
            out_threshold[count], out_selected[count], out_weight[count], out_positive[count] = scores[i] + 0.0, selected, total, positive
            count += 1
    return count


def threshold_rates(scores, labels, out_threshold, out_selected, out_precision, out_recall, out_f1, num_threads=1):
    n = threshold_sweep(scores, labels, None, out_threshold, out_selected, out_precision, out_recall)
    total = float(out_recall[n - 1]) if n else 0.0
    for i in range(n):
        selected, positive = float(out_precision[i]), float(out_recall[i])
        out_f1[i] = positive / (selected / 2 + total / 2)
        out_precision[i], out_recall[i] = positive / selected, positive / total if total else 0.0
    return n
