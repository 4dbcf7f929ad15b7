"""Is one ranking better than another: ir-measures values per query, and paired differences with an interval."""

from fastcal.evaluation._compare import RunComparison, compare_runs
from fastcal.evaluation._per_query import Evaluator

__all__ = ["Evaluator", "RunComparison", "compare_runs"]
