"""Runs: TREC, tables, JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from os import PathLike
from typing import Any, Literal

import numpy as np

from fastcal._extras import require
from fastcal._validate import files
from fastcal._validate.numbers import FLOAT32_MAX, one_of
from fastcal.errors import InvalidElementError, InvalidValueError
from fastcal.files._encoded import lists, named, numbers
from fastcal.files._places import Row, listed_twice, table_rows, trec_rows, where
from fastcal.files._results import read_results
from fastcal.files._source import STANDARD, Source, form_of, hinting, lines, naming, source
from fastcal.files._tables import read_table
from fastcal.files._ties import repeated, untied
from fastcal.files._write import output, write_table
from fastcal.run import Run, pairs

DIRECTION = b"fastcal.higher_is_better"
_WRITTEN = {True: b"true", False: b"false"}
_TREC_FIELDS = 6


def read_run(
    path: str | PathLike[str],
    *,
    query: str = "query_id",
    doc: str = "doc_id",
    score: str = "score",
    higher_is_better: bool = True,
    duplicates: Literal["error", "keep"] = "error",
) -> Run:
    """Read a run.

    The form is told by the end of the name: ``.parquet``, ``.arrow`` (or ``.feather``), ``.csv`` and ``.tsv`` with a header, ``.jsonl`` (a record
    a line), ``.json`` (``{query: {document: score}}``, also inside something larger: ``predictions.json:default/test``), anything else is
    TREC; text may end in ``.gz`` besides. Of standard input, "-", the first bytes tell. Parquet and Arrow keep integer names;
    everything else names queries and documents by strings.

    Parameters
    ----------
    path : str or path-like
    query, doc, score : str
        Columns of a table. Where the usual query_id and doc_id are not there, query-id, qid, q_id and corpus-id, docno, docid do.
    higher_is_better : bool, default True
        False for distances in a table or JSON; files that :func:`write_run` wrote know it.
    duplicates : {"error", "keep"}, default "error"
        What becomes of a list that holds a document twice: trec_eval refuses it, and :func:`fuse` knows what to do.

    Raises
    ------
    ValueError, OSError
        The message names the file and the line or row; a run without rows is an error.
    """
    one_of(duplicates, "duplicates", ("error", "keep"))
    found = source(path, members=(".json",))
    if found.form == "json":
        with naming(found):
            results = read_results(found)
            with _pair_told(results):
                return _judged(Run.from_dict(results, higher_is_better=higher_is_better), found, duplicates, iter(()))
    if found.form == "text" or (found.form == "tsv" and is_trec(found)):
        if not higher_is_better:
            raise InvalidValueError(f"{found.name}: higher scores are better in TREC files (distances are negated there); got higher_is_better=False")
        with hinting(found):
            return _judged(Run.from_trec(found.place), found, duplicates, trec_rows(found, 2, 4))
    table = read_table(found, [query, doc, score], texts=[query, doc])
    direction = (table.schema.metadata or {}).get(DIRECTION, _WRITTEN[higher_is_better]) == _WRITTEN[True]
    rows = lists(table, query, doc, score, found.name)
    _judge_scores(found, numbers(table.column(score), score, found.name), score)
    with naming(found):
        scores = rows.values if rows.values.dtype.kind == "f" else rows.values.astype(np.float64)
        run = Run(rows.ids, scores, rows.offsets, higher_is_better=direction, query_ids=rows.query_ids, doc_ids=rows.doc_ids)
        return _judged(run, found, duplicates, table_rows(found, table, [query, doc, score]))


def _judge_scores(found: Source, values: Any, label: str) -> None:
    """Refuse a column of scores without a number, or with one that float32 cannot hold."""
    beyond = (np.abs(values) > FLOAT32_MAX) & np.isfinite(values)
    if beyond.any():
        row = int(beyond.argmax())
        raise InvalidValueError(f"{found.name}, {where(found, row)}: column {label!r} holds {values[row]}, expected a number that fits float32")
    if np.isnan(values).all():
        raise InvalidValueError(f"{found.name} lists nothing: no row has a number in column {label!r}")


@contextmanager
def _pair_told(results: Mapping[str, Mapping[str, float]]) -> Iterator[None]:
    """Let errors about a score name query and document."""
    try:
        yield
    except InvalidElementError as error:
        every = ((query, document) for query, documents in results.items() for document in documents)
        query, document = next(islice(every, error.at, None))
        raise InvalidValueError(f"query {query!r}, document {document!r}: {error.value}; {error.reason}") from error


def _judged(run: Run, found: Source, duplicates: str, rows: Iterator[Row]) -> Run:
    """Return a run that lists something, and no document twice."""
    if not run.ids.size:
        raise InvalidValueError(f"{found.name} is empty: it lists nothing")
    if duplicates == "error" and (again := repeated(run)) is not None:
        query, document = (name.item() for name in pairs(run, [again]))
        raise listed_twice(found, rows, str(query), str(document))
    return run


def write_run(run: Run, path: str | PathLike[str], *, tag: str = "fastcal", untie: bool = False, least: float | None = None) -> None:
    """Write a run in the form that the end of the name tells, as :func:`read_run` does; "-" is TREC on standard output.

    Files appear whole or not at all. Tables have the columns query_id, doc_id, rank and score; those of Parquet and Arrow know
    whether scores are distances. JSON is ``{query: {document: score}}``.

    Parameters
    ----------
    run : Run
    path : str or path-like
    tag : str, default "fastcal"
        The last column of TREC.
    untie : bool, default False
        trec_eval and its kin ignore the rank column: they sort by score, and equal scores by document name, descending. With `untie`
        scores in TREC files fall strictly, so that they keep this order: a score that ties is lowered to the next float32 below.
        Other forms keep ties.
    least : float, optional
        No score is lowered below this one.
    """
    target = files.path(path, "path")
    form = form_of(target)
    if form == "text":
        written = _untied(run, least) if untie else run
        if str(path) == STANDARD:
            sys.stdout.flush()
            written.to_trec(sys.stdout.buffer, tag=tag)
            sys.stdout.buffer.flush()
        else:
            written.to_trec(target, tag=tag)
    elif form == "json":
        with output(target) as file:
            file.write(run_json(run).encode())
    else:
        write_table(directed(run_table(run), higher_is_better=run.higher_is_better), target)


def run_json(run: Run) -> str:
    """Return ``{query: {document: score}}`` as a line of JSON."""
    if run.scores is not None and not np.isfinite(run.scores).all():
        raise InvalidValueError("JSON holds no infinite score, and this run does")
    return json.dumps(run.to_dict(), ensure_ascii=False) + "\n"


def run_table(run: Run) -> Any:
    """Return the Arrow table of a run: query_id, doc_id, rank from 1 and score, a row per entry, best first."""
    pa = require("pyarrow", "parquet")
    rows = np.repeat(np.arange(run.n_queries), run.counts())
    ranks = np.arange(run.ids.size) - run.offsets[rows] + 1
    scores = run.scores if run.scores is not None else (run.counts()[rows] - ranks + 1).astype(np.float32)
    return pa.table({"query_id": named(run.query_ids, rows), "doc_id": named(run.doc_ids, run.ids), "rank": ranks, "score": scores})


def directed(table: Any, *, higher_is_better: bool) -> Any:
    """Return an Arrow table that says which scores are better; :func:`read_run` reads it in Parquet and Arrow files."""
    return table.replace_schema_metadata({DIRECTION: _WRITTEN[higher_is_better]})


def _untied(run: Run, least: float | None) -> Run:
    """Return the run as TREC shows it, higher is better, without ties."""
    if run.scores is None:
        return run
    scores = untied(run.scores if run.higher_is_better else -run.scores, run.offsets, least=least)
    return Run(run.ids, scores, run.offsets, query_ids=run.query_ids, doc_ids=run.doc_ids)


def is_trec(found: Source) -> bool:
    """Whether the first line of a .tsv file is one of TREC: six fields, the fifth a number."""
    fields = next(lines(found), (0, ""))[1].split()
    try:
        return len(fields) == _TREC_FIELDS and float(fields[4]) is not None
    except ValueError:
        return False
