"""How a request is cut into calls of a labeler, and what is made of the answers to one."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastcal._validate.answers import judge_answers
from fastcal._validate.numbers import integer
from fastcal.errors import InvalidTypeError, InvalidValueError
from fastcal.labelling._ledger import Int8, Int64, Ledger

MOST = 32  # labels that a process that is killed can lose


def most_per_call(labeler: Any, ledger: Ledger) -> int | None:
    """Judge a labeler before anything is paid; return how many positions it takes at a time, None for whole requests.

    That is its attribute ``positions_per_call``, of a bound method that of its object. ``n_positions`` is how many it knows.
    """
    if not callable(labeler):
        raise InvalidTypeError(f"labeler must be callable, got {type(labeler).__name__}")
    owner = getattr(labeler, "__self__", labeler)
    known = getattr(owner, "n_positions", None)
    if known is not None and ledger.size is not None and known < ledger.size:
        raise InvalidValueError(f"{type(owner).__name__} is of another pool: it knows {known} positions, the pool has {ledger.size}")
    most = getattr(owner, "positions_per_call", MOST)
    return None if most is None else integer(most, "labeler.positions_per_call", least=1)


def cut(request: Int64, most: int | None, at_least: int = 1) -> list[Int64]:
    """Cut a request, in its order, into calls of about the same size: `at_least` of them, more if one would exceed `most`."""
    n_calls = max(min(at_least, request.size), 1 if most is None else -(-request.size // most))
    return np.array_split(request, n_calls)


def received(given: Any, positions: Int64) -> Int8:
    """Return the answers of a call; of a malformed batch the well-formed ones are in the exception's ``paid``."""
    answers, good, error = judge_answers(given, positions.size)
    if error is None:
        return answers
    kept = dict(zip(positions[good].tolist(), answers[good].tolist(), strict=True))
    where = f" (position {positions[good.argmin()]})" if kept else ""
    told = type(error)(f"{error}{where}; {len(kept)} of {positions.size} answers of this call are kept")
    told.paid = kept  # type: ignore[union-attr]
    raise told
