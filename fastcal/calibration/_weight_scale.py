"""Weights count pairs; weights that were divided by their sum do not."""

from __future__ import annotations

import warnings

import numpy as np

from fastcal._validate.scores import Pairs
from fastcal.errors import SmallSampleWarning

_PAIRS, _WEIGHT = 10, 2.0


def warn_if_weights_are_shares(sample: Pairs) -> None:
    """Warn if 10 pairs or more of one class weigh less than 2 together: smoothing by whole pairs then outweighs the labels."""
    if sample.weights is None:
        return
    for label in (0, 1):
        weights = sample.weights[sample.labels == label]
        count, total = int(np.count_nonzero(weights)), float(weights.sum())
        if count >= _PAIRS and total < _WEIGHT:
            warnings.warn(
                f"{count} pairs labelled {label} weigh {total:.3g} together, less than {_WEIGHT:g} pairs, and are smoothed as so few; "
                "weights count pairs: scale sample_weight to a mean near 1",
                SmallSampleWarning,
                stacklevel=3,
            )
