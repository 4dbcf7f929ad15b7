"""The contract's part on evidence."""

from __future__ import annotations

from typing import Protocol

from fastcal._backend._types import Array


class EvidenceOperations(Protocol):
    """Log of a test martingale after each label (uint8, 0 and 1; ``out`` float64 for ``labels[start:]``), and sums of tails."""

    def log_evidence(self, labels: Array, population: int, null_hits: int, start: int, out: Array) -> None:
        """Draws without replacement, against "at most ``null_hits`` of the population are positive".

        ``len(labels) <= population <= 2**53`` and ``-1 <= null_hits <= population``.
        """

    def log_evidence_iid(self, labels: Array, null_rate: float, shape: float, start: int, out: Array) -> None:
        """Independent draws, against "the rate is at most ``null_rate``"; prior Beta(1, ``shape``) on the rates above."""

    def log_tail_sums(self, hits: Array, bad: Array, good: Array, misses: Array, out: Array) -> None:
        """``out = ln(1 + r0 + r0 r1 + ...)``, flat float64, with ratios r_i = (hits - i) (bad - i) / ((good + i) (misses + i)).

        Whole ``hits >= 0``, ``bad >= 0``, ``good`` and ``misses`` above 0.
        """
