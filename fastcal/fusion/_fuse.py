"""Fusion of several runs into one, query by query."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from fastcal import _backend, _csr, _threads
from fastcal._backend.protocol import FuseMethod
from fastcal._validate import lists
from fastcal._validate.arrays import as_array
from fastcal._validate.numbers import FLOAT32_MAX, integer, number
from fastcal.errors import InvalidTypeError, InvalidValueError
from fastcal.normalization import minmax, zscore
from fastcal.results import RangeResult, SearchResult
from fastcal.run import Run, align, unchecked

__all__ = ["fuse", "rrf"]

_OPTIONS: dict[FuseMethod, dict[str, float]] = {"rrf": {"k": 60.0}, "sum": {}}
_NORMS: dict[str, Callable[..., npt.NDArray[Any]]] = {"minmax": minmax, "zscore": zscore}


def rrf(
    runs: Iterable[Run | SearchResult | RangeResult],
    k: float = 60,
    weights: npt.ArrayLike | None = None,
    top_k: int | None = None,
    num_threads: int | None = None,
) -> Run:
    """Reciprocal rank fusion: a document's score is the sum of ``weight / (k + rank)`` over the runs that list it.

    Ranks count from 1, so ``k=59`` gives the numbers of systems that count from 0 (Weaviate, LlamaIndex).

    Parameters
    ----------
    runs : sequence of Run, SearchResult or RangeResult
        With the same queries; queries are matched by their names, documents by id or, where the runs have
        vocabularies, by name.
    k : float, default 60
        At least 0. The smaller, the more the first ranks count.
    weights : array_like of float, shape (n_runs,), optional
        Not negative, at least one positive; 1 for each run by default.
    top_k : int, optional
        Keep this many documents per query; by default all.
    num_threads : int, optional
        See :func:`set_num_threads`. The result does not depend on it.

    Returns
    -------
    Run
        Higher is better. Equal scores are ordered by the first run that lists the document, then by id. The
        order of the queries and the first part of the vocabulary are those of the first run.

    Raises
    ------
    ValueError
        If the runs have different queries (missing ones are named) or only some have vocabularies, or if `k`,
        `weights` or `top_k` is out of range.
    TypeError
        If an entry of `runs` is not a run.

    References
    ----------
    Cormack, Clarke and Buettcher, "Reciprocal rank fusion outperforms Condorcet and individual rank learning
    methods", SIGIR 2009.

    Examples
    --------
    >>> import fastcal as fc
    >>> dense, lexical = fc.Run([[1, 2]]), fc.Run([[2, 3]])
    >>> fused = fc.rrf([dense, lexical])
    >>> [(document, f"{score:.6f}") for document, score in fused.to_dict()[0].items()]
    [(2, '0.032522'), (1, '0.016393'), (3, '0.016129')]
    """
    return fuse(runs, "rrf", k=k, weights=weights, top_k=top_k, num_threads=num_threads)


def fuse(
    runs: Iterable[Run | SearchResult | RangeResult],
    method: str = "rrf",
    norm: str | None = None,
    *,
    weights: npt.ArrayLike | None = None,
    top_k: int | None = None,
    num_threads: int | None = None,
    **method_options: float,
) -> Run:
    """Fuse runs by rank or by score.

    Parameters
    ----------
    runs : sequence of Run, SearchResult or RangeResult
        With the same queries; see :func:`rrf`.
    method : {"rrf", "sum"}, default "rrf"
        "rrf" is :func:`rrf`. "sum" adds ``weight * score``; a document adds zero for a run that does not list it.
    norm : {"minmax", "zscore"}, optional
        For "sum": normalise each list first. Distances are negated before.
    weights : array_like of float, shape (n_runs,), optional
        Not negative, at least one positive; 1 for each run by default.
    top_k : int, optional
        Keep this many documents per query; by default all.
    num_threads : int, optional
        See :func:`set_num_threads`. The result does not depend on it.
    **method_options
        "rrf" takes `k`, a float of at least 0, default 60.

    Returns
    -------
    Run
        As :func:`rrf`.

    Raises
    ------
    ValueError
        As :func:`rrf`; if a method, norm or option is unknown or of no use to the method; and for "sum" if a
        run has no scores, an infinite one, or distances without a norm.
    TypeError
        If an entry of `runs` is not a run.

    Examples
    --------
    >>> import fastcal as fc
    >>> dense = fc.Run([[1, 2, 4]], [[0.9, 0.7, 0.5]])
    >>> lexical = fc.Run([[2, 3]], [[12.0, 4.0]])
    >>> blend = fc.fuse([dense, lexical], "sum", "minmax", weights=[0.75, 0.25])
    >>> blend.ids.tolist(), blend.scores.round(3).tolist()
    ([1, 2, 4, 3], [0.75, 0.625, 0.0, 0.0])
    """
    known = _as_method(method, norm)
    k = _as_options(known, method_options).get("k", 0.0)
    aligned = align(_as_runs(runs))
    shares = _as_weights(weights, len(aligned))
    limit = None if top_k is None else integer(top_k, "top_k", least=1)
    threads = _threads.resolve(num_threads)
    scores = [_summands(run, at, norm, threads) if known == "sum" else None for at, run in enumerate(aligned)]

    bounds = _csr.offsets_of(_upper_bounds(aligned, limit))
    ids, fused, counts = np.empty(bounds[-1], np.int64), np.empty(bounds[-1], np.float32), np.empty(bounds.size - 1, np.int64)
    _backend.active().fuse(
        [run.ids for run in aligned],
        scores,
        [run.offsets for run in aligned],
        shares,
        known,
        k,
        -1 if limit is None else limit,
        bounds,
        ids,
        fused,
        counts,
        num_threads=threads,
    )
    if not np.array_equal(counts, np.diff(bounds)):
        kept, bounds = _csr.segments(bounds[:-1], counts)
        ids, fused = ids[kept], fused[kept]
    return unchecked(ids, fused, bounds, higher_is_better=True, query_ids=aligned[0].query_ids, doc_ids=aligned[0].doc_ids)


def _upper_bounds(runs: list[Run], limit: int | None) -> npt.NDArray[np.int64]:
    """Return the most documents each query can have: the sum of its list lengths, or `limit`."""
    counts: npt.NDArray[np.int64] = np.sum([run.counts() for run in runs], axis=0)
    return counts if limit is None else np.minimum(counts, limit)


def _summands(run: Run, at: int, norm: str | None, num_threads: int) -> npt.NDArray[np.float32]:
    """Return the scores of ``runs[at]`` in the form in which they are added up."""
    name = f"runs[{at}]"
    if run.scores is None:
        raise InvalidValueError(f"method 'sum' adds scores, and {name} has none; 'rrf' needs ranks only")
    lists.refuse_infinity(run.scores, run.offsets, name)
    if norm is not None:
        scores = run.scores if run.higher_is_better else -run.scores
        return _NORMS[norm](scores, offsets=run.offsets, num_threads=num_threads)
    if not run.higher_is_better:
        raise InvalidValueError(f"method 'sum' needs scores for which higher is better, and {name} holds distances; pass a norm")
    return run.scores


def _as_method(method: str, norm: str | None) -> FuseMethod:
    known = next((name for name in _OPTIONS if name == method), None)
    if known is None:
        raise InvalidValueError(f"method must be one of {_quoted(_OPTIONS)}; got {method!r}")
    if norm is not None and norm not in _NORMS:
        raise InvalidValueError(f"norm must be None or one of {_quoted(_NORMS)}, got {norm!r}")
    if norm is not None and known == "rrf":
        raise InvalidValueError(f"method 'rrf' uses ranks only, so norm={norm!r} would change nothing")
    return known


def _as_options(method: FuseMethod, given: Mapping[str, float]) -> dict[str, float]:
    """Return every option of the method, given or by default."""
    defaults = _OPTIONS[method]
    unknown = next((name for name in given if name not in defaults), None)
    if unknown is not None:
        raise InvalidValueError(f"method {method!r} takes {_quoted(defaults) or 'no options'}, got {unknown!r}")
    return {**defaults, **{name: number(value, name, "finite and at least 0", lambda x: 0 <= x < math.inf) for name, value in given.items()}}


def _as_runs(runs: Any) -> list[Run]:
    if isinstance(runs, (Run, SearchResult, RangeResult)) or not isinstance(runs, Iterable):
        raise InvalidTypeError(f"runs must be a sequence of runs, got one {type(runs).__name__}")
    listed = [Run.from_search(run) if isinstance(run, (SearchResult, RangeResult)) else run for run in runs]
    for at, run in enumerate(listed):
        if not isinstance(run, Run):
            raise InvalidTypeError(f"runs[{at}] must be a Run, a SearchResult or a RangeResult, got {type(run).__name__}")
    if not listed:
        raise InvalidValueError("runs must hold at least one run, got none")
    return listed


def _as_weights(weights: npt.ArrayLike | None, n_runs: int) -> npt.NDArray[np.float64]:
    if weights is None:
        return np.ones(n_runs)
    shares = as_array(weights, "weights")
    if shares.dtype.kind not in "iuf":
        raise InvalidTypeError(f"weights must be numbers, got dtype {shares.dtype}")
    if shares.shape != (n_runs,):
        raise InvalidValueError(f"weights must have shape ({n_runs},), one per run, got {shares.shape}")
    if not (np.all((shares >= 0) & (shares <= FLOAT32_MAX)) and np.any(shares > 0)):
        raise InvalidValueError(f"weights must be finite float32 numbers of at least 0, and one must be positive; got {shares.tolist()}")
    return shares.astype(np.float64)


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(map(repr, names))
