"""Thresholds from probing: estimates that are no certificates, with what a certificate would have taken."""

from fastcal.probing.annular import annular_threshold, annular_threshold_async
from fastcal.probing.density import density_weighted_threshold, density_weighted_threshold_async
from fastcal.probing.results import AnnularResult, CandidateCut, DensityRound, Ring, ThresholdEstimate

__all__ = [
    "AnnularResult",
    "CandidateCut",
    "DensityRound",
    "Ring",
    "ThresholdEstimate",
    "annular_threshold",
    "annular_threshold_async",
    "density_weighted_threshold",
    "density_weighted_threshold_async",
]
