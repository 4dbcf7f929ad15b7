"""Where to begin: the laxest cut that a model of other queries believes in. A wrong belief costs labels, never the promise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fastcal._validate.arrays import as_array
from fastcal.certificates._band_pool import QueryPool
from fastcal.certificates._pool import Float32, Float64
from fastcal.errors import InvalidTypeError, InvalidValueError
from fastcal.normalization import query_features


def expected_precision(arranged: QueryPool, probability: Callable[[Float32], Float64]) -> Float64:
    """Return what a model expects the precision of each cut to be.

    The candidates between two cuts are a uniform sample of the rows there.
    """
    pool, census = arranged.pool, arranged.pool.census.size
    sizes = np.diff(pool.counts, prepend=0).astype(np.float64)
    inner = np.searchsorted(pool.counts, census, "right")  # cuts within the census hold its rows and no others
    band = np.concatenate([np.searchsorted(pool.counts[:inner], np.arange(1, census + 1)), pool.cut_of])
    given = probability(np.concatenate([arranged.census_scores, arranged.scores]))
    drawn = np.bincount(band, minlength=sizes.size)
    mean = np.bincount(band, given, minlength=sizes.size) / np.maximum(drawn, 1)
    return np.asarray(np.cumsum(sizes * mean) / pool.counts, np.float64)


def start_cut(arranged: QueryPool, target: float, probability: Callable[[Float32], Float64]) -> int | None:
    """Return the laxest cut expected to reach half-way from the target to 1, if the head would not get to it next anyway.

    A cut expected at the target itself is as likely to miss it, and to be shown so costs the most labels of all.
    """
    good = np.flatnonzero(expected_precision(arranged, probability) >= (1 + target) / 2)
    nearest = int(np.searchsorted(arranged.pool.counts, arranged.pool.census.size, "right"))
    return int(good[-1]) if good.size and good[-1] > nearest else None


def probability_of(calibrator: Any, near: Float32, corpus_mean: float, sign: np.float32) -> Callable[[Float32], Float64]:
    """Return a function of scores of which higher is better; the calibrator is handed them as the index scores."""
    if callable(getattr(calibrator, "predict", None)):
        return lambda scores: _judged(calibrator.predict(sign * scores), scores.size)
    if not callable(calibrator):
        raise InvalidTypeError(f"calibrator must have predict(scores) or be callable(scores, features), got {type(calibrator).__name__}")
    found = query_features(near, corpus_mean=corpus_mean)
    features = dict(zip(found.names, found.to_array()[0].tolist(), strict=True))
    return lambda scores: _judged(calibrator(sign * scores, features), scores.size)


def _judged(given: Any, n: int) -> Float64:
    values = as_array(given, "probabilities of the calibrator")
    if values.shape != (n,) or values.dtype.kind != "f":
        raise InvalidValueError(f"the calibrator returned shape {values.shape} and dtype {values.dtype}; expected ({n},) floats")
    if not ((values >= 0) & (values <= 1)).all():
        raise InvalidValueError("the calibrator returned a probability outside [0, 1] or NaN")
    return values.astype(np.float64)
