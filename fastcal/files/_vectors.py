"""Vectors: arrays of rows."""

from __future__ import annotations

from os import PathLike
from typing import Any

import numpy as np
import numpy.typing as npt


def read_vectors(path: str | PathLike[str]) -> npt.NDArray[Any]:
    """Read a ``.npy`` file, memory-mapped."""
    found: npt.NDArray[Any] = np.load(path, mmap_mode="r")
    return found
