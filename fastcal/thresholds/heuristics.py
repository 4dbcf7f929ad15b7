"""Cuts that need no labels: where a list's own scores seem to fall off. Heuristics, all of them."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fastcal._validate.numbers import fraction, integer
from fastcal.normalization import normalize_lists
from fastcal.normalization._ranked import Int64, Ranked, ranked

_FEWEST = {"knee": 3, "gap": 2}


@dataclass(frozen=True, slots=True, eq=False)
class HeuristicCut:
    """Where a heuristic cuts each list. It has seen no label and promises nothing.

    Attributes
    ----------
    method : str
        "tail", "knee" or "gap".
    threshold : float or None, or ndarray of float32, shape (n_queries,)
        Inclusive. None (in an array NaN) where there is no cut.
    n_selected : int, or ndarray of int64, shape (n_queries,)
        Scores at or beyond the threshold; 0 without one.
    reason : str, or tuple of str
        "cut", or why there is none: "empty"; "too_short" for the method; "constant", all scores being equal; "nothing_stands_out".
    higher_is_better : bool
    heuristic : bool
        Always True.

    Examples
    --------
    >>> import fastcal as fc
    >>> cut = fc.gap_cut([0.9, 0.8, 0.3, 0.2])
    >>> round(cut.threshold, 3), cut.n_selected, cut.heuristic
    (0.8, 2, True)
    """

    method: str
    threshold: Any
    n_selected: Any
    reason: Any
    higher_is_better: bool = True
    heuristic: bool = True

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types; None where there is no threshold."""
        plain = asdict(self)
        if isinstance(self.n_selected, np.ndarray):
            flat = [None if math.isnan(each) else each for each in self.threshold.reshape(-1).tolist()]
            shaped = np.array(flat, dtype=object).reshape(self.threshold.shape).tolist()
            plain |= {"threshold": shaped, "n_selected": self.n_selected.tolist(), "reason": list(self.reason)}
        return plain


def tail_cut(
    scores: Any, *, p_value: float = 0.01, offsets: npt.ArrayLike | None = None, higher_is_better: bool = True, **tail_options: Any
) -> HeuristicCut:
    r"""Keep the scores that are improbably high for their own list. A heuristic: no label, no promise.

    The tail of each list is fitted with a generalised Pareto distribution, as in ``normalize(scores, "tail")``, and a score is
    kept if the probability of one at least as high is at most `p_value`. Of a list of n scores without anything to find about
    ``n * p_value`` are kept all the same.

    Measured with MiniLM cosines of every document, p = 0.01, on cranfield, cacm, stackfaq, banking77: mean F1 per query
    .33 .26 .80 .51, where the best cut of each query has .49 .41 .94 .56 and the best single cosine, chosen with all labels,
    .31 .24 .80 .44. Precision is .27 .21 .74 .57, and .60 .35 .94 .83 at p = 0.002: a p-value promises no precision.

    Parameters
    ----------
    scores : array_like of float, shape (..., m) or (n,), search result, range result or run
        One list per query, in any order; NaN is padding. The whole distribution says more than the best few: pass all scores of
        a query, or the deepest list there is.
    p_value : float, default 0.01
        Strictly between 0 and 1.
    offsets : array_like of int, shape (n_lists + 1,), optional
        For a flat array: list i is ``scores[offsets[i]:offsets[i + 1]]``.
    higher_is_better : bool, default True
        False for distances; must agree with a result or run.
    **tail_options
        `tail_fraction` and `min_tail` of :func:`normalize`. Without a `tail_fraction` a list needs 5 `min_tail` = 50 scores; a
        shorter one is "too_short".

    Returns
    -------
    HeuristicCut
        Of numbers for one list, of arrays for several.

    Raises
    ------
    ValueError
        If a score is infinite or `p_value`, the offsets or an option are out of range.
    TypeError
        If `scores` are not of a float type.

    References
    ----------
    Bahri, Zheng, Tay, Metzler & Tomkins, "Surprise: result list truncation via extreme value theory", 2020.

    Examples
    --------
    >>> import numpy as np, fastcal as fc
    >>> noise = np.random.default_rng(0).exponential(size=1000)
    >>> cut = fc.tail_cut(np.append(noise, [20.0, 21.0, 22.0]), p_value=0.002)
    >>> cut.threshold, cut.n_selected
    (20.0, 3)
    """
    level = -math.log10(fraction(p_value, "p_value"))
    lists = ranked(scores, offsets, higher_is_better)
    surprise = normalize_lists(lists.scores, lists.offsets, "tail", **tail_options)
    found = np.bincount(lists.owners()[surprise >= np.float32(level)], minlength=lists.offsets.size - 1)
    return _cut("tail", lists, found, _fewest_for_tail(tail_options))


