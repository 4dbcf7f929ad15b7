"""What a team ships with a model: the calibrator, its thresholds and what they promise, and where they may be used."""

from fastcal.profile._fingerprint import corpus_fingerprint
from fastcal.profile._profile import Profile
from fastcal.profile._reference import Drift
from fastcal.profile._report import Recalibration, RevalidationReport, ThresholdCheck
from fastcal.profile._threshold import Threshold

__all__ = ["Drift", "Profile", "Recalibration", "RevalidationReport", "Threshold", "ThresholdCheck", "corpus_fingerprint"]
