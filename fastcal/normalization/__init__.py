"""Per-query normalisation: each list of scores is mapped by its own statistics."""

from fastcal.normalization._affine import minmax, zscore
from fastcal.normalization._lists import METHODS, normalize_lists
from fastcal.normalization._normalize import normalize
from fastcal.normalization._statistics import one_pass_rule, rule_of
from fastcal.normalization.features import QueryFeatures, query_features

__all__ = ["METHODS", "QueryFeatures", "minmax", "normalize", "normalize_lists", "one_pass_rule", "query_features", "rule_of", "zscore"]
