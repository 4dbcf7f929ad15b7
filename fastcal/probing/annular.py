"""annular_threshold: rings around a query, probed in random directions or drawn exactly."""

from __future__ import annotations

from typing import Any

from fastcal.labelling._drive import Labeler, drive
from fastcal.labelling._drive_async import drive_async
from fastcal.probing._annular import plan_rings
from fastcal.probing._options import with_defaults
from fastcal.probing.results import AnnularResult


def annular_threshold(
    index: Any,
    query: Any,
    labeler: Labeler,
    *,
    rings: Any = None,
    ring_tol: float = 0.01,
    probes_per_ring: int = 8,
    neighbours_per_probe: int | None = None,
    labels_per_ring: int = 20,
    target_precision: float = 0.9,
    resolution: float = 0.01,
    source: str = "probe",
    budget: int | None = None,
    seed: int | None = None,
    state: Any = None,
    log: Any = None,
    corpus: Any = None,
    anchor: float | None = None,
    top_k: int | None = None,
) -> AnnularResult:
    """Estimate how far from a query rows are still relevant, by labelling rings around it.

    A recipe from practice, for one query. It returns an estimate, not a certificate, and mostly finds what a plain search
    finds: prefer ``source="band"``, or :func:`dynamic_threshold` for a promise.

    Parameters
    ----------
    index : Index, or any object with ``search(queries, k)``
        For cosines. FAISS, hnswlib, usearch and objects that return (scores, ids) are understood; their ids are row numbers of
        `corpus`. An index for inner products is accepted where the rows it returns have norm 1.
    query : array_like of float, shape (dim,) or (1, dim)
        Not zero.
    labeler : callable
        ``labeler(ids)`` answers 0, 1 or -1 (cannot judge; counts as 0) for int64 ids as the index returns them. Called with at
        most `labels_per_ring` ids, and never twice with one.
    rings : array_like of float, shape (n_rings,), optional
        Cosine distances in [0, 2], increasing. Default: by the distances of the query's own search; one ring at
        its best distance, 5 on to its last one and 3 beyond, evenly spaced (at least two `ring_tol` apart).
    ring_tol : float, default 0.01
        A row belongs to a ring if its distance differs by at most this.
    probes_per_ring : int, default 8
    neighbours_per_probe : int, optional
        Rows searched from each probe, at most the rows of the index. Default: 50, or all rows if there are fewer.
    labels_per_ring : int, default 20
        Most rows labelled for a ring, a random choice of those in its crust.
    target_precision : float, default 0.9
        Strictly between 0 and 1; of the labels of a ring.
    resolution : float, default 0.01
        Between the outermost ring that passes and the next one out, rings are bisected until they are this near.
    source : {"probe", "band"}
        "band" draws uniformly among all rows of the ring instead of probing, with :meth:`Index.sample_bands`.
    budget : int, optional
        Most labels to use, at least 1. Default: as many as the rings take.
    seed : int, optional
        Of probes and draws. None takes fresh entropy, which the result records.
    state, log : optional
        State of an earlier call to go on from, and a file to which every label is appended as it arrives. Compared are the query,
        the number of rows and the (at most) 50 rows that the query's own search finds, ids and scores; changes further out go unnoticed.
    corpus : array_like of float, shape (n_rows, dim), optional
        Required with an index that is not an :class:`Index`, and refused with one: hits are scored exactly against the query.
    anchor : float, optional
        Cosine to fall back to if every ring is empty. Default: the last score of the query's own search.
    top_k : int, optional
        Depth of the query's own search. Default: `neighbours_per_probe`.

    Returns
    -------
    AnnularResult
        ``.reason``: "resolved" (a passing and a failing or empty ring within `resolution`), "outermost_ring" (the last ring
        passes), "none_passes" (``.threshold`` is None), "empty" (no ring holds a row; the threshold is the anchor) or "budget".

    Raises
    ------
    ValueError
        An index for another metric, an empty one, options out of range, a zero query, a budget below 1, a state of
        something else.
    TypeError
        Something that cannot be searched.

    Any exception after labels were paid carries them as ``.state``.

    Notes
    -----
    Probes are ``P = Q cos(theta) + U sin(theta)`` with ``theta = arccos(1 - distance)`` and U a random direction orthogonal to Q.
    What a search from P returns is mostly not on the ring: for a row x at angle phi from Q, ``cos(P, x) = cos(theta) cos(phi) +
    sin(theta) sin(phi) (U . x')``, and in d dimensions ``U . x'`` is only about ``1 / sqrt(d)``. So rows nearer to Q win, which a plain
    search returns too; those found on the ring have unknown, score-dependent probabilities, and no interval of theirs is one of
    the ring. On four real collections (docs/decisions/0012-probing.md) 1 to 8 % of the hits of rings within the plain top 50 lay in the crust, all
    in that list already; further out 3 to 8 %, between 9 and 57 % of the ring's rows, up to three times as relevant as the ring. 22 of 156
    thresholds had less than the target precision above them. With "band" every row of the ring is equally likely.

    The precision of a ring is not that of everything above it: an estimate for the edge, it ignores what lies inside. Rings of one or
    two rows, as near the query, pass or fail by chance: each :class:`~fastcal.probing.Ring` has its labels and interval.

    Examples
    --------
    >>> import numpy as np, fastcal as fc
    >>> rng = np.random.default_rng(0)
    >>> index = fc.Index(rng.normal(size=(2000, 8)).astype(np.float32))
    >>> query = np.ones(8, np.float32)
    >>> near = set(index.range_search(query, 0.5).ids.tolist())
    >>> label = lambda ids: [int(i) in near for i in ids]
    >>> found = fc.annular_threshold(index, query, label, rings=[0.3, 0.45, 0.6], source="band", seed=1)
    >>> found.reason, abs(found.distance - 0.5) < 0.02
    ('resolved', True)
    >>> [(ring.rows_in_ring > 0, ring.passed) for ring in found.rings[:3]]
    [(True, True), (True, True), (True, False)]
    """
    procedure, ledger = plan_rings(
        index,
        query,
        rings=rings,
        ring_tol=ring_tol,
        probes_per_ring=probes_per_ring,
        neighbours_per_probe=neighbours_per_probe,
        labels_per_ring=labels_per_ring,
        target_precision=target_precision,
        resolution=resolution,
        source=source,
        budget=budget,
        seed=seed,
        state=state,
        log=log,
        corpus=corpus,
        anchor=anchor,
        top_k=top_k,
    )
    return drive(procedure, ledger, labeler)


