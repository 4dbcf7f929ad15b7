"""Thresholds with a guarantee, on a labelling budget."""

from fastcal.certificates._by_query import QueryFacts
from fastcal.certificates._certificate import Certificate
from fastcal.certificates._query_certificate import QueryCertificate, QueryTest
from fastcal.certificates._recall_certificate import RecallCertificate, RecallStep
from fastcal.certificates._recall_facts import RecallFacts
from fastcal.certificates._trace import CutTest
from fastcal.certificates.certify import certify_threshold, certify_threshold_async
from fastcal.certificates.dynamic import dynamic_threshold, dynamic_threshold_async
from fastcal.certificates.pooled import PooledCertificate, pooled_thresholds, pooled_thresholds_async
from fastcal.certificates.queries import certify_queries, certify_queries_async
from fastcal.certificates.recall import certify_recall, certify_recall_async

__all__ = [
    "Certificate",
    "CutTest",
    "PooledCertificate",
    "QueryCertificate",
    "QueryFacts",
    "QueryTest",
    "RecallCertificate",
    "RecallFacts",
    "RecallStep",
    "certify_queries",
    "certify_queries_async",
    "certify_recall",
    "certify_recall_async",
    "certify_threshold",
    "certify_threshold_async",
    "dynamic_threshold",
    "dynamic_threshold_async",
    "pooled_thresholds",
    "pooled_thresholds_async",
]
