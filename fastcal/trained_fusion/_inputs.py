"""The runs of a fusion, aligned, and their scores on the scale the weights belong to."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from fastcal import _threads
from fastcal._validate import lists
from fastcal._validate.arrays import as_array
from fastcal.errors import InvalidTypeError, InvalidValueError
from fastcal.fusion import NORMS, one_each
from fastcal.normalization import normalize_lists
from fastcal.results import RangeResult, SearchResult
from fastcal.run import Run, unchecked


def as_runs(runs: Any) -> list[Run]:
    """Return runs with finite scores, as they were given."""
    if isinstance(runs, (Run, SearchResult, RangeResult)) or not isinstance(runs, Iterable):
        raise InvalidTypeError(f"runs must be a sequence of runs, got one {type(runs).__name__}")
    listed = [Run.from_search(run) if isinstance(run, (SearchResult, RangeResult)) else run for run in runs]
    if not listed:
        raise InvalidValueError("runs must hold at least one run, got none")
    for at, run in enumerate(listed):
        if not isinstance(run, Run):
            raise InvalidTypeError(f"runs[{at}] must be a Run, a SearchResult or a RangeResult, got {type(run).__name__}")
        if run.scores is None:
            raise InvalidValueError(f"trained fusion weighs scores, and runs[{at}] has none")
        lists.refuse_infinity(run.scores, run.offsets, f"runs[{at}]")
    return listed


def as_norms(norm: Any, n_runs: int) -> tuple[str | None, ...]:
    """Return one norm per run: one for all, or a sequence of them."""
    norms = tuple(one_each(norm, n_runs))
    for each in norms:
        if each is not None and each not in NORMS:
            raise InvalidValueError(f"norm must be None or one of {', '.join(map(repr, NORMS))}; got {each!r}")
    return norms


def normalised(run: Run, norm: str | None, num_threads: int | None) -> npt.NDArray[np.float32]:
    """Return the scores of a run, higher is better, normalised list by list."""
    assert run.scores is not None  # as_runs saw to it
    if norm is None:
        return run.scores if run.higher_is_better else 0 - run.scores
    threads = _threads.resolve(num_threads)
    mapped: npt.NDArray[np.float32] = normalize_lists(run.scores, run.offsets, norm, higher_is_better=run.higher_is_better, num_threads=threads)
    return mapped


def with_scores(run: Run, scores: npt.NDArray[np.float32]) -> Run:
    """Return the lists of a run, in their order, with other scores."""
    return unchecked(run.ids, scores, run.offsets, higher_is_better=True, query_ids=run.query_ids, doc_ids=run.doc_ids)


def query_names(run: Run) -> list[Any]:
    """Return the names of the queries; unnamed queries are 0, 1, 2, ..."""
    return (np.arange(run.n_queries) if run.query_ids is None else run.query_ids).tolist()


def document_names(run: Run, ids: npt.NDArray[np.int64]) -> list[str]:
    """Return the names of documents of a run as strings."""
    return list(map(str, (ids if run.doc_ids is None else run.doc_ids[ids]).tolist()))


def as_query_features(given: Any, n_queries: int) -> npt.NDArray[np.float64]:
    """Return finite features, float64 (n_queries, n_features)."""
    array = as_array(given, "query_features")
    if array.dtype.kind not in "biuf":
        raise InvalidTypeError(f"query_features must be numbers, got dtype {array.dtype}")
    table = array.astype(np.float64)
    table = table[:, np.newaxis] if table.ndim == 1 else table
    if table.ndim != 2 or len(table) != n_queries or not table.shape[1]:
        raise InvalidValueError(f"query_features must have shape ({n_queries},) or ({n_queries}, n_features), got {array.shape}")
    if not np.isfinite(table).all():
        raise InvalidValueError(f"query_features of query {int(np.argmin(np.isfinite(table).all(axis=1)))} are not finite")
    return table
