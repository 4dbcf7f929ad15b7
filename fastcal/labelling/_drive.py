"""Drives a procedure that asks for labels: buys what is not in hand, keeps what was paid, whatever happens."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Generator
from typing import Any, TypeVar

from fastcal._validate.answers import as_answers
from fastcal.errors import InvalidTypeError
from fastcal.labelling._keeping import Keeping, salvage
from fastcal.labelling._ledger import Int8, Int64, Ledger

Result = TypeVar("Result")
# Yields distinct positions, is sent one answer for each (0, 1, -1), returns its result. It knows nothing of labelers.
Procedure = Generator[Int64, Int8, Result]
Labeler = Callable[[Int64], Any]


def drive(procedure: Procedure[Result], ledger: Ledger, labeler: Labeler) -> Result:
    """Run a procedure to its end; an exception on the way carries ``.state``."""
    require_callable(labeler)
    with Keeping(procedure, ledger):
        request, result = advance(procedure, None)
        while request is not None:
            missing = ledger.unpaid(request)
            if missing.size:
                ledger.record(missing, _ask(labeler, missing, ledger))
            request, result = advance(procedure, ledger.answers(request))
    return result  # type: ignore[return-value]


def advance(procedure: Procedure[Result], answers: Int8 | None) -> tuple[Int64 | None, Result | None]:
    """Return the next request of a procedure, or None and its result; a StopIteration of a labeler is not taken for its end."""
    try:
        return (next(procedure) if answers is None else procedure.send(answers)), None
    except StopIteration as end:
        return None, end.value


def require_callable(labeler: Any) -> None:
    """Raise unless this can be called."""
    if not callable(labeler):
        raise InvalidTypeError(f"labeler must be callable, got {type(labeler).__name__}")


def _ask(labeler: Labeler, positions: Int64, ledger: Ledger) -> Int8:
    try:
        given = labeler(positions.copy())  # whatever it does to its argument, these answers are for `positions`
    except BaseException as error:
        salvage(ledger, positions, error)
        raise
    if inspect.isawaitable(given):
        if inspect.iscoroutine(given):
            given.close()
        raise InvalidTypeError("labeler is asynchronous: what it returned is awaitable; use the function's _async twin")
    return as_answers(given, positions.size)
