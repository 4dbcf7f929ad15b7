"""Fusion whose weights come from labels: a logistic model, whose scores are probabilities, or a grid search."""

from fastcal.trained_fusion._fit import fit_fusion
from fastcal.trained_fusion._json import fusion_from_dict
from fastcal.trained_fusion._linear import LinearFusion
from fastcal.trained_fusion._logistic import LogisticFusion

__all__ = ["LinearFusion", "LogisticFusion", "fit_fusion", "fusion_from_dict"]
