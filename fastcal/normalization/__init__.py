"""Per-query normalisation: each list of scores is mapped by its own statistics."""

from fastcal.normalization._affine import minmax, zscore

__all__ = ["minmax", "zscore"]
