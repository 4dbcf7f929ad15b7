"""The section on fusion of docs/numerics.md as slow, obvious Python."""

from __future__ import annotations

import math

import numpy as np
from reference_calibration import exp_minus
from reference_lists import affine_lists

LN2_HIGH, LN2_LOW = float.fromhex("0x1.62e42fee00000p-1"), float.fromhex("0x1.a39ef35793c76p-33")


def natural_log(x):
    m, e = math.frexp(x)
    m, e = 2 * m, e - 1
    if m > float.fromhex("0x1.6a09e667f3bcdp+0"):
        m, e = m / 2, e + 1
    s = (m - 1) / (m + 1)
    p = 1 / 21
    for odd in range(19, 0, -2):
        p = p * (s * s) + 1 / odd
    return e * LN2_HIGH + (e * LN2_LOW + 2 * s * p)


def entry_values(value, parameter, divisor, n, n_documents, scores):
    ranks = [math.inf if divisor == 0 else rank / divisor for rank in range(1, n + 1)]
    if value == "reciprocal":
        return [1 / (parameter + rank) for rank in ranks]
    if value == "square":
        return [1 / (rank * rank) for rank in ranks]
    if value == "points":
        return [float(n_documents - i) for i in range(n)]
    if value == "score":
        return [float(score) for score in scores]
    powers = [1 - parameter]
    while len(powers) < n:
        powers.append(powers[-1] * parameter)
    return powers[:n]


def say(documents, values, duplicates):
    """What a list says of its documents: {document: (value, position)}."""
    said = {}
    for position, (doc, value) in enumerate(zip(documents, values, strict=True)):
        if doc not in said:
            said[doc] = value, position
        elif duplicates in {"max", "sum"}:
            old, place = said[doc]
            said[doc] = (max(old, value) if duplicates == "max" else old + value), place
    return said


def summand(combine, parameter, base, value):
    if combine == "geometric":
        return natural_log(value) if value > 0 else None
    if combine == "harmonic":
        return 1 / value if value > 0 else None
    if combine == "logistic":
        p = min(max(value, parameter), 1 - parameter)
        return natural_log(p) - natural_log(1 - p) - base
    return value


def finish(combine, base, total, weight, factor):
    if combine == "sum":
        return total * factor
    if combine == "by_weights":
        return total * weight
    if combine == "logistic":
        e = exp_minus(abs(base + total))
        return e / (1 + e) if base + total < 0 else 1 / (1 + e)
    if weight == 0:
        return 0.0
    if combine == "harmonic":
        return weight / total
    if combine == "mean":
        return total / weight
    e = exp_minus(abs(total / weight))
    return e if total / weight < 0 else 1 / e


