"""Trials of fastcal's own promises."""

from __future__ import annotations

from fractions import Fraction
from functools import cache

import numpy as np

import fastcal as fc

from .pools import Pool
from .protocol import Outcome


def judged(pool, target, certificate, *, anytime=False):
    """Outcome of a certificate; `anytime`: of whoever stops at the worst moment, so that any cut passed on the way counts."""
    passed = [test.threshold for test in certificate.trace if test.verdict == "certified"] if anytime else [certificate.threshold]
    thresholds = [threshold for threshold in passed if threshold is not None]
    return Outcome(bool(thresholds), not all(pool.keeps(threshold, target) for threshold in thresholds), certificate.labels_used)


def certify(pool, target, delta, seed, **options):
    """One call with labels for all rows within the budget, stopped at the worst moment."""
    certificate = fc.certify_threshold(
        pool.scores, pool.labeler, target_precision=target, delta=delta, seed=seed, **{"budget": pool.scores.size} | options
    )
    return judged(pool, target, certificate, anytime=True)


def guessed(pool, target, delta, seed, *, guess, **options):
    """Weighted sampling, or a second start, by what somebody thinks of the rows: the truth, its opposite, or nothing."""
    noise = np.random.default_rng([seed, 7]).random(pool.labels.size)
    rank = np.arange(pool.labels.size) / pool.labels.size
    hit = pool.labels == 1
    guesses = {"truth": np.where(hit, 0.99, 0.5), "opposite": np.where(hit, 0.5, 0.99), "nothing": noise, "tail": 1 - 0.5 * rank**3}
    return certify(pool, target, delta, seed, probabilities=guesses[guess], **options)


def future(rows, target, delta, seed, *, share):
    """Pairs drawn afresh, positive with one probability whatever their score; the promise is about pairs to come."""
    rng = np.random.default_rng([seed, 8])
    scores, labels = rng.random(rows, np.float32), rng.random(rows) < share
    given = {"target_precision": target, "delta": delta, "seed": seed, "scope": "pairs", "budget": rows}
    certificate = fc.certify_threshold(scores, lambda positions: labels[positions], **given)
    passed = any(test.verdict == "certified" for test in certificate.trace)
    return Outcome(passed, passed and share < target, certificate.labels_used)


def some_budget(pool, target, delta, seed, **options):
    """A budget between the floor and the pool, drawn."""
    floor = fc.certify_threshold(pool.scores, np.zeros_like, target_precision=target, delta=delta, seed=0).labels_floor
    budget = int(np.random.default_rng([seed, 2]).integers(floor, pool.scores.size + 1))
    return certify(pool, target, delta, seed, budget=budget, **options)


def resumed(pool, target, delta, seed):
    """Somebody who goes on with more budget as long as nothing false is certified, and stops there."""
    state, budget, size = None, 10, pool.scores.size
    while True:
        budget = min(size, budget + max(30, size // 4))
        options = {"target_precision": target, "delta": delta, "seed": seed, "budget": budget, "state": state}
        certificate = fc.certify_threshold(pool.scores, pool.labeler, **options)
        outcome = judged(pool, target, certificate)
        if outcome.broken or budget == size:
            return outcome
        state = certificate.state


def best_of(pool, target, delta, seed, draws=5):
    """The laxest threshold of several seeds: what the state's seed is there to prevent."""
    outcomes = [certify(pool, target, delta, draws * seed + draw) for draw in range(draws)]
    return Outcome(any(o.certified for o in outcomes), any(o.broken for o in outcomes), sum(o.labels for o in outcomes))


@cache
def indexed(pool):
    """An index whose cosines with the first axis are a pool's scores, and the pool of those cosines."""
    cosines = pool.scores.astype(np.float64)
    corpus = np.stack([cosines, np.sqrt(1 - cosines**2)], axis=1).astype(np.float32)
    query = np.array([1, 0], np.float32)
    return fc.Index(corpus), query, Pool(fc.scores(query[np.newaxis], corpus, precision="exact")[0], pool.labels)


def dynamic(pool, target, delta, seed, *, budget, start=None, **options):
    """One query over an index; `start` is the probability that a model of other queries believes in, wherever it is; less at the end."""
    index, query, truth = indexed(pool)
    given = {} if start is None else {"calibrator": lambda scores, _: start - 0.5 * (1 - np.clip(scores, 0, 1)) ** 3}
    given |= {"target_precision": target, "delta": delta, "budget": budget, "seed": seed} | options
    return judged(truth, target, fc.dynamic_threshold(index, query, truth.labeler, **given), anytime=True)


def distances(pool, target, delta, seed):
    """The same scores as distances."""
    options = {"target_precision": target, "delta": delta, "seed": seed, "budget": pool.scores.size, "higher_is_better": False}
    certificate = fc.certify_threshold(-pool.scores, pool.labeler, **options)
    thresholds = [-test.threshold for test in certificate.trace if test.verdict == "certified"]
    return Outcome(bool(thresholds), not all(pool.keeps(threshold, target) for threshold in thresholds), certificate.labels_used)


def pooled(pool, target, delta, seed, *, n_lists):
    """Lists of one pool, each normalised by itself: what is certified are the pairs above their lists' own thresholds."""
    scores, labels = (values.reshape(n_lists, -1) for values in (pool.scores, pool.labels))
    options = {"target_precision": target, "delta": delta, "seed": seed, "budget": scores.size}
    certificate = fc.pooled_thresholds(scores, pool.labeler, **options)
    selected = scores >= certificate.thresholds[:, np.newaxis]
    broken = int(labels[selected].sum()) < Fraction(str(target)) * int(selected.sum())
    return Outcome(certificate.threshold is not None, broken, certificate.labels_used)


def recall(pool, target, delta, seed, **options):
    """certify_recall: what is above the threshold holds too few of the positives."""
    given = {"budget": pool.scores.size} | options
    certificate = fc.certify_recall(pool.scores, pool.labeler, target_recall=target, delta=delta, seed=seed, **given)
    if certificate.threshold is None:
        return Outcome(False, False, certificate.labels_used)
    held = pool.selected(certificate.threshold)[1]
    return Outcome(True, bool(held < Fraction(str(target)) * int(pool.labels.sum())), certificate.labels_used)


def queries(lists, target, delta, seed, *, loss="precision", **options):
    """certify_queries on lists drawn afresh, whose mean at each number of selected rows is known."""
    given = {f"target_{loss}": target, "delta": delta, "seed": seed} | options
    certificate = fc.certify_queries(lists.scores, lists.labeler, **given)
    if certificate.threshold is None:
        return Outcome(False, False, certificate.labels_used)
    selected = int((lists.scores[0] >= np.float32(certificate.threshold)).sum())
    return Outcome(True, bool(lists.means[selected - 1] < target), certificate.labels_used)
