"""The union of several runs: every (query, document) pair that at least one of them lists."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fastcal.run import Run


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Pairs ordered by query, then by document.

    Attributes
    ----------
    rows, ids : ndarray of int64, shape (n_pairs,)
        Number of the query and id of the document.
    places : ndarray of int64, shape (n_runs, n_pairs)
        Flat position of the pair in each run, its best one; -1 where the run does not list it.
    """

    rows: npt.NDArray[np.int64]
    ids: npt.NDArray[np.int64]
    places: npt.NDArray[np.int64]

    def only(self, kept: npt.NDArray[np.bool_]) -> Pairs:
        """Return the pairs that are kept."""
        return Pairs(self.rows[kept], self.ids[kept], self.places[:, kept])


def union(runs: list[Run]) -> Pairs:
    """Return the pairs of aligned runs."""
    names, codes = np.unique(np.concatenate([run.ids for run in runs]), return_inverse=True)
    rows = np.concatenate([np.repeat(np.arange(run.n_queries), run.counts()) for run in runs])
    keys, pair_of = np.unique(rows * max(1, names.size) + codes, return_inverse=True)
    places = np.full((len(runs), keys.size), -1, dtype=np.int64)
    starts = np.cumsum([0, *(run.ids.size for run in runs)])
    for row, start, stop in zip(places, starts[:-1].tolist(), starts[1:].tolist(), strict=True):
        backwards = np.arange(stop - start)[::-1]  # of a document listed twice, the better place is written last
        row[pair_of[start:stop][backwards]] = backwards
    return Pairs(keys // max(1, names.size), names[keys % max(1, names.size)], places)
