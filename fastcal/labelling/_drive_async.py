"""Drives a procedure with several calls of an asynchronous labeler at a time; the procedure cannot tell the difference."""

from __future__ import annotations

import inspect
from collections import deque

import numpy as np

from fastcal._validate.numbers import integer, number
from fastcal.labelling._calls import cut, most_per_call, received
from fastcal.labelling._drive import Labeler, Procedure, Result, advance
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

    Each request is cut, in the procedure's order, into calls of the labeler, of at most as many positions as in ``drive``; up to
    `concurrency` are under way at a time. The labeler returns an awaitable of the answers (what a plain function returns is taken
    as it is: it ran in the event loop). Answers are recorded as they arrive and handed to the procedure together, in its own
    order. A call that takes longer than `timeout` seconds is cancelled, and its positions are answered -1, but for those that its
    exception had answers to. When a call fails, no other is begun, those under way are waited for, and what they answer is kept;
    cancelled, they are cancelled too.
    """
    most = most_per_call(labeler, ledger)
    n_calls = integer(concurrency, "concurrency", least=1)
    limit = None if timeout is None else number(timeout, "timeout", "a positive number of seconds", lambda x: 0.0 < x < np.inf)
    with Keeping(procedure, ledger):
        request, result = advance(procedure, None)
        while request is not None:
            missing = ledger.unpaid(request)
            if missing.size:
                await _buy(cut(missing, most, n_calls), n_calls, ledger, labeler, limit)
            request, result = advance(procedure, ledger.answers(request))
    return result  # type: ignore[return-value]


async def _buy(parts: list[Int64], n_calls: int, ledger: Ledger, labeler: Labeler, limit: float | None) -> None:
    """Ask for all parts, `n_calls` at a time; raise the first error in their order when none is under way any more."""
    import asyncio  # 30 ms to load: only where it is used

    left, failed = deque(enumerate(parts)), dict[int, BaseException]()

    async def line(turn: tuple[int, Int64] | None) -> None:
        while turn is not None:
            failure = await _call(turn[1], ledger, labeler, limit)
            if failure is not None:
                failed[turn[0]] = failure
            turn = left.popleft() if left and not failed else None

    lines = [asyncio.ensure_future(line(left.popleft())) for _ in parts[:n_calls]]
    try:
        await asyncio.wait(lines)
    except BaseException as error:
        left.clear()
        for each in lines:
            each.cancel()
        if isinstance(error, asyncio.CancelledError):  # not while a closed coroutine is being torn down
            await asyncio.wait(lines)
        raise
    if failed:
        raise failed[min(failed)]


async def _call(part: Int64, ledger: Ledger, labeler: Labeler, limit: float | None) -> BaseException | None:
    """Ask for one part and record the answer; an error is returned: raised in a task, Ctrl-C would take the event loop along."""
    import asyncio

    try:
        async with asyncio.timeout(limit) as clock:
            given = labeler(part.copy())
            if inspect.isawaitable(given):
                given = await given
        ledger.record(part, received(given, part))
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
