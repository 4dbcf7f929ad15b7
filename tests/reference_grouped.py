"""Rows of tables that belong to groups, as slow, obvious Python (docs/numerics.md, "Bulk rescoring")."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np


def plain_keys(values, offsets):
    """Integers, or bytes."""
    if offsets is None:
        return values.tolist()
    return [values[offsets[i] : offsets[i + 1]].tobytes() for i in range(len(offsets) - 1)]


def number_rows(values, offsets, out_codes, out_firsts):
    keys = plain_keys(values, offsets)
    distinct = sorted(set(keys))
    out_codes[...] = [distinct.index(key) for key in keys]
    out_firsts[: len(distinct)] = [keys.index(key) for key in distinct]
    return len(distinct)


def top_rows(codes, groups, on, scores, higher_is_better, keep, doc_values, doc_offsets, most, out, num_threads=1):
    docs, sign = plain_keys(doc_values, doc_offsets), 1.0 if higher_is_better else -1.0
    found = []
    for group in range(groups):
        rows = [i for i in range(len(codes)) if codes[i] == group and (keep is None or keep[i]) and not np.isnan(on[i]) and not np.isnan(scores[i])]
        found += sorted(rows, key=lambda i: (-float(on[i]), -sign * float(scores[i]), docs[i], i))[:most]
    out[: len(found)] = found
    return len(found)


def exact_moments(codes, scores, out_counts, out_least, out_greatest, out_sums, out_squares):
    infinite = np.flatnonzero(np.isinf(scores))
    if infinite.size:
        return int(infinite[0])
    for group in range(len(out_counts)):
        mine = [float(s) + 0.0 for s in scores[codes == group] if not math.isnan(s)]
        out_counts[group], out_least[group], out_greatest[group] = len(mine), min(mine, default=math.inf), max(mine, default=-math.inf)
        for out, power in ((out_sums, 1), (out_squares, 2)):
            if out is not None:
                total = sum(Fraction(s) ** power for s in mine) * 2 ** (149 * power)
                raw = int(total).to_bytes(8 * out.shape[1], "little", signed=True)
                out[group] = np.frombuffer(raw, "<u8")
    return -1


def sift_rows(codes, on, scores, higher_is_better, places, keep, depth, bars, keys, sizes):
    """The state is kept as a list of pairs per query; ``bars``, ``keys`` and ``sizes`` stay as they are."""
    left, seen, bar = 0, {}, {}
    for i in np.flatnonzero(keep):
        place, sign = int(places[codes[i]]), 1.0 if higher_is_better else -1.0
        keep[i] = not (np.isnan(on[i]) or np.isnan(scores[i]))
        if keep[i] and place >= 0:
            pair, mine = (float(on[i]), sign * float(scores[i])), seen.setdefault(place, [])
            keep[i] = place not in bar or pair >= bar[place]
            if place not in bar or pair > bar[place]:
                mine.append(pair)
            if len(mine) == keys.shape[1]:
                mine[:] = sorted(mine, reverse=True)[:depth]
                bar[place] = mine[-1]
        left += int(keep[i])
    return left
