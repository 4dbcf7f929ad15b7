"""How much of the top of each list was judged, and precision under both readings of the rest."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fastcal._validate.numbers import instance, integer
from fastcal.metrics._json import plain
from fastcal.run import Qrels, Run


@dataclass(frozen=True, slots=True, eq=False)
class JudgedAtK:
    """One entry per query of the run; all arrays are float64 of shape (n_queries,).

    Attributes
    ----------
    k : int
    judged : ndarray
        Share of the first k results that somebody judged; 0 for an empty list.
    precision_irrelevant : ndarray
        Precision at k with unjudged results as irrelevant: relevant ones / k, as trec_eval's P@k.
    precision_judged : ndarray
        Precision with unjudged results left out: relevant ones / judged ones among the first k; NaN if none is judged.
    mean_judged, mean_precision_irrelevant, mean_precision_judged : float
        Means over the queries, the last over those that have a value (NaN if none has). The first precision is too low by
        the relevant results nobody looked at, the second biased by which ones were looked at: the further `judged` is below 1,
        the less either says.

    Examples
    --------
    >>> import fastcal as fc
    >>> run = fc.Run.from_dict({"q1": {"a": 0.9, "b": 0.8, "c": 0.7, "d": 0.6}})
    >>> fc.metrics.judged_at_k(run, fc.Qrels.from_dict({"q1": {"a": 1, "c": 0}}), 4).to_dict()["mean_judged"]
    0.5
    """

    k: int
    judged: npt.NDArray[np.float64]
    precision_irrelevant: npt.NDArray[np.float64]
    precision_judged: npt.NDArray[np.float64]
    mean_judged: float
    mean_precision_irrelevant: float
    mean_precision_judged: float

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types; None stands for NaN."""
        return {name: plain(value) for name, value in asdict(self).items()}


def judged_at_k(run: Run, qrels: Qrels, k: int, *, min_grade: int = 1) -> JudgedAtK:
    """Measure judged@k and precision@k with unjudged results counted as irrelevant, and left out.

    Parameters
    ----------
    run : Run
    qrels : Qrels
    k : int
        At least 1.
    min_grade : int, default 1
        The lowest grade that is relevant.

    Returns
    -------
    JudgedAtK

    Raises
    ------
    ValueError
        If `k` is below 1, or as :meth:`fastcal.Qrels.grades_of`.
    TypeError
        If an argument is of another type than described.

    Examples
    --------
    >>> import fastcal as fc
    >>> run = fc.Run.from_dict({"q1": {"a": 0.9, "b": 0.8, "c": 0.7, "d": 0.6}})
    >>> found = fc.metrics.judged_at_k(run, fc.Qrels.from_dict({"q1": {"a": 1, "c": 0}}), 4)
    >>> found.mean_precision_irrelevant, found.mean_precision_judged
    (0.25, 0.5)
    """
    instance(run, "run", Run)
    instance(qrels, "qrels", Qrels)
    top, least = run.top_k(integer(k, "k", least=1)), integer(min_grade, "min_grade", least=-(2**62))
    grades = qrels.grades_of(top, unjudged=UNJUDGED)
    rows, n = np.repeat(np.arange(top.n_queries), top.counts()), top.n_queries
    known, relevant = (np.bincount(rows[chosen], minlength=n) for chosen in (grades != UNJUDGED, (grades != UNJUDGED) & (grades >= least)))
    judged, flat = known / np.maximum(top.counts(), 1), relevant / k
    among = np.divide(relevant, known, out=np.full(n, np.nan), where=known > 0)
    return JudgedAtK(int(k), judged, flat, among, _mean(judged), _mean(flat), _mean(among[known > 0]))


UNJUDGED = -(2**63)


def _mean(values: npt.NDArray[np.float64]) -> float:
    return float(values.mean()) if values.size else float("nan")
