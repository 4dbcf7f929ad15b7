"""The words that every part of the contract uses."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import numpy as np

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
Metric = Literal["cosine", "dot", "euclidean"]
Precision = Literal["fast", "exact"]
AffineKind = Literal["minmax", "max", "sum", "l2", "zscore", "dbsf", "given"]
# The arguments of affine_lists from `kind` to `on_single`.
AffineRule: TypeAlias = tuple[AffineKind, bool, int, float, float, float, float, float]
Ties = Literal["ordinal", "min", "average"]
FuseValue = Literal["reciprocal", "square", "power", "points", "score"]
FuseCombine = Literal["sum", "by_weights", "mean", "geometric", "harmonic", "logistic", "min", "max", "median", "copeland"]
FuseMissing = Literal["skip", "min", "fill"]
FuseDuplicates = Literal["first", "max", "sum", "error"]
FuseTies = Literal["source", "id", "id_desc"]
