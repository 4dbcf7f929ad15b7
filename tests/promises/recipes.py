"""What others do with the same labels: a threshold or None, and the distinct labels paid."""

from __future__ import annotations

import warnings
from math import ceil, log, sqrt

import numpy as np

import fastcal as fc


def naive(pool, target, budget, rng):
    """Label rows drawn uniformly, take the lowest threshold whose precision on them reaches the target."""
    rows = rng.choice(pool.scores.size, min(budget, pool.scores.size), replace=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", fc.SmallSampleWarning)
        point = fc.choose_threshold(pool.scores.ravel()[rows], pool.labeler(rows), target)
    return (None if point is None else point.threshold), rows.size


def bound(values, delta, side):
    """Limit of a mean by the normal tail ``exp(-z^2 / 2) / 2 = delta``: asymptotic, no guarantee."""
    spread = values.std(ddof=0) / sqrt(values.size)
    return values.mean() + side * spread * sqrt(2 * log(1 / (2 * delta)))


def proxy_weights(scores):
    """Nine tenths in proportion to the root of the proxy, a tenth uniform."""
    root = np.sqrt(np.clip(scores, 0, 1).astype(np.float64))
    total = root.sum()
    return (0.9 * root / total if total else 0.9 / root.size) + 0.1 / root.size


def supg(pool, target, budget, rng, delta=0.05, step=100):
    """Two-stage precision target of SUPG (Kang et al., PVLDB 13, 2020), re-derived from its formulas; the proxy is the score.

    The first half of the draws bounds how many positives there are; the second is drawn among as many ranks as could then
    hold the target, and every `step`-th rank drawn is looked at. Draws are with replacement.
    """
    scores, labels = pool.scores.ravel(), pool.labels.ravel()
    order = np.argsort(-scores, kind="stable")
    weights, rows = proxy_weights(scores[order]), scores.size
    looks = max(1, 1 + 2 * (budget - step) // step)
    first = rng.choice(rows, budget // 2, p=weights)
    upper = bound(labels[order[first]] / (rows * weights[first]), delta / looks, +1)
    inside = min(rows, max(1, ceil(upper * rows / target)))
    total = weights.cumsum()
    second = np.sort(rng.choice(inside, budget - budget // 2, p=weights[:inside] / total[inside - 1]))
    found = None
    for rank in second[step - 1 :: step]:
        drawn = second[: np.searchsorted(second, rank, "right")]
        values = labels[order[drawn]] * total[rank] / ((rank + 1) * weights[drawn])
        if bound(values, delta / looks, -1) > target:
            found = float(scores[order[rank]])
    return found, np.unique(np.concatenate([first, second])).size


def unweighted(pool, target, budget, rng, delta=0.05, step=100):
    """One importance sample of which the labels are then averaged as if it had been uniform."""
    scores, labels = pool.scores.ravel(), pool.labels.ravel()
    order = np.argsort(-scores, kind="stable")
    drawn = np.sort(rng.choice(scores.size, budget, p=proxy_weights(scores[order])))
    looks = max(1, budget // step)
    passed = [at for at in range(step, budget + 1, step) if bound(labels[order[drawn[:at]]], delta / looks, -1) > target]
    return (float(scores[order[drawn[passed[-1] - 1]]]) if passed else None), np.unique(drawn).size
