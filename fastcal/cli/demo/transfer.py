"""Screen (d): the cut of one collection applied to another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fastcal.cli.demo.decision import Cut, Kept, kept_by

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fastcal.cli.demo.candidates import Candidates


@dataclass(frozen=True)
class Home:
    """A collection's own cut and the held-out queries that judge any cut."""

    name: str
    cut: Cut
    held_out: Candidates


@dataclass(frozen=True)
class Transfer:
    """The cut of ``source`` applied to the held-out queries of ``target``; a guest is a source beside the shown collections."""

    source: str
    target: str
    cut: Cut
    kept: Kept
    at_home: bool
    guest: bool


def transfers(shown: Sequence[Home], others: Sequence[Home], seed: int) -> tuple[Transfer, ...]:
    """Apply every cut at home and to every shown collection, and the cuts of the shown ones to the others."""
    everyone = (*shown, *others)
    pairs = [(source, target) for target in shown for source in (target, *(home for home in everyone if home is not target))]
    pairs += [(source, target) for target in others for source in (target, *shown)]
    return tuple(_transfer(source, target, seed, guest=any(source is other for other in others)) for source, target in pairs)


def _transfer(source: Home, target: Home, seed: int, *, guest: bool) -> Transfer:
    kept = kept_by(source.cut.cosine, target.held_out, seed)
    return Transfer(source.name, target.name, source.cut, kept, at_home=source is target, guest=guest)
