"""Held-out quality of the selected calibrator, and thresholds carried from collection to collection: the tables of docs/calibration.md.

``python -m bench.calibration_quality [--into docs/calibration.md]``; reads FASTCAL_DATA, takes some minutes.
"""

from __future__ import annotations

from collections import Counter
from itertools import starmap

import numpy as np

import fastcal as fc
from bench.pages import publish, table
from bench.real_pairs import COLLECTIONS, ENCODERS, ece, lists, title

FOLDS, SEEDS = 5, 3
TARGETS = (0.9, 0.8, 0.7)
METRICS = ((fc.metrics.brier_skill, {}), (fc.metrics.expected_calibration_error, {"strategy": "quantile"}))


def crossfit(sample, seed):
    """Probability of every pair by a calibrator selected and fitted without its topic, the base rate known to it, and the names."""
    p, rate = np.full(sample.scores.shape, np.nan), np.full(sample.scores.shape, np.nan)
    names = []
    for held_out in sample.folds(FOLDS, seed):
        fit = sample[~held_out]
        chosen = fc.select_calibrator(fit.scores, fit.labels, fit.groups, seed=seed)
        p[held_out] = chosen.calibrator.predict(sample.scores[held_out].astype(np.float64))
        rate[held_out] = fit.share()
        names.append(chosen.name)
    return p, np.where(np.isnan(p), np.nan, rate), names


def quality():
    """A row per collection and encoder: first seed with its interval by topic, then how far the others lie from it."""
    rows = []
    for collection in COLLECTIONS:
        for encoder in ENCODERS:
            rows.append([title(collection), encoder, *measured(lists(collection, encoder))])
            print(rows[-1], flush=True)
    heads = [
        "pairs",
        "relevant",
        "Brier skill, interval, other seeds off by",
        "ECE, interval, other seeds off by",
        "ECE of the base rate",
        "AUROC",
        "selected",
    ]
    return table(["collection", "scores", *heads], rows)


def measured(sample):
    skills, errors, picked = [], [], Counter()
    for seed in range(SEEDS):
        p, rate, names = crossfit(sample, seed)
        picked.update(names)
        there = ~np.isnan(p)
        y, p, rate = sample.labels[there], p[there], rate[there]
        skills.append(fc.metrics.brier_skill(y, p))
        errors.append(ece(y, p))
        if seed == 0:
            topic = np.broadcast_to(sample.groups[:, None], there.shape)[there]
            intervals = [(found.low, found.high) for found in (resampled(y, p, topic, *metric) for metric in METRICS)]
            constant, auroc = abs(float(y.mean() - rate.mean())), fc.metrics.separation(y, sample.scores[there]).auroc
    chosen = ", ".join(f"{name} {count}" for name, count in picked.most_common())
    skill = "{:.3f} [{:.3f}, {:.3f}] {:.3f}".format(skills[0], *intervals[0], off(skills))
    error = "{:.4f} [{:.4f}, {:.4f}] {:.4f}".format(errors[0], *intervals[1], off(errors))
    return [f"{len(y):,}", f"{y.mean():.3f}", skill, error, f"{constant:.4f}", f"{auroc:.3f}", chosen]


def resampled(labels, p, topic, metric, options):
    return fc.metrics.bootstrap(metric, labels, p, groups=topic, n_resamples=400, **options)


def off(values):
    """How far the other seeds lie from the first at most."""
    return max(abs(value - values[0]) for value in values[1:])


def transfer():
    """The laxest cut with the target precision on one collection, applied to the others: precision, interval by topic, pairs."""
    rows = []
    for encoder in ENCODERS:
        given = {name: by_topic(lists(name, encoder)) for name in COLLECTIONS}
        matrices = [fc.metrics.transfer_matrix(given, target) for target in TARGETS]
        rows += [[encoder, *carried(row, matrices, given)] for row in range(len(given))]
    return table(["scores", "fitted on", "for", "cut", *(f"on {title(name)}" for name in COLLECTIONS)], rows)


def by_topic(sample):
    scores, labels, query = sample.pairs()
    return scores, labels, sample.groups[query]


def carried(row, matrices, given):
    """The row of the highest target that a cut keeps with at least 30 pairs on its own collection, or of the cut with the best F1."""
    name = title(COLLECTIONS[row])
    for found in matrices:
        if found.n_selected[row, row] >= 30:
            cells = zip(found.precision[row], found.precision_low[row], found.precision_high[row], found.n_selected[row], strict=True)
            return [name, f"precision {found.target_precision:g}", f"{found.threshold[row]:.3g}", *starmap(said, cells)]
    sweep = fc.threshold_sweep(*given[COLLECTIONS[row]][:2])
    cut = float(sweep.threshold[np.argmax(sweep.f1)])
    there = [fc.metrics.precision_recall_at(labels, scores, cut, groups=topic) for scores, labels, topic in given.values()]
    return [name, "best F1", f"{cut:.3g}", *(said(each.precision, *each.precision_interval, each.n_selected) for each in there)]


def said(precision, low, high, pairs):
    return f"{precision:.2f} [{low:.2f}, {high:.2f}] {pairs:,}" if pairs else "none"


if __name__ == "__main__":
    publish("bench.calibration_quality", __doc__, {"quality": quality, "transfer": transfer})
