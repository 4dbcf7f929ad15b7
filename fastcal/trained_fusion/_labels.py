"""Labels of pairs: from judgements by name, or from arrays beside the runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from fastcal._validate.judgements import as_grades, as_qrels
from fastcal.errors import InvalidTypeError, InvalidValueError
from fastcal.run import Qrels, Run, as_mapping
from fastcal.trained_fusion._inputs import document_names, query_names
from fastcal.trained_fusion._pairs import Pairs

_Int64 = npt.NDArray[np.int64]

UNJUDGED = np.iinfo(np.int64).min  # qrels files hold -1 and -2 for spam


def as_qrels_of(labels: Any, runs: list[Run]) -> dict[str, dict[str, int]]:
    """Return judgements by name; arrays beside the runs are given the names of their entries."""
    if isinstance(labels, (Qrels, Mapping)):
        return as_qrels(as_mapping(labels), "labels")
    qrels: dict[str, dict[str, int]] = {}
    for run, marks in zip(runs, _beside(labels, runs), strict=True):
        known = np.flatnonzero(marks != -1)
        rows = np.searchsorted(run.offsets, known, side="right") - 1
        queries, documents = query_names(run), document_names(run, run.ids[known])
        for row, document, mark in zip(rows.tolist(), documents, marks[known].tolist(), strict=True):
            if qrels.setdefault(str(queries[row]), {}).setdefault(document, mark) != mark:
                raise InvalidValueError(f"labels give document {document!r} of query {queries[row]!r} two relevances")
    return as_qrels(qrels, "labels")


def relevances(qrels: Mapping[str, Mapping[str, int]], first: Run, pairs: Pairs) -> tuple[_Int64, npt.NDArray[np.bool_]]:
    """Return the relevance of each pair, or UNJUDGED, and whether anything is judged for its query."""
    names = query_names(first)
    row_of = {str(name): row for row, name in enumerate(names)}
    listed = np.unique(pairs.ids)
    column_of = {name: column for column, name in enumerate(document_names(first, listed))}
    entries = [
        (row_of[query] * listed.size + column_of[document], relevance)
        for query, documents in qrels.items()
        if query in row_of
        for document, relevance in documents.items()
        if document in column_of
    ]
    table = np.array(sorted(entries), dtype=np.int64).reshape(-1, 2)
    keys = pairs.rows * listed.size + np.searchsorted(listed, pairs.ids)
    found = np.full(keys.size, UNJUDGED)
    at = np.searchsorted(keys, table[:, 0])
    there = at < keys.size
    there[there] = keys[at[there]] == table[there, 0]
    found[at[there]] = table[there, 1]
    judged = np.array([str(name) in qrels for name in names], dtype=np.bool_)
    return found, judged[pairs.rows]


def _beside(labels: Any, runs: list[Run]) -> list[_Int64]:
    """Return one array per run, the relevance of each entry of its ``ids``; -1 is unjudged."""
    if isinstance(labels, (str, bytes)) or not isinstance(labels, Iterable):
        raise InvalidTypeError(f"labels must be {{query: {{document: relevance}}}}, Qrels or one array per run, got {type(labels).__name__}")
    listed = list(labels)
    if len(listed) != len(runs):
        raise InvalidValueError(f"labels must hold one array for each of the {len(runs)} runs, got {len(listed)}")
    arrays = [as_grades(array, f"labels[{at}]") for at, array in enumerate(listed)]
    for at, (array, run) in enumerate(zip(arrays, runs, strict=True)):
        if array.shape != run.ids.shape:
            raise InvalidValueError(f"labels[{at}] must have shape {run.ids.shape}, that of runs[{at}].ids, got {array.shape}")
        if array.size and array.min() < -1:
            raise InvalidValueError(f"labels[{at}] must be at least 0, or -1 for unjudged, got {array.min()}")
    return arrays
