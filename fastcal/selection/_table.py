"""What a selection says: one row per candidate, the choice, and why."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from fastcal._backend.protocol import Array

BASELINE = "constant"


@dataclass(frozen=True)
class Candidate:
    """A calibrator's figures on queries it was not fitted on; with ``label_noise``, of the chance to be *called* relevant.

    Attributes
    ----------
    name : str
    log_loss : float
        Mean in nats.
    difference, low, high : float
        Log loss above that of the best candidate, and its 95 % interval by query; zeros for the best itself.
    standard_error : float
        Of `difference`, by query.
    brier, brier_skill : float
        Mean squared error, and the share of the constant predictor's that is gone.
    ece : float
        Expected calibration error in 15 bins of equal width; that of the constant predictor is near 0 as well.
    params : dict
        ``get_params()`` of the calibrator; what is not plain JSON stands there as its ``repr``.

    Examples
    --------
    >>> import fastcal as fc
    >>> picked = fc.select_calibrator([0.9, 0.2, 0.8, 0.3, 0.7, 0.1], [1, 0, 1, 0, 0, 1], [1, 1, 2, 2, 3, 3], n_splits=3)
    >>> picked.table[0].name
    'constant'
    """

    name: str
    log_loss: float
    difference: float
    low: float
    high: float
    standard_error: float
    brier: float
    brier_skill: float
    ece: float
    params: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """Return the row as plain JSON."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class Selection:
    """The chosen calibrator, fitted on everything, and the comparison it was chosen by.

    Attributes
    ----------
    calibrator
        Fitted on all pairs.
    name : str
        Of the chosen candidate.
    reason : str
        Why, in words and numbers.
    beats_constant : bool
        Whether the chosen candidate's log loss lies below the constant predictor's by more than its 95 % interval.
    table : tuple of Candidate
        The constant predictor (the base rate of the other folds), then the candidates from simple to complex.
    probabilities : ndarray, shape and dtype of the scores
        Out of fold, by the chosen candidate: what reliability curves and held-out figures should be made of.
    n_pairs, n_groups, n_splits, seed : int

    Examples
    --------
    >>> import fastcal as fc
    >>> picked = fc.select_calibrator([0.9, 0.2, 0.8, 0.3, 0.7, 0.1], [1, 0, 1, 0, 0, 1], [1, 1, 2, 2, 3, 3], n_splits=3)
    >>> sorted(picked.to_dict())
    ['beats_constant', 'calibrator', 'n_groups', 'n_pairs', 'n_splits', 'name', 'reason', 'seed', 'table']
    """

    calibrator: Any
    name: str
    reason: str
    beats_constant: bool
    table: tuple[Candidate, ...]
    probabilities: Array
    n_pairs: int
    n_groups: int
    n_splits: int
    seed: int

    def to_dict(self) -> dict[str, Any]:
        """Return all but the probabilities as plain JSON; the calibrator is None if it has no ``to_dict``."""
        state = self.calibrator.to_dict() if hasattr(self.calibrator, "to_dict") else None
        rows = [row.to_dict() for row in self.table]
        plain = {name: getattr(self, name) for name in ("name", "reason", "beats_constant", "n_pairs", "n_groups", "n_splits", "seed")}
        return plain | {"calibrator": state, "table": rows}

    def __str__(self) -> str:
        width = max(len(row.name) for row in self.table)
        lines = [f"{'':{width + 2}}log loss  above best, 95 % by query      Brier   skill     ECE"]
        for row in self.table:
            mark = "* " if row.name == self.name else "  "
            above = f"{row.difference:+.4f} [{row.low:+.4f}, {row.high:+.4f}]"
            lines.append(f"{mark}{row.name:{width}}{row.log_loss:8.4f}  {above}  {row.brier:9.4f} {row.brier_skill:+7.3f} {row.ece:7.4f}")
        return "\n".join([*lines, self.reason])
