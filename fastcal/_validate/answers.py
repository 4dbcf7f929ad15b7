"""Judges what a labeler answered."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fastcal._validate.arrays import as_array
from fastcal.errors import InvalidTypeError, InvalidValueError


def as_answers(given: Any, n: int) -> npt.NDArray[np.int8]:
    """Return `n` answers, each 0, 1 or -1 (cannot judge)."""
    answers = as_array(given, "labeler(...)")
    if answers.shape != (n,):
        raise InvalidValueError(f"labeler returned shape {answers.shape}; expected ({n},), one answer per position")
    if answers.dtype.kind not in "biuf":
        raise InvalidTypeError(f"labeler returned dtype {answers.dtype}; expected 0, 1 or -1 (cannot judge)")
    bad = (answers != 0) & (answers != 1) & (answers != -1)
    if bad.any():
        raise InvalidValueError(f"labeler answered {answers[bad.argmax()]} at [{bad.argmax()}]; expected 0, 1 or -1 (cannot judge)")
    return answers.astype(np.int8)
