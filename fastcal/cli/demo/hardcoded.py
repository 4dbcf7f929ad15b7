"""Screen (a): what a hard-coded cut on the cosine gives, counted over every query x document pair."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

import fastcal as fc
from fastcal.cli.demo.estimates import Estimate, QueryBootstrap, share

if TYPE_CHECKING:
    from fastcal.cli.demo.collections import Collection

CUT = 0.7
BLOCK_ELEMENTS = 4 << 20


@dataclass(frozen=True)
class HardCut:
    """Everything at or above the cut, over all judged queries and the whole corpus."""

    cut: float
    n_pairs: int
    precision: Estimate
    recall: Estimate
    fewest: int
    median: float
    most: int
    empty: Estimate


def hard_cut(collection: Collection, seed: int, cut: float = CUT) -> HardCut:
    """Count pairs with cosine >= cut in exact arithmetic, block by block."""
    queries = collection.judged_queries
    selected, relevant = np.zeros(len(queries), np.int64), np.zeros(len(queries), np.int64)
    every_doc = np.arange(len(collection.corpus))
    step = max(1, BLOCK_ELEMENTS // len(collection.corpus))
    for start in range(0, len(queries), step):
        rows = queries[start : start + step]
        above = fc.scores(collection.queries[rows], collection.corpus, precision="exact") >= np.float32(cut)
        selected[start : start + step] = above.sum(axis=1)
        relevant[start : start + step] = (above & collection.labels(rows, every_doc)).sum(axis=1)
    bootstrap = QueryBootstrap(len(queries), seed)
    return HardCut(
        cut=cut,
        n_pairs=len(queries) * len(collection.corpus),
        precision=bootstrap.ratio(relevant, selected, "pairs"),
        recall=bootstrap.ratio(relevant, collection.relevant_counts[queries], "relevant pairs"),
        fewest=int(selected.min()),
        median=float(np.median(selected)),
        most=int(selected.max()),
        empty=share(int((selected == 0).sum()), len(queries), "queries"),
    )
