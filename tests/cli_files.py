"""Small files that the examples of every command's help can name, from one synthetic collection of 48 queries and 144 documents."""

from __future__ import annotations

import json
import shutil

import numpy as np
from beir_folder import make_beir

import fastcal as fc


def make_files(folder):
    """Fill an empty folder.

    beir/                 BEIR layout with corpus_emb.npy and queries_emb.npy (16 dimensions) and a BM25 run
    corpus.npy queries.npy corpus.txt queries.txt       its vectors and names
    run.trec run2.trec run.parquet run.csv              dense top 40, BM25 top 40; the first also as tables query_id, doc_id, score
    qrels.trec qrels.tsv qrels.parquet                  its judgements, TREC and BEIR and a table
    profile.json norm.json                              fitted on run.trec for model toy, metric cosine, targets precision 0.7 and recall 0.8;
                                                        the second with the norm minmax and its first threshold alone
    single.json                                         as profile.json with its first threshold alone
    fused.json                                          fitted on the best 40 of run.trec and run2.trec, fused by the sum after minmax
    groups.csv            query_id,lang: en and de in turn
    labels.csv            query_id,doc_id,label of every pair of run.trec
    candidates.parquet    as run.parquet;  candidates/  the same in two files;  candidates.arrow
    """
    beir = make_beir(folder / "beir", noise=1.0)
    corpus, queries = np.load(beir / "corpus_emb.npy"), np.load(beir / "queries_emb.npy")
    names = {kind: [json.loads(line)["_id"] for line in (beir / f"{kind}.jsonl").read_text().splitlines()] for kind in ("corpus", "queries")}
    run = fc.Run.from_search(fc.topk(queries, corpus, 40), query_ids=names["queries"], doc_ids=names["corpus"])
    run.to_trec(folder / "run.trec")
    fc.Run.from_trec(beir / "bm25_run.tsv.gz").to_trec(folder / "run2.trec")
    for kind in names:
        shutil.copy(beir / f"{kind}_emb.npy", folder / f"{kind}.npy")
        (folder / f"{kind}.txt").write_text("\n".join(names[kind]) + "\n")
    shutil.copy(beir / "qrels.tsv", folder / "qrels.tsv")
    qrels = fc.Qrels.from_records(_rows(beir / "qrels.tsv"))
    qrels.to_trec(folder / "qrels.trec")
    _profiles(folder, run, qrels)
    _tables(folder, run, qrels)
    (folder / "groups.csv").write_text("query_id,lang\n" + "".join(f"{name},{('en', 'de')[at % 2]}\n" for at, name in enumerate(names["queries"])))
    pairs = zip(np.repeat(run.query_ids, run.counts()), run.doc_ids[run.ids], qrels.labels_of(run).labels, strict=True)
    (folder / "labels.csv").write_text("query_id,doc_id,label\n" + "".join(f"{query},{doc},{label}\n" for query, doc, label in pairs))
    return folder


def _rows(path):
    return [(query, doc, int(grade)) for query, doc, grade in (line.split("\t") for line in path.read_text().splitlines()[1:])]


def _profiles(folder, run, qrels):
    labels, queries = qrels.labels_of(run).labels, np.repeat(np.arange(run.n_queries), run.counts())
    wanted = {"model": "toy", "metric": "cosine", "calibrator": fc.PlattCalibrator(), "top_k": 40, "target_precision": 0.7}
    fc.Profile.fit(run.scores, labels, queries, target_recall=0.8, **wanted).save(folder / "profile.json")
    fc.Profile.fit(run.scores, labels, queries, **wanted).save(folder / "single.json")
    fused = fc.fuse([run, fc.Run.from_trec(folder / "run2.trec").with_queries(run.query_ids.tolist())], "sum", "minmax", top_k=40)
    names = np.repeat(run.query_ids, fused.counts())
    fc.Profile.fit(fused.scores, qrels.labels_of(fused).labels, names, **wanted | {"metric": "fused"}).save(folder / "fused.json")
    unit = fc.normalize(run.scores, "minmax", offsets=run.offsets)
    fc.Profile.fit(unit, labels, queries, norm="minmax", **wanted).save(folder / "norm.json")


def _tables(folder, run, qrels):
    try:
        import pyarrow as pa
        from pyarrow import csv, feather, parquet
    except ImportError:
        return
    table = pa.table(run.to_columns()).select(["query_id", "doc_id", "score"])
    parquet.write_table(table, folder / "run.parquet")
    parquet.write_table(table, folder / "candidates.parquet")
    (folder / "candidates").mkdir()
    for at in range(2):
        parquet.write_table(table.slice(at * 960, 960), folder / "candidates" / f"part-{at}.parquet")
    feather.write_feather(table, folder / "candidates.arrow", compression="uncompressed")
    csv.write_csv(table, folder / "run.csv")
    parquet.write_table(pa.table(qrels.to_columns()), folder / "qrels.parquet")
