"""Thresholds with a guarantee, on a labelling budget."""

from fastcal.certificates._by_query import QueryFacts
from fastcal.certificates._certificate import Certificate
from fastcal.certificates._trace import CutTest
from fastcal.certificates.certify import certify_threshold, certify_threshold_async

__all__ = ["Certificate", "CutTest", "QueryFacts", "certify_threshold", "certify_threshold_async"]