def knee_cut(scores: Any, *, offsets: npt.ArrayLike | None = None, higher_is_better: bool = True) -> HeuristicCut:
    """Cut each list where its sorted scores are farthest from the chord of their ends. A heuristic: no label, no promise.

    If that point lies above the chord (a plateau that ends), it is the last one kept; if below (a fall that ends), it is the
    first one dropped. Every curved list has such a point, whether or not it holds anything relevant, and where it lies depends
    on how deep the list is.

    Measured with MiniLM cosines on cranfield, cacm, stackfaq, banking77: mean F1 per query .35 .20 .80 .22 in lists of 20 and
    .31 .28 .50 .46 in lists of 100 (best cut of each query: .49 .41 .94 .56); precision .49 .40 .77 .82 and .25 .26 .37 .65.

    Parameters
    ----------
    scores : array_like of float, shape (..., m) or (n,), search result, range result or run
        One list per query, in any order; NaN is padding. Lists of fewer than 3 scores are "too_short".
    offsets, higher_is_better
        As in :func:`tail_cut`.

    Returns
    -------
    HeuristicCut
        Of numbers for one list, of arrays for several. Scores on a straight line have reason "nothing_stands_out".

    Raises
    ------
    ValueError, TypeError
        As :func:`tail_cut`.

    Examples
    --------
    >>> import fastcal as fc
    >>> fc.knee_cut([0.9, 0.85, 0.8, 0.3, 0.28, 0.26, 0.24]).n_selected
    3
    """
    lists = ranked(scores, offsets, higher_is_better)
    counts, ranks, owners = lists.counts, lists.ranks(), lists.owners()
    values, steps = lists.scores.astype(np.float64), np.maximum(counts - 1, 1)
    some = counts > 0
    first, final = np.zeros(counts.size), np.zeros(counts.size)
    first[some], final[some] = values[lists.offsets[:-1][some]], values[lists.offsets[1:][some] - 1]
    # Height above the chord, times the number of steps so that nothing is divided.
    above = (values - first[owners]) * steps[owners] - (final - first)[owners] * ranks
    # What rounding leaves of a straight line is no knee.
    above[np.abs(above) <= 1e-6 * (steps * (first - final))[owners]] = 0.0
    at = _argmax(np.abs(above), lists)
    found = np.zeros(counts.size, np.int64)
    side = np.sign(above[(lists.offsets[:-1] + at)[some]])
    found[some] = np.where(side == 0, 0, at[some] + (side > 0))
    return _cut("knee", lists, found, _FEWEST["knee"])


def gap_cut(scores: Any, *, offsets: npt.ArrayLike | None = None, higher_is_better: bool = True) -> HeuristicCut:
    """Cut each list at the largest gap between neighbours in its sorted scores. A heuristic: no label, no promise.

    Of equal gaps the first, nearest to the best score, counts. Gaps are widest where scores are rare, at the two ends: a long
    list is usually cut behind its very best score, or before its very worst.

    Measured with MiniLM cosines on cranfield, cacm, stackfaq, banking77, lists of 100: 1, 2, 4 and 3 scores are kept (median),
    mean F1 per query .26 .14 .82 .18 (best cut of each query: .49 .41 .94 .56), precision .65 .47 .89 .86.

    Parameters
    ----------
    scores : array_like of float, shape (..., m) or (n,), search result, range result or run
        One list per query, in any order; NaN is padding. Lists of fewer than 2 scores are "too_short".
    offsets, higher_is_better
        As in :func:`tail_cut`.

    Returns
    -------
    HeuristicCut
        Of numbers for one list, of arrays for several.

    Raises
    ------
    ValueError, TypeError
        As :func:`tail_cut`.

    Examples
    --------
    >>> import numpy as np, fastcal as fc
    >>> cut = fc.gap_cut(np.array([[1.0, 2.0, 5.0, 6.0], [3.0, 3.0, 3.0, 3.0]]), higher_is_better=False)
    >>> cut.threshold.tolist(), cut.n_selected.tolist(), cut.reason
    ([2.0, nan], [2, 0], ('cut', 'constant'))
    """
    lists = ranked(scores, offsets, higher_is_better)
    gaps = np.zeros(lists.scores.size)
    gaps[:-1] = lists.scores[:-1].astype(np.float64) - lists.scores[1:]
    gaps[lists.offsets[1:][lists.counts > 0] - 1] = 0.0  # behind the last of a list
    at = _argmax(gaps, lists)
    return _cut("gap", lists, np.where(lists.counts > 0, at + 1, 0), _FEWEST["gap"])


def _argmax(values: npt.NDArray[np.float64], lists: Ranked) -> Int64:
    """Rank of the first largest value of each list; 0 for an empty one."""
    found, some = np.zeros(lists.offsets.size - 1, np.int64), lists.counts > 0
    starts = lists.offsets[:-1][some]
    if starts.size:
        largest = np.repeat(np.maximum.reduceat(values, starts), lists.counts[some])
        candidates = np.where(values == largest, lists.ranks(), np.iinfo(np.int64).max)
        found[some] = np.minimum.reduceat(candidates, starts)
    return found


def _fewest_for_tail(options: dict[str, Any]) -> int:
    """Scores without which no tail is fitted; the options have been judged."""
    share, least = options.get("tail_fraction"), integer(options.get("min_tail", 10), "min_tail", least=5)
    return math.ceil(least / (0.2 if share is None else share))


def _cut(method: str, lists: Ranked, n_selected: Int64, fewest: int) -> HeuristicCut:
    """Take back what lists without a cut selected, and say why."""
    counts, some = lists.counts, lists.counts > 0
    constant = np.zeros(counts.size, np.bool_)
    constant[some] = lists.scores[lists.offsets[:-1][some]] == lists.scores[lists.offsets[1:][some] - 1]
    why = np.select([~some, counts < fewest, constant, n_selected == 0], ["empty", "too_short", "constant", "nothing_stands_out"], "cut")
    n_selected = np.where(why == "cut", n_selected, 0)
    threshold = lists.thresholds(n_selected)
    if not lists.shape:
        value = None if np.isnan(threshold[0]) else float(threshold[0])
        return HeuristicCut(method, value, int(n_selected[0]), str(why[0]), lists.sign > 0)
    return HeuristicCut(method, threshold.reshape(lists.shape), n_selected.reshape(lists.shape), tuple(why.tolist()), lists.sign > 0)
