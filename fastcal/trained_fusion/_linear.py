"""A fitted weighted sum."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from fastcal.fusion import fuse
from fastcal.results import RangeResult, SearchResult
from fastcal.run import Run, align
from fastcal.trained_fusion._inputs import normalised, with_scores
from fastcal.trained_fusion._logistic import require_runs


@dataclass(frozen=True, slots=True, eq=False)
class LinearFusion:
    """A weighted sum of normalised scores, made by :func:`fit_fusion` with ``method="grid"``.

    Attributes
    ----------
    norm : tuple of (str or None), length n_runs
    weights : ndarray of float64, shape (n_runs,)
        Not negative, with sum 1.
    metric : str
    value : float
        Mean of the metric on the labels of the fit: the best of the grid, so optimistic.

    Examples
    --------
    >>> import fastcal as fc
    >>> dense = fc.Run([[1, 2, 3], [4, 5, 6]], [[0.9, 0.5, 0.4], [0.8, 0.6, 0.3]])
    >>> lexical = fc.Run([[1, 3], [5, 4]], [[9.0, 4.0], [7.0, 6.0]])
    >>> fitted = fc.fit_fusion([dense, lexical], {0: {1: 1}, 1: {4: 1}}, method="grid", norm="minmax", metric="RR")
    >>> fitted.weights.tolist(), fitted.value
    ([0.8, 0.2], 1.0)
    >>> fitted.fuse([dense, lexical], top_k=1).ids.tolist()
    [1, 4]
    """

    norm: tuple[str | None, ...]
    weights: npt.NDArray[np.float64]
    metric: str
    value: float

    json_type: ClassVar[str] = "linear_fusion"

    def fuse(
        self,
        runs: Iterable[Run | SearchResult | RangeResult],
        *,
        top_k: int | None = None,
        num_threads: int | None = None,
    ) -> Run:
        """Fuse runs like those it was fitted on.

        Parameters
        ----------
        runs : sequence of Run, SearchResult or RangeResult
            In the order of the fit.
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
            As :func:`fuse`, and if the number of runs is not that of the fit.
        """
        aligned = align(require_runs(runs, len(self.weights)))
        summands = [with_scores(run, normalised(run, norm, num_threads)) for run, norm in zip(aligned, self.norm, strict=True)]
        return fuse(summands, "sum", weights=self.weights, top_k=top_k, num_threads=num_threads)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types; :func:`fusion_from_dict` reads them back to the bit."""
        return {
            "type": self.json_type,
            "version": 1,
            "norm": list(self.norm),
            "weights": self.weights.tolist(),
            "metric": self.metric,
            "value": self.value,
        }
