"""Drives a procedure that asks for labels: buys what is not in hand, keeps what was paid, whatever happens."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Generator
from contextlib import suppress
from typing import Any, TypeVar

from fastcal.errors import InvalidTypeError
from fastcal.labelling._calls import cut, most_per_call, received
from fastcal.labelling._keeping import Keeping, salvage
from fastcal.labelling._ledger import Int8, Int64, Ledger

Result = TypeVar("Result")
# Yields distinct positions, is sent one answer for each (0, 1, -1), returns its result. It knows nothing of labelers.
Procedure = Generator[Int64, Int8, Result]
Labeler = Callable[[Int64], Any]

_NOTHING: Any = object()


def drive(procedure: Procedure[Result], ledger: Ledger, labeler: Labeler) -> Result:
    """Run a procedure to its end; an exception on the way carries ``.state``.

    A request is cut into calls of at most 32 positions, or as many as the labeler's attribute ``positions_per_call`` says, and
    the answers of each are recorded before the next: that is the most a process that is killed can lose.
    """
    most = most_per_call(labeler, ledger)
    with Keeping(procedure, ledger):
        request, result = advance(procedure, None)
        while request is not None:
            missing = ledger.unpaid(request)
            if missing.size:
                for part in cut(missing, most):
                    _ask(labeler, part, ledger)
            request, result = advance(procedure, ledger.answers(request))
    return result  # type: ignore[return-value]


def advance(procedure: Procedure[Result], answers: Int8 | None) -> tuple[Int64 | None, Result | None]:
    """Return the next request of a procedure, or None and its result; a StopIteration of a labeler is not taken for its end."""
    try:
        return (next(procedure) if answers is None else procedure.send(answers)), None
    except StopIteration as end:
        return None, end.value


def _ask(labeler: Labeler, positions: Int64, ledger: Ledger) -> None:
    """Ask for the labels of one call and record them; what is there is kept if an exception, Ctrl-C included, comes between."""
    given = _NOTHING
    try:
        given = labeler(positions.copy())  # whatever it does to its argument, these answers are for `positions`
        if inspect.isawaitable(given):
            _refuse(given)
        ledger.record(positions, received(given, positions))
    except Exception as error:
        salvage(ledger, positions, error)
        raise
    except BaseException as error:
        if given is not _NOTHING:
            with suppress(Exception):
                ledger.record(positions, received(given, positions))
        salvage(ledger, positions, error)
        raise


def _refuse(given: Any) -> None:
    if inspect.iscoroutine(given):
        given.close()
    raise InvalidTypeError("labeler is asynchronous: what it returned is awaitable; use the function's _async twin")
