"""Judges what :func:`fuse` is given beside the method: runs, weights, and the policies."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fastcal._backend.protocol import FuseMissing
from fastcal._validate.arrays import as_array
from fastcal._validate.numbers import FLOAT32_MAX, number
from fastcal.errors import InvalidTypeError, InvalidValueError
from fastcal.fusion._engine import missing_policy
from fastcal.fusion._methods import Method, quoted
from fastcal.results import RangeResult, SearchResult
from fastcal.run import Run, align

POLICIES = ("zero", "skip", "min")
WEIGHT_MODES = ("linear", "rank_stretch")
DUPLICATES = ("first", "max", "sum", "error")
TIES = ("source", "id", "id_desc", "trec")


def as_aligned_runs(runs: Any) -> list[Run]:
    """Return runs with the queries of the first one in its order, and documents with one numbering."""
    listed = as_runs(runs)
    first = listed[0]
    for run in listed:
        if run.query_ids is not first.query_ids or run.doc_ids is not first.doc_ids or run.offsets.size != first.offsets.size:
            return align(listed)
    return listed


def as_runs(runs: Any) -> list[Run]:
    """Return one run or more, as they were given; search results become runs."""
    if isinstance(runs, (Run, SearchResult, RangeResult)) or not isinstance(runs, Iterable):
        raise InvalidTypeError(f"runs must be a sequence of runs, got one {type(runs).__name__}")
    listed = [run if type(run) is Run else _as_run(run, at) for at, run in enumerate(runs)]
    if not listed:
        raise InvalidValueError("runs must hold at least one run, got none")
    return listed


def _as_run(run: Any, at: int) -> Run:
    if isinstance(run, (SearchResult, RangeResult)):
        return Run.from_search(run)
    if not isinstance(run, Run):
        raise InvalidTypeError(f"runs[{at}] must be a Run, a SearchResult or a RangeResult, got {type(run).__name__}")
    return run


def as_weights(weights: Any, runs: Sequence[Run]) -> npt.NDArray[np.float64]:
    """Return weights as (1, n_runs) or (n_queries, n_runs); a callable is asked with the names of the queries."""
    first, n_runs = runs[0], len(runs)
    if (
        type(weights) in (list, tuple)
        and len(weights) == n_runs
        and all(type(w) is float and 0.0 <= w <= FLOAT32_MAX for w in weights)
        and any(weights)
    ):
        return np.array(weights).reshape(1, n_runs)  # the usual case, in 1 us
    if callable(weights):
        weights = weights(np.arange(first.n_queries) if first.query_ids is None else first.query_ids)
        name = "what weights(query_ids) returned"
    else:
        name = "weights"
    shares = as_array(weights, name)
    if shares.dtype.kind not in "iuf":
        raise InvalidTypeError(f"{name} must be numbers, got dtype {shares.dtype}")
    if shares.size == 0 and first.n_queries == 0:
        return np.empty((0, n_runs))
    if shares.shape not in ((n_runs,), (first.n_queries, n_runs)):
        raise InvalidValueError(
            f"{name} must have shape ({n_runs},), one per run, or ({first.n_queries}, {n_runs}), a row per query; got {shares.shape}"
        )
    rows = shares.reshape(-1, n_runs).astype(np.float64, order="C")
    good = (rows >= 0) & (rows <= FLOAT32_MAX)
    if not (good.all() and (rows > 0).any(axis=1).all()):
        bad = rows[int((~(good.all(axis=1) & (rows > 0).any(axis=1))).argmax())]
        raise InvalidValueError(f"{name} must be finite float32 numbers of at least 0, and one of each row must be positive; got {bad.tolist()}")
    return rows


def as_missing(missing: Any, name: str, method: Method) -> tuple[FuseMissing, float]:
    """Return the engine's policy for documents that a run does not list."""
    if missing is None:
        return missing_policy(method, method.missing)
    if method.by_rank:
        raise InvalidValueError(f"method {name!r} goes by rank: a missing document has none, so missing={missing!r} would change nothing")
    if isinstance(missing, str):
        if missing not in POLICIES:
            raise InvalidValueError(f"missing must be one of {quoted(POLICIES)} or a number, got {missing!r}")
        policy: str | float = missing
    elif method.combine == "logistic":
        policy = number(missing, "missing", "'zero', 'skip', 'min' or a probability in [0, 1]", lambda x: 0.0 <= x <= 1.0)
    else:
        policy = number(missing, "missing", "'zero', 'skip', 'min' or a finite float32 number", lambda x: abs(x) <= FLOAT32_MAX)
    if method.combine in ("geometric", "harmonic") and (policy == "zero" or (not isinstance(policy, str) and policy <= 0)):
        raise InvalidValueError(f"method {name!r} skips scores that are not positive; missing must be 'skip', 'min' or positive, got {missing!r}")
    return missing_policy(method, policy)
