"""Every label that was paid for, what it was paid for, and how many may still be bought."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from fastcal._validate.keys import require_keys
from fastcal._validate.numbers import integer
from fastcal.errors import InvalidValueError

Int64 = npt.NDArray[np.int64]
Int8 = npt.NDArray[np.int8]

_KEYS = {"format", "version", "procedure", "pool", "settings", "seed", "labels"}


class Ledger:
    """The labels of one procedure on one pool.

    Labels that a `state` brings along are answered without being bought again. They count as used when the procedure asks
    for them, so that a resumed procedure sees what an uninterrupted one would: a procedure that is a deterministic function
    of its settings, the seed and the answers takes the same path.

    Parameters
    ----------
    procedure : str
        Name of the public function.
    pool : str
        Fingerprint of what positions refer to; see :func:`fastcal.labelling._fingerprint.fingerprint`.
    settings : mapping of plain JSON
        Everything the promise depends on; another one is refused on resuming. The budget is not part of it.
    budget : int, optional
        Labels that may be used in all; None is no limit.
    seed : int, optional
        None takes that of `state`, or fresh entropy.
    state : mapping, optional
        What :meth:`to_state` returned.
    """

    def __init__(
        self,
        procedure: str,
        pool: str,
        settings: Mapping[str, Any],
        *,
        budget: int | None = None,
        seed: int | None = None,
        state: Mapping[str, Any] | None = None,
        log: Any = None,
    ) -> None:
        if log is not None:
            raise NotImplementedError
        self.procedure, self.pool, self.settings, self.budget = procedure, pool, dict(settings), budget
        self._paid: dict[int, int] = {}
        self._used: set[int] = set()
        given = None if seed is None else integer(seed, "seed", least=0)
        recorded = None if state is None else self._resume(state)
        if given is not None and recorded is not None and given != recorded:
            raise InvalidValueError(f"seed={given} is not the seed of the state, {recorded}; another order of labelling needs another share of delta")
        self.seed: int = int(np.random.SeedSequence().entropy) if recorded is None and given is None else (recorded if given is None else given)  # type: ignore[assignment,arg-type]

    @property
    def n_used(self) -> int:
        """Distinct labels the procedure has asked for."""
        return len(self._used)

    @property
    def n_paid(self) -> int:
        """Labels in hand, those of the state that were not asked for again included."""
        return len(self._paid)

    @property
    def n_cannot_judge(self) -> int:
        """Labels asked for that nobody could judge."""
        return sum(self._paid[position] < 0 for position in self._used if position in self._paid)

    @property
    def remaining(self) -> float:
        """Labels that may still be asked for; inf without a budget."""
        return np.inf if self.budget is None else self.budget - self.n_used

    def rng(self, tag: str) -> np.random.Generator:
        """Return a generator of this ledger's seed and a library tag: no caller's ``default_rng(seed)`` collides with it."""
        return np.random.default_rng(np.random.SeedSequence([self.seed, *tag.encode()]))

    def unpaid(self, positions: Int64) -> Int64:
        """Mark positions as used; return those whose labels are not in hand, in the order given."""
        asked = positions.tolist()
        self._used.update(asked)
        return np.array([position for position in asked if position not in self._paid], np.int64)

    def record(self, positions: Int64, answers: Int8) -> None:
        """Keep labels that were just paid; the first answer of a position is final."""
        for position, answer in zip(positions.tolist(), answers.tolist(), strict=True):
            self._paid.setdefault(position, answer)

    def answers(self, positions: Int64) -> Int8:
        """Return the answers in hand, 0, 1 or -1."""
        return np.array([self._paid[position] for position in positions.tolist()], np.int8)

    def to_state(self) -> dict[str, Any]:
        """Return plain JSON: everything needed to go on."""
        fields = {"procedure": self.procedure, "pool": self.pool, "settings": self.settings, "seed": self.seed}
        return {"format": "fastcal-labels", "version": 1, **fields, "labels": [[p, a] for p, a in self._paid.items()]}

    def _resume(self, state: Mapping[str, Any]) -> int:
        require_keys(state, _KEYS, "state")
        for name in ("procedure", "pool", "settings"):
            if state[name] != getattr(self, name):
                raise InvalidValueError(f"state is of another {name}: {state[name]!r}; expected {getattr(self, name)!r}")
        self._paid.update((int(position), int(answer)) for position, answer in state["labels"])
        return integer(state["seed"], "seed of the state", least=0)
