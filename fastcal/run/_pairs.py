"""From flat positions of a run back to the names of queries and documents."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fastcal._validate.arrays import int64_array
from fastcal.errors import InvalidTypeError, InvalidValueError
from fastcal.run._run import Run


def pairs(run: Run, positions: npt.ArrayLike) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Tell which query and which document stand at flat positions of a run.

    Parameters
    ----------
    run : Run
    positions : array_like of int, any shape
        Positions in ``run.ids`` and ``run.scores``, as a labeler receives them. A scalar gives scalars.

    Returns
    -------
    query_ids, doc_ids : ndarray, the shape of `positions`
        Names where the run has them (object arrays of str), else int64 numbers.

    Raises
    ------
    ValueError, TypeError
        If a position is not an integer inside the run, or `run` is not a :class:`Run`.

    Examples
    --------
    >>> import fastcal as fc
    >>> run = fc.Run([[7, 3], [5, -1]], query_ids=["q1", "q2"])
    >>> queries, documents = fc.pairs(run, [0, 2])
    >>> queries.tolist(), documents.tolist()
    (['q1', 'q2'], [7, 5])
    """
    if not isinstance(run, Run):
        raise InvalidTypeError(f"expected a Run, got {type(run).__name__}")
    at = int64_array(positions, "positions")
    if at.size and not (at.min() >= 0 and at.max() < run.ids.size):
        raise InvalidValueError(f"positions must lie in [0, {run.ids.size}), got {at.min()} to {at.max()}")
    rows, ids = np.searchsorted(run.offsets, at, side="right") - 1, run.ids[at]
    return rows if run.query_ids is None else run.query_ids[rows], ids if run.doc_ids is None else run.doc_ids[ids]
