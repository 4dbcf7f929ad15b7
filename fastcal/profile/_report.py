"""What revalidation found."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from fastcal.profile._reference import Drift

Verdict = Literal["keep", "refit", "stop"]


@dataclass(frozen=True, slots=True)
class ThresholdCheck:
    """A stored threshold on new labelled pairs.

    Attributes
    ----------
    value : float
    space : str
    kind : str or None
        "precision" or "recall", which of them is promised.
    promised : float or None
    achieved : float or None
        None if fewer than 10 pairs are selected, or no pair is relevant.
    interval : (float, float) or None
        By query; 95 % for all promises of the profile together (Bonferroni).
    n_selected : int
    kept : bool or None
        Whether the interval reaches the promise; None where there is no promise or nothing to hold against it.

    Examples
    --------
    >>> import fastcal as fc
    >>> fc.ThresholdCheck(0.8, "probability", "precision", 0.9, 0.6, (0.5, 0.7), 120, False).kept
    False
    """

    value: float
    space: str
    kind: str | None
    promised: float | None
    achieved: float | None
    interval: tuple[float, float] | None
    n_selected: int
    kept: bool | None

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types."""
        return asdict(self) | {"interval": None if self.interval is None else list(self.interval)}


@dataclass(frozen=True, slots=True)
class Recalibration:
    """Claimed probabilities against labels.

    Attributes
    ----------
    p_value : float
        Of residuals like these if the probabilities were right: Rao's score test of intercept 0 and slope 1 (Cox 1958) with queries as units;
        for labels of one class, a bound on their chance.
    ece, constant_ece : float
        Expected calibration error, and that of claiming the claimed base rate for every pair.
    ece_interval : (float, float) or None
        95 %, by query; None for a single query.
    miscalibration : float or None
        The share of the base-rate guess's Brier score that recalibration would remove (CORP); None if the labels are of one class.
    brier_skill : float or None
        1 minus the Brier score over that of guessing today's base rate: 0 and less is no better than the guess.
    worse_than_constant : bool
        Whether it is worse than the guess by more than its 95 % error by query.

    Examples
    --------
    >>> import fastcal as fc
    >>> fc.Recalibration(0.4, 0.01, 0.0, (0.005, 0.02), 0.004, 0.5, False).to_dict()["ece_interval"]
    [0.005, 0.02]
    """

    p_value: float
    ece: float
    constant_ece: float
    ece_interval: tuple[float, float] | None
    miscalibration: float | None
    brier_skill: float | None
    worse_than_constant: bool

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types."""
        return asdict(self) | {"ece_interval": None if self.ece_interval is None else list(self.ece_interval)}


@dataclass(frozen=True, slots=True)
class RevalidationReport:
    """Keep the profile, fit it again, or stop using it; and why.

    Attributes
    ----------
    verdict : {"keep", "refit", "stop"}
    reasons : tuple of str
        What decided, in words and numbers; what else is worth knowing follows.
    n_pairs, n_queries : int
        Used.
    base_rate : float or None
        Share of relevant pairs now; None without labels.
    base_rate_interval : (float, float) or None
        95 %, by query.
    claimed_base_rate, training_base_rate : float
        What the probabilities are right for, and the share among the training pairs; they differ after ``prior=``.
    prior_shift : bool
        Whether a new base rate is what is wrong: see :meth:`Profile.revalidate`.
    calibration : Recalibration or None
        None without labels.
    thresholds : tuple of ThresholdCheck
        One per stored threshold; empty without labels.
    drift : Drift or None
        None if the profile holds no reference scores.
    n_seen : int or None
        Queries that the profile was fitted on; None if that cannot be told.

    Examples
    --------
    >>> import numpy as np, fastcal as fc
    >>> rng = np.random.default_rng(0)
    >>> scores = rng.random((400, 5))
    >>> labels, queries = rng.random((400, 5)) < scores, np.arange(400)
    >>> profile = fc.Profile.fit(scores[:200], labels[:200], queries[:200], model="m", metric="cosine")
    >>> report = profile.revalidate(scores[200:], labels[200:], query_ids=queries[200:])
    >>> report.verdict, report.n_queries
    ('keep', 200)
    """

    verdict: Verdict
    reasons: tuple[str, ...]
    n_pairs: int
    n_queries: int
    base_rate: float | None
    base_rate_interval: tuple[float, float] | None
    claimed_base_rate: float
    training_base_rate: float
    prior_shift: bool
    calibration: Recalibration | None
    thresholds: tuple[ThresholdCheck, ...]
    drift: Drift | None
    n_seen: int | None

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types."""
        return asdict(self) | {
            "reasons": list(self.reasons),
            "base_rate_interval": None if self.base_rate_interval is None else list(self.base_rate_interval),
            "calibration": None if self.calibration is None else self.calibration.to_dict(),
            "thresholds": [each.to_dict() for each in self.thresholds],
        }

    def __str__(self) -> str:
        return "\n  ".join([f"{self.verdict} ({self.n_pairs} pairs of {self.n_queries} queries)", *self.reasons])
