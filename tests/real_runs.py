"""Runs and judgements of the real collections, and fusion fitted out of fold."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np

import fastcal as fc

DEPTH, FOLDS = 100, 5


@dataclass(frozen=True)
class Real:
    """Runs of depth 100 by name; queries that share relevant documents are in one fold."""

    runs: dict
    qrels: dict
    words: np.ndarray
    fold: np.ndarray

    def labels(self, run):
        """Whether each entry of a run is relevant, uint8."""
        queries, documents = fc.pairs(run, np.arange(run.ids.size))
        return np.array([self.qrels.get(q, {}).get(d, 0) > 0 for q, d in zip(queries, documents, strict=True)], dtype=np.uint8)


def read(folder):
    """Read a collection in BEIR layout with two embeddings and a BM25 run; queries without judgements are left out."""
    qrels = {}
    for line in _lines(folder / "qrels.tsv")[1:]:
        query, document, relevance = line.split("\t")
        qrels.setdefault(query, {})[document] = int(relevance)
    documents = [json.loads(line)["_id"] for line in _lines(folder / "corpus.jsonl")]
    queries = [json.loads(line) for line in _lines(folder / "queries.jsonl")]
    rows = [row for row, query in enumerate(queries) if query["_id"] in qrels]
    names = [queries[row]["_id"] for row in rows]
    runs = {}
    for model, label in (("emb", "MiniLM"), ("lsa", "LSA")):
        found = fc.topk(np.load(folder / f"queries_{model}.npy")[rows], np.load(folder / f"corpus_{model}.npy"), DEPTH)
        runs[label] = fc.Run.from_search(found, query_ids=names, doc_ids=documents)
    lexical = fc.Run.from_trec(folder / "bm25_run.tsv.gz").to_dict()
    runs["BM25"] = fc.Run.from_dict({name: lexical.get(name, {}) for name in names}).top_k(DEPTH)
    words = np.array([len(queries[row]["text"].split()) for row in rows], dtype=np.float64)
    return Real(runs, qrels, words, _folds([frozenset(d for d, r in qrels[name].items() if r > 0) for name in names]))


def _lines(path):
    return path.read_text(encoding="utf-8").rstrip("\n").split("\n")


def _folds(relevant):
    """Number of the fold of each query: those whose first relevant document is the same stay together."""
    groups = [min(documents, default="") for documents in relevant]
    names = sorted(set(groups))
    fold_of = dict(zip(names, np.random.default_rng(0).permutation(len(names)) % FOLDS, strict=True))
    return np.array([fold_of[group] for group in groups])


def crossfit(runs, real, features=None, **options):
    """Fuse every query with weights that were fitted on the other folds."""
    given = {} if features is None else {"query_features": features}
    names, out = runs[0].query_ids, {}
    for fold in range(FOLDS):
        inside = dict.fromkeys(names[real.fold == fold])
        training = {query: documents for query, documents in real.qrels.items() if query not in inside}
        fused = fc.fit_fusion(runs, training, **given, **options).fuse(runs, **given).to_dict()
        out |= {query: fused[query] for query in inside}
    return fc.Run.from_dict({query: out[query] for query in names})
