"""A threshold with what it promises."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from fastcal._validate.keys import require_keys
from fastcal._validate.numbers import flag, float32_number, integer, number, one_of
from fastcal.errors import InvalidTypeError, InvalidValueError
from fastcal.policy import SPACES, Space

ENOUGH = 30  # selected pairs below which a held-out figure says little
_RATES = ("target_precision", "target_recall", "precision", "recall")
_ROUNDING = 1e-9  # of interval limits that are the precision itself, at 0 and 1


@dataclass(frozen=True, slots=True)
class Threshold:
    """A cut, the space it cuts, the target it was chosen for, and what it did.

    Parameters
    ----------
    value : float
        In [0, 1] for a probability, finite for a score; rounded once to float32.
    space : {"probability", "score"}, default "probability"
    inclusive : bool, default True
        Whether a value equal to the threshold is selected.
    higher_is_better : bool, default True
        False where a smaller score is selected; a probability has no other direction.
    target_precision, target_recall : float, optional
        In (0, 1]; what it was chosen for. At most one.
    precision, recall : float, optional
        What it reached.
    interval : (float, float), optional
        95 % interval of the precision, by query.
    n_selected : int, optional
        Pairs selected where that was measured.
    held_out : bool, default False
        Whether it was measured on queries it was not chosen on.

    Raises
    ------
    ValueError, TypeError
        If a value is out of range or of another type, the precision outside its interval, or a held-out interval below the target
        precision: figures that refute a promise do not stand beside it.

    Examples
    --------
    >>> import fastcal as fc
    >>> cut = fc.Threshold(0.75, target_precision=0.9, precision=0.88, interval=(0.8, 0.93), n_selected=120, held_out=True)
    >>> cut.value, cut.promised
    (0.75, ('precision', 0.88))
    """

    value: float
    space: Space = "probability"
    inclusive: bool = True
    higher_is_better: bool = True
    target_precision: float | None = None
    target_recall: float | None = None
    precision: float | None = None
    recall: float | None = None
    interval: tuple[float, float] | None = None
    n_selected: int | None = None
    held_out: bool = False

    def __post_init__(self) -> None:
        one_of(self.space, "space", SPACES)
        if self.space == "probability":
            number(self.value, "value", "a probability in [0, 1]", lambda x: 0.0 <= x <= 1.0)
        object.__setattr__(self, "value", float(float32_number(self.value, "value")))
        for name in ("inclusive", "higher_is_better", "held_out"):
            object.__setattr__(self, name, flag(getattr(self, name), name))
        if self.space == "probability" and not self.higher_is_better:
            raise InvalidValueError("higher_is_better=False is for scores; a higher probability is always better")
        for name in _RATES:
            if getattr(self, name) is not None:
                object.__setattr__(self, name, _rate(getattr(self, name), name, above_zero=name.startswith("target")))
        if self.target_precision is not None and self.target_recall is not None:
            raise InvalidValueError("target_precision and target_recall are both given; expected at most one of them")
        if self.n_selected is not None:
            object.__setattr__(self, "n_selected", integer(self.n_selected, "n_selected", least=0))
        if self.interval is not None:
            object.__setattr__(self, "interval", _interval(self.interval))
            self._judge_interval(*self.interval)

    def _judge_interval(self, low: float, high: float) -> None:
        if self.precision is not None and not low - _ROUNDING <= self.precision <= high + _ROUNDING:
            raise InvalidValueError(f"precision {self.precision} lies outside its interval ({low}, {high})")
        if self.held_out and self.target_precision is not None and high + _ROUNDING < self.target_precision:
            raise InvalidValueError(f"target_precision={self.target_precision} is refuted by its held-out interval ({low}, {high})")

    @property
    def promised(self) -> tuple[str, float] | None:
        """What it is held to: its target, or what it reached on held-out queries if that is less; without a target, the precision it reached.

        What fewer than 30 selected pairs reached lowers no promise.
        """
        known = self.held_out and self.n_selected is not None and self.n_selected >= ENOUGH
        for name, target, reached in (("precision", self.target_precision, self.precision), ("recall", self.target_recall, self.recall)):
            if target is not None:
                return name, min(target, reached) if known and reached is not None else target
        return None if self.precision is None else ("precision", self.precision)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types."""
        return asdict(self) | {"interval": None if self.interval is None else list(self.interval)}


def threshold_from_dict(d: Any, name: str) -> Threshold:
    """Rebuild a threshold; errors say which one."""
    require_keys(d, set(Threshold.__slots__), name)
    try:
        return Threshold(**d)
    except (InvalidTypeError, InvalidValueError) as error:
        raise type(error)(f"{name}: {error}") from None


def _rate(value: Any, name: str, *, above_zero: bool) -> float:
    if above_zero:
        return number(value, name, "a number in (0, 1]", lambda x: 0.0 < x <= 1.0)
    return number(value, name, "a number in [0, 1]", lambda x: 0.0 <= x <= 1.0)


def _interval(value: Any) -> tuple[float, float]:
    if not isinstance(value, tuple | list) or len(value) != 2:
        raise InvalidTypeError(f"interval must be a pair of numbers, got {value!r}")
    low, high = (_rate(limit, "interval", above_zero=False) for limit in value)
    if low > high or math.isnan(low):
        raise InvalidValueError(f"interval must have low <= high, got ({low}, {high})")
    return low, high
