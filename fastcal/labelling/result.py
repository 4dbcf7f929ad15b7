"""What every procedure that pays for labels returns."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class LabelledResult:
    """Threshold, reason and cost of a procedure that paid for labels.

    Attributes
    ----------
    threshold : float or None
        Inclusive, a float32 value; None if there is none.
    reason : str
        Why the procedure ended as it did.
    labels_used : int
        Distinct labels asked for, those brought along by a state included.
    labels_floor : int
        The fewest labels with which any procedure could have kept this promise, all of them positive.
    n_selected : int
        Rows at or beyond the threshold; 0 without one.
    scope : str
        What the promise covers, in words.
    n_cannot_judge : int
        Labels used that nobody could judge; they counted as not relevant.
    seed : int
        Of the order of labelling; drawn from the operating system if none was given.
    state : dict
        Every label that was paid for, plain JSON, to go on from with ``state=``.
    """

    threshold: float | None
    reason: str
    labels_used: int
    labels_floor: int
    n_selected: int
    scope: str
    n_cannot_judge: int
    seed: int
    state: dict[str, Any] = field(repr=False)

    def __str__(self) -> str:
        """Tell threshold, cost and scope in a few lines."""
        found = "no threshold" if self.threshold is None else f"threshold {self.threshold:.9g}, {self.n_selected} rows"
        judged = f"; {self.n_cannot_judge} of them nobody could judge: they count as not relevant" if self.n_cannot_judge else ""
        return f"{type(self).__name__}: {found} ({self.reason})\n{self.labels_used} labels used{judged}\n{self.scope}"

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types."""
        return {each.name: plain(getattr(self, each.name)) for each in fields(self)}


def plain(value: Any) -> Any:
    """Return a value of a result as plain JSON types; NaN becomes None."""
    if hasattr(value, "to_dict"):
        return value.to_dict()
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    return None if isinstance(value, float) and not np.isfinite(value) else value
