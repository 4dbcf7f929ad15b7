"""density_weighted_threshold: the recipe from practice, with or without the correction it needs."""

from __future__ import annotations

from typing import Any

from fastcal.labelling._drive import Labeler, drive
from fastcal.labelling._drive_async import drive_async
from fastcal.probing._density import plan_rounds
from fastcal.probing._options import with_defaults
from fastcal.probing.results import ThresholdEstimate


def density_weighted_threshold(
    scores: Any,
    labeler: Labeler,
    *,
    anchor: float | None = None,
    tail_scores: Any = None,
    tail_weight: float = 0.5,
    sigma: float | None = None,
    sample_size: int = 100,
    target_precision: float = 0.9,
    max_width: float = 0.10,
    max_rounds: int = 5,
    weighting: str = "horvitz-thompson",
    budget: int | None = None,
    seed: int | None = None,
    state: Any = None,
    log: Any = None,
    higher_is_better: bool = True,
    tail_z: float = 3.0,
    weight_floor: float | None = None,
    sampling_rate: float = 1.0,
) -> ThresholdEstimate:
    """Estimate the lowest threshold with a precision by labelling rows near a guess, and moving the guess.

    A recipe from practice. It returns an estimate, not a certificate: for a promise use :func:`certify_threshold`.

    Parameters
    ----------
    scores : array_like of float, any shape, a Run or a search result
        NaN marks padding; those entries are never asked about.
    labeler : callable
        ``labeler(positions)`` answers 0, 1 or -1 (cannot judge; counts as 0) for int64 positions: flat C order for arrays and
        search results, CSR order for a Run. Called with at most `sample_size` positions, none of them twice.
    anchor : float, optional
        First guess; at most the scores' range outside it. Default: halfway between the median of the scores and the mean of the best 1 % of them.
    tail_scores : array_like of float, optional
        Scores of the background: what retrieval returned at the end of its lists, or random pairs. Default: the lower half
        of `scores`.
    tail_weight : float, default 0.5
        In [0, 1]; how far the tail moves the guess, see Notes.
    sigma : float, optional
        Width of the Gaussian, at most the range of the scores and enough to choose among 1.5 rows. Default:
        standard deviation of the tail (of all scores, if the tail has none).
    sample_size : int, default 100
        Rows drawn in each round.
    target_precision : float, default 0.9
        Strictly between 0 and 1.
    max_width : float, default 0.10
        Stop once the 95 % Wilson interval at the chosen cut is this narrow from end to end.
    max_rounds : int, default 5
    weighting : {"horvitz-thompson", "none"}
        "none" pools the raw labels of all rounds, as the recipe has it: biased, for it reads rows drawn because of
        their score as if they had been drawn blindly.
    budget : int, optional
        Most labels to use, at least 1; changes nothing before they run out. Default: ``sample_size * max_rounds``.
    seed : int, optional
        Of the draws. None takes fresh entropy, which the result records.
    state, log : optional
        State of an earlier call to go on from, and a file to which every label is appended as it arrives.
    higher_is_better : bool, default True
        False for distances; must agree with a Run or result.
    tail_z : float, default 3.0
        See Notes.
    weight_floor : float, optional
        Least weight of rows at or beyond the anchor, in [0, 1]. Every candidate cut rests on them. Default: 0.3; 0 with
        ``weighting="none"``, as the recipe has it.
    sampling_rate : float, default 1.0
        `scores` are themselves a uniform sample, at this rate, of a larger pool (``TABLESAMPLE BERNOULLI``): ``n_selected`` is
        scaled up.

    Returns
    -------
    ThresholdEstimate
        ``.reason``: "width" (the interval is narrow enough), "rounds", "budget", "exhausted" (every row is labelled) or
        "none_qualifies": after the last round no candidate cut, near the anchor or at any labelled row, was estimated to reach the
        target on 1 / (1 - target) effective labels; ``.threshold`` is None.

    Raises
    ------
    ValueError
        Options out of range, infinite scores, nothing to label, a budget below 1, an anchor or a sigma that does not fit
        the scores, a state of something else.
    TypeError
        Scores that are not floating point.

    Any exception after labels were paid carries them as ``.state``.

    Notes
    -----
    ::

        tail statistic = mean(tail) + tail_z * sd(tail)
        anchor        <- (1 - tail_weight) * anchor + tail_weight * tail statistic, within the scores
        weight(s)      = exp(-(s - anchor)^2 / (2 sigma^2))

    A round draws `sample_size` rows among those without a label by systematic sampling in random order, with inclusion probabilities
    min(1, c * weight) that are known exactly. Candidate cuts are 17 scores evenly spaced within two sigma of the anchor, and 17 within
    two of the first sigma; where none of them qualifies, also those at (at most 256) labelled rows, and all once every row is labelled.
    A cut qualifies if its estimate reaches the target and its labels are worth 1 / (1 - target): fewer reach it only if all are positive.
    The laxest that does is the next anchor, and sigma shrinks by 0.7, at most to a quarter, once a laxer candidate has failed; where
    none does the next anchor is the one that comes closest.

    With "horvitz-thompson" a drawn row counts 1 / probability, a row labelled before counts once, for it is certain, and precision is
    the ratio of the sums (Hajek). Earlier rounds keep their own draws and probabilities; rounds are combined in inverse proportion to
    the variances that those probabilities promise. Trials are Kish's effective ones with each row's chance to be left out (n of k rows
    drawn blindly are n k / (k - n)), and what is labelled bounds the interval: where no label is missing it is the exact value.

    The interval is not a guarantee: it does not know that the cut was chosen on the labels it is made of, nor how often they were
    looked at. `.rounds` has, for each anchor, the precision by labels that had no part in choosing it.
    On four real pools (docs/decisions/0012-probing.md) the true precision at the threshold was below the target in 0 to 40 % of the runs; the
    estimate was off by .000 to .009 on average, with raw labels by up to .038, where the interval missed the truth in 32 % of the runs.

    A sigma of fixed width means nothing without the scale of the scores: in a band of width w around the anchor the weights
    differ by a factor exp((w / sigma)^2 / 8). ``weight_ratio`` and ``effective_rows`` of every round say what the Gaussian does.

    See Also
    --------
    certify_threshold : keeps its promise, with about the labels that ``.certify_would_need`` says.

    Examples
    --------
    >>> import numpy as np, fastcal as fc
    >>> rng = np.random.default_rng(0)
    >>> scores = rng.random(5000)
    >>> relevant = rng.random(5000) < 1 / (1 + np.exp(-20 * (scores - 0.6)))
    >>> found = fc.density_weighted_threshold(scores, lambda rows: relevant[rows], seed=1)
    >>> found.reason, found.labels_used <= 500, 0.5 < found.threshold < 0.8
    ('width', True, True)
    >>> found.guarantee
    False
    """
    procedure, ledger = plan_rounds(
        scores,
        anchor=anchor,
        tail_scores=tail_scores,
        tail_weight=tail_weight,
        sigma=sigma,
        sample_size=sample_size,
        target_precision=target_precision,
        max_width=max_width,
        max_rounds=max_rounds,
        weighting=weighting,
        budget=budget,
        seed=seed,
        state=state,
        log=log,
        higher_is_better=higher_is_better,
        tail_z=tail_z,
        weight_floor=weight_floor,
        sampling_rate=sampling_rate,
    )
    return drive(procedure, ledger, labeler)


