"""Exact moments of the scores of queries, and the lines that normalisation draws through them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastcal import _backend
from fastcal._backend.protocol import Array
from fastcal.bulk._keys import Groups, Keys, joined, numbered
from fastcal.errors import InvalidValueError

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

    def take(self, rows: Array) -> Moments:
        """Return those of some queries."""
        sums, squares = (None if words is None else words[rows] for words in (self.sums, self.squares))
        return Moments(self.keys.take(rows), self.counts[rows], self.least[rows], self.greatest[rows], sums, squares)

    def plus(self, other: Moments, norm: str) -> Moments:
        """Return the moments of the scores of both."""
        keys = joined(self.keys, other.keys, ("one part", "the other"))
        codes, firsts = numbered(keys)
        total = Moments.empty(norm, keys.take(firsts))
        for part, at in ((self, codes[: len(self)]), (other, codes[len(self) :])):
            total.counts[at] += part.counts
            total.least[at] = np.minimum(total.least[at], part.least)
            total.greatest[at] = np.maximum(total.greatest[at], part.greatest)
            for words, more in ((total.sums, part.sums), (total.squares, part.squares)):
                if words is not None:
                    _add(words, at, more)
        return total


def refuse_infinity(scores: Array, groups: Groups, name: str) -> None:
    """Raise for the first infinite score, if there is one."""
    infinite = np.isinf(scores)
    if infinite.any():
        row = int(infinite.argmax())
        query = groups.distinct.take(groups.codes[row : row + 1]).ids().tolist()[0]
        raise InvalidValueError(f"column {name!r} holds {scores[row]} in row {row}, of query {query!r}: a list with an infinite score has no norm")


def _add(words: Array, at: Array, more: Any) -> None:
    """Add two's complement integers to those at distinct places."""
    carry = np.zeros(len(at), np.uint64)
    for word in range(words.shape[1]):
        part = words[at, word] + more[:, word]
        over = part < more[:, word]
        total = part + carry
        carry = (over | (total < part)).astype(np.uint64)
        words[at, word] = total


def integers(words: Array | None) -> list[int]:
    """Return two's complement words as Python integers."""
    assert words is not None
    return [int.from_bytes(row.tobytes(), "little", signed=True) for row in np.ascontiguousarray(words, "<u8")]


@dataclass(frozen=True, slots=True, eq=False)
class Lines:
    """A line for each query: ``(s - centre) * slope + fill`` in float64; for a constant list the slope is 0."""

    centre: Array
    slope: Array
    fill: Array

    def map(self, scores: Array, at: Array) -> Array:
        """Return the normalised float32 scores, each by the line at its place."""
        with np.errstate(over="ignore", under="ignore"):
            mapped = (scores.astype(np.float64) - self.centre[at]) * self.slope[at] + self.fill[at]
            result: Array = mapped.astype(np.float32) + np.float32(0.0)
        return result


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
    return Lines(np.where(constant, 0.0, sign * centre), slope, np.where(constant, 0.5 if norm == "dbsf" else 0.0, 0.0))


def _line(moments: Moments, norm: str, low: Array, high: Array, sign: int) -> tuple[Array, Array]:
    """Centre and scale of each list, or of the list -s."""
    zero = np.zeros(len(moments))
    if norm == "minmax":
        with np.errstate(invalid="ignore"):
            return low, high - low
    if norm == "max":
        return zero, np.where(high > 0.0, high, -low)
    counts = moments.counts.tolist()
    if norm == "l2":
        return zero, np.array([_root(q, 1) for q in integers(moments.squares)], np.float64)
    sums = [sign * s for s in integers(moments.sums)]
    if norm == "sum":
        units = (low * 2.0**149).tolist() if len(low) else []
        return low, np.array([(s - n * int(least)) / (1 << 149) if n else 0.0 for s, n, least in zip(sums, counts, units, strict=True)])
    mean = np.array([s / (n << 149) if n else 0.0 for s, n in zip(sums, counts, strict=True)], np.float64)
    squares = integers(moments.squares)
    deviation = np.array([_root(n * q - s * s, n * n) if n else 0.0 for s, q, n in zip(sums, squares, counts, strict=True)], np.float64)
    if norm == "zscore":
        return mean, deviation
    reach = _N_SIGMA * deviation
    return mean - reach, 2.0 * reach


def _root(numerator: int, denominator: int) -> float:
    """Return sqrt(numerator / denominator) * 2**-149, rounded once: 64 or more bits of the root, the last telling whether more follow."""
    if numerator == 0:
        return 0.0
    shift = max(0, 130 - numerator.bit_length() + denominator.bit_length()) // 2
    whole, rest = divmod(numerator << 2 * shift, denominator)
    root = math.isqrt(whole)
    inexact = rest != 0 or root * root != whole
    return (2 * root + inexact) / (1 << (shift + 150))