async def annular_threshold_async(
    index: Any,
    query: Any,
    labeler: Labeler,
    *,
    concurrency: int = 4,
    timeout: float | None = None,  # noqa: ASYNC109
    **options: Any,
) -> AnnularResult:
    """Run :func:`annular_threshold` with an asynchronous labeler, several calls at a time.

    Searches run in the event loop's thread, between the labels of one ring and the next.

    Parameters
    ----------
    index : Index, or any object with ``search(queries, k)``
    query : array_like of float, shape (dim,)
    labeler : callable
        ``await labeler(ids)`` answers 0, 1 or -1.
    concurrency : int, default 4
        Calls under way at a time; each ring's rows are split among them.
    timeout : float, optional
        Seconds after which a call is given up; its rows count as "cannot judge".
    **options
        Those of :func:`annular_threshold`.

    Returns
    -------
    AnnularResult

    Raises
    ------
    ValueError, TypeError
        As :func:`annular_threshold`.

    Examples
    --------
    >>> import asyncio, numpy as np, fastcal as fc
    >>> index = fc.Index(np.random.default_rng(0).normal(size=(500, 4)).astype(np.float32))
    >>> async def label(ids):
    ...     return np.ones(len(ids))
    >>> asyncio.run(fc.annular_threshold_async(index, np.ones(4), label, rings=[0.1, 0.2], seed=1)).distance
    0.2
    """
    procedure, ledger = plan_rings(**with_defaults(annular_threshold, index, query, labeler, **options))
    return await drive_async(procedure, ledger, labeler, concurrency=concurrency, timeout=timeout)
