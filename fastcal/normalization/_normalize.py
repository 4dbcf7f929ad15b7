"""The public door to every method of normalisation."""

from __future__ import annotations

from typing import Any, Literal

import numpy.typing as npt

from fastcal._validate.numbers import flag
from fastcal.normalization._arrays import prepare
from fastcal.normalization._lists import normalize_lists

__all__ = ["normalize"]


def normalize(
    scores: npt.ArrayLike,
    method: str = "minmax",
    *,
    offsets: npt.ArrayLike | None = None,
    higher_is_better: bool = True,
    nan: Literal["skip", "propagate", "worst", "raise"] = "skip",
    clip: tuple[float | None, float | None] | None = None,
    floor: float | None = None,
    bounds: tuple[Any, Any] | None = None,
    out: npt.NDArray[Any] | None = None,
    num_threads: int | None = None,
    **method_options: Any,
) -> npt.NDArray[Any]:
    """Make the scores of each list comparable with those of other lists.

    ============  ============================================  =============  ==================================================
    method        result                                        constant list  options beside those of the notes
    ============  ============================================  =============  ==================================================
    ``minmax``    (s - min) / (max - min)                       0              `bounds`
    ``max``       s / max; s / -min if no score is positive     1 [1]_
    ``sum``       (s - min) / sum(s - min)                      0
    ``l2``        s / sqrt(sum(s s))                            s / norm [1]_
    ``zscore``    (s - mean) / std                              0              `ddof` = 0
    ``dbsf``      (s - low) / (high - low); low, high =         0.5            `ddof` = 0, `n_sigma` = 3
                  mean -+ `n_sigma` std
    ``robust``    (s - median) / interquartile range, as        0              `quantiles` = (0.25, 0.75), `unit_variance` = False
                  scikit-learn's RobustScaler
    ``rank``      1 - r / n, r = 0 for the best                 by position    `ties` = "ordinal" | "min" | "average"
    ``borda``     1 - r / n_candidates                          by position    `n_candidates` = n, one for all or one per list;
                                                                               `ties`
    ``atan``      1/2 + atan((s - centre) / scale) / pi         no matter      `centre` = 0, `scale` = 1, `nonnegative` = False
                                                                               (True: 2 atan / pi for scores >= centre)
    ``sigmoid``   1 / (1 + exp(-(s - centre) / scale))          no matter      `centre` = 0, `scale` = 1
    ``identity``  s                                             no matter
    ``tail``      -log10 of the probability of a score of at    0              `tail_fraction`: by default min(n/5, 3 sqrt(n))
                  least s in a list like this one               (as one tie)   scores; `min_tail` = 10
    ``cohort``    mean over the two sides of (s - mean) / std   no matter      `cohort_scores` (n_lists, m) of the queries,
                  of the side's cohort (AS-norm)                               `document_cohort_scores` (..., m) of each score's
                                                                               document, one or both; `top_n`, `ddof` = 0
    ``csls``      2 s - query_mean - row_mean                   no matter      `query_means` (n_lists,), `row_means` one per score
    ============  ============================================  =============  ==================================================

    .. [1] Constant for these two is a list of zeros, which gives 0.

    Parameters
    ----------
    scores : array_like of float32 or float64, shape (..., m) or (n,)
        One list per query along the last axis; with `offsets`, lists of any length in a flat array. float16 is
        computed in float32 and rounded back.
    method : str, default "minmax"
        See the table.
    offsets : array_like of int, shape (n_lists + 1,), optional
        List i is ``scores[offsets[i]:offsets[i + 1]]``.
    higher_is_better : bool, default True
        False for distances: the list ``-s`` is normalised, so that higher is better in every result.
    nan : {"skip", "propagate", "worst", "raise"}, default "skip"
        What NaN means. "skip": padding; it counts for nothing and stays NaN. "worst": as "skip", and then it gets
        the result of its list's worst score. "propagate": the whole list becomes NaN, as in NumPy's reductions.
        "raise": an error. A list of NaN alone stays NaN under the first three.
    clip : (low, high), optional
        Results are limited to this range; None for no limit on that side.
    floor : float, optional
        The value that replaces results of exactly zero, after clipping (OpenSearch: 0.001).
    bounds : (low, high), optional
        For "minmax": known bounds of the score in the place of the list's own, each a number, one number per list,
        or None. ``(0, None)`` is min-max with a theoretical minimum. Results may leave [0, 1]; see `clip`.
    out : ndarray, optional
        C-contiguous array of the shape and dtype of the result; may be `scores` itself. After an error its
        contents are unspecified.
    num_threads : int, optional
        See :func:`set_num_threads`. The result does not depend on it.
    **method_options
        Those of the table.

    Returns
    -------
    ndarray
        Same shape and dtype as `scores`; `out` if it was given.

    Raises
    ------
    ValueError
        If a method or option is unknown or of no use to the method, a score is infinite, sums overflow float64, an
        option is out of range, or shapes disagree.
    TypeError
        If an array or option has a type that cannot be used.

    Notes
    -----
    "minmax", "max", "sum", "l2", "zscore", "dbsf" and "robust" divide by a scale (the range, the norm, the deviation)
    and take four options for lists where that is zero or nearly so:

    * `on_constant`: the value of every score of such a list; NaN, or "keep" for the score itself, are possible.
    * `on_single`: the value where a list has one score; by default it is as any other list.
    * `tolerance` = 0: the largest scale that counts as zero (Elasticsearch: 1e-6).
    * `eps`: instead of the others but `on_single`, the least scale (ranx: 1e-9).

    A list without scores has no result. An all-negative list is nothing special but for "max". A single score is a
    constant list; it gives 1 for "rank", "max" (-1 if it is negative) and "l2" (its sign).

    "tail" fits a generalised Pareto distribution to the scores above the list's threshold; a list with fewer than
    `min_tail` of them, and scores below the threshold, get ``-log10`` of the share of the list that is no lower.

    References
    ----------
    Qdrant's distribution-based score fusion ("dbsf"). Matejka et al., "Analysis of score normalization in multilingual
    speaker recognition", Interspeech 2017 ("cohort"). Conneau et al., "Word translation without parallel data", ICLR
    2018 ("csls"). Bahri et al., "Surprise: result list truncation via extreme value theory", 2020, and Zhang and
    Stephens, Technometrics 51, 2009 ("tail").

    Examples
    --------
    >>> import numpy as np, fastcal as fc
    >>> scores = np.array([0.9, 0.7, 0.2])
    >>> fc.normalize(scores, "dbsf", ddof=1).round(6)
    array([0.638675, 0.546225, 0.3151  ])
    >>> fc.normalize([2.0, 8.0, 5.0, 1.0], offsets=[0, 3, 4], higher_is_better=False, on_single=1.0)
    array([1. , 0. , 0.5, 1. ])
    >>> fc.normalize(scores, "minmax", bounds=(-1, 1), clip=(0.7, None)).round(6)
    array([0.95, 0.85, 0.7 ])
    """
    call = prepare(scores, offsets, out)
    lists = call.lists(num_threads, higher_is_better=flag(higher_is_better, "higher_is_better"))
    if bounds is not None:
        method_options["bounds"] = bounds
    normalize_lists(
        lists.scores,
        lists.offsets,
        method,
        higher_is_better=lists.higher_is_better,
        num_threads=lists.num_threads,
        nan=nan,
        clip=clip,
        floor=floor,
        out=lists.out,
        **method_options,
    )
    return call.finish()
