"""What presets add up: scores, mapped list by list the way a system maps them.

A norm is a rule, which the engine applies while it fuses, or a function of the lists of all runs; those take finite scores and return
float32, higher is better, entry by entry. Statistics are float64.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from fastcal import _csr
from fastcal._backend.protocol import AffineKind, AffineRule
from fastcal.errors import InvalidValueError
from fastcal.normalization import normalize_lists, rule_of
from fastcal.run import Run

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]

# OpenSearch gives this to a score that would be 0, so that the document still counts as found.
_OPENSEARCH_FLOOR = 0.001
# Float.MIN_VALUE, at which its search for the maximum starts.
_JAVA_MIN_VALUE = math.ldexp(1.0, -149)
# Below this range, or norm, Elasticsearch takes a list as constant, or as zero.
_ELASTIC_EPSILON = 1e-6


class Lists(NamedTuple):
    """The lists of several runs that are not empty, one behind the other."""

    scores: Float32
    counts: npt.NDArray[np.int64]
    offsets: npt.NDArray[np.int64]

    @classmethod
    def of(cls, runs: Sequence[Run]) -> Lists:
        """Return the lists of runs that have scores, for which higher is better."""
        flat = [run.scores for run in runs if run.scores is not None]
        counts = _counts(runs)
        return cls(flat[0] if len(flat) == 1 else np.concatenate(flat), counts, _csr.offsets_of(counts))

    def each(self, ufunc: np.ufunc, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Reduce every list."""
        return ufunc.reduceat(values, self.offsets[:-1]) if values.size else values

    def spread(self, per_list: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return the value of each list at each of its entries."""
        return per_list.repeat(self.counts)


Map: TypeAlias = Callable[[Lists], Float32]
Norm: TypeAlias = tuple[AffineRule, AffineRule] | Map  # the rules for distances and for scores, or a function


def _rule(method: AffineKind, **options: Any) -> Norm:
    down, up = (rule_of(method, np.dtype(np.float32), higher_is_better=up, **options) for up in (False, True))
    return down, up


def constant_as(value: float) -> Norm:
    """Return the min-max map that gives a constant list this value."""
    return _rule("minmax", on_constant=value)


# Three standard deviations of the sample; a constant list is 0.5 (Qdrant).
DBSF_SAMPLE: Norm = _rule("dbsf", ddof=1, on_constant=0.5, on_single=0.5)
# Three standard deviations of the population; a constant list keeps its scores (Haystack).
DBSF_OR_RAW: Norm = _rule("dbsf", on_constant="keep", on_single="keep")


def by_sign(method: str) -> Map:
    """LlamaIndex: a constant list is 1.0 if it is positive, else 0.0."""

    def mapped(lists: Lists) -> Float32:
        values: Float32 = normalize_lists(lists.scores, lists.offsets, method, on_constant=math.nan, on_single=math.nan)
        constant = np.isnan(values)
        if constant.any():
            values[constant] = lists.scores[constant] > 0
        return values

    return mapped


def opensearch_minmax(lists: Lists) -> Float32:
    """The maximum starts just above 0, and a result of 0 becomes 0.001."""
    scores = lists.scores.astype(np.float64)
    low = lists.each(np.minimum, scores)
    span = np.maximum(lists.each(np.maximum, scores), _JAVA_MIN_VALUE) - low
    mapped = _divided(lists, scores - lists.spread(low), span, span == 0, 1.0)
    mapped[mapped == 0] = _OPENSEARCH_FLOOR
    return mapped.astype(np.float32)


def opensearch_zscore(lists: Lists) -> Float32:
    """Sample deviation, in float32; a score at the mean becomes the raw maximum, a result of at most 0 becomes 0.001."""
    scores, raw = _positive(lists), lists.scores
    mean = lists.each(np.add, scores) / lists.counts
    deviations = scores - lists.spread(mean)
    spread = np.sqrt(lists.each(np.add, deviations * deviations) / np.maximum(lists.counts - 1, 1)).astype(np.float32)
    centre = lists.spread(mean.astype(np.float32))
    mapped = _divided(lists, raw - centre, spread, spread == 0, 0.0)
    mapped[mapped <= 0] = _OPENSEARCH_FLOOR
    if not spread.all():
        mapped = np.where(lists.spread(spread == 0), lists.spread(lists.each(np.minimum, raw)), mapped)
    if (at_mean := raw == centre).any():
        mapped = np.where(at_mean, lists.spread(lists.each(np.maximum, raw)), mapped)
    return mapped


def opensearch_l2(lists: Lists) -> Float32:
    """Scores over their Euclidean norm; a list of zeros becomes 0.001."""
    scores = _positive(lists)
    norm = np.sqrt(lists.each(np.add, scores * scores))
    return _divided(lists, scores, norm, norm == 0, _OPENSEARCH_FLOOR).astype(np.float32)


def elastic_minmax(lists: Lists) -> Float32:
    """The maximum starts just above 0; a list without range is 1.0."""
    scores = lists.scores.astype(np.float64)
    low = lists.each(np.minimum, scores)
    span = np.maximum(lists.each(np.maximum, scores), 0.0) - low
    return _divided(lists, scores - lists.spread(low), span, span < _ELASTIC_EPSILON, 1.0).astype(np.float32)


def elastic_l2(lists: Lists) -> Float32:
    """Scores over their Euclidean norm; a list with next to none stays as it is."""
    scores = lists.scores.astype(np.float64)
    norm = np.sqrt(lists.each(np.add, scores * scores))
    return _divided(lists, scores, norm, norm < _ELASTIC_EPSILON, None).astype(np.float32)


def unchanged(lists: Lists) -> Float32:
    """Return the scores as they are."""
    return lists.scores


def opensearch_reciprocal(runs: Sequence[Run], k: float) -> Float32:
    """``1 / (k + rank)``, half up to ten decimals."""
    counts = _counts(runs)
    offsets = _csr.offsets_of(counts)
    rank = np.arange(1, offsets[-1] + 1) - offsets[:-1].repeat(counts)
    rounded: Float64 = np.floor(1e10 / (k + rank) + 0.5) / 1e10
    return rounded.astype(np.float32)


MILVUS: dict[str, Callable[[Float64], Float64]] = {
    "cosine": lambda s: (1.0 + s) * 0.5,
    "ip": lambda s: 0.5 + np.arctan(s) / math.pi,
    "bm25": lambda s: 2.0 * np.arctan(s) / math.pi,
    "l2": lambda d: 1.0 - 2.0 * np.arctan(d) / math.pi,
}


def milvus(run: Run, metric: str) -> Float32:
    """Map each score by its metric alone."""
    assert run.scores is not None
    return MILVUS[metric](run.scores.astype(np.float64)).astype(np.float32)


def _counts(runs: Sequence[Run]) -> npt.NDArray[np.int64]:
    """Return the lengths of the lists that are not empty."""
    counts = np.concatenate([run.offsets[1:] - run.offsets[:-1] for run in runs])
    return counts if counts.all() else counts[counts > 0]


def _positive(lists: Lists) -> Float64:
    if lists.scores.size and (least := lists.scores.min()) < 0:
        raise InvalidValueError(f"OpenSearch has no negative scores, and its mean would skip them; got {least}")
    return lists.scores.astype(np.float64)


def _divided(
    lists: Lists, values: npt.NDArray[Any], by: npt.NDArray[Any], degenerate: npt.NDArray[np.bool_], instead: float | None
) -> npt.NDArray[Any]:
    """Divide each list by its number; degenerate lists become `instead`, or stay as they are."""
    if not degenerate.any():
        quotient: npt.NDArray[Any] = values / lists.spread(by)
        return quotient
    mapped: npt.NDArray[Any] = values / lists.spread(np.where(degenerate, by.dtype.type(1), by))
    if instead is not None:
        mapped[lists.spread(degenerate)] = instead
    return mapped
