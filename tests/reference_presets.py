"""Every preset in slow, obvious Python on ``[[(document, score), ...], ...]``, one query, each list best first.

``PRESETS[name](lists, weights=None, **options)`` returns ``{document: fused score}`` in the order in which a walk over
the lists meets the documents. Nothing here knows fastcal.
"""

import math
from decimal import ROUND_HALF_UP, Decimal


def _add(lists, contribution, combine=lambda old, new: old + new):
    """Combine ``contribution(list number, position from 0, score, the list's scores)`` per document."""
    fused = {}
    for number, entries in enumerate(lists):
        scores = [score for _, score in entries]
        for position, (document, score) in enumerate(entries):
            value = contribution(number, position, score, scores)
            fused[document] = combine(fused[document], value) if document in fused else value
    return fused


def _ones(lists, weights):
    return [1.0] * len(lists) if weights is None else weights


def _shares(lists, weights):
    weights = _ones(lists, weights)
    return [weight / sum(weights) for weight in weights]


def _reciprocal(shift):
    """Weights times 1 / (k + shift + position)."""

    def fused(lists, weights=None, k=60):
        w = _ones(lists, weights)
        return _add(lists, lambda number, position, *_: w[number] / (k + shift + position))

    return fused


def _normalised(norm, weigh=_ones):
    def fused(lists, weights=None):
        w = weigh(lists, weights)
        return _add(lists, lambda number, _, score, scores: w[number] * norm(score, scores))

    return fused


def _minmax(on_constant):
    def norm(score, scores):
        low, high = min(scores), max(scores)
        return (score - low) / (high - low) if high > low else on_constant(high)

    return norm


def _dbsf(ddof, on_constant):
    def norm(score, scores):
        if min(scores) == max(scores):
            return on_constant(score)
        mean = math.fsum(scores) / len(scores)
        deviation = math.sqrt(math.fsum((s - mean) ** 2 for s in scores) / (len(scores) - ddof))
        return (score - (mean - 3 * deviation)) / (6 * deviation)

    return norm


def _sign(score):
    return 1.0 if score > 0 else 0.0


def ranx(lists, weights=None):
    w = _ones(lists, weights)
    return _add(lists, lambda number, _, s, scores: w[number] * (s - min(scores)) / max(max(scores) - min(scores), 1e-9))


def qdrant_rrf(lists, weights=None, k=2):
    w = _ones(lists, weights)
    return _add(lists, lambda number, position, *_: 1 / ((position + 1) / w[number] + k - 1) if w[number] > 0 else 0.0)


def haystack_rrf(lists, weights=None):
    w, n = _shares(lists, weights), len(lists)
    return _add(lists, lambda number, position, *_: w[number] * n / (61 + position) / (n / 61))


def haystack_dbsf(lists):
    norm = _dbsf(0, lambda score: score)
    return _add(lists, lambda _number, _position, score, scores: norm(score, scores), max)


def llamaindex_rrf(lists):
    return _reciprocal(0)([sorted(entries, key=lambda entry: -entry[1]) for entries in lists])


def langchain_ensemble(lists, weights=None, k=60):
    return _reciprocal(1)(lists, weights or [1 / len(lists)] * len(lists), k)


def opensearch_rrf(lists, weights=None, k=60):
    w = _ones(lists, weights)

    def term(number, position, *_):
        rounded = (Decimal(1) / Decimal(k + position + 1)).quantize(Decimal("1e-10"), ROUND_HALF_UP)
        return w[number] * float(rounded)

    return _add(lists, term)


def _opensearch_minmax(score, scores):
    low, high = min(scores), max(0.0, *scores)
    if low == high and high > 0:
        return 1.0
    return (score - low) / (high - low) or 0.001 if high > low else 0.001


def _opensearch_zscore(score, scores):
    mean = math.fsum(scores) / len(scores)
    deviation = math.sqrt(math.fsum((s - mean) ** 2 for s in scores) / max(1, len(scores) - 1))
    if score == mean:
        return max(scores)
    if deviation == 0:
        return min(scores)
    return max((score - mean) / deviation, 0.0) or 0.001


