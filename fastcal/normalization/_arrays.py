"""What comes in and what goes out: the lists of one call, judged, and where their result is computed."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from fastcal import _threads
from fastcal._validate import lists
from fastcal._validate.arrays import kept_dtype
from fastcal._validate.lists import Floats, Int64
from fastcal.errors import InvalidValueError


class Lists(NamedTuple):
    """Flat scores, list i being ``[offsets[i], offsets[i + 1])``, and the flat array of the same dtype that receives the result."""

    scores: Floats
    offsets: Int64
    out: npt.NDArray[Any]
    higher_is_better: bool
    num_threads: int

    @property
    def n_lists(self) -> int:
        """How many lists there are."""
        return self.offsets.size - 1

    def oriented(self) -> Floats:
        """Scores for which higher is better."""
        return self.scores if self.higher_is_better else -self.scores

    def owners(self) -> Int64:
        """The list of every entry."""
        return np.repeat(np.arange(self.n_lists), np.diff(self.offsets))

    def store(self, result: npt.NDArray[np.float64]) -> None:
        """Round a result to ``out``; what does not fit is an error."""
        round_into(self.out, result)

    def real_counts(self) -> Int64:
        """How many entries of each list are not NaN."""
        missing = np.isnan(self.scores)
        if not missing.any():
            return np.diff(self.offsets)
        return np.diff(np.concatenate(([0], np.cumsum(~missing, dtype=np.int64)))[self.offsets])


def round_into(out: npt.NDArray[Any], result: npt.NDArray[Any]) -> None:
    """Round ``result`` to ``out``; InvalidValueError for a finite number beyond its range."""
    with np.errstate(over="ignore"):
        out[...] = result
    lost = np.isinf(out) & np.isfinite(result)
    if lost.any():
        raise InvalidValueError(f"a result of {result[lost][0]} is beyond {out.dtype}; pass scores of a wider type, or scale them")


class Call(NamedTuple):
    """Arrays as the caller shapes them; ``target`` is where to compute: the result itself unless that is half precision."""

    values: Floats
    offsets: Int64
    result: npt.NDArray[Any]
    target: npt.NDArray[Any]

    def lists(self, num_threads: int | None, *, higher_is_better: bool = True) -> Lists:
        """Return the flat lists of the call."""
        threads = _threads.resolve(num_threads)
        return Lists(self.values.reshape(-1), self.offsets, self.target.reshape(-1), higher_is_better, threads)

    def finish(self) -> npt.NDArray[Any]:
        """Return the result, rounded from the target."""
        if self.target is not self.result:
            round_into(self.result, self.target)
        return self.result


def prepare(scores: npt.ArrayLike, offsets: npt.ArrayLike | None, out: Any) -> Call:
    """Judge scores, offsets and output."""
    values = lists.as_scores(scores)
    bounds = lists.as_offsets(offsets, values.shape)
    result = lists.as_output(out, values.shape, kept_dtype(scores, values))
    target = result if result.dtype == values.dtype else np.empty_like(values)
    return Call(lists.apart(values, target), bounds, result, target)
