"""certify_queries: a threshold whose precision or recall, averaged over future queries, is certified."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from fastcal.certificates._query_certificate import QueryCertificate
from fastcal.certificates._query_plan import QueryOptions, plan_queries
from fastcal.labelling._drive import Labeler, drive
from fastcal.labelling._drive_async import drive_async


def certify_queries(
    run: Any,
    labeler: Labeler,
    *,
    target_precision: float | None = None,
    target_recall: float | None = None,
    delta: float = 0.05,
    budget: int | None = None,
    n_queries: int | None = None,
    empty: str = "no_loss",
    thresholds: npt.ArrayLike | None = None,
    ratio: float | None = None,
    higher_is_better: bool = True,
    seed: int | None = None,
    state: Any = None,
    log: Any = None,
) -> QueryCertificate:
    """Certify a threshold by its precision or recall averaged over queries (Learn then Test).

    The queries are taken for independent draws of those to come. With probability at least ``1 - delta`` over them there is no
    threshold, or the mean over future queries of the precision (or recall) of their lists at it reaches the target. The mean: some
    queries fare worse, and nothing is said of any one. :func:`certify_threshold` and :func:`certify_recall` speak of the pairs of
    this pool instead; pairs of one query are not independent, so they say nothing of other queries.

    Each judged query gives one loss, a fraction. Queries are judged whole and in random order until bets against the loss have
    multiplied by ``1 / delta``, for which .9 at .05 takes 36 queries without loss; the number of looks costs nothing. Thresholds
    are tried one by one, the strictest first for precision and the laxest first for recall, until one fails; a threshold uses all
    labels of those before it again. Nothing more is bought once even perfect answers would not do, for want of queries or of labels;
    that is looked at before every round of queries, of which there are at most 64 in one.

    Parameters
    ----------
    run : Run, search result, or array_like of float, shape (n_queries, m)
        The list of each query, empty ones included. NaN marks padding.
    labeler : callable
        Takes int64 positions (CSR order of a Run, flat C order of an array) and returns for each 1 (relevant), 0, or -1:
        cannot judge, which counts as not relevant.
    target_precision, target_recall : float, optional
        Strictly between 0 and 1. Neither means ``target_precision=0.9``. Recall is that within a query's list, which is judged
        whole.
    delta : float, default 0.05
    budget : int, optional
        Labels, that is rows judged. None is four times what the fewest queries that can certify (36 for .9 at .05) cost on average at
        the laxest threshold, and at least 40 times their number.
    n_queries : int, optional
        The most queries that may be judged for one threshold; None is all.
    empty : "no_loss" or "leave_out"
        What a query counts as whose list selects nothing (for recall: holds nothing relevant). With "no_loss" a threshold that
        answers few queries may pass however bad its answers: see ``.share_empty`` and ``.mean_answered``. With "leave_out" the
        mean promised is that of the other queries.
    thresholds : array_like of float, optional
        What to try; fixed without a look at these queries. By default the lists of one query in five place them (of fewer, at least
        one, where the others would be too few), and those queries are not judged.
    ratio : float, optional
        Of the rows of those queries that neighbouring thresholds select, at most; in (1, 4]. None is 1.5 for precision, and for
        recall 1.1, as thresholds cost no label there.
    higher_is_better : bool, default True
        False for distances; must agree with a run or search result.
    seed : int, optional
        Of the order of queries; fresh entropy if not given. Choosing the best of several seeds breaks the promise.
    state : mapping or path, optional
        ``.state`` of a result or an exception, to go on from.
    log : path, optional
        File to which each label is appended as it arrives.

    Returns
    -------
    QueryCertificate
        ``.threshold`` is None if the first one fails: ``.reason`` is then "futility", "budget" (``.labels_needed`` says how many it
        takes), "queries" (too few of them; see ``.queries_needed``) or "no_cut" (no list
        places one).

    Raises
    ------
    ValueError
        If an option is out of range, both targets are given, there are fewer queries or labels than the floor, `state` belongs
        to something else, or the labeler answers something else. What was paid is in ``.state`` of every exception.
    TypeError
        If `run` has no scores, or `labeler` is not callable.

    References
    ----------
    Angelopoulos, Bates, Candes, Jordan, Lei (2021), "Learn then Test", arXiv 2110.01052; Waudby-Smith & Ramdas (2020),
    "Estimating means of bounded random variables by betting", arXiv 2010.09686.

    Examples
    --------
    >>> import numpy as np, fastcal as fc
    >>> scores = np.tile(np.linspace(1, 0, 5), (100, 1)) + np.random.default_rng(0).normal(0, 0.01, (100, 5))
    >>> certificate = fc.certify_queries(scores, lambda rows: rows % 5 < 3, seed=1)
    >>> certificate.reason, 0.3 < certificate.threshold < 0.6
    ('certified', True)
    """
    targets, limits = (target_precision, target_recall, delta), (budget, n_queries)
    procedure, ledger = plan_queries(run, QueryOptions(*targets, *limits, empty, thresholds, ratio, higher_is_better, seed, state, log))
    return drive(procedure, ledger, labeler)


async def certify_queries_async(
    run: Any,
    labeler: Labeler,
    *,
    target_precision: float | None = None,
    target_recall: float | None = None,
    delta: float = 0.05,
    budget: int | None = None,
    n_queries: int | None = None,
    empty: str = "no_loss",
    thresholds: npt.ArrayLike | None = None,
    ratio: float | None = None,
    higher_is_better: bool = True,
    seed: int | None = None,
    state: Any = None,
    log: Any = None,
    concurrency: int = 4,
    timeout: float | None = None,  # noqa: ASYNC109
) -> QueryCertificate:
    """:func:`certify_queries` with an asynchronous labeler: the same certificate, whatever the order of arrival.

    Parameters
    ----------
    run, labeler, target_precision, target_recall, delta, budget, n_queries, empty, thresholds, ratio, higher_is_better, seed, state, log
        As in :func:`certify_queries`; the labeler returns an awaitable.
    concurrency : int, default 4
        Calls under way at a time; a request is split among them.
    timeout : float, optional
        Seconds until a call is given up; its labels are recorded as -1, cannot judge.

    Returns
    -------
    QueryCertificate

    Raises
    ------
    ValueError, TypeError
        As :func:`certify_queries`.

    Examples
    --------
    >>> import asyncio, numpy as np, fastcal as fc
    >>> async def judge(rows):
    ...     return rows % 2 == 0
    >>> asyncio.run(fc.certify_queries_async(np.tile([0.9, 0.1], (60, 1)), judge, thresholds=[0.5], seed=1)).threshold
    0.5
    """
    targets, limits = (target_precision, target_recall, delta), (budget, n_queries)
    procedure, ledger = plan_queries(run, QueryOptions(*targets, *limits, empty, thresholds, ratio, higher_is_better, seed, state, log))
    return await drive_async(procedure, ledger, labeler, concurrency=concurrency, timeout=timeout)
