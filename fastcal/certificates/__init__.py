"""Thresholds with a guarantee, on a labelling budget."""

from fastcal.certificates._certificate import Certificate
from fastcal.certificates._trace import CutTest
from fastcal.certificates.certify import certify_threshold

__all__ = ["Certificate", "CutTest", "certify_threshold"]
