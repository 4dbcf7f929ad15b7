"""What happened at each cut of a walk."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from fastcal.labelling.result import plain


@dataclass(frozen=True, slots=True, eq=False)
class CutTest:
    """One test of whether the selection at a threshold reaches the target.

    Attributes
    ----------
    threshold : float
        Inclusive.
    n_rows : int
        Rows it selects.
    null_hits : int
        The most of them that may be positive if the target is missed.
    labels : int
        Labels consumed beyond those of the census, in the order of priority.
    bought : int
        Labels that were first asked for here.
    positives : int
        Of the labels consumed.
    log_evidence : float
        The highest value of the log evidence; certified from log(1 / delta) on.
    verdict : str
        "certified", "missed" (known not to reach the target), "out of reach" (whatever the other rows are, given the census),
        "futility", "budget", or "rows" (too few of them to show it, for promises about future pairs).
    delta : float
        Level of the test: half of the whole with a second start; 0 within the census, which is known without error.
    path : ndarray of float64, shape (labels,)
        Log evidence after each label.

    Examples
    --------
    >>> import numpy as np, fastcal as fc
    >>> found = fc.certify_threshold(np.arange(300.0), np.ones_like, seed=0)
    >>> [(test.n_rows, test.labels, test.verdict) for test in found.trace]
    [(29, 29, 'certified'), (75, 18, 'certified'), (150, 27, 'certified'), (300, 34, 'certified')]
    """

    threshold: float
    n_rows: int
    null_hits: int
    labels: int
    bought: int
    positives: int
    log_evidence: float
    verdict: str
    delta: float
    path: npt.NDArray[np.float64] = field(repr=False)

    def __str__(self) -> str:
        seen = f"{self.positives} of {self.labels} positive"
        return f"{self.n_rows:>9} rows from {self.threshold:<11.6g} {seen:<22} log evidence {self.log_evidence:6.2f}  {self.verdict}"

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types, without the path."""
        return {each.name: plain(getattr(self, each.name)) for each in fields(self) if each.name != "path"}
