"""dynamic_threshold: the lowest threshold of one query that can be shown to keep its promise over all rows of an index."""

from __future__ import annotations

from typing import Any

from fastcal._validate.numbers import fraction, integer, number
from fastcal.certificates._band_pool import distinct
from fastcal.certificates._certificate import Certificate, certificate
from fastcal.certificates._query_pool import FEATURE_DEPTH, rows_of
from fastcal.certificates._start import probability_of, start_cut
from fastcal.certificates._walk import Rule, walk
from fastcal.certificates.certify import as_budget, exact_target, labels_floor
from fastcal.labelling._drive import Labeler, Procedure, drive
from fastcal.labelling._drive_async import drive_async
from fastcal.labelling._ledger import Ledger

_JUDGE = "as judged by this labeller: not other queries, other rows or other judges. Of Q such certificates up to delta * Q may be false"
ALL_ROWS = f"This query and all rows of the index, {_JUDGE}."
RETURNED = f"This query and the rows that index returned, {_JUDGE}. Rows it did not return are not covered."


def dynamic_threshold(
    index: Any,
    query: Any,
    labeler: Labeler,
    *,
    target_precision: float = 0.9,
    delta: float = 0.05,
    budget: int | None = None,
    calibrator: Any = None,
    depth: int | None = None,
    ratio: float = 2.0,
    batch_size: int = 1,
    higher_is_better: bool | None = None,
    seed: int | None = None,
    state: Any = None,
    log: Any = None,
) -> Certificate:
    procedure, ledger = _plan(index, query, target_precision, delta, budget, calibrator, depth, ratio, batch_size, higher_is_better, seed, state, log)
    return drive(procedure, ledger, labeler)


async def dynamic_threshold_async(
    index: Any,
    query: Any,
    labeler: Labeler,
    *,
    concurrency: int = 4,
    timeout: float | None = None,  # noqa: ASYNC109
    target_precision: float = 0.9,
    delta: float = 0.05,
    budget: int | None = None,
    calibrator: Any = None,
    depth: int | None = None,
    ratio: float = 2.0,
    batch_size: int = 1,
    higher_is_better: bool | None = None,
    seed: int | None = None,
    state: Any = None,
    log: Any = None,
) -> Certificate:
    """Run :func:`dynamic_threshold` with an asynchronous labeler, up to `concurrency` calls of it at a time."""
    procedure, ledger = _plan(index, query, target_precision, delta, budget, calibrator, depth, ratio, batch_size, higher_is_better, seed, state, log)
    return await drive_async(procedure, ledger, labeler, concurrency=concurrency, timeout=timeout)


def _plan(
    index: Any,
    query: Any,
    target_precision: float,
    delta: float,
    budget: int | None,
    calibrator: Any,
    depth: int | None,
    ratio: float,
    batch_size: int,
    higher_is_better: bool | None,
    seed: int | None,
    state: Any,
    log: Any,
) -> tuple[Procedure[Certificate], Ledger]:
    rule = Rule(exact_target(target_precision), fraction(delta, "delta"), integer(batch_size, "batch_size", least=1))
    width = number(ratio, "ratio", "a number in (1, 4]", lambda x: 1.0 < x <= 4.0)
    rows = rows_of(index, query, depth, higher_is_better)
    floor = labels_floor(rule.target, rule.delta, rows.n)
    most = as_budget(budget, floor, rows.n)
    census = rows.census_size(labels_floor(rule.target, rule.delta, None), most // 4)
    probability = None if calibrator is None else probability_of(calibrator, rows.near[:FEATURE_DEPTH], rows.corpus_mean, rows.sign)
    settings = {"target": str(rule.target), "delta": rule.delta, "ratio": width, "batch_size": rule.batch_size, "census": census}
    ledger = Ledger("dynamic_threshold", rows.digest, settings, budget=most, seed=seed, state=state, log=log)
    arranged = rows.arrange(ledger, census=census, first=2 * floor, ratio=width, keep=most)
    distinct(arranged.pool)
    start = None if probability is None else start_cut(arranged, float(rule.target), probability)

    def procedure() -> Procedure[Certificate]:
        found = yield from walk(arranged.pool, ledger, rule, start)
        scope = ALL_ROWS if rows.complete else RETURNED
        return certificate(arranged.pool, found, ledger, rule, n_pool=rows.n, labels_floor=floor, scope=scope)

    return procedure(), ledger
