"""Folds of whole queries, balanced in irrelevant and in relevant pairs."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fastcal._backend.protocol import Array
from fastcal.errors import InvalidValueError

Codes = npt.NDArray[np.int64]


def fold_of_pairs(labels: Array, groups: Codes, counted: npt.NDArray[np.bool_], n_splits: int, seed: int) -> Codes:
    """Return the fold of every pair: groups are dealt, largest first, to the fold where their classes are rarest.

    A group with shares (g0, g1) of the irrelevant and the relevant pairs goes to the fold whose shares (f0, f1) give the
    smallest f0 g0 + f1 g1, the greedy step towards the smallest sum over folds of f0^2 + f1^2. `seed` orders groups of
    the same size; of equally good folds the one with fewer groups is taken. Pairs that are not `counted` weigh nothing.
    """
    codes = np.unique(groups, return_inverse=True)[1]
    counts = np.stack([np.bincount(codes, weights=counted & (labels == label)) for label in (0, 1)], axis=1)
    if len(counts) < n_splits:
        raise InvalidValueError(f"groups holds {len(counts)} distinct labels; expected at least n_splits={n_splits}")
    folds = _dealt(counts / np.maximum(counts.sum(axis=0), 1.0), n_splits, seed)[codes]
    _require_both_classes(labels[counted], folds[counted], n_splits)
    return folds


def _dealt(shares: npt.NDArray[np.float64], n_splits: int, seed: int) -> Codes:
    order = np.random.default_rng(seed).permutation(len(shares))
    order = order[np.argsort(-shares[order].max(axis=1), kind="stable")]
    negatives, positives, sizes = ([0.0] * n_splits for _ in range(3))
    fold_of = np.empty(len(shares), dtype=np.int64)
    for group, (negative, positive) in zip(order.tolist(), shares[order].tolist(), strict=True):
        fold = min(range(n_splits), key=lambda f: (negatives[f] * negative + positives[f] * positive, sizes[f]))
        fold_of[group] = fold
        negatives[fold] += negative
        positives[fold] += positive
        sizes[fold] += 1.0
    return fold_of


def _require_both_classes(labels: Array, folds: Codes, n_splits: int) -> None:
    for fold in range(n_splits):
        positives, total = np.count_nonzero(labels[folds != fold]), np.count_nonzero(folds != fold)
        if positives in {0, total}:
            raise InvalidValueError(
                f"without fold {fold} of {n_splits} the labels to fit on hold one class only: {total} labels, {positives} of them relevant; "
                "label more queries or use fewer folds"
            )
