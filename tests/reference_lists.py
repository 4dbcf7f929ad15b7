"""The section on lists of scores of docs/numerics.md as slow, obvious Python."""

from __future__ import annotations

import math

import numpy as np
from reference_numbers import lane_sum, round_once


def lists(offsets):
    """(number, slice) of every list."""
    return [(i, slice(int(offsets[i]), int(offsets[i + 1]))) for i in range(len(offsets) - 1)]


def list_summary(s, kind):
    """(min, max, mean, squares, count) of the numbers in float64 ``s``: blocks of 4,096 positions, merged in order."""
    total = None
    for start in range(0, len(s), 4096):
        block = s[start : start + 4096]
        kept = ~np.isnan(block)
        count = float(kept.sum())
        if count == 0:
            continue
        shift = 0.0 if kind == "l2" else block[kept][0]
        d = np.where(kept, block - shift, 0.0)
        sums, squares = float(lane_sum(d)), float(lane_sum(d * d))
        if kind != "l2":
            squares = np.maximum(squares - sums * sums / count, 0.0)
        part = (block[kept].min(), block[kept].max(), shift + sums / count, squares, count)
        if total is None:
            total = part
            continue
        n = total[4] + count
        delta, share = part[2] - total[2], count / n
        between = 0.0 if kind == "l2" else delta * delta * (total[4] * share)
        total = (min(total[0], part[0]), max(total[1], part[1]), total[2] + delta * share, total[3] + squares + between, n)
    return total


def list_line(kind, low, high, mean, squares, count, ddof, n_sigma, eps, given):
    """(unit, centre, scale) of a list of these statistics."""
    std = np.sqrt(squares / (count - ddof)) if count > ddof else 0.0
    if kind == "minmax":
        low, high = (own if np.isnan(theirs) else theirs for own, theirs in zip((low, high), given, strict=True))
        unit = 0.5 if np.isinf(high - low) else 1.0
        return unit, low * unit, high * unit - low * unit
    if kind == "dbsf":
        return 1.0, mean - n_sigma * std, 2.0 * (n_sigma * std)
    return {
        "max": (1.0, 0.0, high if high > 0 or eps > 0 else -low),
        "sum": (1.0, low, count * (mean - low)),
        "l2": (1.0, 0.0, np.sqrt(squares)),
        "zscore": (1.0, mean, std),
        "given": (1.0, *given),
    }[kind]


def affine_list(values, kind, ddof, n_sigma, eps, tolerance, on_constant, on_single, given):
    """The normalised numbers of a list for which higher is better, in float64; None if it is refused."""
    summary = list_summary(values, kind)
    if summary is None:
        return values
    needed = summary if kind in {"sum", "zscore", "dbsf"} else (*summary[:2], summary[3]) if kind == "l2" else summary[:2]
    if np.isinf(values).any() or not np.isfinite(needed).all():
        return None
    fill = on_single if summary[4] == 1 and on_single != -math.inf else None
    unit, centre, scale = list_line(kind, *summary, ddof, n_sigma, eps, given)
    if fill is None:
        if not (np.isfinite(centre) and np.isfinite(scale)):
            return None
        if eps > 0:
            scale = max(scale, eps)
        elif scale <= tolerance:
            fill = on_constant
    if fill is not None:
        return values if fill == math.inf else np.where(np.isnan(values), values, fill)
    return unit, centre, scale


def affine_lists(scores, offsets, kind, higher_is_better, ddof, n_sigma, eps, tolerance, on_constant, on_single, given, out, num_threads=1):
    first_bad = -1
    for i, part in lists(offsets):
        pair = (math.nan, math.nan) if given is None else tuple(given[i].tolist())
        s = scores[part].astype(np.float64)
        if not higher_is_better:
            s = -s
            pair = (-pair[1], -pair[0]) if kind == "minmax" else (-pair[0], pair[1])
        with np.errstate(all="ignore"):
            value = affine_list(s, kind, ddof, n_sigma, eps, tolerance, on_constant, on_single, pair)
            if value is None:
                first_bad = i if first_bad < 0 else first_bad
                continue
            if isinstance(value, tuple):
                unit, centre, scale = value
                value = (s - centre) * (1.0 / scale) if scores.dtype == np.float32 else (s * unit - centre) / scale
        out[part] = np.where(np.isnan(s), scores[part], round_once(value, out.dtype.type))
    return first_bad


def rank_lists(scores, offsets, higher_is_better, ties, pool, out, num_threads=1):
    bad = -1
    for i, part in lists(offsets):
        s = scores[part].astype(np.float64) * (1 if higher_is_better else -1)
        if np.isinf(s).any():
            bad = i if bad < 0 else bad
            continue
        count = int(pool[i]) if pool is not None else int((~np.isnan(s)).sum())
        out[part] = scores[part]
        for j in np.flatnonzero(~np.isnan(s)):
            above, same, before = int((s > s[j]).sum()), int((s == s[j]).sum()), int((s[:j] == s[j]).sum())
            rank = above + {"ordinal": before, "min": 0, "average": (same - 1) / 2}[ties]
            out[part.start + j] = 1.0 - rank / count
    return bad


def order_lists(scores, offsets, out, num_threads=1):
    for _, part in lists(offsets):
        s = scores[part].tolist()
        out[part] = [part.start + j for j in sorted(range(len(s)), key=lambda j: (math.isnan(s[j]), 0.0 if math.isnan(s[j]) else -s[j]))]