def _opensearch_l2(score, scores):
    norm = math.sqrt(math.fsum(s * s for s in scores))
    return score / norm if norm > 0 else 0.001


def _arithmetic(pairs, total):
    """A score of at least 0 counts with its weight, a missing document as 0.0; a negative score does not count."""
    kept = [(w, s) for w, s in pairs if s >= 0]
    missing = total - sum(w for w, _ in pairs)
    weight = sum(w for w, _ in kept) + missing
    return sum(w * s for w, s in kept) / weight if weight > 0 else 0.0


def _geometric(pairs, _total):
    kept = [(w, s) for w, s in pairs if s > 0]
    weight = sum(w for w, _ in kept)
    return math.exp(sum(w * math.log(s) for w, s in kept) / weight) if weight > 0 else 0.0


def _harmonic(pairs, _total):
    kept = [(w, s) for w, s in pairs if s > 0]
    inverse = sum(w / s for w, s in kept)
    return sum(w for w, _ in kept) / inverse if inverse > 0 else 0.0


_MEANS = {"mean": _arithmetic, "gmean": _geometric, "hmean": _harmonic}


def _opensearch(norm):
    def fused(lists, weights=None, method="mean"):
        w = _ones(lists, weights)
        pairs = _add(lists, lambda number, _, score, scores: [(w[number], norm(score, scores))])
        return {document: _MEANS[method](listed, sum(w)) for document, listed in pairs.items()}

    return fused


def _elastic_minmax(score, scores):
    low, high = min(scores), max(0.0, *scores)
    return (score - low) / (high - low) if high - low >= 1e-6 else 1.0


def _elastic_l2(score, scores):
    norm = math.sqrt(math.fsum(s * s for s in scores))
    return score / norm if norm >= 1e-6 else score


def elasticsearch_linear(lists, weights=None, norm="minmax"):
    return _normalised({"minmax": _elastic_minmax, "l2": _elastic_l2, "none": lambda score, _: score}[norm])(lists, weights)


_MILVUS = {
    "cosine": lambda s: (1 + s) / 2,
    "ip": lambda s: 0.5 + math.atan(s) / math.pi,
    "bm25": lambda s: 2 * math.atan(s) / math.pi,
    "l2": lambda d: 1 - 2 * math.atan(d) / math.pi,
}


def milvus_weighted(lists, weights=None, metrics=None):
    w = _ones(lists, weights)
    return _add(lists, lambda number, _, score, __: w[number] * _MILVUS[metrics[number]](score))


PRESETS = {
    "paper": _reciprocal(1),
    "ranx": ranx,
    "qdrant-rrf": qdrant_rrf,
    "qdrant-dbsf": _normalised(_dbsf(1, lambda _: 0.5)),
    "weaviate-ranked": _reciprocal(0),
    "weaviate-relative": _normalised(_minmax(lambda _: 1.0)),
    "opensearch-minmax": _opensearch(_opensearch_minmax),
    "opensearch-zscore": _opensearch(_opensearch_zscore),
    "opensearch-l2": _opensearch(_opensearch_l2),
    "opensearch-rrf": opensearch_rrf,
    "elasticsearch-linear": elasticsearch_linear,
    "haystack-rrf": haystack_rrf,
    "haystack-dbsf": haystack_dbsf,
    "llamaindex-rrf": llamaindex_rrf,
    "llamaindex-relative": _normalised(_minmax(_sign), _shares),
    "llamaindex-dist": _normalised(_dbsf(0, _sign), _shares),
    "langchain-ensemble": langchain_ensemble,
    "milvus-weighted": milvus_weighted,
    "vespa-linear": _normalised(_minmax(lambda _: 0.5)),
    "lancedb-rrf": _reciprocal(1),
    "mongodb-rank-fusion": _reciprocal(1),
}
