"""Several runs on common ground: the same queries in the same order, and one numbering of the documents."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt

from fastcal import _csr
from fastcal.errors import InvalidValueError
from fastcal.run._queries import query_labels, shown
from fastcal.run._run import Run, unchecked

_DENSE = 4096  # names: up to here, or to 8 times what is listed, a table over the whole vocabulary is cheaper than a search in it


def align(runs: Sequence[Run]) -> list[Run]:
    """Return the runs with the queries, the query order and, over a united vocabulary, the document ids of one run.

    The first run gives the order of the queries. Runs that share one vocabulary, or have none, keep their ids. Otherwise the
    names that the runs list are numbered run by run, those of one run in the order of its own ids. A run that lists nothing takes
    the vocabulary of the others, or their lack of one.
    """
    first = runs[0]
    return _unite_documents([first, *(_reorder(run, first, at) for at, run in enumerate(runs[1:], 1))])


def _reorder(run: Run, first: Run, at: int) -> Run:
    """Return `run`, number `at` of its list, with the queries of `first` in their order."""
    if run.query_ids is first.query_ids and run.n_queries == first.n_queries:
        return run
    wanted, have = query_labels(first), query_labels(run)
    if wanted == have:
        return run
    row_of = {label: row for row, label in enumerate(have)}
    _refuse_missing([label for label in wanted if label not in row_of], f"runs[{at}]")
    _refuse_missing(list(row_of.keys() - set(wanted)), "runs[0]")
    rows = np.array([row_of[label] for label in wanted], dtype=np.int64)
    taken = _csr.gather(run.ids, run.scores, run.offsets[rows], run.counts()[rows])
    return unchecked(*taken, higher_is_better=run.higher_is_better, query_ids=first.query_ids, doc_ids=run.doc_ids)


def _refuse_missing(labels: list[Any], where: str) -> None:
    if labels:
        raise InvalidValueError(
            f"runs must have the same queries: {where} lacks {shown(labels)} (queries without query_ids are known by position;"
            " Run.with_queries gives those that a run lacks an empty list)"
        )


def _unite_documents(runs: list[Run]) -> list[Run]:
    """Renumber the documents of runs with different vocabularies."""
    if all(run.doc_ids is runs[0].doc_ids for run in runs):
        return runs
    listing = [run.doc_ids for run in runs if run.ids.size] or [run.doc_ids for run in runs if run.doc_ids is not None]
    runs = [run if run.ids.size else _renamed(run, listing[0]) for run in runs]
    if all(run.doc_ids is listing[0] for run in runs):
        return runs
    bare = next((at for at, run in enumerate(runs) if run.doc_ids is None), None)
    if bare is not None:
        raise InvalidValueError(f"runs must all have doc_ids or all lack them; runs[{bare}] has none and another has")
    vocabularies = [run.doc_ids for run in runs if run.doc_ids is not None]
    listed = [listed_ids(run.ids, names.size) for run, names in zip(runs, vocabularies, strict=True)]
    names = [
        (vocabulary if used.size == vocabulary.size else vocabulary[used]).tolist() for vocabulary, used in zip(vocabularies, listed, strict=True)
    ]
    distinct = dict.fromkeys(chain.from_iterable(names))
    number_of = dict(zip(distinct, range(len(distinct)), strict=True))
    union = np.empty(len(number_of), dtype=np.object_)
    union[:] = list(number_of)
    union = _csr.read_only(union)
    return [
        unchecked(
            # The names of the first run come first, in the order of its ids.
            run.ids
            if at == 0 and used.size == vocabulary.size
            else renumbered(run.ids, used, np.fromiter(map(number_of.__getitem__, mine), np.int64, len(mine)), vocabulary.size),
            run.scores,
            run.offsets,
            higher_is_better=run.higher_is_better,
            query_ids=run.query_ids,
            doc_ids=union,
        )
        for at, (run, used, mine, vocabulary) in enumerate(zip(runs, listed, names, vocabularies, strict=True))
    ]


def _renamed(run: Run, doc_ids: npt.NDArray[np.object_] | None) -> Run:
    return unchecked(run.ids, run.scores, run.offsets, higher_is_better=run.higher_is_better, query_ids=run.query_ids, doc_ids=doc_ids)


def listed_ids(ids: _csr.Int64, n_names: int) -> _csr.Int64:
    """Return the distinct ids, ascending; all are below `n_names`."""
    if n_names > max(_DENSE, 8 * ids.size):
        return np.unique(ids)
    seen = np.zeros(n_names, dtype=np.bool_)
    seen[ids] = True
    return np.flatnonzero(seen)


def renumbered(ids: _csr.Int64, listed: _csr.Int64, numbers: npt.NDArray[np.int64], n_names: int) -> _csr.Int64:
    """Replace each id ``listed[i]`` by ``numbers[i]``."""
    if n_names > max(_DENSE, 8 * ids.size):
        return numbers[np.searchsorted(listed, ids)]
    if listed.size == n_names:
        return numbers[ids]
    table = np.empty(n_names, dtype=np.int64)
    table[listed] = numbers
    return table[ids]
