"""Exact moments of the scores of queries, and the lines that normalisation draws through them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastcal import _backend
from fastcal._backend.protocol import Array
from fastcal._validate.elements import bad_element
from fastcal.bulk._keys import Groups, Keys, numbered
from fastcal.bulk._rounded import deviations, excesses, means, roots

# What each norm needs beside count, least and greatest: sums, sums of squares.
NEEDS = {
    "minmax": (False, False),
    "max": (False, False),
    "sum": (True, False),
    "l2": (False, True),
    "zscore": (True, True),
    "dbsf": (True, True),
}
SUM_WORDS, SQUARE_WORDS = 6, 10
_N_SIGMA = 3.0


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """Of each query, ids ascending: how many scores, the least and the greatest, and exact sums as words (see ``exact_moments``)."""

    keys: Keys
    counts: Array
    least: Array
    greatest: Array
    sums: Array | None
    squares: Array | None

    def __len__(self) -> int:
        return len(self.counts)

    @classmethod
    def of(cls, norm: str, groups: Groups, scores: Array, name: str) -> Moments:
        """Sum up the scores of a table."""
        found = cls.empty(norm, groups.distinct)
        sums = (found.counts, found.least, found.greatest, found.sums, found.squares)
        bad = _backend.active().exact_moments(groups.codes, scores, *sums)
        if bad >= 0:
            refuse_infinity(scores, groups, name)
        return found

    @classmethod
    def empty(cls, norm: str, keys: Keys) -> Moments:
        """Nothing of these queries."""
        n, (with_sums, with_squares) = len(keys), NEEDS[norm]
        return cls(
            keys,
            np.zeros(n, np.int64),
            np.full(n, np.inf, np.float32),
            np.full(n, -np.inf, np.float32),
            np.zeros((n, SUM_WORDS), np.uint64) if with_sums else None,
            np.zeros((n, SQUARE_WORDS), np.uint64) if with_squares else None,
        )

    @classmethod
    def stacked(cls, keys: Keys, parts: Sequence[Moments]) -> Moments:
        """Return those of one part after the other, under these keys; a key may be there several times."""
        columns: Any = zip(*(part.numbers() for part in parts), strict=True)
        joined: list[Any] = [None if column[0] is None else np.concatenate(column) for column in columns]
        return cls(keys, *joined)

    def numbers(self) -> tuple[Array | None, ...]:
        """Return everything but the keys."""
        return self.counts, self.least, self.greatest, self.sums, self.squares

    def settled(self) -> Moments:
        """Return those of each key together, keys ascending."""
        codes, firsts = numbered(self.keys)
        if len(firsts) == len(codes) and bool((codes[1:] > codes[:-1]).all()):
            return self
        keys, order = self.keys.take(firsts), np.argsort(codes, kind="stable")
        starts = np.searchsorted(codes[order], np.arange(len(keys)))
        sums, squares = (None if words is None else _summed(words, order, starts) for words in (self.sums, self.squares))
        counts, least = np.add.reduceat(self.counts[order], starts), np.minimum.reduceat(self.least[order], starts)
        return Moments(keys, counts, least, np.maximum.reduceat(self.greatest[order], starts), sums, squares)


def _summed(words: Array, order: Array, starts: Array) -> Array:
    """Add up runs of two's complement integers, digit by digit of 32 bits: fewer than 2^31 summands leave room for the carries."""
    digits = np.ascontiguousarray(words, "<u8").view("<u4")
    out = np.empty((len(starts), digits.shape[1]), np.uint32)
    carry = np.zeros(len(starts), np.uint64)
    for place in range(digits.shape[1]):
        carry += np.add.reduceat(digits[order, place].astype(np.uint64), starts)
        out[:, place] = carry.astype(np.uint32)
        carry >>= np.uint64(32)
    return out.astype("<u4", copy=False).view("<u8").astype(np.uint64, copy=False)


def refuse_infinity(scores: Array, groups: Groups, name: str) -> None:
    """Raise for the first infinite score, if there is one."""
    infinite = np.isinf(scores)
    if infinite.any():
        row = int(infinite.argmax())
        query = groups.distinct.take(groups.codes[row : row + 1]).ids().tolist()[0]
        found = f"column {name!r} holds {scores[row]} in row {row}, of query {query!r}: "
        raise bad_element(found, "a list with an infinite score has no norm", name, row, scores[row])


@dataclass(frozen=True, slots=True, eq=False)
class Lines:
    """A line for each query: ``(s - centre) * slope`` in float64; where the slope is 0, of a constant list, everything is `fill`."""

    centre: Array
    slope: Array
    fill: float

    def map(self, scores: Array, at: Array) -> Array:
        """Return the normalised float32 scores, each by the line at its place."""
        with np.errstate(over="ignore", under="ignore"):
            slope = self.slope[at]
            mapped = (scores.astype(np.float64) - self.centre[at]) * slope
            if self.fill:
                mapped += np.where(slope == 0.0, self.fill, 0.0)
            result: Array = mapped.astype(np.float32) + np.float32(0.0)
        return result


def fill_of(norm: str) -> float:
    """Return what the scores of a constant list become."""
    return 0.5 if norm == "dbsf" else 0.0


def lines_of(moments: Moments, norm: str, higher_is_better: bool) -> Lines:
    """Return the lines of ``fastcal.normalize(method=norm)`` with its defaults, from statistics that are rounded once."""
    low, high = moments.least.astype(np.float64), moments.greatest.astype(np.float64)
    if not higher_is_better:
        low, high = -high, -low
    centre, scale = _line(moments, norm, low, high, 1 if higher_is_better else -1)
    constant = (scale <= 0.0) | (moments.counts == 0)
    sign = 1.0 if higher_is_better else -1.0
    with np.errstate(divide="ignore"):
        slope = np.where(constant, 0.0, sign / scale)
    return Lines(np.where(constant, 0.0, sign * centre), slope, fill_of(norm))


def _line(moments: Moments, norm: str, low: Array, high: Array, sign: int) -> tuple[Array, Array]:
    """Centre and scale of each list, or of the list -s."""
    zero = np.zeros(len(moments))
    if norm == "minmax":
        with np.errstate(invalid="ignore"):
            return low, high - low
    if norm == "max":
        return zero, np.where(high > 0.0, high, -low)
    if norm == "l2":
        return zero, roots(moments.squares)
    if norm == "sum":
        return low, excesses(moments.sums, moments.counts, low, sign)
    mean = sign * means(moments.sums, moments.counts)
    deviation = deviations(moments.sums, moments.squares, moments.counts, high > low)
    if norm == "zscore":
        return mean, deviation
    reach = _N_SIGMA * deviation
    return mean - reach, 2.0 * reach
