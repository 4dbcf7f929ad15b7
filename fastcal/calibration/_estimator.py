"""The estimator protocol of scikit-learn, without importing it."""

from __future__ import annotations

import inspect
import sys
from copy import deepcopy
from typing import Any, ClassVar, Self

import numpy as np

from fastcal.errors import InvalidTypeError, InvalidValueError


class Estimator:
    """Parameters are the constructor's arguments, kept under their names as they were given.

    Enough for ``sklearn.base.clone``, ``Pipeline`` and ``GridSearchCV``: :func:`get_params`, :func:`set_params` with
    nested names (``calibrator__out_of_bounds``), tags and the mark of a fitted estimator. To scikit-learn a calibrator is
    a regressor, as its ``IsotonicRegression`` is: ``predict`` gives probabilities.
    """

    _estimator_type = "regressor"  # read by scikit-learn before 1.6
    _read_by_predict: ClassVar[frozenset[str]] = frozenset()  # parameters that fits do not depend on

    @classmethod
    def _param_names(cls) -> tuple[str, ...]:
        return tuple(inspect.signature(cls).parameters)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the constructor's parameters by name; `deep` adds those of parameters that are estimators, as ``name__parameter``.

        Examples
        --------
        >>> import fastcal as fc
        >>> fc.BetaCalibrator().get_params()
        {'parameters': 'abm', 'input': 'prob'}
        """
        params = {name: getattr(self, name) for name in self._param_names()}
        nested = [(name, value) for name, value in params.items() if deep and _has_params(value)]
        return params | {f"{name}__{inner}": value for name, owner in nested for inner, value in owner.get_params(deep=True).items()}

    def set_params(self, **params: Any) -> Self:
        """Set constructor parameters by name, nested ones as ``name__parameter``; ValueError for a name that is not there.

        A fitted calibrator must be fitted again if one changes that its fit depends on; until then it raises NotFittedError.

        Examples
        --------
        >>> import fastcal as fc
        >>> fc.IsotonicCalibrator().set_params(out_of_bounds="nan")
        IsotonicCalibrator(out_of_bounds='nan')
        """
        names, before = self._param_names(), self.get_params(deep=True)
        for name in params:
            if name.partition("__")[0] not in names:
                raise InvalidValueError(f"{type(self).__name__} has no parameter {name!r}; expected {_listed(names)}")
        if any(name not in before or not _same(params[name], before[name]) for name in params.keys() - self._read_by_predict):
            vars(self).pop("base_rate_", None)  # before anything changes: what fails half-way leaves no fit of other parameters
        for name, value in params.items():
            if "__" not in name:
                setattr(self, name, value)
        for name, value in params.items():
            owner, nested, inner = name.partition("__")
            if nested:
                self._nested(owner).set_params(**{inner: value})
        return self

    def _nested(self, name: str) -> Any:
        owner = getattr(self, name)
        if not _has_params(owner):
            raise InvalidValueError(f"{type(self).__name__}: {name} is {owner!r}, which has no parameters of its own")
        return owner

    def __repr__(self) -> str:
        defaults = {name: p.default for name, p in inspect.signature(type(self)).parameters.items()}
        changed = (f"{name}={value!r}" for name, value in self.get_params(deep=False).items() if not _same(value, defaults[name]))
        return f"{type(self).__name__}({', '.join(changed)})"

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "base_rate_")

    def __sklearn_tags__(self) -> Any:
        """Tags of a regressor on one feature; only scikit-learn (from 1.6) calls this."""
        from sklearn.utils import InputTags, RegressorTags, Tags, TargetTags

        takes = InputTags(one_d_array=True, two_d_array=True, three_d_array=True, allow_nan=True)
        return Tags(
            estimator_type="regressor", target_tags=TargetTags(required=True), input_tags=takes, regressor_tags=RegressorTags(poor_score=True)
        )


def clone(estimator: Any) -> Any:
    """Return an unfitted estimator with the same parameters, as ``sklearn.base.clone`` does, which clones its own."""
    if not _has_params(estimator):
        raise InvalidTypeError(f"a calibrator needs get_params, fit and predict; got {estimator!r}")
    base = sys.modules.get("sklearn.base")
    if base is not None and isinstance(estimator, base.BaseEstimator):
        return base.clone(estimator)
    params = estimator.get_params(deep=False)
    return type(estimator)(**{name: clone(value) if _has_params(value) else deepcopy(value) for name, value in params.items()})


def _has_params(value: Any) -> bool:
    return hasattr(value, "get_params") and not isinstance(value, type)


def _same(value: Any, default: Any) -> bool:
    return value is default or (not _has_params(value) and np.array_equal(value, default))


def _listed(names: tuple[str, ...]) -> str:
    return "one of " + ", ".join(map(repr, names)) if names else "no parameters"
