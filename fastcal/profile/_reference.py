"""The scores a profile was fitted on, as quantiles, and how far new scores have drifted from them."""

from __future__ import annotations

import itertools
import math
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from fastcal._clusters import effective_trials
from fastcal._validate.keys import require_keys
from fastcal._validate.numbers import integer, number
from fastcal.errors import InvalidTypeError, InvalidValueError

STEPS = 256
_LEVELS = np.linspace(0.0, 1.0, STEPS + 1)
_CUTS = range(STEPS // 10, STEPS, STEPS // 10)  # about the deciles: where dependence is measured

Float64 = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Reference:
    """Quantiles at 0, 1/256, ..., 1 of the scores, each one of them, and the number of independent pairs that know them as well."""

    quantiles: tuple[float, ...]
    n_pairs: int
    n_queries: int
    n_effective: float

    @classmethod
    def of(cls, scores: Float64, weights: Float64 | None, codes: Codes) -> Self:
        """Summarise scores (n_pairs,); ``codes`` are their queries."""
        quantiles = _quantiles(scores, weights)
        return cls(tuple(quantiles.tolist()), len(scores), len(np.unique(codes)), independent_pairs(scores, weights, codes, quantiles))

    @classmethod
    def from_dict(cls, d: Any) -> Self:
        """Judge what stands in a file."""
        require_keys(d, set(cls.__slots__), "reference")
        values = d["quantiles"]
        if not isinstance(values, list) or len(values) != STEPS + 1:
            raise InvalidTypeError(f"reference: quantiles must be a list of {STEPS + 1} numbers")
        found = tuple(number(value, "reference: a quantile", "a finite number", math.isfinite) for value in values)
        if any(a > b for a, b in itertools.pairwise(found)):
            raise InvalidValueError("reference: quantiles must not fall")
        effective = number(d["n_effective"], "reference: n_effective", "a positive finite number", lambda x: 0.0 < x < math.inf)
        n_pairs, n_queries = (integer(d[name], f"reference: {name}", least=1) for name in ("n_pairs", "n_queries"))
        if n_pairs < max(n_queries, effective):
            raise InvalidValueError(f"reference: n_pairs={n_pairs} is less than n_queries={n_queries} or n_effective={effective}")
        return cls(found, n_pairs, n_queries, effective)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types."""
        return asdict(self) | {"quantiles": list(self.quantiles)}


@dataclass(frozen=True, slots=True)
class Drift:
    """Two samples of scores compared by the largest difference of their distribution functions (Kolmogorov-Smirnov).

    Attributes
    ----------
    statistic : float
        The effect size, in [0, 1]: the largest difference, over all cuts, of the share of pairs below the cut.
    p_value : float
        Of that much or more if nothing has changed, for samples of `n_effective` and `reference_n_effective` independent pairs.
    at : float
        The score where the difference is largest.
    share_below, reference_share_below : float
        Of the new and the old pairs, up to it.
    n_effective, reference_n_effective : float
        Pairs of one query resemble each other: the number of independent pairs that know the distribution as well.

    Examples
    --------
    >>> import numpy as np, fastcal as fc
    >>> rng = np.random.default_rng(0)
    >>> scores = rng.random((200, 5))
    >>> profile = fc.Profile.fit(scores, rng.random((200, 5)) < scores, np.arange(200), model="m", metric="cosine")
    >>> drift = profile.revalidate(scores / 2, query_ids=np.arange(200, 400)).drift
    >>> round(drift.statistic, 1), drift.p_value < 1e-6
    (0.5, True)
    """

    statistic: float
    p_value: float
    at: float
    share_below: float
    reference_share_below: float
    n_effective: float
    reference_n_effective: float

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types."""
        return asdict(self)


def drift_from(reference: Reference, scores: Float64, weights: Float64 | None, codes: Codes) -> Drift:
    """Compare new scores with the stored quantiles, at the quantiles: finer differences than 1/256 are not seen."""
    cuts, last = np.unique(np.array(reference.quantiles)[::-1], return_index=True)
    then = _LEVELS[STEPS - last]  # of equal quantiles the highest level
    order = np.argsort(scores)
    mass = np.ones(len(scores)) if weights is None else weights[order]
    share = np.concatenate(([0.0], np.cumsum(mass))) / mass.sum()
    # Between two quantiles the old share stands still: the new one is compared with it at both ends, at the lower and just below the upper.
    at, just_below = (share[np.searchsorted(scores[order], cuts, side=side)] for side in ("right", "left"))
    new, old = np.concatenate([at, just_below]), np.concatenate([then, [0.0], then[:-1]])
    worst = int(np.argmax(np.abs(new - old)))
    statistic = float(abs(new[worst] - old[worst]))
    here = independent_pairs(scores, weights, codes, np.array(reference.quantiles))
    n = here * reference.n_effective / (here + reference.n_effective)
    cut, shares = float(cuts[worst % len(cuts)]), (float(new[worst]), float(old[worst]))
    return Drift(statistic, kolmogorov_p(statistic, n), cut, *shares, here, reference.n_effective)


def independent_pairs(scores: Float64, weights: Float64 | None, codes: Codes, quantiles: Float64) -> float:
    """Median over cuts near the deciles of the effective trials behind the share of scores at or below the cut, by query; at most the pairs."""
    found = [effective_trials((scores <= quantiles[at]).astype(np.uint8), weights, codes)[1] for at in _CUTS]
    return float(min(max(np.median(found), 1.0), len(scores)))


def kolmogorov_p(statistic: float, n: float) -> float:
    """Tail of the two-sample statistic with n = n1 n2 / (n1 + n2): Kolmogorov's series at Stephens' (1970) argument."""
    t = (math.sqrt(n) + 0.12 + 0.11 / math.sqrt(n)) * statistic
    if t < 0.2:  # the series converges slowly where its sum is 1 to 12 digits
        return 1.0
    terms = (2.0 * (-1.0) ** (k - 1) * math.exp(-2.0 * (k * t) ** 2) for k in range(1, 101))
    return min(max(sum(terms), 0.0), 1.0)


def _quantiles(scores: Float64, weights: Float64 | None) -> Float64:
    """The least score with at least the share of weight at or below it."""
    order = np.argsort(scores, kind="stable")
    share = np.cumsum(np.ones(len(scores)) if weights is None else weights[order])
    at = np.searchsorted(share, _LEVELS * share[-1] * (1 - 1e-12), side="left")
    found: Float64 = scores[order][np.minimum(at, len(scores) - 1)]
    return found
