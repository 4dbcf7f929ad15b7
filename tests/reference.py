"""docs/numerics.md as slow, obvious Python: one function per Backend method, same name, same arguments.

Nothing here is shared with a backend. Results are written into the ``out`` arrays, as a backend does, and
index results (first bad row, number of knots) are returned.
"""

from __future__ import annotations

import math

import numpy as np

PADDING = np.array([0x7FC00000], dtype=np.uint32).view(np.float32)[0]


def widen(rows):
    """Float64 values of float32, float16 or bfloat16 (uint16 bits) rows; each conversion is exact."""
    if rows.dtype == np.uint16:
        rows = (np.ascontiguousarray(rows).astype(np.uint32) << 16).view(np.float32)
    with np.errstate(all="ignore"):
        return np.ascontiguousarray(rows).astype(np.float64)


def lane_sum(terms):
    """Lane sum along the last axis of float64 ``terms``."""
    with np.errstate(all="ignore"):
        lanes = np.zeros((*terms.shape[:-1], 16))
        for start in range(0, terms.shape[-1], 16):
            part = terms[..., start : start + 16]
            lanes[..., : part.shape[-1]] += part
        for width in (8, 4, 2, 1):
            lanes = lanes[..., :width] + lanes[..., width : 2 * width]
        return lanes[..., 0]


def round_once(values, dtype):
    """Round float64 to ``dtype`` once and drop the sign of zero."""
    with np.errstate(all="ignore"):
        return (np.asarray(values, dtype=np.float64).astype(dtype) + dtype(0.0)).astype(dtype)


def first_bad_row(rows):
    """Index of the first row with NaN or infinity, or -1."""
    bad = np.flatnonzero(~np.isfinite(widen(rows)).all(axis=1))
    return int(bad[0]) if bad.size else -1


def round_to_float32(values, out, num_threads=1):
    with np.errstate(all="ignore"):
        out[...] = values.astype(np.float32)
    return first_bad_row(out)


def row_norms(corpus, out, num_threads=1):
    x = widen(corpus)
    with np.errstate(all="ignore"):
        out[...] = np.sqrt(lane_sum(x * x))
    return first_bad_row(corpus)


def score(query, rows, metric):
    """Float32 scores of one query against float64 ``rows``."""
    q = query.astype(np.float64)
    with np.errstate(all="ignore"):
        if metric == "euclidean":
            difference = q - rows
            value = np.sqrt(lane_sum(difference * difference))
        else:
            value = lane_sum(q * rows)
        if metric == "cosine":
            query_norm, norms = np.sqrt(lane_sum(q * q)), np.sqrt(lane_sum(rows * rows))
            zero = (query_norm == 0.0) | (norms == 0.0)
            value = np.where(zero, 0.0, value / np.where(zero, 1.0, query_norm * norms))
    return round_once(value, np.float32)


def scores(queries, corpus, row_norms, metric, precision, out, num_threads=1):
    bad = first_bad_row(corpus)
    if bad < 0:
        for query, line in zip(queries, out, strict=True):
            line[...] = score(query, widen(corpus), metric)
    return bad


def topk(queries, corpus, row_norms, metric, ids, out_scores, out_ids, num_threads=1):
    bad = first_bad_row(corpus)
    if bad >= 0:
        return bad
    k, names = out_ids.shape[1], range(len(corpus)) if ids is None else ids.tolist()
    sign = 1.0 if metric == "euclidean" else -1.0
    for i, query in enumerate(queries):
        ranked = sorted((sign * value, name) for value, name in zip(score(query, widen(corpus), metric).tolist(), names, strict=True))[:k]
        out_scores[i], out_ids[i] = PADDING, -1
        for j, (key, name) in enumerate(ranked):
            out_scores[i, j], out_ids[i, j] = np.float32(sign * key) + np.float32(0.0), name
    return -1


