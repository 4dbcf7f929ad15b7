"""docs/numerics.md as slow, obvious Python: one function per Backend method, same name, same arguments.

Nothing here is shared with a backend. Results are written into the ``out`` arrays, as a backend does, and
index results (first bad row, number of knots) are returned.
"""

from __future__ import annotations

import numpy as np
from reference_calibration import (  # noqa: F401  (operations are looked up here)
    isotonic_fit,
    isotonic_fit_labels,
    isotonic_predict,
    platt_fit,
    platt_predict,
    platt_probability,
    threshold_rates,
    threshold_sweep,
)
from reference_evidence import log_evidence, log_evidence_iid, log_tail_sums  # noqa: F401
from reference_fusion import fuse  # noqa: F401
from reference_grouped import exact_moments, number_rows, sift_rows, top_rows  # noqa: F401
from reference_lists import affine_lists, order_lists, rank_lists  # noqa: F401
from reference_numbers import PADDING, lane_sum, round_once, widen
from reference_probability_maps import beta_predict, step_predict, venn_abers_fit  # noqa: F401


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


def ranked_rows(i, query, corpus, metric, ids, thresholds, allow):
    """(key, name) of every row that passes the gate of query i, best first; the least key is the best."""
    sign = 1.0 if metric == "euclidean" else -1.0
    names = range(len(corpus)) if ids is None else ids.tolist()
    ranked = []
    for row, (value, name) in enumerate(zip(score(query, widen(corpus), metric).tolist(), names, strict=True)):
        good = thresholds is None or sign * value <= sign * float(thresholds[i])
        if good and (allow is None or allow[i % len(allow), row]):
            ranked.append((sign * value, name))
    return sorted(ranked)


def topk(queries, corpus, row_norms, metric, ids, out_scores, out_ids, num_threads=1, thresholds=None, allow=None):
    bad = first_bad_row(corpus)
    if bad >= 0:
        return bad
    k = out_ids.shape[1]
    sign = 1.0 if metric == "euclidean" else -1.0
    for i, query in enumerate(queries):
        ranked = ranked_rows(i, query, corpus, metric, ids, thresholds, allow)[:k]
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
