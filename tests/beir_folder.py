"""A small synthetic collection in BEIR layout: topics as directions, one noisy document cloud around each."""

from __future__ import annotations

import gzip
import json

import numpy as np

N_TOPICS, DOCS_PER_TOPIC, QUERIES_PER_TOPIC, DIM = 12, 12, 4, 16


def make_beir(folder, *, seed=0, noise=0.45, one_each=False, lexical=True):
    """Write the collection and return its folder."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    topics = rng.standard_normal((N_TOPICS, DIM)) / np.sqrt(DIM)
    doc_topics, query_topics = np.arange(N_TOPICS).repeat(DOCS_PER_TOPIC), np.arange(N_TOPICS).repeat(QUERIES_PER_TOPIC)
    for name, of in (("corpus", doc_topics), ("queries", query_topics)):
        vectors = topics[of] + noise * rng.standard_normal((len(of), DIM)) / np.sqrt(DIM)
        np.save(folder / f"{name}_emb.npy", vectors.astype(np.float32))
        lines = [json.dumps({"_id": f"{name[0]}{row}", "text": f"about {topic}"}) for row, topic in enumerate(of)]
        (folder / f"{name}.jsonl").write_text("\n".join(lines) + "\n")
    relevant = [(query, doc) for query, topic in enumerate(query_topics) for doc in np.flatnonzero(doc_topics == topic)[: 1 if one_each else None]]
    (folder / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\n" + "".join(f"q{query}\tc{doc}\t1\n" for query, doc in relevant))
    if lexical:
        with gzip.open(folder / "bm25_run.tsv.gz", "wt") as file:
            for query, topic in enumerate(query_topics):
                score = (doc_topics == topic) * 2.0 + rng.random(len(doc_topics)) * 3
                for rank, doc in enumerate(np.argsort(-score)[:40], start=1):
                    file.write(f"q{query} Q0 c{doc} {rank} {score[doc]:.4f} bm25\n")
    return folder
