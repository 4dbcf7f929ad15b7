"""``fastcal search``."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
import typer

import fastcal as fc
from fastcal import files
from fastcal.cli._options import AsJson, Out, Untie, of_trec, one_of
from fastcal.cli._output import write_text
from fastcal.cli._progress import Advance, progress
from fastcal.errors import InvalidElementError, InvalidValueError

_BLOCK = 256  # queries between two looks at the progress
_DEPTH = 100

Vectors = "a .npy, .safetensors[:TENSOR], .npz[:NAME] or .parquet[:COLUMN] file"
Names = "names of the {}: a line each, BEIR's .jsonl, or TABLE:COLUMN; default: row numbers"


def search(
    context: typer.Context,
    corpus: Annotated[str | None, typer.Option(metavar="FILE", help=f"Vectors of the documents, a row each: {Vectors}.")] = None,
    queries: Annotated[str | None, typer.Option(metavar="FILE", help="Vectors of the queries, likewise.")] = None,
    beir: Annotated[str | None, typer.Option(metavar="DIR", help="A folder in BEIR layout gives names, and the vectors that are not given.")] = None,
    k: Annotated[
        int | None,
        typer.Option("-k", "--top-k", metavar="K", min=1, help=f"Results per query; default {_DEPTH}, with --threshold all that reach it."),
    ] = None,
    metric: Annotated[str, one_of("--metric", "What is compared.", "cosine", "dot", "euclidean")] = "cosine",
    dims: Annotated[int | None, typer.Option(metavar="N", min=1, help="Use the first N coordinates only.", show_default=False)] = None,
    threshold: Annotated[
        float | None, typer.Option(metavar="T", help="Keep scores of at least T (distances: at most T).", show_default=False)
    ] = None,
    ids: Annotated[str | None, typer.Option("--ids", metavar="FILE", help=f"{Names.format('documents')}.", show_default=False)] = None,
    query_ids: Annotated[str | None, typer.Option("--query-ids", metavar="FILE", help=f"{Names.format('queries')}.", show_default=False)] = None,
    untie: Untie = False,
    tag: Annotated[str, typer.Option(help="Last column of TREC.")] = "fastcal",
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Find the best documents of every query, exactly.

    The run is TREC, Parquet, Arrow, CSV, TSV or JSON, as the name of --out tells; on stdout it is TREC. Scores are float32 and
    read back as they were; euclidean distances are negated in TREC, where higher is better.

    Examples:
    fastcal search --corpus corpus.npy --queries queries.npy -k 10 --out dense.trec
    fastcal search --beir beir -k 100 --out run.parquet
    fastcal search --corpus corpus.npy --queries queries.npy --ids corpus.txt --query-ids queries.txt --threshold 0.7 | head -n 3
    """
    of_trec(context, out, as_json)
    document_names, documents = _side(beir, "corpus", corpus, ids)
    query_names, asked = _side(beir, "queries", queries, query_ids)
    if documents.shape[1] != asked.shape[1]:
        told = f"{queries or beir} has {asked.shape[1]} coordinates, {corpus or beir} has {documents.shape[1]}"
        raise InvalidValueError(f"queries and documents are vectors of different models: {told}")
    with progress("searching") as advance:
        try:
            found = _found(asked, documents, k, metric, dims, threshold, advance)
        except InvalidElementError as error:
            row, column = divmod(error.at, dims or asked.shape[1])
            file = {"corpus": corpus, "queries": queries}.get(error.argument) or f"{beir}, {error.argument}"
            raise InvalidValueError(f"{file}, row {row}: {error.value} in column {column}; {error.reason}") from error
    run = fc.Run.from_search(found, query_ids=query_names, doc_ids=document_names)
    if as_json:
        write_text(files.run_json(run))
    if out is not None or not as_json:
        files.write_run(run, out or "-", tag=tag, untie=untie)


def _side(beir: str | None, kind: Any, vectors: str | None, names: str | None) -> tuple[list[str] | None, Any]:
    """Return names and vectors of documents or queries."""
    if beir is None and vectors is None:
        raise InvalidValueError(f"--{kind} is missing (or --beir); see fastcal search --help")
    listed: list[str] | None = None
    if vectors is None:
        listed, rows = files.read_embedded(str(beir), kind)
    else:
        rows = files.read_vectors(vectors)
    if names is not None or (listed is None and beir is not None):
        listed = files.read_names(names or f"{beir}/{kind}.jsonl")
    if listed is not None and len(listed) != len(rows):
        raise InvalidValueError(f"{names or beir}: {len(listed)} names of {kind}, but {vectors or beir} has {len(rows)} rows")
    return listed, rows


def _found(queries: Any, corpus: Any, k: int | None, metric: str, dims: int | None, threshold: float | None, advance: Advance) -> Any:
    if k is None and threshold is not None:
        return fc.Index(corpus, metric, dims=dims, progress=advance).range_search(queries, threshold)
    depth = min(_DEPTH if k is None else k, len(corpus))
    out = (np.empty((len(queries), depth), np.float32), np.empty((len(queries), depth), np.int64))
    for at in range(0, len(queries), _BLOCK):
        block = slice(at, at + _BLOCK)
        try:
            fc.topk(queries[block], corpus, depth, metric, dims=dims, out=(out[0][block], out[1][block]))
        except InvalidElementError as error:
            error.at += at * (dims or queries.shape[1]) if error.argument == "queries" else 0
            raise
        advance(min(at + _BLOCK, len(queries)), len(queries))
    found = fc.SearchResult(*out, higher_is_better=metric != "euclidean")
    return found if threshold is None else fc.ScoreFloor(threshold).apply(found)
