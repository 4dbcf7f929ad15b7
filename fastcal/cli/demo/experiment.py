"""The whole experiment on one collection: search, calibrate on train, measure on held-out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fastcal.cli.demo.candidates import Searched, search
from fastcal.cli.demo.decision import Cut, Decisions, Kept, choose_cut, decide, kept_by
from fastcal.cli.demo.hardcoded import HardCut, hard_cut
from fastcal.cli.demo.promise import Promise, promise
from fastcal.cli.demo.ranking import Ranking, ranking
from fastcal.cli.demo.reliability import Reliability, reliability
from fastcal.cli.demo.transfer import Home

if TYPE_CHECKING:
    from fastcal.cli.demo.collections import Collection

SEED = 0


@dataclass(frozen=True)
class Findings:
    """Every number the screens show about one collection."""

    searched: Searched
    hard_cut: HardCut
    reliability: Reliability
    cut: Cut
    kept: Kept
    decisions: Decisions
    ranking: Ranking
    promise: Promise

    @property
    def collection(self) -> Collection:
        """What was measured."""
        return self.searched.collection

    @property
    def name(self) -> str:
        """The collection's name."""
        return self.collection.name

    @property
    def home(self) -> Home:
        """What the transfer screen needs."""
        return Home(self.name, self.cut, self.searched.held_out)


def experiment(collection: Collection, seed: int = SEED) -> Findings:
    """Run everything on one collection."""
    searched = search(collection, seed)
    train, held_out = searched.train, searched.held_out
    calibrated = reliability(train, held_out, seed)
    cut = choose_cut(train, seed)
    return Findings(
        searched=searched,
        hard_cut=hard_cut(collection, seed),
        reliability=calibrated,
        cut=cut,
        kept=kept_by(cut.cosine, held_out, seed),
        decisions=decide(calibrated.platt, cut, held_out, seed),
        ranking=ranking(searched, seed),
        promise=promise(held_out, seed),
    )


def home_of(collection: Collection, seed: int = SEED) -> Home:
    """Search a collection and choose its cut, no more."""
    searched = search(collection, seed)
    return Home(collection.name, choose_cut(searched.train, seed), searched.held_out)
