"""Screen (e): ranking quality by ir-measures, of every list there is."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

import fastcal as fc
from fastcal._extras import require
from fastcal.cli.demo.candidates import DEPTH, Searched
from fastcal.cli.demo.estimates import Estimate, QueryBootstrap

if TYPE_CHECKING:
    from fastcal.cli.demo.collections import Collection, Rows

RRF_K = 60
WEIGHTS = (0.7, 0.3)
MEASURES = ("nDCG@10", "R@10")


@dataclass(frozen=True)
class Ranked:
    """One ranked list per held-out query and its quality; ``gain`` is the paired difference in nDCG@10 from dense."""

    name: str
    ndcg: Estimate
    recall: Estimate
    gain: Estimate | None


@dataclass(frozen=True)
class Ranking:
    """All lists, and the recall@10 a perfect ranking would have."""

    ranked: tuple[Ranked, ...]
    recall_ceiling: float


def ranking(searched: Searched, seed: int) -> Ranking:
    """Rank the held-out queries with each list and measure nDCG@10 and recall@10."""
    queries = searched.held_out.queries
    bootstrap = QueryBootstrap(len(queries), seed)
    quality = {name: _per_query(searched.collection, run, queries) for name, run in _runs(searched).items()}
    dense = quality["dense"]["nDCG@10"]
    ranked = tuple(
        Ranked(
            name,
            bootstrap.mean(values["nDCG@10"]),
            bootstrap.mean(values["R@10"]),
            None if name == "dense" else bootstrap.mean(values["nDCG@10"] - dense),
        )
        for name, values in quality.items()
    )
    n_relevant = searched.held_out.n_relevant
    return Ranking(ranked, float(np.mean(np.minimum(n_relevant, 10) / n_relevant)))


def _runs(searched: Searched) -> dict[str, fc.Run]:
    dense, lexical = fc.Run.from_search(searched.dense), searched.collection.lexical
    if lexical is None:
        return {"dense": dense}
    both = [dense, lexical.top_k(DEPTH)]
    return {
        "dense": dense,
        "BM25": both[1],
        "RRF": fc.rrf(both, k=RRF_K, top_k=DEPTH),
        "blend": fc.fuse(both, method="sum", norm="minmax", weights=WEIGHTS, top_k=DEPTH),
    }


def _per_query(collection: Collection, run: fc.Run, queries: Rows) -> dict[str, npt.NDArray[np.float64]]:
    measured = require("ir_measures", "demo")
    measures = [measured.parse_measure(name) for name in MEASURES]
    wanted = {str(query): position for position, query in enumerate(queries)}
    values = {name: np.zeros(len(queries)) for name in MEASURES}
    for metric in measured.iter_calc(measures, _judgements(collection, wanted), _in_rank_order(run, wanted)):
        values[str(metric.measure)][wanted[metric.query_id]] = metric.value
    return values


def _judgements(collection: Collection, wanted: dict[str, int]) -> dict[str, dict[str, int]]:
    judged: dict[str, dict[str, int]] = defaultdict(dict)
    qrels = collection.qrels
    for query, doc, grade in zip(qrels.queries.tolist(), qrels.docs.tolist(), qrels.grades.tolist(), strict=True):
        if str(query) in wanted:
            judged[str(query)][str(doc)] = grade
    return dict(judged)


def _in_rank_order(run: fc.Run, wanted: dict[str, int]) -> dict[str, dict[str, float]]:
    """Give ir-measures ranks for scores, so that its own tie-break cannot reorder a list."""
    lists = fc.Run(run.ids, None, run.offsets).top_k(DEPTH).to_dict()
    return {str(query): {str(doc): score for doc, score in docs.items()} for query, docs in lists.items() if str(query) in wanted}