def combined(said, filled, weights, factor, combine, parameter, base):
    """The score of one document and the term of each run; ``said`` and ``filled`` hold a value or None for each run."""
    both = [a if a is not None else b for a, b in zip(said, filled, strict=True)]
    present = [value for value in both if value is not None]
    if combine in {"min", "max", "median"}:
        middle = sorted(present)
        score = {"min": middle[0], "max": middle[-1], "median": (middle[(len(middle) - 1) // 2] + middle[len(middle) // 2]) / 2}[combine]
        return score, [math.nan if value is None else value for value in both]
    if combine == "by_weights":
        total = weight = 0.0
        for w, value, filler in zip(weights, said, both, strict=True):
            total += 0.0 if filler is None else filler
            weight += 0.0 if value is None else w
        return total * weight, [0.0 if value is None else value * weight for value in both]
    total = weight = 0.0
    shares = []
    for w, value in zip(weights, both, strict=True):
        term = None if value is None else summand(combine, parameter, base, value)
        shares.append(0.0 if term is None else w * term)
        if term is not None:
            total, weight = total + w * term, weight + w
    scale = {"sum": factor, "logistic": 1.0}.get(combine, 0.0 if weight == 0 else 1 / weight)
    return finish(combine, base, total, weight, factor), [share * scale for share in shares]


def wins(doc, documents, places, weights):
    score = 0.0
    for other in documents:
        margin = 0.0
        for w, place in zip(weights, places, strict=True):
            mine, its = place.get(doc, math.inf), place.get(other, math.inf)
            margin += w * (float(mine < its) - float(mine > its))
        score += 0.0 if other == doc else (1.0 if margin > 0 else (0.5 if margin == 0 else 0.0))
    return score


def fuse_query(lists, scores, weights, factors, value, combine, parameter, base, stretch, missing, fill, duplicates):
    """({document: (score, first run, position or None by run, term by run)}, bad runs) of one query."""
    documents = list(dict.fromkeys(doc for docs in lists for doc in docs))
    bad, saids, fills = set(), [], []
    for run, docs in enumerate(lists):
        divisor = weights[run] if stretch else 1.0
        values = entry_values(value, parameter, divisor, len(docs), len(documents), scores[run])
        good = (lambda x: 0 <= x <= 1) if combine == "logistic" else math.isfinite
        if value == "score" and not all(good(x) for x in values):
            bad.add(run)
        said = say(docs, values, duplicates)
        saids.append(said)
        known = [x for x, _ in said.values()]
        fills.append({"skip": None, "fill": fill, "min": min(known, default=None)}[missing])
        if value == "points":
            fills[-1] = (len(documents) - len(said) + 1) / 2
    shares = [1.0] * len(lists) if stretch else weights
    places = [{doc: place for doc, (_, place) in said.items()} for said in saids]
    fused = {}
    for doc in documents if not bad else []:
        here = [said[doc][0] if doc in said else None for said in saids]
        hits = [run for run, x in enumerate(here) if x is not None]
        score, terms = combined(here, fills, shares, factors[len(hits)], "sum" if combine == "copeland" else combine, parameter, base)
        if combine == "copeland":
            score, terms = wins(doc, documents, places, shares), [math.nan] * len(lists)
        fused[doc] = score, hits[0], [place.get(doc) for place in places], terms
    return fused, bad


def normalised(scores, offsets, rule):
    """Scores as affine_lists maps them, NaN for a run with a list that it refuses."""
    if rule is None:
        return scores
    out = np.empty_like(scores)
    return out if affine_lists(scores, offsets, *rule, None, out) < 0 else np.full_like(scores, np.nan)


def fuse(
    ids, scores, offsets, norms, weights, factors, value, combine, parameter, base, stretch, missing, fill, duplicates, ties, top_k,
    out_offsets, out_ids, out_scores, out_entries=None, out_terms=None, num_threads=1,
):  # fmt: skip
    n_runs, at, bad, twice = len(ids), 0, set(), set()
    scores = scores if norms is None else [normalised(*run) for run in zip(scores, offsets, norms, strict=True)]
    out_offsets[0] = 0
    for query in range(len(out_offsets) - 1):
        parts = [slice(int(run[query]), int(run[query + 1])) for run in offsets]
        lists = [ids[run][part].tolist() for run, part in enumerate(parts)]
        here = [None if scores[run] is None else scores[run][part] for run, part in enumerate(parts)]
        if duplicates == "error":
            twice |= {run for run, docs in enumerate(lists) if len(set(docs)) < len(docs)}
        row = weights[query if len(weights) > 1 else 0].tolist()
        fused, worse = fuse_query(lists, here, row, factors, value, combine, parameter, base, stretch, missing, fill, duplicates)
        bad |= worse
        with np.errstate(all="ignore"):
            rounded = {doc: np.float32(entry[0]) + np.float32(0.0) for doc, entry in fused.items()}
        tie = {"source": lambda doc, fused=fused: (fused[doc][1], doc), "id": lambda doc: doc, "id_desc": lambda doc: -doc}[ties]
        ranked = sorted(fused, key=lambda doc, rounded=rounded, tie=tie: (-float(rounded[doc]), tie(doc)))
        for doc in ranked if top_k < 0 else ranked[:top_k]:
            out_ids[at], out_scores[at] = doc, rounded[doc]
            if out_entries is not None:
                out_entries[at] = [-1 if place is None else parts[run].start + place for run, place in enumerate(fused[doc][2])]
                out_terms[at] = fused[doc][3]
            at += 1
        out_offsets[query + 1] = at
    return min(bad) if bad else (n_runs + min(twice) if twice else -1)
