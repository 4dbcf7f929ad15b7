"""Fusion on the real collections, every query by weights fitted without it: the tables of docs/fusion.md.

``python -m bench.fusion_quality [--into docs/fusion.md]``; reads FASTCAL_DATA, takes about a minute.
"""

from __future__ import annotations

from functools import cache, partial

import numpy as np

import fastcal as fc
from bench.pages import publish, table
from bench.real_pairs import COLLECTIONS, collection
from tests.real_runs import crossfit

SETS = (("MiniLM", "BM25"), ("MiniLM", "LSA", "BM25"))


def difference(a, b, qrels):
    """``a - b`` in nDCG@10 with its interval, bold where the interval excludes 0."""
    result = fc.compare_runs(a, b, qrels)
    text = f"{result.difference:+.3f} [{result.interval[0]:+.3f}, {result.interval[1]:+.3f}]"
    return f"**{text}**" if result.interval[0] > 0 or result.interval[1] < 0 else text


def mean(run, qrels):
    return f"{fc.compare_runs(run, run, qrels, n_resamples=100).mean_a:.3f}"


def ranking(real, runs, logistic):
    """Means of nDCG@10, and what the trained fusions gain."""
    single = [mean(run, real.qrels) for run in runs]
    best = runs[int(np.argmax([float(value) for value in single]))]
    rrf, grid = fc.rrf(runs), crossfit(runs, real, method="grid", norm="minmax")
    means = [max(single), *(mean(run, real.qrels) for run in (rrf, grid, logistic))]
    return means + [difference(a, b, real.qrels) for a, b in ((grid, rrf), (logistic, rrf), (logistic, best))]


def calibration(real, _, logistic):
    """Share relevant, ECE of 15 equally filled bins, Brier score beside that of the share, and the pairs with p >= .5."""
    p, y = logistic.scores.astype(np.float64), real.labels(logistic)
    sure = p >= 0.5
    ece = fc.metrics.expected_calibration_error(y, p, strategy="quantile")
    said = f"{p[sure].mean():.2f} / {y[sure].mean():.2f} ({sure.sum():,})"
    return [f"{y.size:,}", f"{y.mean():.3f}", f"{ece:.4f}", brier(real, logistic), f"{y.mean() * (1 - y.mean()):.4f}", said]


def brier(real, fused):
    return f"{fc.metrics.brier_score(real.labels(fused), fused.scores):.4f}"


def features(real, runs, logistic):
    """What features of the query add: the logarithm of its number of words, and the best score of each full run."""
    words = crossfit(runs, real, np.log(real.words))
    level = crossfit(runs, real, np.stack([run.scores[run.offsets[:-1]] for run in runs if run.counts().all()], axis=1))
    gains = [difference(run, logistic, real.qrels) for run in (words, level)]
    return gains + [brier(real, run) for run in (logistic, words, level)]


def norms(real, runs, logistic):
    """What other norms do to the logistic fusion."""
    others = [crossfit(runs, real, norm=norm) for norm in ("minmax", None)]
    gains = [difference(run, logistic, real.qrels) for run in others]
    return gains + [brier(real, run) for run in (logistic, *others)]


TABLES = {
    "ranking": (ranking, ["best single", "RRF", "grid", "logistic", "grid - RRF", "logistic - RRF", "logistic - best single"]),
    "calibration": (calibration, ["pairs", "share relevant", "ECE", "Brier", "Brier of the share", "p >= .5: mean p / share relevant (pairs)"]),
    "norms": (norms, ["minmax - zscore", "raw - zscore", "Brier, zscore", "Brier, minmax", "Brier, raw"]),
    "features": (features, ["words - none", "best scores - none", "Brier, none", "Brier, words", "Brier, best scores"]),
}


@cache
def logistic_fusion(name, names):
    """A collection, some of its runs, and their logistic fusion, which every table looks at."""
    found = collection(name)
    runs = [found.runs[name] for name in names]
    return found, runs, crossfit(runs, found)


def filled(fill, head):
    """One table in Markdown, a row for each collection and set of runs."""
    rows = [[name, " + ".join(names), *fill(*logistic_fusion(name, names))] for name in COLLECTIONS for names in SETS]
    return table(["collection", "runs", *head], rows)


if __name__ == "__main__":
    publish("bench.fusion_quality", __doc__, {name: partial(filled, *given) for name, given in TABLES.items()})