def rescore(queries, corpus, ids, metric, out, num_threads=1):
    touched = np.unique(ids[ids >= 0])
    bad = first_bad_row(corpus[touched]) if touched.size else -1
    if bad >= 0:
        return int(touched[bad])
    for query, wanted, line in zip(queries, ids, out, strict=True):
        line[...] = PADDING
        if (wanted >= 0).any():
            line[wanted >= 0] = score(query, widen(corpus[wanted[wanted >= 0]]), metric)
    return -1


def lists(offsets):
    """(number, slice) of every list."""
    return [(i, slice(int(offsets[i]), int(offsets[i + 1]))) for i in range(len(offsets) - 1)]


def minmax(scores, offsets, on_constant, out, num_threads=1):
    first_bad = -1
    for i, part in lists(offsets):
        s = scores[part].astype(np.float64)
        kept = ~np.isnan(s)
        out[part] = scores[part]
        if np.isinf(s).any():
            first_bad = i if first_bad < 0 else first_bad
        elif kept.any():
            low, high = s[kept].min(), s[kept].max()
            with np.errstate(all="ignore"):
                if np.isinf(high - low):
                    s, low, high = s / 2, low / 2, high / 2
                value = np.full(s.shape, on_constant) if low == high else (s - low) / (high - low)
            out[part][kept] = round_once(value[kept], out.dtype.type)
    return first_bad


def blocked_sum(terms):
    """Block sums of 4,096 positions, added in order; NaN terms add nothing."""
    total = 0.0
    for start in range(0, len(terms), 4096):
        block = terms[start : start + 4096]
        with np.errstate(all="ignore"):
            total = total + float(lane_sum(np.where(np.isnan(block), 0.0, block)))
    return total


def zscore(scores, offsets, ddof, out, num_threads=1):
    first_bad = -1
    for i, part in lists(offsets):
        s = scores[part].astype(np.float64)
        kept = ~np.isnan(s)
        count = int(kept.sum())
        out[part] = scores[part]
        mean = std = 0.0
        if np.isinf(s).any():
            mean = math.inf
        elif count > ddof and count and s[kept].min() != s[kept].max():
            mean = blocked_sum(s) / count
            with np.errstate(all="ignore"):
                std = math.sqrt(blocked_sum((s - mean) * (s - mean)) / (count - ddof))
        if not (math.isfinite(mean) and math.isfinite(std)):
            first_bad = i if first_bad < 0 else first_bad
            continue
        value = np.zeros(s.shape) if std == 0.0 else (s - mean) / std
        out[part][kept] = round_once(value[kept], out.dtype.type)
    return first_bad


def fuse(ids, scores, offsets, weights, method, k, top_k, out_offsets, out_ids, out_scores, out_counts, num_threads=1):
    for query in range(len(out_counts)):
        total, first_run = {}, {}
        for run, weight in enumerate(weights.tolist()):
            start, stop = int(offsets[run][query]), int(offsets[run][query + 1])
            in_this_list = set()
            for rank, position in enumerate(range(start, stop), start=1):
                doc = int(ids[run][position])
                if doc in in_this_list:
                    continue
                in_this_list.add(doc)
                first_run.setdefault(doc, run)
                share = weight / (k + rank) if method == "rrf" else weight * float(scores[run][position])
                total[doc] = total.get(doc, 0.0) + share
        with np.errstate(all="ignore"):
            rounded = {doc: np.float32(value) + np.float32(0.0) for doc, value in total.items()}
        ranked = sorted(rounded, key=lambda doc: (-float(rounded[doc]), first_run[doc], doc))
        ranked = ranked if top_k < 0 else ranked[:top_k]
        start = int(out_offsets[query])
        out_counts[query] = len(ranked)
        for i, doc in enumerate(ranked):
            out_ids[start + i], out_scores[start + i] = doc, rounded[doc]


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


def platt_predict(scores, a, b, out, num_threads=1):
    for i, s in enumerate(scores.tolist()):
        out[i] = round_once(platt_probability(s, a, b), out.dtype.type)


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


def threshold_sweep(scores, labels, weights, out_threshold, out_selected, out_weight, out_positive):
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
