"""Fusion of several runs into one, query by query."""

from fastcal.fusion._components import FusionComponents
from fastcal.fusion._fuse import fuse, rrf

__all__ = ["FusionComponents", "fuse", "rrf"]
