"""certify_threshold as slow, obvious Python: dictionaries, exact fractions, one label at a time where it can be."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np


def evidence(labels, k, k0):
    """Exact E after the last label, uniform prior on k0 + 1 .. k."""
    n, s = len(labels), sum(labels)
    if s > k0:
        return math.inf
    null = Fraction(math.comb(k - n, k0 - s), math.comb(k, k0)) if 0 <= k0 - s <= k - n else Fraction(0)
    alternatives = (Fraction(math.comb(k - n, K - s), math.comb(k, K)) for K in range(k0 + 1, k + 1) if 0 <= K - s <= k - n)
    mean = sum(alternatives, Fraction(0)) / (k - k0)
    if mean == 0:
        return Fraction(0)
    return mean / null


def best_evidence(labels, k, k0):
    return max((evidence(labels[:n], k, k0) for n in range(1, len(labels) + 1)), default=Fraction(0))


def wilson_upper(hits, n, z=3.0):
    if n == 0:
        return 1.0
    half = z * math.sqrt(hits * (n - hits) / n + z * z / 4)
    return min(1.0, (hits + z * z / 2 + half) / (n + z * z))


def floor(k, k0, delta):
    n, chance = 0, 1.0
    while chance > delta * (1 + 1e-12):
        chance *= max(k0 - n, 0) / (k - n)
        n += 1
    return n


def walk(scores, labels, seed, *, target="0.9", delta=0.05, budget=None, ratio=2.0, second_start=None):
    """Return (threshold or None, number selected, the set of positions that were labelled), higher is better."""
    p, n = Fraction(target), len(scores)
    k0 = {k: math.ceil(p * k) - 1 for k in range(1, n + 1)}
    order = sorted(range(n), key=lambda row: -scores[row])
    ends = [k for k in range(1, n + 1) if k == n or scores[order[k]] < scores[order[k - 1]]]
    u = np.random.default_rng(np.random.SeedSequence([seed, *b"priorities"])).random(n).tolist()
    budget = min(n, 40 * floor(n, k0[n], delta)) if budget is None else budget
    far = math.ceil(math.log(delta) / math.log(p) - 1e-12)

    wanted, most = far, budget // 4
    if most < far and second_start is None:
        least = max(2 * far, math.ceil(most * ratio))
        steps = [n / ratio**step for step in range(99) if n / ratio**step >= least * (1 - 1e-12)]
        beyond = round(min(steps, default=n))
        left = beyond - most, k0[beyond] - most
        if left[1] >= 0 and best_evidence([1] * max(min(budget - most, left[0]), 0), *left) < 1 / delta:
            wanted = most = budget
    enough = [k for k in ends if k >= min(wanted, n)]
    census = enough[0] if enough[0] <= most else max([k for k in ends if k <= most], default=0)
    first, grid = max(2 * far, math.ceil(census * ratio)), [n]
    while n / ratio ** len(grid) >= first * (1 - 1e-12):
        grid.append(round(n / ratio ** len(grid)))
    cuts = sorted({min(end for end in ends if end >= rank) for rank in grid})
    far = max([k for k in ends if second_start is not None and scores[order[k - 1]] >= second_start], default=0)
    tests = sorted({*cuts, far} - {0})
    paid = {}
    if far > next((k for k in tests if k > census), n):
        best, limit = 0, budget / 2
        for k in [cut for cut in tests if cut >= far]:
            if judge(sorted(order[:k], key=lambda row: u[row]), k0[k], labels, paid, limit, delta / 2) != "pass":
                break
            best, limit = k, budget
        if best:
            return scores[order[best - 1]], best, set(paid)
        delta /= 2
    paid |= {row: labels[row] for row in order[:census]}
    best = max([k for k in ends if k <= census and sum(labels[row] for row in order[:k]) > k0[k]], default=0)
    for k in [cut for cut in tests if cut > census]:
        others = sorted(order[census:k], key=lambda row: u[row])
        null = k0[k] - sum(paid[row] for row in order[:census])
        verdict = judge(others, null, labels, paid, budget, delta)
        if verdict == "pass":
            best = k
        elif verdict == "stop":
            break
    return (scores[order[best - 1]] if best else None), best, set(paid)


def judge(others, null, labels, paid, budget, delta):
    k = len(others)
    if null < 0:
        return "pass"
    if null >= k:
        return "skip"
    while True:
        seen = []
        for row in others:
            if row not in paid:
                break
            seen.append(paid[row])
        if best_evidence(seen, k, null) >= 1 / delta:
            return "pass"
        if sum(seen) + k - len(seen) <= null:
            return "stop"
        if best_evidence([1 - y for y in seen], k, k - null - 1) >= 20:
            return "stop"
        behind = sum(row in paid for row in others) - len(seen)
        end = min(k, len(seen) + int(budget - len(paid) + behind))
        hoped = min(end, sum(seen) + math.ceil(wilson_upper(sum(seen), len(seen)) * (end - len(seen))))
        if end > len(seen) > 0 and evidence([1] * hoped + [0] * (end - hoped), k, null) < 1 / delta:
            return "stop"
        need = next(m for m in range(1, k - len(seen) + 1) if evidence(seen + [1] * m, k, null) >= 1 / delta)
        missing = [row for row in others[: len(seen) + need] if row not in paid]
        if len(paid) + len(missing) > budget:
            return "stop"
        for row in others[: len(seen) + min(need, 16)]:
            paid.setdefault(row, labels[row])
