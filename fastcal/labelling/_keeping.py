"""Keeps what was paid, whatever happens: exceptions of a procedure or a labeler leave with every label on them."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import suppress
from types import TracebackType
from typing import Any

import numpy as np

from fastcal.errors import LabelingError
from fastcal.labelling._ledger import Int64, Ledger


class Keeping:
    """The time in which a procedure runs: the log is open, and exceptions carry ``.state``."""

    def __init__(self, procedure: Generator[Any, Any, Any], ledger: Ledger) -> None:
        self._procedure, self._ledger = procedure, ledger

    def __enter__(self) -> None:
        try:
            self._ledger.open()
        except BaseException as error:
            self.__exit__(type(error), error, None)
            raise

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            if error is not None:
                _carry(error, self._ledger.to_state())
        finally:
            self._ledger.close()
            self._procedure.close()


def salvage(ledger: Ledger, asked: Int64, error: BaseException) -> None:
    """Record what a labeler had before it failed: ``{position: answer}`` in an attribute ``paid`` of its exception."""
    paid = getattr(error, "paid", None)
    if not isinstance(paid, Mapping):
        return
    kept = {p: int(paid[p]) for p in asked.tolist() if p in paid and np.ndim(paid[p]) == 0 and paid[p] in (-1, 0, 1)}
    if kept:
        with suppress(OSError):  # they are in the ledger, and `error` is on its way
            ledger.record(np.array(list(kept), np.int64), np.array(list(kept.values()), np.int8))


def _carry(error: BaseException, state: dict[str, Any]) -> None:
    """Set ``error.state``, past a ``__setattr__`` that refuses; where nothing helps, raise one that has it."""
    try:
        object.__setattr__(error, "state", state)
    except (AttributeError, TypeError):
        wrapped = LabelingError(f"{type(error).__name__}: {error}")
        wrapped.state = state
        raise wrapped from error
