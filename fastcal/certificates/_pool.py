"""What a walk walks over: nested cuts of scored rows, rows in random order, and a head that is labelled whole."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fastcal._validate.scores import float32_floor
from fastcal.errors import InvalidValueError

Int64 = npt.NDArray[np.int64]
Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32] | npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """Nested selections of rows and the order in which their rows are labelled.

    For each cut the candidates hold its first min(count, budget) rows by priority, rows of the census aside. Cuts that lie
    within the census are known exactly once it is labelled.

    Attributes
    ----------
    thresholds : ndarray of float32, shape (n_cuts,)
        Inclusive, strictest first.
    counts : ndarray of int64, shape (n_cuts,)
        Rows at or beyond each threshold, strictly increasing; rows of the census included.
    positions : ndarray of int64, shape (m,)
        Candidates for labelling by priority, smallest first.
    cut_of : ndarray of int64, shape (m,)
        First cut that contains each candidate.
    census : ndarray of int64, shape (c,)
        Positions of the rows that are all labelled, best first; not among the candidates.
    higher_is_better : bool
    weights : ndarray of float64, shape (m,), optional
        Chances of the candidates, if the order is one of unequal chances.
    ranks : ndarray of int64, shape (m + c,), optional
        Places of the candidates and then of the census rows in their joint order of priority. With them a second start does without
        the census until it fails.
    totals, lightest : ndarray of float64, shape (n_cuts,), with `weights`
        Sum and least weight of all rows of each cut that are not of the census.
    """

    thresholds: Float32
    counts: Int64
    positions: Int64
    cut_of: Int64
    census: Int64
    higher_is_better: bool = True
    weights: Float64 | None = None
    totals: Float64 | None = None
    lightest: Float64 | None = None
    ranks: Int64 | None = None

    def cut_at(self, threshold: float) -> int:
        """Return the laxest cut that selects nothing worse than the threshold; -1 if there is none."""
        sign = -1.0 if self.higher_is_better else 1.0
        return int(np.searchsorted(sign * self.thresholds.astype(np.float64), sign * threshold, "right")) - 1


def array_pool(
    scores: Floats,
    positions: Int64,
    priorities: Float64,
    *,
    census: int = 0,
    ratio: float = 2.0,
    first: int = 1,
    keep: int | None = None,
    higher_is_better: bool = True,
    starts: tuple[float, ...] = (),
    beyond: bool = False,
    weights: Float64 | None = None,
) -> Pool:
    """Arrange scored rows; one sort.

    Parameters
    ----------
    scores, positions, priorities : ndarray of shape (n,)
        Finite scores, what labelers call the rows, and independent uniform numbers.
    census : int
        Rows to be labelled whole: the best of them, a number of rows that splits no tie; see :func:`census_size`.
    ratio : float
        So many times as many rows from one cut to the next, ties aside.
    first : int
        Fewest rows of the first cut after the census.
    keep : int, optional
        Rows by priority that are kept for each cut.
    starts : tuple of float
        Further thresholds to make cuts of.
    beyond : bool
        Cut just above the score of a row, so that the rows of a cut are independent of where it lies.
    weights : ndarray of float64, shape (n,), optional
        Positive. Then `priorities` are exponential clocks of these rates.
    """
    values = rising(scores, higher_is_better)
    if not 0 <= census <= values.size:
        raise InvalidValueError(f"census must be between 0 and the {values.size} rows of the pool, got {census}")
    order = np.sort(values)
    at = _thresholds(order, census, ratio, first, starts if higher_is_better else tuple(-start for start in starts), beyond=beyond)
    counts = order.size - np.searchsorted(order, at, "left")
    within = values >= order[-census] if census else np.zeros(values.size, np.bool_)
    head, rows = np.flatnonzero(within), _kept(values, priorities, at, ~within, keep)
    head = head[np.lexsort((positions[head], -values[head]))]
    cut_of = np.searchsorted(-at, -values[rows], "left")
    known = at if higher_is_better else np.float32(0.0) - at, counts, positions[rows], cut_of, positions[head], higher_is_better
    if weights is None:
        return Pool(*known, ranks=np.argsort(np.argsort(np.concatenate([priorities[rows], priorities[head]]))))
    return Pool(*known, weights[rows], *_weighed(weights[~within], np.searchsorted(-at, -values[~within], "left"), at.size))


def _weighed(weights: Float64, cut_of: Int64, n_cuts: int) -> tuple[Float64, Float64]:
    """Return the sum and the least weight of the rows of each cut."""
    inside = cut_of < n_cuts
    least = np.full(n_cuts, np.inf)
    np.minimum.at(least, cut_of[inside], weights[inside])
    return np.cumsum(np.bincount(cut_of[inside], weights[inside], n_cuts)), np.minimum.accumulate(least)


def census_size(scores: Floats, wanted: int, most: int, *, higher_is_better: bool = True) -> int:
    """Return the number of best rows to label whole: `wanted` or, to split no tie, a few more; fewer if that were more than `most`; 0 if none."""
    values = rising(scores, higher_is_better)
    size = min(values.size, max(wanted, most) + 1)
    best = np.sort(np.partition(values, values.size - size)[values.size - size :])[::-1]
    ends = np.flatnonzero(np.append(best[1:] < best[:-1], size == values.size)) + 1
    if not ends.size:
        return 0
    enough = ends[ends >= min(wanted, values.size)]
    fitting = ends[ends <= most]
    if enough.size and enough[0] <= most:
        return int(enough[0])
    return int(fitting[-1]) if fitting.size else 0


def rising(scores: Floats, higher_is_better: bool) -> Float32:
    """Return float32 of which higher is better, that every float32 threshold tells apart as it does the scores."""
    values = scores if higher_is_better else -scores
    return np.asarray(values + np.float32(0.0) if values.dtype == np.float32 else float32_floor(values), np.float32)


def _thresholds(order: Float32, census: int, ratio: float, first: int, starts: tuple[float, ...], *, beyond: bool) -> Float32:
    """Return distinct thresholds, strictest first: those within the census, a geometric grid, further starts, the whole pool."""
    n = order.size
    ranks = np.concatenate([np.arange(1, census + 1), grid(n, max(first, math.ceil(census * ratio), 1), ratio)])
    near = np.searchsorted(order, np.asarray(starts, np.float32), "left")
    at = np.unique(order[np.concatenate([n - ranks, near[near < n]])])[::-1]
    if beyond:
        at = np.nextafter(at, np.float32(np.inf))
        at = at[at <= order[-1]]
    return np.ascontiguousarray(at)


def grid(n: int, first: int, ratio: float) -> Int64:
    """Return ranks that grow by `ratio`, the first at least `first` and the last `n`."""
    steps = math.floor(math.log(max(n / first, 1.0)) / math.log(ratio) + 1e-9)
    return np.rint(n / ratio ** np.arange(steps, -1, -1.0)).astype(np.int64)


def _kept(values: Float32, priorities: Float64, at: Float32, allowed: npt.NDArray[np.bool_], keep: int | None) -> Int64:
    """Return rows by priority, of each cut the first `keep`: one of those is among those of every stricter cut that contains it."""
    rows = np.flatnonzero(allowed & (values >= at[-1])) if at.size else np.empty(0, np.int64)
    if keep is None or keep >= rows.size:
        return rows[np.argsort(priorities[rows])]
    found = []
    for stricter in [*at[-2::-1], np.float32(np.inf)]:
        first = rows[np.argpartition(priorities[rows], keep - 1)[:keep]] if keep < rows.size else rows
        found.append(first[values[first] < stricter])
        rows = rows[values[rows] >= stricter]
    kept = np.concatenate(found)
    return kept[np.argsort(priorities[kept])]
