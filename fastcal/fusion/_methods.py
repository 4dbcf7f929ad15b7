"""What each method of fusion is made of: the value of an entry, how the values of a document combine, and the method's options."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fastcal._backend.protocol import FuseCombine, FuseValue
from fastcal._validate.numbers import number
from fastcal.errors import InvalidValueError


@dataclass(frozen=True, slots=True)
class Option:
    """A number that a method takes."""

    default: float
    expected: str
    accept: Callable[[float], bool]


@dataclass(frozen=True, slots=True)
class Method:
    """One way to fuse; ``docs/numerics.md`` has the formulas of values and combinations.

    `parameter` names the option that the engine knows by this word, `base` the one whose log-odds it wants; `factor` scales the
    sum of a document by the number of runs that list it.
    """

    value: FuseValue
    combine: FuseCombine
    options: Mapping[str, Option] = field(default_factory=dict)
    parameter: str | None = None
    base: str | None = None
    factor: Callable[[int, Mapping[str, float]], float] | None = None
    missing: str = "zero"
    weighted: bool = True
    stretches: bool = False

    by_rank: bool = field(init=False)  # scores are of no use to the method

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_rank", self.value != "score")


_NOT_NEGATIVE = ("finite and at least 0", lambda x: 0.0 <= x < math.inf)
_K = {"k": Option(60.0, *_NOT_NEGATIVE)}
_PHI = {"phi": Option(0.8, "strictly between 0 and 1", lambda x: 0.0 < x < 1.0)}
_SIGMA = {"sigma": Option(0.01, "from 0 to 1", lambda x: 0.0 <= x <= 1.0)}
_GAMMA = {"gamma": Option(1.0, "from -64 to 64", lambda x: -64.0 <= x <= 64.0)}
_ODDS = {
    "prior": Option(0.5, "strictly between 0 and 1", lambda x: 0.0 < x < 1.0),
    "clip": Option(1e-6, "from 1e-15 to 0.1", lambda x: 1e-15 <= x <= 0.1),
}
_SUM = Method("score", "sum")

METHODS: dict[str, Method] = {
    "rrf": Method("reciprocal", "sum", _K, parameter="k", stretches=True),
    "isr": Method("square", "sum", factor=lambda m, _: m, stretches=True),
    "logn_isr": Method("square", "sum", _SIGMA, factor=lambda m, o: math.log(m + o["sigma"]), stretches=True),
    "rbc": Method("power", "sum", _PHI, parameter="phi"),
    "borda": Method("points", "sum"),
    "condorcet": Method("points", "copeland"),
    "min": Method("score", "min", missing="skip", weighted=False),
    "max": Method("score", "max", missing="skip", weighted=False),
    "med": Method("score", "median", missing="skip", weighted=False),
    "sum": _SUM,
    "anz": Method("score", "sum", factor=lambda m, _: 1.0 / m),
    "mnz": Method("score", "sum", factor=lambda m, _: m),
    "gmnz": Method("score", "sum", _GAMMA, factor=lambda m, o: m ** o["gamma"]),
    "mean": Method("score", "mean"),
    "gmean": Method("score", "geometric", missing="skip"),
    "hmean": Method("score", "harmonic", missing="skip"),
    "wsum": _SUM,
    "wmnz": Method("score", "by_weights"),
    "mixed": Method("score", "sum", factor=lambda m, _: math.sqrt(m)),
    "logodds": Method("score", "logistic", _ODDS, parameter="clip", base="prior", missing="skip"),
}


_DEFAULTS = {name: {option: known.default for option, known in method.options.items()} for name, method in METHODS.items()}


def quoted(names: Any) -> str:
    """Return names as they stand in messages."""
    return ", ".join(map(repr, names))


def as_method(name: Any) -> Method:
    """Return the method of this name."""
    method = METHODS.get(name) if isinstance(name, str) else None
    if method is None:
        raise InvalidValueError(f"method must be one of {quoted(METHODS)}; got {name!r}")
    return method


def as_options(name: str, method: Method, given: Mapping[str, Any]) -> dict[str, float]:
    """Return every option of the method, given or by default."""
    defaults = _DEFAULTS[name]
    if not given:
        return defaults
    for option in given:
        if option not in defaults:
            raise InvalidValueError(f"method {name!r} takes {quoted(defaults) or 'no options'}, got {option!r}")
    known = method.options
    return {**defaults, **{option: number(value, option, known[option].expected, known[option].accept) for option, value in given.items()}}
