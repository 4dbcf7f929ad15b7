"""Drives a procedure with several calls of an asynchronous labeler at a time; the procedure cannot tell the difference."""

from __future__ import annotations

import inspect

import numpy as np

from fastcal._validate.answers import as_answers
from fastcal._validate.numbers import integer, number
from fastcal.labelling._drive import Labeler, Procedure, Result, advance, require_callable
from fastcal.labelling._keeping import Keeping, salvage
from fastcal.labelling._ledger import Int64, Ledger


async def drive_async(
    procedure: Procedure[Result],
    ledger: Ledger,
    labeler: Labeler,
    *,
    concurrency: int = 4,
    timeout: float | None = None,  # noqa: ASYNC109
) -> Result:
    """Run a procedure to its end; an exception on the way, cancellation included, carries ``.state``.

    Each request is split, in the procedure's order, into up to `concurrency` calls of the labeler, which returns an awaitable of
    the answers (what a plain function returns is taken as it is: it ran in the event loop). Answers are recorded as they arrive
    and handed to the procedure together, in its own order. A call that takes longer than `timeout` seconds is cancelled, and its
    positions are answered -1, but for those that its exception had answers to. When a call fails, the others are waited for and
    what they answer is kept; cancelled, they are cancelled too.
    """
    require_callable(labeler)
    n_calls = integer(concurrency, "concurrency", least=1)
    limit = None if timeout is None else number(timeout, "timeout", "a positive number of seconds", lambda x: 0.0 < x < np.inf)
    with Keeping(procedure, ledger):
        request, result = advance(procedure, None)
        while request is not None:
            missing = ledger.unpaid(request)
            if missing.size:
                await _buy(np.array_split(missing, min(n_calls, missing.size)), ledger, labeler, limit)
            request, result = advance(procedure, ledger.answers(request))
    return result  # type: ignore[return-value]


async def _buy(parts: list[Int64], ledger: Ledger, labeler: Labeler, limit: float | None) -> None:
    """Ask for all parts at a time; raise the first error in their order when none is under way any more."""
    import asyncio  # 30 ms to load: only where it is used

    calls = [asyncio.ensure_future(_call(part, ledger, labeler, limit)) for part in parts]
    try:
        await asyncio.wait(calls)
    except BaseException as error:
        for call in calls:
            call.cancel()
        if isinstance(error, asyncio.CancelledError):  # not while a closed coroutine is being torn down
            await asyncio.wait(calls)
        raise
    failed = [failure for failure in (call.result() for call in calls) if failure is not None]
    if failed:
        raise failed[0]


async def _call(part: Int64, ledger: Ledger, labeler: Labeler, limit: float | None) -> BaseException | None:
    """Ask for one part and record the answer; an error is returned: raised in a task, Ctrl-C would take the event loop along."""
    import asyncio

    try:
        async with asyncio.timeout(limit) as clock:
            given = labeler(part.copy())
            if inspect.isawaitable(given):
                given = await given
        ledger.record(part, as_answers(given, part.size))
    except TimeoutError as error:
        salvage(ledger, part, error.__cause__ or error)
        return _record_time_out(part, ledger) if clock.expired() else error
    except BaseException as error:  # noqa: BLE001
        salvage(ledger, part, error)
        return error
    return None


def _record_time_out(part: Int64, ledger: Ledger) -> BaseException | None:
    try:
        ledger.record(part, np.full(part.size, -1, np.int8))
    except OSError as error:
        return error
    return None
