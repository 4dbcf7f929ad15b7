"""Thresholds with a guarantee, on a labelling budget."""
