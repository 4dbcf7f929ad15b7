"""What a selection of certified recall looks like query by query: pooled recall is not per query."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fastcal.labelling.result import plain

Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class RecallFacts:
    """A selection of certified recall, query by query, which the promise is not about.

    The recall of each query is not estimable from few labels of the whole pool: it takes relevant rows of each. What the labels
    found is counted, no more; queries with many relevant rows are more likely to be among those found.

    Attributes
    ----------
    n_queries : int
        Queries of the pool.
    share_empty : float
        Share of them of which nothing is selected. Exact.
    share_of_top : float
        Share of the selection that the 5 % of queries with the largest selections own (rounded up to whole queries). Exact.
    n_found : int
        Queries of which the labels found something relevant.
    macro_recall : float
        Mean over these of the share of what was found that is selected. Of the labels, not of the queries.
    below_half : float
        Share of these of which less than half the target of what was found is selected. Likewise.

    Examples
    --------
    >>> import numpy as np, fastcal as fc
    >>> run = fc.Run(np.arange(300), np.linspace(1.0, 0.0, 300), offsets=np.arange(0, 301, 5))
    >>> found = fc.certify_recall(run, lambda rows: rows < 100, seed=0, budget=300)
    >>> found.by_query.n_queries, found.by_query.n_found, found.by_query.below_half
    (60, 20, 0.05)
    """

    n_queries: int
    share_empty: float
    share_of_top: float
    n_found: int
    macro_recall: float
    below_half: float

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types."""
        return {name: plain(getattr(self, name)) for name in self.__slots__}


def recall_facts(sizes: Int64, found: Int64, selected: npt.NDArray[np.bool_], target: float) -> RecallFacts:
    """Describe a selection.

    Parameters
    ----------
    sizes : ndarray of int64, shape (n_queries,)
        Rows selected for each query.
    found, selected : ndarray of shape (n,)
        Query of each relevant row among the labels, at least one, and whether the row is selected.
    """
    top = np.sort(sizes)[::-1][: math.ceil(sizes.size / 20)].sum() / max(int(sizes.sum()), 1)
    n = np.bincount(found, minlength=sizes.size)
    shares = np.bincount(found, selected, minlength=sizes.size)[n > 0] / n[n > 0]
    return RecallFacts(
        n_queries=sizes.size,
        share_empty=float((sizes == 0).mean()),
        share_of_top=float(top),
        n_found=shares.size,
        macro_recall=float(shares.mean()),
        below_half=float((shares < target / 2).mean()),
    )
