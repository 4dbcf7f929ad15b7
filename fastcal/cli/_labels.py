"""RUN and QRELS as scores, labels and queries: what every command that reads judgements works on."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from fastcal import _csr
from fastcal.cli._asking import KeptAnswers, terminal_labeler
from fastcal.cli._texts import describing
from fastcal.errors import InvalidValueError
from fastcal.normalization import normalize
from fastcal.run import Labels, Qrels, Run

_NONE = -(2**63)


@dataclass(frozen=True, slots=True)
class Counts:
    """What of two files is used, and what is not."""

    n_queries: int
    n_pairs: int
    n_relevant: int
    n_unjudged: int  # pairs that the judgements do not know
    n_cannot_judge: int  # of those asked for
    n_relevant_not_listed: int  # relevant documents of these queries that no list holds
    queries_without_judgements: int  # of the run; left out unless all queries are wanted
    queries_without_list: int  # of the judgements; likewise
    queries_held_out: int = 0  # left for another command to measure

    def to_dict(self) -> dict[str, int]:
        """Return plain JSON types."""
        return asdict(self)

    def __str__(self) -> str:
        told = [f"{self.n_pairs:,} pairs of {self.n_queries:,} queries, {self.n_relevant:,} relevant, {self.n_unjudged:,} unjudged"]
        if self.n_cannot_judge:
            told.append(f"{self.n_cannot_judge:,} that nobody could judge")
        if self.n_relevant_not_listed:
            told.append(f"{self.n_relevant_not_listed:,} relevant documents that no list holds")
        if self.queries_without_judgements:
            told.append(f"{self.queries_without_judgements:,} queries of the run without judgements")
        if self.queries_without_list:
            told.append(f"{self.queries_without_list:,} judged queries without a list")
        if self.queries_held_out:
            told.append(f"{self.queries_held_out:,} queries held out")
        return "; ".join(told)


class Labelled(NamedTuple):
    """The entries of a run, in its order, with what is known of them."""

    run: Run
    labels: Labels
    queries: npt.NDArray[np.int64]  # place of each entry's query in the run
    counts: Counts

    @property
    def groups(self) -> npt.NDArray[np.int64]:
        """The number of each entry's query, by name: what to split and resample by, so that the order of a file does not matter."""
        names = np.arange(self.run.n_queries) if self.run.query_ids is None else self.run.query_ids
        return np.unique(names, return_inverse=True)[1][self.queries]

    @property
    def query_ids(self) -> npt.NDArray[Any]:
        """The name of each entry's query."""
        return self.queries if self.run.query_ids is None else self.run.query_ids[self.queries]


def labelled(
    run: Run,
    qrels: Qrels,
    *,
    unjudged: str = "irrelevant",
    min_rel: int = 1,
    all_queries: bool = False,
    texts: str | None = None,
    answers: str | None = None,
    hold_out: float = 0.0,
    seed: int = 0,
) -> Labelled:
    """Label a run that has scores; with ``unjudged="ask"`` the person at the terminal is asked for what is missing.

    Queries that only one of the two knows are counted and left out, as trec_eval does; with `all_queries` those of the run count, their
    pairs as `unjudged` says, and those of the judgements have an empty list. A run without scores, and one of which no pair is
    judged, is an error: names are then written in two ways. With `answers` what is answered at the terminal is kept in that CSV.
    The share `hold_out` of the queries that count, drawn by `seed` from their names in order, is left out.
    """
    if run.scores is None:
        raise InvalidValueError("the run has no scores")
    if not run.ids.size:
        raise InvalidValueError("the run lists nothing")
    if (qrels.grades_of(run, unjudged=_NONE) == _NONE).all():
        raise InvalidValueError(f"none of the {run.ids.size} pairs of the run is judged; are queries and documents named alike in both?")
    check_least(qrels, min_rel)
    pool, run_only, judged_only = _matched(run, qrels, all_queries)
    chosen = _drawn(_names(pool), hold_out, seed)
    pool = some_queries(pool, ~chosen) if chosen.any() else pool
    labeler: Any = None
    if unjudged == "ask":
        show = describing(pool, texts)
        labeler = terminal_labeler(show) if answers is None else KeptAnswers(pool, show, answers)
    mode: Any = unjudged
    labels = qrels.labels_of(pool, unjudged=mode, min_grade=min_rel, labeler=labeler)
    known = set(_names(pool))
    owners = np.repeat([name in known for name in qrels.query_ids.tolist()], np.diff(qrels.offsets))
    n_relevant = int(np.count_nonzero(owners & (qrels.grades >= min_rel)))
    n_listed = int(np.count_nonzero(qrels.grades_of(pool, unjudged=_NONE) >= min_rel))
    counts = Counts(
        n_queries=pool.n_queries,
        n_pairs=pool.ids.size,
        n_relevant=int(labels.labels.sum()),
        n_unjudged=labels.n_unjudged,
        n_cannot_judge=labels.n_cannot_judge,
        n_relevant_not_listed=n_relevant - n_listed,
        queries_without_judgements=run_only,
        queries_without_list=judged_only,
        queries_held_out=int(np.count_nonzero(chosen)),
    )
    return Labelled(pool, labels, np.repeat(np.arange(pool.n_queries), pool.counts()), counts)


