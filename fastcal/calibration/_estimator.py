"""The estimator protocol of scikit-learn, without importing it."""

from __future__ import annotations

import inspect
from typing import Any, Self

from fastcal.errors import InvalidValueError


class Estimator:
    """Parameters are the constructor's arguments, kept under their names as they were given."""

    @classmethod
    def _param_names(cls) -> tuple[str, ...]:
        return tuple(inspect.signature(cls).parameters)

    def get_params(self, deep: bool = True) -> dict[str, Any]:  # noqa: ARG002  (scikit-learn's signature)
        """Return the constructor's parameters by name; `deep` is there for scikit-learn and changes nothing.

        Examples
        --------
        >>> import fastcal as fc
        >>> fc.BetaCalibrator().get_params()
        {'parameters': 'abm', 'input': 'prob'}
        """
        return {name: getattr(self, name) for name in self._param_names()}

    def set_params(self, **params: Any) -> Self:
        """Set constructor parameters by name; ValueError for a name the constructor does not have.

        Examples
        --------
        >>> import fastcal as fc
        >>> fc.IsotonicCalibrator().set_params(out_of_bounds="nan")
        IsotonicCalibrator(out_of_bounds='nan')
        """
        for name in params:
            if name not in self._param_names():
                raise InvalidValueError(f"{type(self).__name__} has no parameter {name!r}; expected {_listed(self._param_names())}")
        for name, value in params.items():
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        defaults = {name: p.default for name, p in inspect.signature(type(self)).parameters.items()}
        changed = (f"{name}={value!r}" for name, value in self.get_params().items() if value != defaults[name])
        return f"{type(self).__name__}({', '.join(changed)})"


def _listed(names: tuple[str, ...]) -> str:
    return "one of " + ", ".join(map(repr, names)) if names else "no parameters"
