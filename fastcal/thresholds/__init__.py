"""Thresholds: where to cut a list of scores all of whose labels are known, or, by heuristics, none."""

from fastcal.thresholds.choose import OperatingPoint, choose_threshold
from fastcal.thresholds.heuristics import HeuristicCut, gap_cut, knee_cut, tail_cut
from fastcal.thresholds.sweep import Sweep, threshold_sweep

__all__ = ["HeuristicCut", "OperatingPoint", "Sweep", "choose_threshold", "gap_cut", "knee_cut", "tail_cut", "threshold_sweep"]
