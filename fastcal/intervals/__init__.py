"""Intervals of a proportion, for one look and for any number of looks."""

from fastcal.intervals.beta_binomial import beta_binomial_sequence
from fastcal.intervals.betting import betting_sequence
from fastcal.intervals.clopper_pearson import clopper_pearson_interval
from fastcal.intervals.hypergeometric import hypergeometric_interval
from fastcal.intervals.jeffreys import jeffreys_interval
from fastcal.intervals.wilson import wilson_interval
from fastcal.intervals.without_replacement import without_replacement_sequence

__all__ = [
    "beta_binomial_sequence",
    "betting_sequence",
    "clopper_pearson_interval",
    "hypergeometric_interval",
    "jeffreys_interval",
    "wilson_interval",
    "without_replacement_sequence",
]
