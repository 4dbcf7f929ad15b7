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


def tail(lists: Lists, *, tail_fraction: Any = None, min_tail: Any = 10) -> None:
    """``-log10 P(S >= s)``, P being a generalised Pareto distribution above the list's threshold and a share of the list below it."""
    share = None if tail_fraction is None else fraction(tail_fraction, "tail_fraction")
    least = integer(min_tail, "min_tail", least=5)
    scores, counts = lists.oriented(), lists.real_counts()
    surprise = _share_surprise(scores, lists)
    order = best_first(scores, lists.offsets, lists.num_threads)
    for start, n in zip(lists.offsets[:-1].tolist(), counts.tolist(), strict=True):
        size = _tail_size(n, share)
        if size < least or size >= n:
            continue
        best = order[start : start + size + 1]
        excess = scores[best].astype(np.float64)
        excess = excess[:-1] - excess[-1]
        excess = excess[excess > 0.0]  # scores that tie with the threshold do not exceed it
        if excess.size >= least and math.isfinite(excess[0]):
            surprise[best[: excess.size]] = _pareto_surprise(excess, excess.size / n)
    lists.out[...] = surprise


def _share_surprise(scores: Floats, lists: Lists) -> Floats:
    """``-log10`` of the share of its list that is no lower; such a share is a rank in ascending order, seen from above."""
    share = np.empty_like(scores)
    bad = _backend.active().rank_lists(scores, lists.offsets, higher_is_better=False, ties="min", pool=None, out=share, num_threads=lists.num_threads)
    judge.refuse_list(bad, scores, lists.offsets)
    return 0.0 - np.log10(share)


def _tail_size(n: int, share: float | None) -> int:
    """How many of n scores are the tail: by default min(n / 5, 3 sqrt(n)), as Pareto-smoothed importance sampling takes it."""
    return int(min(0.2 * n, 3.0 * math.sqrt(n))) if share is None else int(share * n)


def _pareto_surprise(excess: Float64, exceedance: float) -> Float64:
    """Surprise of the excesses over the threshold, largest first, which a share `exceedance` of the scores exceed."""
    unit = excess[0]
    theta, shape = fit_pareto(excess[::-1] / unit)
    relative = excess / unit
    log_survival = -theta * relative if shape == 0.0 else np.log1p(-theta * relative) / shape
    surprise: Float64 = -(math.log(exceedance) + log_survival) / math.log(10.0)
    return surprise


def fit_pareto(excess: Float64) -> tuple[float, float]:
    """Return (theta, k) of the survival function ``(1 - theta x) ** (1 / k)``; k = 0: ``exp(-theta x)``.

    `excess` ascends, is positive and at least 5 long; theta is 1 / scale for k = 0 and k / scale otherwise. The estimator weighs a fixed
    grid of theta by its profile likelihood: Zhang and Stephens, "A new and efficient estimation method for the generalized Pareto
    distribution", Technometrics 51 (2009). Its support always holds the largest excess.
    """
    n = excess.size
    size = 20 + math.isqrt(n)
    steps = np.arange(1, size + 1) - 0.5
    theta = 1.0 / excess[-1] + (1.0 - np.sqrt(size / steps)) / (3.0 * excess[int(n / 4 + 0.5) - 1])
    shapes = -np.log1p(-theta[:, np.newaxis] * excess).mean(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        rates = np.where(shapes == 0.0, 1.0 / excess.mean(), theta / shapes)
    likelihood = n * (np.log(rates) + shapes - 1.0)
    weights = np.exp(likelihood - likelihood.max())
    best = float((theta * weights).sum() / weights.sum())
    shape = float(-np.log1p(-best * excess).mean())
    return (1.0 / float(excess.mean()), 0.0) if shape == 0.0 else (best, shape)
