"""Penalised logistic regression by Newton's method, in blocks of bounded memory."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fastcal.errors import InvalidValueError

_Float64 = npt.NDArray[np.float64]

_BLOCK = 1 << 15  # pairs; a design of 20 columns takes 5 MiB
_ITERATIONS = 100
_TOLERANCE = 1e-11  # Newton decrement relative to the loss: twice what a step can still gain
_SHORTEST = 2.0**-40


class Design(NamedTuple):
    """Columns of each pair, and factors of its query that multiply them: column (f, c) of pair i is ``factors[f, rows[i]] * columns[c, i]``.

    ``factors[0]`` and ``columns[0]`` are all ones, so column (0, 0) is the intercept.
    """

    columns: _Float64
    factors: _Float64
    rows: npt.NDArray[np.int64]

    def blocks(self, labels: npt.NDArray[np.bool_]) -> Iterator[tuple[_Float64, npt.NDArray[np.bool_]]]:
        """Yield blocks of the design, (n_factors * n_columns, size), and their labels."""
        for start in range(0, labels.size, _BLOCK):
            columns, factors = self.columns[:, start : start + _BLOCK], self.factors[:, self.rows[start : start + _BLOCK]]
            size = columns.shape[1]
            yield (factors[:, np.newaxis] * columns).reshape(-1, size), labels[start : start + _BLOCK]


def fit(design: Design, labels: npt.NDArray[np.bool_], l2: float) -> _Float64:
    """Return the coefficients, (n_factors, n_columns), that minimise the loss plus ``l2 / 2`` times their squares.

    The intercept is not penalised. With both classes present and ``l2 > 0`` the minimum is finite and unique, separable
    data included; where the full step does not lower the objective enough it is halved. Sums are NumPy's own loops in
    fixed blocks: no BLAS, so the number of threads changes no bit.
    """
    shape = len(design.factors), len(design.columns)
    penalty = np.full(math.prod(shape), l2)
    penalty[0] = 0.0
    theta = np.zeros(penalty.size)
    base_rate = float(labels.mean())
    theta[0] = math.log(base_rate) - math.log1p(-base_rate)
    value = _objective(design, labels, penalty, theta)
    for _ in range(_ITERATIONS):
        gradient, hessian = _derivatives(design, labels, penalty, theta)
        step = -np.linalg.solve(hessian, gradient).astype(np.float64, copy=False)
        decrement = -float(gradient @ step)
        if decrement <= _TOLERANCE * value:
            return (theta + step).reshape(shape)
        theta, value = _descend(design, labels, penalty, theta, step, value, decrement)
    raise InvalidValueError(f"the logistic fit did not converge in {_ITERATIONS} Newton steps; raise l2 or rescale the scores")


def _descend(
    design: Design, labels: npt.NDArray[np.bool_], penalty: _Float64, theta: _Float64, step: _Float64, value: float, decrement: float
) -> tuple[_Float64, float]:
    """Return where the longest of the steps 1, 1/2, 1/4, ... that gains enough leads, and the objective there."""
    length = 1.0
    while length >= _SHORTEST:
        there = theta + length * step
        reached = _objective(design, labels, penalty, there)
        if reached <= value - 1e-4 * length * decrement:
            return there, reached
        length /= 2
    return theta + step, value  # rounding hides the gain: the full step converges quadratically


def _objective(design: Design, labels: npt.NDArray[np.bool_], penalty: _Float64, theta: _Float64) -> float:
    total = 0.5 * float((penalty * theta**2).sum())
    for block, truth in design.blocks(labels):
        t = np.einsum("p,pn->n", theta, block)
        t[truth] *= -1  # the loss is log(1 + exp(t)) of the wrong side
        total += float((np.maximum(t, 0.0) + np.log1p(np.exp(-np.abs(t)))).sum())
    return total


def _derivatives(design: Design, labels: npt.NDArray[np.bool_], penalty: _Float64, theta: _Float64) -> tuple[_Float64, _Float64]:
    gradient, hessian = penalty * theta, np.diag(penalty)
    for block, truth in design.blocks(labels):
        p = sigmoid(np.einsum("p,pn->n", theta, block))
        gradient += np.einsum("pn,n->p", block, p - truth)
        hessian += np.einsum("pn,qn->pq", block * (p * (1.0 - p)), block)
    return gradient, hessian


def sigmoid(t: _Float64) -> _Float64:
    """Return 1 / (1 + exp(-t)); no intermediate overflows."""
    e = np.exp(-np.abs(t))
    return np.where(t >= 0, 1.0, e) / (1.0 + e)
