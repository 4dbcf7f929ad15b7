"""What each run contributed to each fused score."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fastcal.run import Run


@dataclass(frozen=True, slots=True, eq=False)
class FusionComponents:
    """Where each fused score comes from; row i belongs to ``run.ids[i]`` of the fused run.

    Attributes
    ----------
    raw : ndarray of float32, shape (n_results, n_runs)
        Score that the run gave to the document; NaN if the run does not list it or has no scores.
    normalised : ndarray of float32, shape (n_results, n_runs)
        The same after `norm`; NaN likewise.
    rank : ndarray of int64, shape (n_results, n_runs)
        Position in the list of the run, from 1; 0 if the run does not list it.
    contribution : ndarray of float64, shape (n_results, n_runs)
        The run's part, weights included. Parts add up to the fused score for the methods that add ("mean" included), to the
        logarithm of it for "gmean", to its inverse for "hmean", and to its log-odds (less those of the prior) for "logodds";
        for "min", "max" and "med" they are the scores that were compared. 0 for a run that took no part, NaN under "condorcet",
        where wins are not the work of one run, and under "min", "max" and "med" where the run took no part.

    Examples
    --------
    >>> import fastcal as fc
    >>> dense, lexical = fc.Run([[1, 2]], [[0.9, 0.5]]), fc.Run([[2]], [[12.0]])
    >>> fused, parts = fc.fuse([dense, lexical], "rrf", return_components=True)
    >>> fused.ids.tolist(), parts.rank.tolist()
    ([2, 1], [[2, 1], [1, 0]])
    """

    raw: npt.NDArray[np.float32]
    normalised: npt.NDArray[np.float32]
    rank: npt.NDArray[np.int64]
    contribution: npt.NDArray[np.float64]

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists; NaN is None."""
        columns = {name: getattr(self, name) for name in self.__slots__}
        return {name: [[None if math.isnan(value) else value for value in row] for row in column.tolist()] for name, column in columns.items()}


def components_of(
    runs: Sequence[Run],
    scores: Sequence[npt.NDArray[np.float32] | None],
    entries: npt.NDArray[np.int64],
    terms: npt.NDArray[np.float64],
    counts: npt.NDArray[np.int64],
) -> FusionComponents:
    """Look up what stands at the entries of each run, -1 for a document that it does not list."""
    rows = np.repeat(np.arange(counts.size), counts)
    starts = np.stack([run.offsets[:-1][rows] for run in runs], axis=1)
    return FusionComponents(
        _at([run.scores for run in runs], entries),
        _at(scores, entries),
        np.where(entries < 0, 0, entries - starts + 1),
        terms,
    )


def _at(columns: Sequence[npt.NDArray[np.float32] | None], entries: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
    found = np.full(entries.shape, np.nan, np.float32)
    for at, column in enumerate(columns):
        if column is not None:
            listed = entries[:, at] >= 0
            found[listed, at] = column[entries[listed, at]]
    return found
