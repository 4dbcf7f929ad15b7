"""Several runs on common ground: the same queries in the same order, and one numbering of the documents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fastcal import _csr
from fastcal.errors import InvalidValueError
from fastcal.run._run import Run, unchecked

_SHOWN = 5


def align(runs: Sequence[Run]) -> list[Run]:
    """Return the runs with the queries, the query order and, over a united vocabulary, the document ids of one run.

    The first run gives the order of the queries and the first part of the vocabulary.
    """
    first = runs[0]
    return _unite_documents([first, *(_reorder(run, first, at) for at, run in enumerate(runs[1:], 1))])


def _reorder(run: Run, first: Run, at: int) -> Run:
    """Return `run`, number `at` of its list, with the queries of `first` in their order."""
    wanted, have = _query_labels(first), _query_labels(run)
    if np.array_equal(wanted, have):
        return run
    row_of = {label: row for row, label in enumerate(have.tolist())}
    listed = wanted.tolist()
    _refuse_missing([label for label in listed if label not in row_of], f"runs[{at}]")
    _refuse_missing(list(row_of.keys() - set(listed)), "runs[0]")
    rows = np.array([row_of[label] for label in listed], dtype=np.int64)
    taken = _csr.gather(run.ids, run.scores, run.offsets[rows], run.counts()[rows])
    return unchecked(*taken, higher_is_better=run.higher_is_better, query_ids=first.query_ids, doc_ids=run.doc_ids)


def _query_labels(run: Run) -> npt.NDArray[Any]:
    """Return the names of the queries; unnamed queries are 0, 1, 2, ..."""
    return np.arange(run.n_queries) if run.query_ids is None else run.query_ids


def _refuse_missing(labels: list[Any], where: str) -> None:
    if labels:
        shown = ", ".join(map(repr, sorted(labels, key=str)[:_SHOWN]))
        more = f" and {len(labels) - _SHOWN} more" if len(labels) > _SHOWN else ""
        raise InvalidValueError(f"runs must have the same queries: {where} lacks {shown}{more} (queries without query_ids are known by position)")


def _unite_documents(runs: list[Run]) -> list[Run]:
    """Renumber the documents of runs with different vocabularies; the union is in order of first appearance."""
    vocabularies = [run.doc_ids for run in runs if run.doc_ids is not None]
    if 0 < len(vocabularies) < len(runs):
        bare = next(at for at, run in enumerate(runs) if run.doc_ids is None)
        raise InvalidValueError(f"runs must all have doc_ids or all lack them; runs[{bare}] has none and another has")
    if all(np.array_equal(names, vocabularies[0]) for names in vocabularies):
        return runs
    index: dict[str, int] = {}
    numbers = [np.array([index.setdefault(name, len(index)) for name in names], dtype=np.int64) for names in vocabularies]
    union = np.array(list(index), dtype=np.object_)
    return [
        unchecked(new[run.ids], run.scores, run.offsets, higher_is_better=run.higher_is_better, query_ids=run.query_ids, doc_ids=union)
        for run, new in zip(runs, numbers, strict=True)
    ]
