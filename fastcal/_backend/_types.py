"""The words that every part of the contract uses."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import numpy as np

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
Metric = Literal["cosine", "dot", "euclidean"]
Precision = Literal["fast", "exact"]
AffineKind = Literal["minmax", "max", "sum", "l2", "zscore", "dbsf", "given"]
FuseMethod = Literal["rrf", "sum"]
Ties = Literal["ordinal", "min", "average"]
