"""Labels that are wrong at known rates: what they say about the truth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fastcal._validate.numbers import number
from fastcal.errors import InvalidTypeError, InvalidValueError

if TYPE_CHECKING:
    from fastcal._backend.protocol import Array


class LabelNoise(NamedTuple):
    """Chances that an irrelevant pair is called relevant, and a relevant one irrelevant; their sum is below 1.

    A probability p shows itself as ``false_positive + (1 - false_positive - false_negative) * p``.
    """

    false_positive: float
    false_negative: float

    def seen(self, true: Array) -> Array:
        """Return the chances of being called relevant, given those of being relevant."""
        called: Array = self.false_positive + (1.0 - self.false_positive - self.false_negative) * true
        return called

    def true_share(self, seen: Array) -> Array:
        """Return the most likely true shares of relevant pairs given those seen, clipped to [0, 1]."""
        share: Array = np.clip((seen - self.false_positive) / (1.0 - self.false_positive - self.false_negative), 0.0, 1.0)
        return share


def judged_noise(label_noise: Any) -> LabelNoise | None:
    """Return the rates, None for no noise."""
    if label_noise is None:
        return None
    if not isinstance(label_noise, (tuple, list)) or len(label_noise) != 2:
        raise InvalidTypeError(f"label_noise must be two numbers (false_positive_rate, false_negative_rate), got {label_noise!r}")
    rates = LabelNoise(*(number(rate, "label_noise", "two rates of at least 0", lambda x: x >= 0.0) for rate in label_noise))
    if not sum(rates) < 1.0:
        raise InvalidValueError(f"label_noise rates must sum to less than 1, got {rates[0]} + {rates[1]}")
    return rates if any(rates) else None


def base_rate(labels: Array, weights: Array | None, noise: LabelNoise | None) -> float:
    """Return the share of relevant pairs, corrected for noise; raises if noise alone explains all labels of a class."""
    seen = float(np.average(labels, weights=weights))
    if noise is None:
        return seen
    rate = float(noise.true_share(np.array(seen)))
    if not 0.0 < rate < 1.0:
        kind, share, chance = ("relevant", seen, noise.false_positive) if rate == 0.0 else ("irrelevant", 1.0 - seen, noise.false_negative)
        raise InvalidValueError(f"{share:.4g} of the labels are {kind}, and label_noise={tuple(noise)} expects {chance:g} by error alone")
    return rate
