"""certify_threshold on real collections: it finds the threshold that is there, and keeps its promise about it."""

from __future__ import annotations

import numpy as np
import pytest
import real_runs

import fastcal as fc

SEEDS = 40


def outcomes(run, labels):
    found = [fc.certify_threshold(run, lambda positions: labels[positions], seed=seed) for seed in range(SEEDS)]
    kept = [labels[run.scores >= each.threshold].mean() >= 0.9 for each in found if each.certified]
    return found, len(kept), len(kept) - sum(kept)


@pytest.mark.parametrize("model", ["MiniLM", "LSA", "BM25"])
def test_cranfield(model, data_dir):
    real = real_runs.read(data_dir / "cranfield")
    run = real.runs[model]
    found, certified, false = outcomes(run, real.labels(run))
    assert certified >= 38
    assert false <= 6
    assert all(each.by_query.n_queries == run.n_queries for each in found if each.certified)


def test_digits():
    datasets = pytest.importorskip("sklearn.datasets")
    points, digit = datasets.load_digits(return_X_y=True)
    points, queries = points.astype(np.float32), np.arange(0, len(digit), 8)
    corpus = np.setdiff1d(np.arange(len(digit)), queries)
    run = fc.Run.from_search(fc.topk(points[queries], points[corpus], 100))
    labels = (digit[corpus][run.ids] == np.repeat(digit[queries], 100)).astype(np.uint8)
    found, certified, false = outcomes(run, labels)
    assert certified >= 38
    assert false <= 6
    assert np.median([each.n_selected for each in found]) >= 5000  # 12,520 rows are the most that reach 0.9
