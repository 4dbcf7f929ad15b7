"""Judgements: TREC qrels, BEIR's tables and folders, other tables, JSON."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from fastcal.errors import InvalidValueError
from fastcal.files import _beir
from fastcal.files._encoded import lists, numbers
from fastcal.files._places import Row, refuse_two_grades, table_rows, trec_rows, where
from fastcal.files._results import read_results
from fastcal.files._source import Source, hinting, lines, naming, source
from fastcal.files._tables import ALIASES, read_table, resolved
from fastcal.run import Qrels
from fastcal.run._qrels import TwoGradesError

_BEIR_FIELDS, _TREC_FIELDS = 3, 4
_MOST = 2**53  # integers that float64 holds exactly


def read_qrels(path: str | PathLike[str], *, query: str = "query_id", doc: str = "doc_id", grade: str = "relevance", split: str = "test") -> Qrels:
    """Read judgements.

    The form is told by the end of the name as in :func:`read_run`: tables, JSON ``{query: {document: grade}}``, otherwise text. A folder
    is one in BEIR layout: its ``qrels/<split>.tsv``, or ``qrels.tsv``. Text has three columns, BEIR's, with or without a header, or four,
    TREC's; on standard input four. A table of text that has a header may have its columns in any order.

    Parameters
    ----------
    path : str or path-like
    query, doc, grade : str
        Columns of a table. Where the usual names query_id, doc_id and relevance are not there, query-id, qid, q_id, corpus-id, docno, docid,
        and score, label, rel, grade are.
    split : str, default "test"
        Of a folder.

    Raises
    ------
    ValueError, OSError
        The message names the file and the line or row.
    """
    if (folder := Path(path)).is_dir():
        path = _beir.qrels_file(folder, split)
    found = source(path, members=(".json",))
    with naming(found):
        if found.form == "json":
            return _some(Qrels.from_dict(_integers(read_results(found))), found)
        if found.form in {"text", "tsv"}:
            if found.path is None or _is_trec(found, query):
                with hinting(found), _lines_told(found, trec_rows(found, 2, 3)):
                    return _some(Qrels.from_trec(found.place), found)
            told = (Row(f"line {at}", name, document, value) for at, name, document, value in _judgements(found, query, doc, grade))
            with _lines_told(found, told):
                return _some(Qrels.from_records(each[1:] for each in _judgements(found, query, doc, grade)), found)
        table = read_table(found, [query, doc, grade], texts=[query, doc])
        with _lines_told(found, table_rows(found, table, [query, doc, grade])):
            return _from_table(table, query, doc, grade, found)


@contextmanager
def _lines_told(found: Source, rows: Iterator[Row]) -> Iterator[None]:
    """Let the error about a pair of two grades name the line."""
    try:
        yield
    except TwoGradesError:
        refuse_two_grades(found, rows)
        raise


def _integers(grades: Any) -> Any:
    for query, documents in grades.items():
        for document, grade in documents.items():
            if not isinstance(grade, int):
                raise InvalidValueError(f"query {query!r}, document {document!r}: {grade} is not an integer")
    return grades


def _some(qrels: Qrels, found: Source) -> Qrels:
    if not qrels.ids.size:
        raise InvalidValueError(f"{found.name} is empty: it judges nothing")
    return qrels


def _from_table(table: Any, query: str, doc: str, grade: str, found: Source) -> Qrels:
    values = numbers(table.column(grade), grade, found.name)
    bad = ~(np.abs(values) <= _MOST) | (values != np.trunc(values))
    if bad.any():
        row = int(bad.argmax())
        got = "is empty" if np.isnan(values[row]) else f"holds {values[row]}, expected integers"
        raise InvalidValueError(f"{found.name}, {where(found, row)}: column {grade!r} {got}")
    rows = lists(table, query, doc, grade, found.name)
    grades = rows.values.astype(np.int64)
    queries = rows.query_ids[np.repeat(np.arange(rows.offsets.size - 1), np.diff(rows.offsets))]
    documents = rows.ids if rows.doc_ids is None else rows.doc_ids[rows.ids]
    return Qrels.from_columns({"query_id": queries, "doc_id": documents, "relevance": grades})


def judgement_lines(path: str | PathLike[str]) -> Iterator[tuple[int, str, str, int]]:
    """Yield line, query, document and grade of a text of three columns, BEIR's, as it is read; errors name file and line."""
    return _judgements(source(path), "query_id", "doc_id", "relevance")


def _judgements(found: Source, query: str, doc: str, grade: str) -> Iterator[tuple[int, str, str, int]]:
    places, width = (0, 1, 2), _BEIR_FIELDS
    for at, (line, text) in enumerate(lines(found)):
        fields = _fields(text)
        if at == 0 and not _is_integer(fields[-1]):
            width = len(fields)
            if width != _BEIR_FIELDS or query in fields:  # three columns are BEIR's, whatever the header calls them
                names = resolved(fields, [query, doc, grade], found.name)
                places = (fields.index(names[0]), fields.index(names[1]), fields.index(names[2]))
            continue
        if len(fields) != width:
            raise InvalidValueError(f"{found.name}, line {line}: {len(fields)} columns, expected {width}: query, document, grade")
        if not _is_integer(fields[places[2]]) or abs(int(fields[places[2]])) > _MOST:
            raise InvalidValueError(f"{found.name}, line {line}: {fields[places[2]][:60]!r} is not an integer, or beyond 2^53")
        if not fields[places[0]] or not fields[places[1]]:
            raise InvalidValueError(f"{found.name}, line {line}: the name of the {'document' if fields[places[0]] else 'query'} is empty")
        yield line, fields[places[0]], fields[places[1]], int(fields[places[2]])


def _is_trec(found: Source, query: str) -> bool:
    """Whether the first line has the four columns of TREC and is no header."""
    with closing(lines(found)) as read:
        fields = _fields(next(read, (0, ""))[1])
    return len(fields) == _TREC_FIELDS and not {query, *ALIASES.get(query, ())} & set(fields)


def _fields(text: str) -> list[str]:
    return text.split("\t") if "\t" in text else text.split()


def _is_integer(text: str) -> bool:
    try:
        int(text)
    except ValueError:
        return False
    return True
