"""A fitted logistic fusion: its scores are probabilities."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from fastcal.errors import InvalidValueError
from fastcal.fusion import fuse
from fastcal.results import RangeResult, SearchResult
from fastcal.run import Run, align
from fastcal.trained_fusion._inputs import as_query_features, as_scored_runs, normalised, with_scores
from fastcal.trained_fusion._newton import sigmoid

_Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class LogisticFusion:
    """Fusion by logistic regression, made by :func:`fit_fusion`.

    The log-odds that document d is relevant to query q are ``bias`` plus, for each run, ``weights[r] * score`` if
    the run lists d and ``missing[r]`` if it does not; `score` is normalised by ``norm[r]``, higher is better. With
    query features x each of these numbers is affine in x: it moves by ``(x - feature_means) @ interactions``.

    Attributes
    ----------
    norm : tuple of (str or None), length n_runs
    bias : float
    weights, missing : ndarray of float64, shape (n_runs,)
        For a query of average features where there are features.
    feature_means : ndarray of float64, shape (n_features,)
    interactions : ndarray of float64, shape (n_features, 1 + 2 * n_runs)
        What a unit of each feature adds to bias, weights and missing, in this order.
    base_rate : float
        Share of relevant pairs among those fitted.
    n_pairs : int

    Examples
    --------
    >>> import fastcal as fc
    >>> dense = fc.Run([[1, 2, 3], [4, 5, 6]], [[0.9, 0.5, 0.4], [0.8, 0.6, 0.3]])
    >>> lexical = fc.Run([[1, 3], [5, 4]], [[9.0, 4.0], [7.0, 6.0]])
    >>> fitted = fc.fit_fusion([dense, lexical], {0: {1: 1}, 1: {4: 1}})
    >>> fused = fitted.fuse([dense, lexical])
    >>> fused.ids.tolist(), bool(fused.scores.max() < 1)
    ([1, 2, 3, 4, 5, 6], True)
    """

    norm: tuple[str | None, ...]
    bias: float
    weights: _Float64
    missing: _Float64
    feature_means: _Float64
    interactions: _Float64
    base_rate: float
    n_pairs: int

    json_type: ClassVar[str] = "logistic_fusion"

    def fuse(
        self,
        runs: Iterable[Run | SearchResult | RangeResult],
        *,
        query_features: npt.ArrayLike | None = None,
        top_k: int | None = None,
        num_threads: int | None = None,
    ) -> Run:
        """Fuse runs like those it was fitted on; scores are probabilities of relevance.

        They are right for lists of the same depth from the same systems: a deeper list misses fewer documents.
        Documents are ordered by log-odds, also where their probabilities round to the same float32.

        Parameters
        ----------
        runs : sequence of Run, SearchResult or RangeResult
            In the order of the fit.
        query_features : array_like of float, shape (n_queries,) or (n_queries, n_features), optional
            Given exactly if the fit had them; in the query order of the first run.
        top_k : int, optional
            Keep this many documents per query; by default all.
        num_threads : int, optional
            See :func:`set_num_threads`. The result does not depend on it.

        Returns
        -------
        Run

        Raises
        ------
        ValueError, TypeError
            As :func:`fuse`, and if the number of runs or of features is not that of the fit.
        """
        aligned = align(require_runs(runs, len(self.weights)))
        theta = self._coefficients(query_features, aligned[0].n_queries)
        parts = [self._contributions(run, at, theta, num_threads) for at, run in enumerate(aligned)]
        fused = fuse(parts, "sum", top_k=top_k, num_threads=num_threads)
        assert fused.scores is not None
        rest = theta[:, 0] + theta[:, 1 + len(aligned) :].sum(axis=1)
        log_odds = fused.scores.astype(np.float64) + np.repeat(rest, fused.counts())
        return with_scores(fused, sigmoid(log_odds).astype(np.float32))

    def weights_for(self, query_features: npt.ArrayLike) -> _Float64:
        """Return the weights of each query, float64 (n_queries, n_runs).

        Parameters
        ----------
        query_features : array_like of float, shape (n_queries,) or (n_queries, n_features)

        Raises
        ------
        ValueError, TypeError
            If the features are not those of the fit in number, or not finite.
        """
        shape = np.shape(query_features)
        return self._coefficients(query_features, shape[0] if shape else 0)[:, 1 : 1 + len(self.weights)]

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types; :func:`fusion_from_dict` reads them back to the bit."""
        fields = {name: getattr(self, name) for name in self.__slots__}
        lists = {name: value.tolist() for name, value in fields.items() if isinstance(value, np.ndarray)}
        return {"type": self.json_type, "version": 1, **fields, **lists, "norm": list(self.norm)}

    def _coefficients(self, query_features: Any, n_queries: int) -> _Float64:
        """Return bias, weights and missing of each query, (n_queries, 1 + 2 * n_runs)."""
        average = np.concatenate(([self.bias], self.weights, self.missing))
        if query_features is None and not self.feature_means.size:
            return np.broadcast_to(average, (n_queries, average.size))
        if query_features is None:
            raise InvalidValueError(f"query_features are missing: the fusion was fitted with {self.feature_means.size}")
        features = as_query_features(query_features, n_queries)
        if features.shape[1] != self.feature_means.size:
            raise InvalidValueError(f"query_features must have {self.feature_means.size} columns, as in the fit; got {features.shape[1]}")
        moved: _Float64 = average + np.einsum("qf,fc->qc", features - self.feature_means, self.interactions)
        return moved

    def _contributions(self, run: Run, at: int, theta: _Float64, num_threads: int | None) -> Run:
        """Return ``runs[at]`` with what listing a document adds to the log-odds of a document that no run lists."""
        scores = normalised(run, self.norm[at], num_threads).astype(np.float64)
        weight, missing = theta[:, 1 + at], theta[:, 1 + len(self.weights) + at]
        gain = np.repeat(weight, run.counts()) * scores - np.repeat(missing, run.counts())
        return with_scores(run, gain.astype(np.float32))


def require_runs(runs: Any, n_runs: int) -> list[Run]:
    """Return the runs if there are as many as in the fit."""
    listed = as_scored_runs(runs)
    if len(listed) != n_runs:
        raise InvalidValueError(f"runs must be {n_runs}, as in the fit, got {len(listed)}")
    return listed