async def density_weighted_threshold_async(
    scores: Any,
    labeler: Labeler,
    *,
    concurrency: int = 4,
    timeout: float | None = None,  # noqa: ASYNC109
    **options: Any,
) -> ThresholdEstimate:
    """Run :func:`density_weighted_threshold` with an asynchronous labeler, several calls at a time.

    The same seed and answers give the same result, whatever order the answers arrive in.

    Parameters
    ----------
    scores : array_like of float, any shape, a Run or a search result
    labeler : callable
        ``await labeler(positions)`` answers 0, 1 or -1.
    concurrency : int, default 4
        Calls under way at a time; each round's positions are split among them.
    timeout : float, optional
        Seconds after which a call is given up; its positions count as "cannot judge".
    **options
        Those of :func:`density_weighted_threshold`.

    Returns
    -------
    ThresholdEstimate

    Raises
    ------
    ValueError, TypeError
        As :func:`density_weighted_threshold`.

    Examples
    --------
    >>> import asyncio, numpy as np, fastcal as fc
    >>> scores = np.linspace(0, 1, 1000)
    >>> async def label(rows):
    ...     return scores[rows] > 0.5
    >>> found = asyncio.run(fc.density_weighted_threshold_async(scores, label, seed=1))
    >>> abs(found.threshold - 0.45) < 0.1
    True
    """
    procedure, ledger = plan_rounds(**with_defaults(density_weighted_threshold, scores, labeler, **options))
    return await drive_async(procedure, ledger, labeler, concurrency=concurrency, timeout=timeout)