def scores_of(run: Run, norm: str | None) -> tuple[npt.NDArray[np.float32], bool]:
    """Return the scores that a calibrator gets, and whether higher is better; a norm turns distances round."""
    assert run.scores is not None
    if norm is None:
        return run.scores, run.higher_is_better
    return normalize(run.scores, norm, offsets=run.offsets, higher_is_better=run.higher_is_better), True


def some_queries(run: Run, chosen: npt.NDArray[np.bool_]) -> Run:
    """Return a run of some of the queries."""
    rows = np.flatnonzero(chosen)
    taken = _csr.gather(run.ids, run.scores, run.offsets[rows], run.counts()[rows])
    names = rows if run.query_ids is None else run.query_ids[rows]
    return Run(*taken, higher_is_better=run.higher_is_better, query_ids=names, doc_ids=run.doc_ids)


def some_judgements(qrels: Qrels, chosen: npt.NDArray[np.bool_]) -> Qrels:
    """Return the judgements of some of the queries."""
    rows = np.flatnonzero(chosen)
    at, offsets = _csr.segments(qrels.offsets[rows], np.diff(qrels.offsets)[rows])
    return Qrels(qrels.ids[at], qrels.grades[at], offsets, qrels.query_ids[rows], qrels.doc_ids)


def _matched(run: Run, qrels: Qrels, all_queries: bool) -> tuple[Run, int, int]:
    """Return the run of the queries that count, and how many only the run and only the judgements know."""
    names, judged = _names(run), qrels.query_ids.tolist()
    here, there = set(names), set(judged)
    lacking = [name for name in judged if name not in here]
    known = np.array([name in there for name in names], np.bool_)
    if all_queries and lacking:
        run = run.with_queries([*names, *lacking])
    elif not all_queries and not known.all():
        run = some_queries(run, known)
    return run, int(np.count_nonzero(~known)), len(lacking)


def check_least(qrels: Qrels, min_rel: int) -> None:
    """Refuse a lowest relevant grade above every grade there is; that of the default may be, where all that was judged is irrelevant."""
    highest = int(qrels.grades.max(initial=0))
    if min_rel > max(highest, 1):
        raise InvalidValueError(f"--min-rel {min_rel}: no judgement is that high, the highest grade is {highest}")


def check_folds(judged: Labelled, splits: int, run: str, qrels: str) -> None:
    """Refuse fewer queries than folds."""
    n = judged.counts.n_queries
    if n < splits:
        raise InvalidValueError(f"{run} and {qrels} have {n} {'query' if n == 1 else 'queries'} in common; --splits {splits} needs at least {splits}")


def _drawn(names: list[Any], share: float, seed: int) -> npt.NDArray[np.bool_]:
    """Return which queries are held out: the same for the same names, whatever their order."""
    chosen = np.zeros(len(names), np.bool_)
    if not share:
        return chosen
    n = round(share * len(names)) if 0.0 < share < 1.0 else 0
    if not 0 < n < len(names):
        raise InvalidValueError(f"--hold-out must be a share in (0, 1) that leaves some of the {len(names)} queries out and not all, got {share:g}")
    order = np.array(sorted(range(len(names)), key=names.__getitem__))
    chosen[np.random.default_rng(seed).permutation(order)[:n]] = True
    return chosen


def _names(run: Run) -> list[Any]:
    return list(range(run.n_queries)) if run.query_ids is None else run.query_ids.tolist()
