"""Evidence against "at most so many are positive": test martingales that allow any number of looks."""

from __future__ import annotations

from math import comb, inf, log

import numpy as np
import numpy.typing as npt


def log_evidence(labels: npt.NDArray[np.uint8], population: int, null_hits: int) -> npt.NDArray[np.float64]:
    """Return the log of the mixture e-process after each label, drawn without replacement from `population` rows.

    The null says that at most `null_hits` rows of the population are positive. Uniform prior on
    ``null_hits + 1 .. population``::

        E(n) = sum_K C(k-n, K-S) / C(k, K) / (k - K0)  /  (C(k-n, K0-S) / C(k, K0))

    inf once more than `null_hits` positives are seen, -inf where neither the null nor an alternative is possible.
    """
    k, k0 = population, null_hits
    out = np.full(labels.size, -inf)
    hits = 0
    for n, label in enumerate(labels.tolist(), start=1):
        hits += label
        if hits > k0:
            out[n - 1 :] = inf
            break
        null = comb(k - n, k0 - hits) / comb(k, k0) if k0 - hits <= k - n else 0.0
        other = sum(comb(k - n, K - hits) / comb(k, K) for K in range(k0 + 1, k + 1) if 0 <= K - hits <= k - n)
        if other > 0:
            out[n - 1] = log(other / (k - k0)) - log(null) if null > 0 else -inf
    return out
