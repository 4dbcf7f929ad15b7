"""What the reader sees, as data: the terminal and the report print the same screens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import fastcal as fc
from fastcal.cli.demo.candidates import DEPTH
from fastcal.cli.demo.conclusions import conclusions
from fastcal.cli.demo.decision import CASES, MIN_SELECTED, TARGET
from fastcal.cli.demo.estimates import Estimate
from fastcal.cli.demo.experiment import Findings
from fastcal.cli.demo.hardcoded import CUT
from fastcal.cli.demo.promise import DELTA, DRAWS, LABELS, Outcome, Spread
from fastcal.cli.demo.ranking import RRF_K, WEIGHTS
from fastcal.cli.demo.reliability import N_BINS
from fastcal.cli.demo.tables import BY_QUERY, RESAMPLED, Cell, Group, Row, Screen, names, side_by_side, written

if TYPE_CHECKING:
    from fastcal.cli.demo.transfer import Transfer


def overview(all_findings: Sequence[Findings]) -> Screen:
    """List what goes in."""
    rows: dict[str, Cell] = {
        "documents": lambda f: f"{len(f.collection.corpus):,}",
        "queries": lambda f: f"{len(f.searched.train.queries):,} train + {len(f.searched.held_out.queries):,} held-out",
        "vectors": lambda f: f.collection.vectors,
        "relevant means": lambda f: f.collection.judgements,
        "relevant per query": lambda f: f"{f.collection.relevant_counts[f.collection.judged_queries].mean():.1f} on average",
        "second list": lambda f: "none" if f.collection.lexical is None else "BM25",
    }
    caveats = [f"{f.name}: {caveat}" for f in all_findings for caveat in (*f.collection.caveats, *_kinship(f))]
    return Screen(
        "The collections",
        names(all_findings),
        (side_by_side(all_findings, rows),),
        ("Split by query, seeded: nothing is fitted on a held-out query. Queries without a relevant document are left out.", *caveats),
    )


def hardcoded(all_findings: Sequence[Findings]) -> Screen:
    """(a) What a hard-coded cut gives."""
    rows: dict[str, Cell] = {
        "precision": lambda f: written(f.hard_cut.precision),
        "recall": lambda f: written(f.hard_cut.recall),
        "results per query": lambda f: f"{f.hard_cut.fewest:,} to {f.hard_cut.most:,}, median {f.hard_cut.median:,.0f}",
        "queries without any": lambda f: written(f.hard_cut.empty),
        "pairs looked at": lambda f: f"{f.hard_cut.n_pairs:,}",
    }
    return Screen(
        f'(a) What a hard-coded "cosine >= {CUT}" really gives',
        names(all_findings),
        (side_by_side(all_findings, rows),),
        (f"Every query x document pair, in exact arithmetic. {BY_QUERY}; queries without any: Wilson.",),
    )


def reliability(all_findings: Sequence[Findings]) -> Screen:
    """(b) Reliability before and after calibration."""
    labels = {"base rate": "always the base rate", "raw cosine": "before: raw cosine", "Platt": "after: Platt", "isotonic": "after: isotonic"}
    groups = tuple(
        Group(
            tuple((labels[p.name], p.ece.text(), p.brier.text()) for p in f.reliability.predictors),
            (f.name, f"n = {f.searched.held_out.labels.size:,} pairs", f"of {len(f.searched.held_out.queries):,} queries"),
        )
        for f in all_findings
    )
    rates = "; ".join(f"{f.name} {f.reliability.train_rate.full()}" for f in all_findings)
    return Screen(
        "(b) Are the probabilities right?  Held-out pairs, before and after",
        ("stated probability", "ECE", "Brier"),
        groups,
        (
            f"The top {DEPTH} of each held-out query; calibrators fitted on train. ECE: {N_BINS} equal-width bins. {RESAMPLED}, mirrored for ECE.",
            f"Raw cosine is cut to [0, 1]. Base rate of the train pairs: {rates}.",
            "Always the base rate has a low ECE and knows nothing: read ECE together with Brier, where it is the score to beat.",
        ),
    )


def decision(all_findings: Sequence[Findings]) -> Screen:
    """(c) The threshold chosen on train and what it does on held-out."""
    train: dict[str, Cell] = {
        f"target {TARGET} on train": lambda f: "reached" if f.cut.reached else "OUT OF REACH; best cut instead",
        "cut": lambda f: f"cosine >= {f.cut.cosine:.3f}",
        "precision, in sample": lambda f: written(f.cut.precision),
        "separation": lambda f: f"{f.cut.verdict}\nn = {f.searched.train.labels.size:,} pairs",
    }
    held_out: dict[str, Cell] = {
        "precision on held-out": lambda f: _both(f.kept.precision, f.kept.precision_pairs),
        "recall on held-out": lambda f: _both(f.kept.recall, f.kept.recall_pairs),
        "queries with a result": lambda f: written(f.kept.answered),
    }
    band: dict[str, Cell] = {"band of probability": _band}
    documents: dict[str, Cell] = {f"documents: {_word(case)}": _document_share(case) for case in CASES}
    queries: dict[str, Cell] = {f"queries: {_word(case)}": _query_share(case) for case in CASES}
    return Screen(
        f"(c) A threshold for precision {TARGET}, chosen on train, applied to held-out",
        names(all_findings),
        tuple(side_by_side(all_findings, rows) for rows in (train, held_out, band | documents, queries)),
        (
            f"{BY_QUERY}: pairs of one query are dependent. Wilson takes pairs as independent; shares of queries: Wilson.",
            f"Chosen on the train cosines of the top {DEPTH}, {MIN_SELECTED} pairs at least.",
            "In sample: the interval does not account for having chosen the cut on the same pairs.",
            "The band is in Platt probabilities, which rise with the cosine: act starts at the cut.",
            "Recall counts every relevant document, found or not. A query is decided by its best document.",
            "Every query here has a relevant document somewhere, so not found means: not found well enough to show.",
            "Best document relevant: under act that was right; under not found a relevant document was rejected, so there less is better.",
            *(f"{f.name}: {_out_of_reach(f)}" for f in all_findings if not f.cut.reached),
        ),
    )


def transfer(found: Sequence[Transfer], remarks: Sequence[str] = ()) -> Screen:
    """(d) The cut of one collection applied to another."""
    targets = list(dict.fromkeys(t.target for t in found))
    groups = tuple(Group(tuple(_transfer_row(t) for t in found if t.target == target), (f"on {target}", "", "", "")) for target in targets)
    unreached = sorted({t.source for t in found if not t.cut.reached})
    stand_in = [f"No cut of {', '.join(unreached)} reached precision {TARGET}; the best one stands in."] if unreached else []
    notes = (f"Held-out queries; {BY_QUERY}.", *stand_in, *remarks, *conclusions(found))
    return Screen("(d) The threshold of one collection applied to another", ("cut from", "cosine >=", "precision", "recall"), groups, notes)


def ranking(all_findings: Sequence[Findings]) -> Screen:
    """(e) Ranking quality and time."""
    groups = tuple(
        Group(
            tuple((r.name, r.ndcg.text(), r.recall.text(), "" if r.gain is None else r.gain.text()) for r in f.ranking.ranked),
            (f.name, f"n = {len(f.searched.held_out.queries):,} queries", "", ""),
        )
        for f in all_findings
    )
    ceilings = [
        f"{f.name}: a perfect ranking has recall@10 {f.ranking.recall_ceiling:.3f}, as queries have more than ten relevant documents."
        for f in all_findings
        if f.ranking.recall_ceiling < 0.8
    ]
    method = f"By ir-measures; {RESAMPLED}; differences in nDCG@10 are paired."
    fusion = f"RRF: k = {RRF_K}. Blend: {WEIGHTS[0]} dense + {WEIGHTS[1]} BM25, each min-max normalised per query, top {DEPTH} of both."
    lists = (fusion,) if any(f.collection.lexical is not None for f in all_findings) else ()
    return Screen(
        "(e) Ranking of held-out queries, and time per query",
        ("list", "nDCG@10", "recall@10", "nDCG@10 less dense"),
        groups,
        (*map(_speed, all_findings), method, *lists, *ceilings),
    )


def promise(all_findings: Sequence[Findings]) -> Screen:
    """(f) How often a threshold keeps what was promised of it."""
    columns = {f"choose_threshold on {LABELS}": "chosen", f"certify_threshold, at most {LABELS}": "certified"}
    groups = []
    for f in all_findings:
        found: list[Outcome] = [getattr(f.promise, name) for name in columns.values()]
        rows = {
            "promise broken": [outcome.broken.text() for outcome in found],
            "no threshold": [outcome.nothing.text() for outcome in found],
            "true precision": [_spread(outcome.precision) for outcome in found],
            "recall": [_spread(outcome.recall) for outcome in found],
            "labels paid": [_spread(outcome.labels, ".0f") for outcome in found],
        }
        caption = (f.name, f"n = {DRAWS} draws", f"from {f.promise.n_pairs:,} pairs; recall within reach {f.promise.within_reach:.3f}")
        groups.append(Group(tuple((label, *cells) for label, cells in rows.items()), caption))
    return Screen(
        f"(f) Promise kept?  Precision {TARGET} from {LABELS} labels, drawn {DRAWS} times",
        ("", *columns),
        tuple(groups),
        (
            f"The pairs are the top {DEPTH} of the held-out queries, every label of which is known. [ ]: 95 % Wilson intervals over draws.",
            "( ): middle nine tenths of the draws that gave a threshold. Recall: of the relevant pairs among these.",
            "choose_threshold takes the lowest threshold with that precision on the labels: the luckiest one, so it often promises too much.",
            f"certify_threshold may break its promise in {DELTA:.0%} of the draws; where it cannot keep one it gives no threshold.",
            "Its certificate is about these pairs, as judged here: not about other queries.",
        ),
    )


def summary(f: Findings) -> tuple[str, str, str]:
    """Say in three lines what was found."""
    platt, raw, hard = f.reliability.named("Platt"), f.reliability.named("raw cosine"), f.hard_cut
    last = _reached(f) if f.cut.reached else _out_of_reach(f)
    first = (
        f'A hard-coded "cosine >= {CUT}" returns {hard.fewest:,} to {hard.most:,} documents per query: '
        f"{hard.precision.percent()} are relevant, {hard.empty.percent()} get nothing."
    )
    second = (
        f"As a probability the raw cosine is off by {raw.ece.text()} (ECE), Platt by {platt.ece.text()}; "
        f"Brier {raw.brier.text()} and {platt.brier.text()}; n = {platt.ece.n:,} pairs of {platt.brier.n:,} queries."
    )
    return first, second, f"{last[0].upper()}{last[1:]}"


def _reached(f: Findings) -> str:
    acted = f.decisions.queries[fc.Decision.ACT]
    return (
        f"precision {TARGET} takes cosine >= {f.cut.cosine:.3f}: on held-out queries {f.kept.precision.percent()} are relevant, "
        f"{f.kept.recall.percent()} are kept, and {acted.percent()} can be acted on."
    )


def _out_of_reach(f: Findings) -> str:
    return (
        f"precision {TARGET} is out of reach. The best cut, cosine >= {f.cut.cosine:.3f}, has {f.cut.precision.full()} on train (in sample) "
        f"and {f.kept.precision.full()} on held-out. Nothing acts; a best document with an even chance is escalated."
    )


def _kinship(f: Findings) -> list[str]:
    kin, judged = f.collection.kin, len(f.collection.judged_queries)
    if kin < judged / 2:
        return []
    shared = f"{kin:,} of {judged:,} queries share their relevant documents with another one."
    return [f"{shared} Such queries are not independent, so the real uncertainty is larger than the intervals say."]


def _transfer_row(t: Transfer) -> Row:
    return (f"{t.source} (its own)" if t.at_home else t.source, f"{t.cut.cosine:.3f}", written(t.kept.precision), written(t.kept.recall))


def _band(f: Findings) -> str:
    act = "act: never" if f.decisions.high is None else f"act >= {f.decisions.high:.3f}"
    return f"{act}\nescalate >= {f.decisions.low:.3f}"


def _document_share(case: fc.Decision) -> Cell:
    return lambda f: written(f.decisions.documents[case])


def _query_share(case: fc.Decision) -> Cell:
    def write(f: Findings) -> str:
        relevant = f.decisions.best_relevant[case]
        return written(f.decisions.queries[case]) + (f"\nbest document relevant:\n{written(relevant)}" if relevant.n else "")

    return write


def _speed(f: Findings) -> str:
    timing, (n_docs, dim) = f.searched.timing, f.collection.corpus.shape
    return (
        f"{f.name}: exact top {f.searched.dense.ids.shape[1]} of {n_docs:,} x {dim} takes {timing.single:.3f} ms per query, one at a time "
        f"(median, n = {timing.n_single}), and {timing.batch:.3f} ms in one call for {timing.n_batch:,} queries, on {timing.engine}."
    )


def _both(by_query: Estimate, pairs: Estimate) -> str:
    return f"{by_query.text()}\nWilson {pairs.interval()}\nn = {pairs.n:,} {pairs.unit}"


def _spread(found: Spread, form: str = ".3f") -> str:
    return "none" if found.mean != found.mean else f"{found.mean:{form}} ({found.low:{form}} to {found.high:{form}})"


def _word(case: fc.Decision) -> str:
    return case.name.lower().replace("_", " ")
