"""Intervals of a proportion, for one look and for any number of looks."""

from fastcal.intervals.clopper_pearson import clopper_pearson_interval
from fastcal.intervals.hypergeometric import hypergeometric_interval
from fastcal.intervals.jeffreys import jeffreys_interval
from fastcal.intervals.wilson import wilson_interval

__all__ = ["clopper_pearson_interval", "hypergeometric_interval", "jeffreys_interval", "wilson_interval"]
