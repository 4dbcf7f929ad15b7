"""Fusion of several runs into one, query by query."""

from fastcal.fusion._arguments import as_runs
from fastcal.fusion._components import FusionComponents
from fastcal.fusion._fuse import fuse, rrf
from fastcal.fusion._normalise import norm_of_each

__all__ = ["FusionComponents", "as_runs", "fuse", "norm_of_each", "rrf"]
