"""What a list of scores says about its query, without any label."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from fastcal._validate.arrays import as_array
from fastcal.errors import InvalidTypeError, InvalidValueError
from fastcal.normalization._lists import normalize_lists
from fastcal.normalization._ranked import Ranked, ranked

Float64 = npt.NDArray[np.float64]

_NEGLIGIBLE = 0.05


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class QueryFeatures:
    """Label-free features of each query, float64 of shape (n_queries,); all NaN for an empty list, finite otherwise.

    Attributes
    ----------
    best : ndarray
        The best score; of distances, as everything here, with the sign turned.
    gap : ndarray
        Best minus second best; 0 for a single score.
    mean, std : ndarray
        Of the list; population standard deviation.
    tail : ndarray
        ``-log10`` of the tail probability of the best score, as in ``normalize(scores, "tail")``.
    wig : ndarray or None
        Mean minus corpus mean (weighted information gain). None without a corpus mean, as is `nqc`.
    nqc : ndarray or None
        Standard deviation by absolute corpus mean (normalised query commitment). Where the corpus mean is below 5 % of the root
        mean square of the list, that takes its place: centred embeddings have corpus means near 0, where the quotient explodes.

    Examples
    --------
    >>> import fastcal as fc
    >>> features = fc.query_features([[0.75, 0.5, 0.25], [0.5, 0.5, 0.5]])
    >>> features.names
    ('best', 'gap', 'mean', 'std', 'tail')
    >>> features.to_array().shape
    (2, 5)
    """

    best: Float64
    gap: Float64
    mean: Float64
    std: Float64
    tail: Float64
    wig: Float64 | None = None
    nqc: Float64 | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the features there are, in the order of :meth:`to_array`."""
        return tuple(each.name for each in fields(self) if getattr(self, each.name) is not None)

    def to_array(self) -> Float64:
        """Return float64 of shape (n_queries, n_features), as ``fit_fusion(query_features=)`` takes it."""
        return np.stack([getattr(self, name) for name in self.names], axis=1)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types; NaN becomes None."""
        return {name: [None if math.isnan(value) else value for value in getattr(self, name).tolist()] for name in self.names}


def query_features(
    scores: Any, *, corpus_mean: npt.ArrayLike | None = None, offsets: npt.ArrayLike | None = None, higher_is_better: bool = True
) -> QueryFeatures:
    """Measure each query by its own scores: cheap features for a calibrator or a fusion that is fitted over many queries.

    They have seen no label, so what is learnt from them costs a certificate nothing.

    Parameters
    ----------
    scores : search result, range result, run, or array_like of float, shape (..., m) or (n,)
        One list per query, in any order; NaN is padding. The depth of the list is part of every feature but `best` and `gap`.
    corpus_mean : float or array_like of float, shape (n_queries,), optional
        Mean score of the whole corpus, or of a sample, for all queries or each one.
    offsets : array_like of int, shape (n_lists + 1,), optional
        For a flat array: list i is ``scores[offsets[i]:offsets[i + 1]]``.
    higher_is_better : bool, default True
        False for distances; must agree with a result or run.

    Returns
    -------
    QueryFeatures

    Raises
    ------
    ValueError
        If a score or corpus mean is infinite or shapes disagree.
    TypeError
        If an array is not of a float type.

    References
    ----------
    Zhou & Croft, "Query performance prediction in web search environments", SIGIR 2007 (WIG). Shtok et al., "Predicting query
    performance by query-drift estimation", TOIS 30, 2012 (NQC). Bahri et al., "Surprise", 2020 (tail).

    Examples
    --------
    >>> import numpy as np, fastcal as fc
    >>> features = fc.query_features(np.array([[1.0, 0.5, 0.0], [0.5, 0.5, 0.5]]), corpus_mean=0.25)
    >>> features.gap.tolist(), features.wig.tolist()
    ([0.5, 0.0], [0.25, 0.25])
    """
    lists = ranked(scores, offsets, higher_is_better)
    values, counts = lists.scores.astype(np.float64), lists.counts
    some = counts > 0
    with np.errstate(invalid="ignore"):
        mean = _sums(values, lists) / counts
        std = np.sqrt(_sums((values - mean[lists.owners()]) ** 2, lists) / counts)
        rms = np.sqrt(_sums(values**2, lists) / counts)
    best, second, surprise = (np.full(counts.size, np.nan) for _ in range(3))
    starts = lists.offsets[:-1][some]
    best[some] = values[starts]
    second[some] = values[starts + (counts[some] > 1)]
    surprise[some] = normalize_lists(lists.scores, lists.offsets, "tail")[starts]
    plain = {"best": best, "gap": best - second, "mean": mean, "std": std, "tail": surprise}
    if corpus_mean is None:
        return QueryFeatures(**plain)
    base = _as_means(corpus_mean, counts.size) * lists.sign
    floor = np.maximum(np.abs(base), _NEGLIGIBLE * rms)
    nqc = np.divide(std, floor, out=np.zeros(counts.size), where=~(floor == 0))
    return QueryFeatures(**plain, wig=mean - base, nqc=nqc)


def _sums(values: Float64, lists: Ranked) -> Float64:
    return np.bincount(lists.owners(), values, minlength=lists.offsets.size - 1).astype(np.float64, copy=False)


def _as_means(given: npt.ArrayLike, n_queries: int) -> Float64:
    """Return one finite mean for each query."""
    means = as_array(given, "corpus_mean")
    if means.dtype.kind not in "iuf":
        raise InvalidTypeError(f"corpus_mean has dtype {means.dtype}; expected a number, or one for each query")
    if means.shape not in {(), (n_queries,)} or not np.isfinite(means).all():
        raise InvalidValueError(f"corpus_mean must be a finite number, or one for each of the {n_queries} queries; got {given!r}")
    return np.broadcast_to(means.astype(np.float64), (n_queries,))
