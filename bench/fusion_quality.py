"""Fusion on the real collections, every query by weights fitted without it: the tables of docs/fusion.md.

``python -m bench.fusion_quality [--into docs/fusion.md]``; reads FASTCAL_DATA, takes about a minute.
"""

from __future__ import annotations

import argparse
import os
import re
from pathlib import Path

import numpy as np

import fastcal as fc
from tests.real_runs import crossfit, read

ROOT = Path(__file__).resolve().parent.parent
COLLECTIONS = ("cranfield", "cacm", "stackfaq", "banking77", "cosqa")
SETS = (("MiniLM", "BM25"), ("MiniLM", "LSA", "BM25"))
MARKS = "<!-- {} of bench.fusion_quality -->"


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


def tables(folder):
    """Each table in Markdown, by name."""
    rows = {name: [] for name in TABLES}
    for name in COLLECTIONS:
        real = read(folder / name)
        for names in SETS:
            runs = [real.runs[each] for each in names]
            logistic = crossfit(runs, real)
            for table, (fill, _) in TABLES.items():
                cells = [name, " + ".join(names), *fill(real, runs, logistic)]
                rows[table].append(f"| {' | '.join(cells)} |")
                print(rows[table][-1], flush=True)
    heads = {name: ["collection", "runs", *head] for name, (_, head) in TABLES.items()}
    return {name: "\n".join([f"| {' | '.join(heads[name])} |", "|---" * len(heads[name]) + "|", *rows[name]]) for name in TABLES}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--into", type=Path)
    arguments = parser.parse_args()
    made = tables(Path(os.environ.get("FASTCAL_DATA", ROOT.parent / "shared" / "data")))
    if arguments.into is None:
        return
    text = arguments.into.read_text(encoding="utf-8")
    for name, table in made.items():
        begin, end = MARKS.format(name), MARKS.format(f"end of {name}")
        text = re.sub(f"(?<={re.escape(begin)}\n).*?(?={re.escape(end)})", lambda _, table=table: f"{table}\n", text, count=1, flags=re.DOTALL)
    arguments.into.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
