"""The geometry of rings: points at a given angle from a query, in random directions."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from fastcal.errors import InvalidValueError

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]

_TRIES = 8


def unit(query: Float32) -> Float64:
    """Return a query scaled to norm 1."""
    vector = query.astype(np.float64)
    largest = np.abs(vector).max(initial=0.0)
    if not largest > 0:
        raise InvalidValueError("query is a zero vector; it has no direction to probe around")
    vector /= largest
    return vector / math.sqrt(vector @ vector)


def ring_points(direction: Float64, distance: float, n: int, rng: np.random.Generator) -> Float32:
    """Return n unit vectors ``Q cos(theta) + U sin(theta)`` at a cosine distance from the unit vector Q: ``theta = arccos(1 - distance)``.

    U is a Gaussian direction made orthogonal to Q (Gram-Schmidt, twice: once leaves rounding errors where little remains)
    and scaled to norm 1. Their cosines to Q are right to 1e-6 in float32.
    """
    theta = math.acos(max(-1.0, min(1.0, 1.0 - distance)))
    if direction.size < 2:
        raise InvalidValueError("query has 1 coordinate; rings need at least 2 dimensions")
    across = np.empty((n, direction.size))
    for i in range(n):
        across[i] = _orthogonal(direction, rng)
    return np.asarray(math.cos(theta) * direction + math.sin(theta) * across, np.float32)


def _orthogonal(direction: Float64, rng: np.random.Generator) -> Float64:
    for _ in range(_TRIES):
        u = rng.standard_normal(direction.size)
        length = math.sqrt(u @ u)
        for _ in range(2):
            u -= (u @ direction) * direction
        left = math.sqrt(u @ u)
        if left > 1e-6 * length:
            return u / left
    raise AssertionError("Gaussian directions are all parallel to the query")  # 1e-6 ** _TRIES or less


def default_rings(plain: Float32, ring_tol: float) -> list[float]:
    """Return 9 rings by the scores of the query's own search: at its best distance, 5 on to its last one, 3 as far apart beyond."""
    distances = np.sort(np.clip(1.0 - plain.astype(np.float64), 0.0, 2.0))
    step = max((distances[-1] - distances[0]) / 5, 2 * ring_tol)
    rings = distances[0] + step * np.arange(9)
    return [float(ring) for ring in rings if ring <= 2.0]
