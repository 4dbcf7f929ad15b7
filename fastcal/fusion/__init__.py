"""Fusion of several runs into one, query by query."""

from fastcal.fusion._components import FusionComponents
from fastcal.fusion._fuse import fuse, rrf
from fastcal.fusion._normalise import NORMS, one_each

__all__ = ["NORMS", "FusionComponents", "fuse", "one_each", "rrf"]
