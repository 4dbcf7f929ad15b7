"""Test martingales of labels: csrc/core/evidence.cpp, operation for operation."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from fastcal._backend._numba_fusion_values import natural_log
from fastcal._backend._numba_lanes import kernel
from fastcal._backend._numba_pool import warn_if_denormals_are_lost
from fastcal._backend._numba_views import read_only

if TYPE_CHECKING:
    from fastcal._backend.protocol import Array

_HUGE, _NEGLIGIBLE = 2.0**900, 2.0**-60
_LOG_HUGE = 900.0 * (float.fromhex("0x1.62e42fee00000p-1") + float.fromhex("0x1.a39ef35793c76p-33"))


@kernel
def _log_of_sum(hits: float, bad: float, good: float, misses: float, slope: float, front: float) -> float:
    """ln(front (1 + r0 + r0 r1 + ...)) with ratios (hits - i) (bad - slope i) / ((good + slope i) (misses + i))."""
    total, term, scaled, i = 1.0, 1.0, 0.0, 0.0
    while True:
        step = slope * i
        term *= ((hits - i) * (bad - step)) / ((good + step) * (misses + i))
        if term <= total * _NEGLIGIBLE:
            return natural_log(front * total) + scaled
        total += term
        if total > _HUGE:
            total /= _HUGE
            term /= _HUGE
            scaled += _LOG_HUGE
        i += 1.0


@kernel
def _log_evidence(labels: Array, population: int, null_hits: int, start: int, out: Array) -> None:
    hits, null_misses = int(labels[:start].sum()), population - null_hits
    for i in range(start, labels.size):
        hits += int(labels[i])
        misses = i + 1 - hits
        if hits > null_hits:
            out[i - start] = math.inf
        elif misses >= null_misses:
            out[i - start] = -math.inf
        else:
            more, rest = float(null_hits + 1 - hits), float(null_misses - misses)
            front = (float(null_hits + 1) * rest) / ((more * float(misses + 1)) * float(null_misses))
            out[i - start] = _log_of_sum(float(hits), rest - 1.0, more + 1.0, float(misses + 2), 1.0, front)


@kernel
def _log_evidence_iid(labels: Array, null_rate: float, shape: float, start: int, out: Array) -> None:
    hits = int(labels[:start].sum())
    for i in range(start, labels.size):
        hits += int(labels[i])
        weight = shape + float(i + 1 - hits)
        out[i - start] = _log_of_sum(float(hits), 1.0 - null_rate, null_rate, weight + 1.0, 0.0, shape / weight)


@kernel
def _log_tail_sums(hits: Array, bad: Array, good: Array, misses: Array, out: Array) -> None:
    for j in range(hits.size):
        out[j] = _log_of_sum(hits[j], bad[j], good[j], misses[j], 1.0, 1.0)


class EvidenceOperations:
    """See the class of this name in :mod:`fastcal._backend.protocol`."""

    def log_evidence(self, labels: Array, population: int, null_hits: int, start: int, out: Array) -> None:
        warn_if_denormals_are_lost()
        _log_evidence(read_only(labels), population, null_hits, start, out)

    def log_evidence_iid(self, labels: Array, null_rate: float, shape: float, start: int, out: Array) -> None:
        warn_if_denormals_are_lost()
        _log_evidence_iid(read_only(labels), null_rate, shape, start, out)

    def log_tail_sums(self, hits: Array, bad: Array, good: Array, misses: Array, out: Array) -> None:
        warn_if_denormals_are_lost()
        _log_tail_sums(read_only(hits), read_only(bad), read_only(good), read_only(misses), out)
