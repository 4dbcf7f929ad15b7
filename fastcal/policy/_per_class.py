"""One rule per class of query: languages, modality pairs, kinds of question."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from fastcal._validate.groups import as_groups
from fastcal.errors import InvalidTypeError, InvalidValueError
from fastcal.policy._rules import AbstainBand, GapCheck, ScoreFloor

Rule = TypeVar("Rule", bound=AbstainBand | ScoreFloor | GapCheck)


@dataclass(frozen=True, slots=True)
class PerClass(Generic[Rule]):
    """A rule for each class of query, wherever :class:`Policy` takes that rule.

    Parameters
    ----------
    rules : mapping of str or int to AbstainBand, ScoreFloor or GapCheck
        All of one type; bands all in one space. Copied.
    default : AbstainBand, ScoreFloor or GapCheck, optional
        For classes that `rules` does not name. Without it they are errors.

    Raises
    ------
    TypeError
        If a class is neither str nor int, or a rule of another type than the others.
    ValueError
        If `rules` is empty, or bands cut different spaces.

    Examples
    --------
    >>> import numpy as np, fastcal as fc
    >>> floors = fc.PerClass({"en": fc.ScoreFloor(0.5), "de": fc.ScoreFloor(0.7)})
    >>> found = fc.SearchResult(np.array([[0.6], [0.6]], dtype=np.float32), np.array([[4], [2]]))
    >>> decided = fc.Policy(floor=floors).decide(found, classes=["en", "de"])
    >>> [fc.Decision(code).name for code in decided.decisions]
    ['ACT', 'NOT_FOUND']
    """

    rules: Mapping[str | int, Rule]
    default: Rule | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.rules, Mapping):
            raise InvalidTypeError(f"rules must be a mapping from class to rule, got {type(self.rules).__name__}")
        if not self.rules:
            raise InvalidValueError("rules is empty; expected a rule for at least one class")
        object.__setattr__(self, "rules", dict(self.rules))
        for name in self.rules:
            if isinstance(name, bool) or not isinstance(name, str | int):
                raise InvalidTypeError(f"a class must be a str or an int, got {name!r}")
        self._judge_rules()

    def _judge_rules(self) -> None:
        named: dict[str, Any] = {repr(name): rule for name, rule in self.rules.items()}
        if self.default is not None:
            named["default"] = self.default
        kind = type(next(iter(named.values())))
        for name, rule in named.items():
            if not isinstance(rule, AbstainBand | ScoreFloor | GapCheck) or type(rule) is not kind:
                raise InvalidTypeError(
                    f"the rule of {name} is a {type(rule).__name__}; expected an AbstainBand, ScoreFloor or GapCheck, all of one type"
                )
        if len({getattr(rule, "space", "score") for rule in named.values()}) > 1:
            raise InvalidValueError("bands in the space of probabilities and of scores are mixed; expected one space")

    @property
    def kind(self) -> type[Rule]:
        """The type of the rules."""
        return type(self._any)

    @property
    def space(self) -> str:
        """What bands cut; "score" for the other rules."""
        return str(getattr(self._any, "space", "score"))

    @property
    def _any(self) -> Rule:
        return next(iter(self.rules.values()))

    def of(self, name: str | int) -> Rule:
        """Return the rule of a class; ValueError if there is none."""
        rule = self.rules.get(name, self.default)
        if rule is None:
            raise InvalidValueError(f"class {name!r} has no rule; expected one of {', '.join(map(repr, self.rules))}, or give default=")
        return rule

    def edges(self, classes: list[str | int]) -> Any:
        """Return the edges of the rules, as columns with a row for each query."""
        each = [self.of(name).edges() for name in classes] or [self._any.edges()]
        return type(each[0])(*(np.array(column)[:, np.newaxis] for column in zip(*each, strict=True)))


def class_of_each(classes: npt.ArrayLike, n_queries: int) -> list[str | int]:
    """Return the class of each query as Python values; classes are integers or strings, one per query."""
    if n_queries == 0 and np.size(classes) == 0:
        return []
    groups = as_groups(classes, (n_queries,), "classes", "the queries of the result")
    names = groups.labels.tolist()
    return [names[code] for code in groups.codes.tolist()]
