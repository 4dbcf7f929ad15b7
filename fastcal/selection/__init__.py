"""Which calibrator: probabilities from folds that leave whole queries out, and the choice they lead to."""

from fastcal.selection._cross_fit import cross_fit
from fastcal.selection._held_out_threshold import HeldOutThreshold, held_out_threshold
from fastcal.selection._select import select_calibrator
from fastcal.selection._table import Candidate, Selection

__all__ = ["Candidate", "HeldOutThreshold", "Selection", "cross_fit", "held_out_threshold", "select_calibrator"]
