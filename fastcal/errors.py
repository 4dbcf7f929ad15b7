"""Every error and warning fastcal raises on its own account.

User errors derive from both :class:`FastcalError` and the built-in class a caller would expect, so
``except ValueError`` and ``except fastcal.FastcalError`` both work.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


class FastcalError(Exception):
    """Base class of every error fastcal raises."""


class InvalidValueError(FastcalError, ValueError):
    """An argument has the right type but a value that cannot be used."""


class InvalidElementError(InvalidValueError):
    """One element of an array cannot be used; the first of them, where there are several.

    Attributes
    ----------
    argument : str
        Name of the argument, or of the column, that holds it.
    at : int
        Its position in that argument, flattened in C order; in a column, its row.
    value : scalar
        The element.
    reason : str
        What is wrong with it, or what is expected: the end of the message.

    Examples
    --------
    >>> import fastcal as fc
    >>> try:
    ...     fc.PlattCalibrator(input="prob").fit([[0.5, 0.25], [1.5, 0.75]], [[0, 1], [1, 0]])
    ... except fc.InvalidElementError as error:
    ...     print(error.argument, error.at, error.value)
    scores 2 1.5
    """

    argument: str
    at: int
    value: Any
    reason: str


class InvalidTypeError(FastcalError, TypeError):
    """An argument has a type or dtype that cannot be used."""


class NotFittedError(FastcalError, ValueError, AttributeError):
    """A calibrator was asked for probabilities before it was fitted."""


class CorpusChangedError(FastcalError, ValueError):
    """The corpus behind an index no longer is the one the index was built from."""


class IndexCorruptError(FastcalError, ValueError):
    """A file is not an index, or not the one that was saved: it is damaged, cut short or of another kind."""


def damaged_bytes(path: os.PathLike[str] | bytes, begin: int, end: int) -> IndexCorruptError:
    """Return the error for bytes ``begin`` to ``end`` of a file that do not have the digest they were saved with."""
    return IndexCorruptError(f"{os.fsdecode(path)}: bytes {begin} to {end} are damaged; save the index again or restore the file")


class ProfileMismatchError(FastcalError, ValueError):
    """A profile was fitted for another model, metric, stage or kind of pair: its probabilities would be wrong."""


class LabelingError(FastcalError, RuntimeError):
    """Labels cannot be kept where they should be, or the exception of a labeler, the cause of this one, could not carry ``.state``."""

    state: dict[str, Any]


class LabelFileError(OSError, LabelingError):
    """A log, a saved state or a cache cannot be read or written; ``errno`` and ``filename`` as of any OSError."""


class LabelingStopped(FastcalError):  # noqa: N818
    """Whoever labels has stopped. ``.state`` holds every label so far; pass it as ``state=`` to go on."""

    state: dict[str, Any]
    paid: dict[int, int]


class LabelsWanted(FastcalError):  # noqa: N818
    """Labels are not there yet: ``.positions`` says which, most important first; ``.state`` holds every label so far."""

    state: dict[str, Any]
    paid: dict[int, int]
    positions: npt.NDArray[np.int64]


class BackendError(FastcalError, ImportError):
    """The backend or the instruction set that was asked for cannot run here."""


class ShardLostError(FastcalError, RuntimeError):
    """A shard of an index in several cannot be searched, so there is no answer; the message names the shard."""


class WorkerLostError(FastcalError, RuntimeError):
    """Workers of a cluster died again and again over the same rows; the message names them."""


class MissingExtraError(FastcalError, ImportError):
    """An optional part of fastcal is not installed; the message names the extra."""


class FastcalWarning(UserWarning):
    """Base class of every warning fastcal emits."""


class BackendFallbackWarning(FastcalWarning):
    """The native extension is absent and Numba runs in its place."""


class FloatEnvironmentWarning(FastcalWarning):
    """The host set DAZ/FTZ, and denormals read as zero where that cannot be undone: on Numba, and outside the native core."""


class SmallSampleWarning(FastcalWarning):
    """A rate was estimated from so few selected items that it says little."""


class LabelingWarning(FastcalWarning):
    """Answers of a labeler are worth less than they seem: many are malformed, or of judgements that hardly know the run."""


class EscalationWarning(FastcalWarning):
    """A reranker or a wider search failed for some queries, which stay escalated."""


class ProfileWarning(FastcalWarning):
    """A profile is used where it may not fit: another list depth or corpus, a fact it does not record, queries it was fitted on."""
