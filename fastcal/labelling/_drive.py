"""Drives a procedure that asks for labels: buys what is not in hand, keeps what was paid, whatever happens."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, TypeVar

from fastcal._validate.answers import as_answers
from fastcal.labelling._ledger import Int8, Int64, Ledger

Result = TypeVar("Result")
# Yields distinct positions, is sent one answer for each (0, 1, -1), returns its result. It knows nothing of labelers.
Procedure = Generator[Int64, Int8, Result]
Labeler = Callable[[Int64], Any]


def drive(procedure: Procedure[Result], ledger: Ledger, labeler: Labeler) -> Result:
    """Run a procedure to its end; an exception on the way carries ``.state``."""
    try:
        request = next(procedure)
        while True:
            missing = ledger.unpaid(request)
            if missing.size:
                ledger.record(missing, as_answers(labeler(missing), missing.size))
            request = procedure.send(ledger.answers(request))
    except StopIteration as end:
        result: Result = end.value
        return result
    except BaseException as error:
        error.state = ledger.to_state()  # type: ignore[attr-defined]
        raise
