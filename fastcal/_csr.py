"""Ranked lists in compressed sparse rows: list i owns ``[offsets[i], offsets[i + 1])`` of flat ids and scores."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from typing import Any, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from fastcal import _backend, _threads
from fastcal._denormals import warn_if_denormals_are_lost
from fastcal._validate import lists
from fastcal._validate.arrays import int64_array
from fastcal.errors import InvalidTypeError, InvalidValueError

Int64: TypeAlias = npt.NDArray[np.int64]
Float32: TypeAlias = npt.NDArray[np.float32]
AnyArray = TypeVar("AnyArray", bound=npt.NDArray[Any])

_PADDING, _NEGATIVE, _NAN, _OUT_OF_ORDER = 1, 2, 4, 8  # what Backend.list_faults adds up


def read(ids: Any, scores: Any, offsets: Any, counts: Any = None, *, higher_is_better: bool) -> tuple[Int64, Float32 | None, Int64]:
    """Judge ids and scores, dense or flat; return them flat, best first and without padding, and the offsets."""
    table = lists.as_ids(ids)
    values = None if scores is None else lists.as_scores(scores)
    if values is not None and values.shape != table.shape:
        raise InvalidValueError(f"scores must have the shape of ids, {table.shape}; got {values.shape}")
    if counts is not None:
        table, values, offsets = _counted(table, values, offsets, counts)
    bounds = lists.as_offsets(offsets, table.shape, "ids")
    if values is None and not higher_is_better:
        raise InvalidValueError("higher_is_better=False needs scores; without them the order given is the rank")
    flat, real = table.reshape(-1), None if values is None else values.reshape(-1)
    ready = real if real is not None and real.dtype == np.float32 else None
    faults = _backend.active().list_faults(flat, ready, bounds, higher_is_better=higher_is_better)
    if faults & (_PADDING | _NEGATIVE):
        flat, real, bounds = _without_padding(flat, real, bounds, faults)
    if real is None:
        return flat, None, bounds
    warn_if_denormals_are_lost(real)
    if ready is not None and not faults:
        return flat, ready.astype(np.float32, copy=False), bounds
    return *best_first(flat, lists.to_float32(real, bounds), bounds, higher_is_better=higher_is_better), bounds


def best_first(ids: Int64, scores: Float32, offsets: Int64, *, higher_is_better: bool) -> tuple[Int64, Float32]:
    """Sort each list stably by score, unless all of them are in order; NaN is an error."""
    backend = _backend.active()
    faults = backend.list_faults(ids, scores, offsets, higher_is_better=higher_is_better)
    if faults & _NAN:
        lists.refuse_nan(scores, offsets)
    if not faults & _OUT_OF_ORDER:
        return ids, scores
    sorted_ids, sorted_scores = np.empty_like(ids), np.empty_like(scores)
    threads = _threads.resolve(None)
    backend.sort_lists(ids, scores, offsets, sorted_ids, sorted_scores, higher_is_better=higher_is_better, num_threads=threads)
    return sorted_ids, sorted_scores


def read_dict(run: Any) -> tuple[Int64, Int64, list[str] | None, list[Any]]:
    """Return offsets, ids, the vocabulary (None if documents are named by integers) and scores of a dict of dicts."""
    if not isinstance(run, Mapping) or not all(isinstance(docs, Mapping) for docs in run.values()):
        raise InvalidTypeError("run must be a mapping of the form {query: {document: score}}")
    names = list(chain.from_iterable(run.values()))
    scores = list(chain.from_iterable(docs.values() for docs in run.values()))
    ids, vocabulary = _number(names)
    return offsets_of([len(docs) for docs in run.values()]), ids, vocabulary, scores


def gather(ids: Int64, scores: Float32 | None, starts: Int64, counts: Int64) -> tuple[Int64, Float32 | None, Int64]:
    """Return ids, scores and offsets of the lists ``[starts[i], starts[i] + counts[i])``."""
    at, offsets = segments(starts, counts)
    return ids[at], None if scores is None else scores[at], offsets


def segments(starts: Int64, counts: Int64) -> tuple[Int64, Int64]:
    """Return the positions ``[starts[i], starts[i] + counts[i])``, list after list, and their offsets."""
    offsets = offsets_of(counts)
    return np.arange(offsets[-1]) + np.repeat(starts - offsets[:-1], counts), offsets


def offsets_of(counts: npt.ArrayLike) -> Int64:
    """Return the offsets of lists of these lengths."""
    return np.concatenate(([0], np.cumsum(counts, dtype=np.int64)))


def read_only(array: AnyArray) -> AnyArray:
    """Return a view that cannot be written to, the array itself if it is read-only; the memory is shared."""
    if not array.flags.writeable:
        return array
    view = array.view()
    view.setflags(write=False)
    return view


def _counted(ids: Int64, scores: lists.Floats | None, offsets: Any, counts: Any) -> tuple[Int64, lists.Floats | None, Int64]:
    """Return the first ``counts[i]`` entries of each row i, flat, and their offsets."""
    if offsets is not None or ids.ndim != 2:
        raise InvalidValueError(f"counts say how much of each row is real: they need ids of shape (n_queries, m) and no offsets, got {ids.shape}")
    lengths = int64_array(counts, "counts")
    if lengths.shape != ids.shape[:1] or (lengths.size and not (lengths.min() >= 0 and lengths.max() <= ids.shape[1])):
        raise InvalidValueError(f"counts must have shape ({len(ids)},) and lie in [0, {ids.shape[1]}], got {lengths}")
    if (lengths == ids.shape[1]).all():
        return ids.reshape(-1), None if scores is None else scores.reshape(-1), offsets_of(lengths)
    real = np.arange(ids.shape[1]) < lengths[:, None]
    return ids[real], None if scores is None else scores[real], offsets_of(lengths)


def _without_padding(ids: Int64, scores: lists.Floats | None, offsets: Int64, faults: int) -> tuple[Int64, lists.Floats | None, Int64]:
    """Remove the entries whose id is -1. A lower id is an error."""
    if faults & _NEGATIVE:
        raise InvalidValueError(f"ids must be at least 0, or -1 for padding; got {ids.min()}")
    real = ids != -1
    return ids[real], None if scores is None else scores[real], offsets_of(real)[offsets]


def _number(names: list[Any]) -> tuple[Int64, list[str] | None]:
    """Number string names in order of appearance; integer names are their own numbers."""
    if any(issubclass(kind, str) for kind in set(map(type, names))):
        distinct = list(dict.fromkeys(names))
        if len(distinct) == len(names):
            return np.arange(len(names)), distinct
        number_of = dict(zip(distinct, range(len(distinct)), strict=True))
        return np.fromiter(map(number_of.__getitem__, names), np.int64, len(names)), distinct
    ids = int64_array(names, "document ids")
    if ids.size and ids.min() < 0:
        raise InvalidValueError(f"document ids must be at least 0, got {ids.min()}")
    return ids, None
