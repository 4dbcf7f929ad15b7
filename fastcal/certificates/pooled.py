"""pooled_thresholds: many queries share labels, once each query's scores are normalised by themselves."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from fastcal._validate.numbers import fraction, integer, number, one_of
from fastcal.certificates._certificate import Certificate
from fastcal.certificates._inputs import Rows
from fastcal.certificates._options import as_budget, exact_target, head_size, pool_floor, settled_census
from fastcal.certificates._pool import Float32, Int64, Pool, array_pool, census_size
from fastcal.certificates._walk import Rule
from fastcal.certificates.certify import _procedure as certifying
from fastcal.errors import InvalidTypeError, InvalidValueError
from fastcal.intervals.floors import single_look_floor_iid
from fastcal.labelling._drive import Labeler, Procedure, drive
from fastcal.labelling._drive_async import drive_async
from fastcal.labelling._fingerprint import fingerprint
from fastcal.labelling._ledger import Ledger
from fastcal.normalization import METHODS, normalize_lists
from fastcal.normalization._ranked import Ranked, ranked

# csls adds something to each row, so that a query's own order, and with it its threshold, would be lost.
_METHODS = ("centre", *(name for name in METHODS if name != "csls"))


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class PooledCertificate(Certificate):
    """One certified threshold on normalised scores, and what it means for each query.

    What :class:`Certificate` says of queries (``by_query``, ``n_truncated``) is said here of the lists.

    Attributes
    ----------
    normalization : str
        Method by which each list was normalised; `threshold` and the trace are on its scale, where higher is better.
    thresholds : ndarray of float32, shape (n_queries,)
        On the scores as they were given, inclusive, in their direction; NaN where nothing of a query is selected. They select
        exactly the certified pairs.
    n_selected_by_query : ndarray of int64, shape (n_queries,)

    Examples
    --------
    >>> import numpy as np, fastcal as fc
    >>> scores = np.array([[0.875, 0.75, 0.125, 0.0], [0.5, 0.375, 0.25, 0.125]])
    >>> found = fc.pooled_thresholds(scores, lambda positions: positions < 2, seed=0)
    >>> found.thresholds.tolist(), found.n_selected_by_query.tolist()
    ([0.75, nan], [2, 0])
    """

    normalization: str
    thresholds: Float32 = field(repr=False)
    n_selected_by_query: Int64 = field(repr=False)

    @property
    def _scale(self) -> str:
        return f"score normalised by {self.normalization!r}"


def pooled_thresholds(
    scores: Any,
    labeler: Labeler,
    *,
    normalize: str = "centre",
    target_precision: float = 0.9,
    delta: float = 0.05,
    budget: int | None = None,
    ratio: float = 2.0,
    batch_size: int = 1,
    offsets: npt.ArrayLike | None = None,
    higher_is_better: bool = True,
    seed: int | None = None,
    state: Any = None,
    log: Any = None,
    **method_options: Any,
) -> PooledCertificate:
    """Certify one threshold for the pairs of many queries, and return it as a threshold for each of them.

    One query rarely pays for its own certificate. Here all pairs share the labels: each list is normalised by its own scores,
    without labels; the pool of normalised scores is certified as in :func:`certify_threshold`; and the threshold is taken back to
    each query's own scale, where it selects exactly the certified pairs of that query. The promise is about all pairs together:
    some queries do better than the target and others worse.

    Which normalisation selects most depends on the collection (MiniLM cosines, lists of 100, recall of what was certified at .9
    with 40 to 750 labels; more in decision 0013):

    ================  ======  =========  ========  =========  ====
    method            digits  banking77  stackfaq  cranfield  cacm
    ================  ======  =========  ========  =========  ====
    centre            .132    .105       .527      .015       .005
    identity          .268    .038       .516      .015       .005
    zscore            .133    .017       .520      .044       .001
    zscore, all rows  .247    .058       .513      .017       .009
    rank              .130    none       .327      none       none
    ================  ======  =========  ========  =========  ====

    Parameters
    ----------
    scores : run, search result, range result, or array_like of float, shape (..., m) or (n,)
        One list per query; NaN is padding.
    labeler : callable
        Called with int64 positions in batches: flat C order for arrays and search results, the order of ``run.ids`` for a run
        (see :func:`pairs`); returns 1 (relevant), 0, or -1 (cannot judge; counts as 0) for each.
    normalize : str, default "centre"
        "centre", the score minus the mean of its list, or a method of :func:`normalize` but "csls". "minmax" and "rank" put the
        best of every query on a par, whether or not it has anything relevant. "zscore, all rows" of the table is "cohort" with
        ``cohort_scores=index.sample_bands(queries, [-inf, inf], 1000, seed=...).scores[:, 0]``.
    target_precision, delta : float
        Strictly between 0 and 1.
    budget : int, optional
        Labels that may be used, at least ``labels_floor``; by default 40 times that.
    ratio : float, default 2.0
        At most so many times as many pairs from one cut to the next.
    batch_size : int, default 1
        Fewest labels of a request.
    offsets : array_like of int, shape (n_lists + 1,), optional
        For a flat array: list i is ``scores[offsets[i]:offsets[i + 1]]``.
    higher_is_better : bool, default True
        False for distances; must agree with a result or run.
    seed, state, log
        As in :func:`dynamic_threshold`.
    **method_options
        Of the method of normalisation.

    Returns
    -------
    PooledCertificate

    Raises
    ------
    ValueError
        If an option is out of range or turns the order of a list, `budget` is below the floor, a state is of something else, or
        the labeler's answers cannot be used (then with ``.state``: all labels that were paid).
    TypeError
        If an argument is of another type.

    Examples
    --------
    >>> import numpy as np, fastcal as fc
    >>> rng = np.random.default_rng(0)
    >>> relevant = rng.random((50, 40)) < 0.3
    >>> level = rng.normal(size=(50, 1))  # of each query, of no meaning
    >>> scores = level + relevant + 0.1 * rng.random((50, 40))
    >>> found = fc.pooled_thresholds(scores, lambda at: relevant.reshape(-1)[at], normalize="minmax", seed=0)
    >>> found.reason, found.thresholds.shape
    ('certified', (50,))
    >>> bool((found.n_selected_by_query == (scores >= found.thresholds[:, np.newaxis]).sum(axis=1)).all())
    True
    """
    options = _Options(normalize, target_precision, delta, budget, ratio, batch_size, offsets, higher_is_better, seed, state, log)
    return drive(*_plan(scores, options, method_options), labeler)


async def pooled_thresholds_async(
    scores: Any,
    labeler: Labeler,
    *,
    normalize: str = "centre",
    target_precision: float = 0.9,
    delta: float = 0.05,
    budget: int | None = None,
    ratio: float = 2.0,
    batch_size: int = 1,
    offsets: npt.ArrayLike | None = None,
    higher_is_better: bool = True,
    seed: int | None = None,
    state: Any = None,
    log: Any = None,
    concurrency: int = 4,
    timeout: float | None = None,  # noqa: ASYNC109
    **method_options: Any,
) -> PooledCertificate:
    """Find what :func:`pooled_thresholds` finds, with a labeler that returns awaitables.

    Parameters
    ----------
    scores, labeler, normalize, target_precision, delta, budget, ratio, batch_size, offsets, higher_is_better, seed, state, log, **method_options
        As there; `labeler` may be a coroutine function.
    concurrency : int, default 4
        Calls of the labeler that are under way at a time; a request is divided among them.
    timeout : float, optional
        Seconds after which a call is cancelled and its pairs count as "cannot judge".

    Returns
    -------
    PooledCertificate
        The same for any `concurrency`.

    Raises
    ------
    ValueError, TypeError
        As there.

    Examples
    --------
    >>> import asyncio, numpy as np, fastcal as fc
    >>> async def judge(positions):
    ...     return positions % 10 < 5
    >>> scores = np.tile(np.linspace(1, 0, 10), (60, 1))
    >>> asyncio.run(fc.pooled_thresholds_async(scores, judge, seed=0)).reason
    'certified'
    """
    options = _Options(normalize, target_precision, delta, budget, ratio, batch_size, offsets, higher_is_better, seed, state, log)
    return await drive_async(*_plan(scores, options, method_options), labeler, concurrency=concurrency, timeout=timeout)


class _Options(NamedTuple):
    normalize: str
    target_precision: float
    delta: float
    budget: int | None
    ratio: float
    batch_size: int
    offsets: Any
    higher_is_better: bool
    seed: int | None
    state: Any
    log: Any


def _plan(scores: Any, options: _Options, method_options: dict[str, Any]) -> tuple[Procedure[PooledCertificate], Ledger]:
    """Judge everything and normalise; return the procedure that asks for labels and the ledger that keeps them."""
    rule = Rule(exact_target(options.target_precision), fraction(options.delta, "delta"), integer(options.batch_size, "batch_size", least=1))
    ratio = number(options.ratio, "ratio", "a number in (1, 4]", lambda x: 1.0 < x <= 4.0)
    lists = ranked(scores, options.offsets, options.higher_is_better)
    if not lists.scores.size:
        raise InvalidValueError("scores holds no pair; expected at least one that is not NaN (padding)")
    values = _normalised(lists, one_of(options.normalize, "normalize", _METHODS), method_options)
    rows = _rows(lists, values)
    far, floor = single_look_floor_iid(float(rule.target), rule.delta), pool_floor(rule.target, rule.delta, values.size)
    budget = as_budget(options.budget, floor, values.size)
    census = settled_census(options.state, options.log, partial(census_size, values), far, head_size(rule, budget, values.size, ratio, None))
    settings = {
        "target": str(rule.target),
        "delta": rule.delta,
        "ratio": ratio,
        "census": census,
        "normalize": options.normalize,
        "higher_is_better": lists.sign > 0,
    }
    ledger = Ledger("pooled_thresholds", rows.fingerprint, settings, budget=budget, seed=options.seed, state=options.state, log=options.log)
    uniform = ledger.rng("priorities").random(values.size)
    pool = array_pool(rows.scores, rows.positions, uniform, census=census, ratio=ratio, first=2 * far, keep=budget)
    return _translating(pool, rows, ledger, rule, floor, lists, values, options.normalize), ledger


def _rows(lists: Ranked, values: Float32) -> Rows:
    """Normalised pairs in the order of their positions."""
    order = np.argsort(lists.positions)
    last = values[lists.offsets[1:][lists.counts > 0] - 1]
    digest = fingerprint(lists.scores, lists.offsets, lists.positions, values)
    return Rows(values[order], lists.positions[order], lists.owners()[order], lists.counts.size, last, int(lists.positions.max()) + 1, digest)


def _normalised(lists: Ranked, method: str, options: dict[str, Any]) -> Float32:
    """Normalise each list by a function of the score, so that equal scores stay equal and none overtakes a better one."""
    known = {} if method == "centre" else METHODS[method].__kwdefaults__ or {}
    unknown = next((name for name in options if name not in known), None)
    if unknown is not None:
        own, others = ", ".join(_Options._fields), ", ".join(known) or "none"
        raise InvalidTypeError(f"pooled_thresholds has no option {unknown!r}; expected {own}, or of normalize={method!r}: {others}")
    if method == "centre":
        return _centred(lists)
    if method in {"rank", "borda"} and options.setdefault("ties", "min") == "ordinal":
        raise InvalidValueError('ties="ordinal" parts equal scores, which no threshold can; expected "min" or "average"')
    if "document_cohort_scores" in options:
        raise InvalidValueError("document_cohort_scores would change the order within a query; expected cohort_scores alone")
    values = normalize_lists(lists.scores, lists.offsets, method, **options)
    rises = np.flatnonzero(values[1:] > values[:-1])
    if not np.isfinite(values).all() or not np.isin(rises + 1, lists.offsets).all():
        raise InvalidValueError(
            f"{method!r} with these options turns the order of a list, or is not finite; expected scores that rise with the score"
        )
    return values.astype(np.float32, copy=False)


def _centred(lists: Ranked) -> Float32:
    """Subtract the mean of each list."""
    counts, sums = lists.counts, np.bincount(lists.owners(), lists.scores, minlength=lists.offsets.size - 1)
    means = np.divide(sums, counts, out=np.zeros(counts.size), where=counts > 0)
    return (lists.scores - means[lists.owners()]).astype(np.float32)


def _translating(
    pool: Pool, rows: Rows, ledger: Ledger, rule: Rule, floor: int, lists: Ranked, values: Float32, method: str
) -> Procedure[PooledCertificate]:
    """Certify, and translate the threshold into one for each query."""
    common = yield from certifying(pool, rows, ledger, rule, floor, None)
    reached = values >= np.float32(np.inf if common.threshold is None else common.threshold)
    n_selected = np.bincount(lists.owners()[reached], minlength=lists.offsets.size - 1)
    scope = f"On scores normalised by {method!r} (thresholds: on those given, for each query). {common.scope}"
    given = {each.name: getattr(common, each.name) for each in fields(Certificate)} | {"scope": scope}
    return PooledCertificate(**given, normalization=method, thresholds=lists.thresholds(n_selected), n_selected_by_query=n_selected)
