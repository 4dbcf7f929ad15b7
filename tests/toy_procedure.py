"""A procedure to drive in tests: a walk whose path depends on the seed and on every answer, and stays within the budget."""

from __future__ import annotations

import numpy as np

from fastcal.labelling._drive import drive
from fastcal.labelling._ledger import Ledger

SIZE = 500
SETTINGS = {"target": 0.9, "delta": 0.05, "batch": 7}


def truth(position):
    """0, 1 or -1, spread without order."""
    return (1, 0, 1, -1, 1)[position * 2654435761 % 2**32 % 5]


def ledger(**options):
    options = {"seed": 5, "budget": 60, "size": SIZE} | options
    settings = options.pop("settings", SETTINGS)
    return Ledger(options.pop("procedure", "toy"), options.pop("pool", "pool-a"), settings, **options)


def toy(ledger):
    """Ask in batches for positions drawn beside the last ones answered; some are asked for twice. Returns all it saw."""
    rng, seen, centre = ledger.rng("toy"), [], 0
    while ledger.remaining > 0 and len(seen) < 200:
        drawn = np.unique((centre + rng.integers(0, 40, 7)) % SIZE)
        rng.shuffle(drawn)
        request = drawn[: int(min(ledger.remaining, drawn.size))]
        answers = yield request
        seen += list(zip(request.tolist(), answers.tolist(), strict=True))
        centre = (centre * 3 + int(answers.sum()) * 11 + int(request[0])) % SIZE
    return {"seen": seen, "n_used": ledger.n_used, "n_cannot_judge": ledger.n_cannot_judge, "seed": ledger.seed}


def judge(positions):
    return np.array([truth(position) for position in positions.tolist()], np.int8)


class Bought:
    """Answers truthfully until the n-th call, which raises; knows what was bought."""

    def __init__(self, fail_at=None, error=None):
        self.fail_at, self.error, self.calls, self.positions = fail_at, error or RuntimeError("no"), 0, []

    def __call__(self, positions):
        self.calls += 1
        if self.calls == self.fail_at:
            raise self.error
        self.positions += positions.tolist()
        answers = judge(positions)
        positions[:] = -7  # what a labeler does to its argument is its own affair
        return answers


def run(labeler=None, **options):
    book = ledger(**options)
    return drive(toy(book), book, labeler or Bought())


BUYER = Bought()
WHOLE = run(BUYER)
