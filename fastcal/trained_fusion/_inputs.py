"""The runs of a fusion, aligned, and their scores on the scale the weights belong to."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fastcal import _threads
from fastcal._validate import lists
from fastcal._validate.arrays import as_array
from fastcal.errors import InvalidTypeError, InvalidValueError
from fastcal.fusion import as_runs
from fastcal.normalization import normalize_lists
from fastcal.run import Run, unchecked


def as_scored_runs(runs: Any) -> list[Run]:
    """Return runs with finite scores, as they were given."""
    listed = as_runs(runs)
    for at, run in enumerate(listed):
        if run.scores is None:
            raise InvalidValueError(f"trained fusion weighs scores, and runs[{at}] has none")
        lists.refuse_infinity(run.scores, run.offsets, f"runs[{at}]")
    return listed


def normalised(run: Run, norm: str | None, num_threads: int | None) -> npt.NDArray[np.float32]:
    """Return the scores of a run, higher is better, normalised list by list."""
    assert run.scores is not None  # as_scored_runs saw to it
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
