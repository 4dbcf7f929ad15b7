"""Evidence about a recall, slowly, in rational numbers."""

from __future__ import annotations

from fractions import Fraction

BETS = [(Fraction(j, 10), Fraction(j, 55)) for j in range(1, 11)]


def wealth(rows, target, above, n_rows):
    """Mixture of bets on (is above, label) pairs against one cut, exactly, after each row; None once the null is impossible."""
    total, below = [share for _, share in BETS], n_rows - above
    worth, left, path, found, sure = Fraction(0), n_rows, [], 0, False
    for is_above, label in rows:
        z = (1 - target if is_above else -target) * label
        mean, lowest = -Fraction(1, target.denominator) - worth, -target * left
        gain = (left * z - mean) / (mean - lowest) if mean > lowest else Fraction(0)
        total = [each * (1 + f * gain) for (f, _), each in zip(BETS, total, strict=True)]
        worth, left, below, found = worth + z, left - 1, below - (not is_above), found + is_above * label
        sure |= worth >= target * below and found > 0
        path.append(None if sure else sum(total))
    return path
