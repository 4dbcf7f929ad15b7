"""Bulk rescoring as slow, obvious Python over lists of rows: what Rescorer and TopRows promise."""

from __future__ import annotations

import math

import numpy as np

import fastcal as fc


def utf8(key):
    return key.encode() if isinstance(key, str) else key


def normalised(queries, scores, docs, norm, higher_is_better):
    """Scores by ``fc.normalize``, query by query, lists in the order of score and document."""
    found = np.full(len(scores), np.nan, np.float32)
    for query in set(queries):
        mine = [i for i in range(len(scores)) if queries[i] == query and not math.isnan(scores[i])]
        mine.sort(key=lambda i: (-scores[i] if higher_is_better else scores[i], utf8(docs[i])))
        found[mine] = fc.normalize(scores[mine], norm, higher_is_better=higher_is_better)
    return found


def rescored(profile, queries, docs, scores, *, top_k=None, floor=None, drop_not_found=False, higher_is_better=True, **asked):
    """[(row, probability, decision or None)] in the order of the result."""
    scores = np.asarray(scores, np.float32)
    fed = scores if profile.norm is None else normalised(queries, scores, docs, profile.norm, higher_is_better)
    probabilities = profile.predict(fed).astype(np.float32)
    decisions = [None] * len(scores)
    if profile.thresholds:
        band = profile.policy(**asked).band
        by_score = band.space == "score"
        direction = {"higher_is_better": profile.thresholds[0].higher_is_better} if by_score else {}
        decisions = band.decide(fed if by_score else probabilities, **direction).tolist()
    rows = list(range(len(scores)))
    if floor is not None or drop_not_found or top_k is not None:
        rows = [i for i in rows if not math.isnan(scores[i])]
    if floor is not None:
        rows = [i for i in rows if (scores[i] >= np.float32(floor) if higher_is_better else scores[i] <= np.float32(floor))]
    if drop_not_found:
        rows = [i for i in rows if decisions[i] > 0]
    if top_k is not None:
        sign = -1 if higher_is_better else 1
        rows.sort(key=lambda i: (utf8(queries[i]), -probabilities[i], sign * scores[i], utf8(docs[i])))
        ranks, kept = {}, []
        for i in rows:
            ranks[queries[i]] = ranks.get(queries[i], 0) + 1
            if ranks[queries[i]] <= top_k:
                kept.append(i)
        rows = kept
    return [(i, probabilities[i], decisions[i]) for i in rows]
