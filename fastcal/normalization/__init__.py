"""Per-query normalisation: each list of scores is mapped by its own statistics."""

from fastcal.normalization._affine import minmax, zscore
from fastcal.normalization._lists import METHODS, normalize_lists
from fastcal.normalization._normalize import normalize
from fastcal.normalization._statistics import one_pass_rule, rule_of

__all__ = ["METHODS", "minmax", "normalize", "normalize_lists", "one_pass_rule", "rule_of", "zscore"]
