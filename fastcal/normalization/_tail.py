"""How surprising a score is within its own list: minus the decimal logarithm of its tail probability."""

from __future__ import annotations

import math
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from fastcal import _backend
from fastcal._validate import lists as judge
from fastcal._validate.lists import Floats
from fastcal._validate.numbers import fraction, integer
from fastcal.normalization._arrays import Lists
from fastcal.normalization._ranks import best_first

Float64: TypeAlias = npt.NDArray[np.float64]

_AT_ONCE = 1 << 12  # scores; each is compared with some 25 values of theta


def tail(lists: Lists, *, tail_fraction: Any = None, min_tail: Any = 10) -> None:
    """``-log10 P(S >= s)``, P being a generalised Pareto distribution above the list's threshold and a share of the list below it."""
    share = None if tail_fraction is None else fraction(tail_fraction, "tail_fraction")
    least = integer(min_tail, "min_tail", least=5)
    scores, counts = lists.oriented(), lists.real_counts()
    surprise = _share_surprise(scores, lists)
    order = best_first(scores, lists.offsets, lists.num_threads)
    sizes = np.array([_tail_size(n, share) for n in counts.tolist()], np.int64)
    for size in np.unique(sizes[(sizes >= least) & (sizes < counts)]).tolist():
        alike = np.flatnonzero((sizes == size) & (size < counts))
        for part in np.array_split(alike, -(-alike.size * size // _AT_ONCE)):
            best = order[lists.offsets[part, np.newaxis] + np.arange(size + 1)]
            _fit_alike(surprise, scores[best].astype(np.float64), best, counts[part], least)
    lists.out[...] = surprise


def _fit_alike(surprise: Floats, tops: Float64, best: npt.NDArray[np.int64], counts: npt.NDArray[np.int64], least: int) -> None:
    """Fit the best rows of lists that have equally many, the threshold last; those with equally many above it at a time."""
    excess = tops[:, :-1] - tops[:, -1:]
    above = np.where(np.isfinite(excess[:, 0]), np.count_nonzero(excess > 0.0, axis=1), 0)  # scores that tie with the threshold do not exceed it
    for m in np.unique(above[above >= least]).tolist():
        rows = np.flatnonzero(above == m)
        surprise[best[rows, :m]] = _pareto_surprise(excess[rows, :m], m / counts[rows])


def _share_surprise(scores: Floats, lists: Lists) -> Floats:
    """``-log10`` of the share of its list that is no lower; such a share is a rank in ascending order, seen from above."""
    share = np.empty_like(scores)
    bad = _backend.active().rank_lists(scores, lists.offsets, higher_is_better=False, ties="min", pool=None, out=share, num_threads=lists.num_threads)
    judge.refuse_list(bad, scores, lists.offsets)
    return 0.0 - np.log10(share)


def _tail_size(n: int, share: float | None) -> int:
    """How many of n scores are the tail: by default min(n / 5, 3 sqrt(n)), as Pareto-smoothed importance sampling takes it."""
    return int(min(0.2 * n, 3.0 * math.sqrt(n))) if share is None else int(share * n)


def _pareto_surprise(excess: Float64, exceedance: Float64) -> Float64:
    """Surprise of the excesses of lists (n_lists, n) over their thresholds, largest first, which a share `exceedance` of the scores exceed."""
    relative = excess / excess[:, :1]
    theta, shape = (each[:, np.newaxis] for each in fit_pareto(np.ascontiguousarray(relative[:, ::-1])))
    with np.errstate(divide="ignore", invalid="ignore"):
        log_survival = np.where(shape == 0.0, -theta * relative, np.log1p(-theta * relative) / shape)
    surprise: Float64 = -(np.log(exceedance)[:, np.newaxis] + log_survival) / math.log(10.0)
    return surprise


def fit_pareto(excess: Float64) -> tuple[Float64, Float64]:
    """Return (theta, k) of the survival function ``(1 - theta x) ** (1 / k)``; k = 0: ``exp(-theta x)``; for each list of (..., n).

    `excess` ascends, is positive and at least 5 long; theta is 1 / scale for k = 0 and k / scale otherwise. The estimator weighs a fixed
    grid of theta by its profile likelihood: Zhang and Stephens, "A new and efficient estimation method for the generalized Pareto
    distribution", Technometrics 51 (2009). Its support always holds the largest excess.
    """
    n = excess.shape[-1]
    size = 20 + math.isqrt(n)
    steps, rate = np.arange(1, size + 1) - 0.5, 1.0 / excess.mean(axis=-1)
    quartile = int(n / 4 + 0.5) - 1
    theta = 1.0 / excess[..., -1:] + (1.0 - np.sqrt(size / steps)) / (3.0 * excess[..., quartile : quartile + 1])
    shapes = -np.log1p(-theta[..., np.newaxis] * excess[..., np.newaxis, :]).mean(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        rates = np.where(shapes == 0.0, rate[..., np.newaxis], theta / shapes)
    likelihood = n * (np.log(rates) + shapes - 1.0)
    weights = np.exp(likelihood - likelihood.max(axis=-1, keepdims=True))
    best = (theta * weights).sum(axis=-1) / weights.sum(axis=-1)
    shape = -np.log1p(-best[..., np.newaxis] * excess).mean(axis=-1)
    return np.where(shape == 0.0, rate, best), shape + 0.0
