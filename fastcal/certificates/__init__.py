"""Thresholds with a guarantee, on a labelling budget."""

from fastcal.certificates._certificate import Certificate
from fastcal.certificates._trace import CutTest
from fastcal.certificates.certify import certify_threshold
from fastcal.certificates.dynamic import dynamic_threshold, dynamic_threshold_async
from fastcal.certificates.pooled import PooledCertificate, pooled_thresholds, pooled_thresholds_async

__all__ = [
    "Certificate",
    "CutTest",
    "PooledCertificate",
    "certify_threshold",
    "dynamic_threshold",
    "dynamic_threshold_async",
    "pooled_thresholds",
    "pooled_thresholds_async",
]
