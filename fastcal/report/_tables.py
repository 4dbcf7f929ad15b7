"""The tables of the page, and the sections that are tables alone."""

from __future__ import annotations

import itertools
import json
from typing import Any

from fastcal.report import _verdict
from fastcal.report._html import Cell, Safe, facts_table, joined, table, tag
from fastcal.report._words import DASH, NOTHING, digits_for, estimate, fixed, interval, many, percent, seen_words, share, stored, whole

ROWS = 25


def rates(facts: Any) -> Safe:
    """Some thirty thresholds of the grid, those of the profile among them."""
    operating, shares = facts["operating"], facts["operating"]["query_shares"]
    last = len(operating["threshold"]) - 1
    places = sorted({*(round(i * last / ROWS) for i in range(ROWS + 1)), operating["start"], *(mark["at"] for mark in operating["marks"])})
    labels = {mark["at"]: mark["label"] for mark in operating["marks"]}
    rows = []
    for i in places:
        at = {name: values[i] for name, values in operating.items() if isinstance(values, list) and len(values) == last + 1}
        css = "own" if i in labels else ""
        none = shares["n_queries"] - at["queries_with_any"]
        rows.append(
            [
                Cell(at["threshold_text"], labels.get(i, ""), css),
                Cell(fixed(at["precision"]), interval(at["precision_low"], at["precision_high"]), css),
                Cell(fixed(at["recall"]), interval(at["recall_low"], at["recall_high"]), css),
                Cell(fixed(at["f1"]), interval(at["f1_low"], at["f1_high"]), css),
                Cell(whole(at["n_selected"]), "", css),
                Cell(whole(none), share(none, shares), css),
            ]
        )
    head = [f"Threshold ({operating['space']})", "Precision", "Recall", "F1", "Selected", "Queries with none"]
    sizes = f"{many(facts['data']['n_pairs'], 'candidate', 'candidates')} of {many(facts['data']['n_queries'], 'query', 'queries')}"
    return table(f"{sizes}, {whole(facts['data']['n_relevant'])} relevant", head, rows)


def reliability(curve: Any) -> Safe:
    """One row per bin."""
    names = ("lower_edge", "upper_edge", "mean_predicted", "observed_rate", "interval_low", "interval_high", "band_low", "band_high", "count")
    rows = [
        [f"{fixed(a)} {DASH} {fixed(b)}", fixed(claimed, 4), Cell(fixed(seen, 4), interval(low, high)), interval(band_low, band_high), whole(n)]
        for a, b, claimed, seen, low, high, band_low, band_high, n in zip(*(curve[name] for name in names), strict=True)
    ]
    return table("Bins of stated probability", ["Bin", "Stated", "Observed", "Expected if right", "Candidates"], rows)


def histogram(scores: Any) -> Safe:
    """One row per bin."""
    edges = scores["edges"]
    rows = [
        [f"{fixed(a, 4)} {DASH} {fixed(b, 4)}", *(whole(scores[name][i]) for name in ("relevant", "irrelevant", "unjudged"))]
        for i, (a, b) in enumerate(itertools.pairwise(edges))
    ]
    return table("Candidates by score", ["Score", "Relevant", "Judged irrelevant", "Unjudged"], rows, cards=False)


def distributions(found: Any) -> Safe:
    """Quantiles then and now."""
    rows = [[percent(found["share"][i]), fixed(found["reference"][i], 4), fixed(found["now"][i], 4)] for i in range(0, len(found["share"]), 4)]
    return table("Quantiles of the scores", ["Share at or below", "When fitted", "Now"], rows, cards=False)


def _rule(at: Any) -> tuple[Cell, tuple[str, ...]]:
    """Precision of a rule with its n, a word where it rests on too little, and what there is to say of its recall."""
    few = "few" if at["too_few"] else ""
    limits = interval(*at["precision_interval"]) if at["n_selected"] else ""
    recall = (f"recall {fixed(at['recall'])}", interval(*at["recall_interval"]) if at["n_relevant"] else "", f"of {whole(at['n_relevant'])} relevant")
    return Cell(fixed(at["precision"]), (limits, f"of {whole(at['n_selected'])} selected", "too few" if few else ""), few), recall


def _both(at: Any) -> Cell:
    cell, recall = _rule(at)
    assert isinstance(cell.small, tuple)
    return Cell(cell.text, (*cell.small, *recall), cell.css)


def classes(facts: Any) -> Safe:
    """Each class at the threshold of the report, and at the best one of its own."""
    found, operating = facts["classes"], facts["operating"]
    if found is None:
        return tag("p", "No classes were given. With a table of query and class (--by TABLE, by=) each class gets its row here.", class_="empty")
    target = found["target_precision"]
    best = "the highest F1" if target is None else f"precision {target:g}"
    digits = digits_for(operating["threshold"][0], operating["threshold"][-1])
    rows = []
    for row in found["rows"]:
        limits = interval(row["threshold_low"], row["threshold_high"], digits)
        own, there = Cell("none reaches it"), Cell(NOTHING)
        if row["own"] is not None:
            there = _both(row["own"])
            few = "too few" if row["own"]["too_few"] else ""
            own = Cell(row["threshold_text"], (limits if limits != NOTHING else "open-ended", few), there.css)
        rows.append(
            [
                Cell(row["name"]),
                Cell(whole(row["n"]), (f"{whole(row['n_relevant'])} relevant", many(row["n_queries"], "query", "queries"))),
                _both(row["here"]),
                own,
                there,
            ]
        )
    edge = operating["threshold_text"][operating["start"]]
    head = ["Class", "Candidates", f"Precision at {edge}", "Own threshold", "Precision there"]
    return joined(
        [
            tag("p", f"Verdict: {found['verdict']}. The own threshold is the one with {best}; it was chosen on these labels and flatters."),
            table("Thresholds by class, 95 % intervals by query", head, rows),
        ]
    )


def transfer(found: Any) -> Safe:
    """Every profile on every collection."""
    if found is None:
        return tag(
            "p",
            "One collection only. With further ones (--also RUN,QRELS,PROFILE, others=) every profile is tried on every collection.",
            class_="empty",
        )
    rows = []
    for i, name in enumerate(found["names"]):
        head = Cell(name, (found["models"][i], f"{found['space'][i]} {stored(found['threshold'][i])}", found["target"][i]))
        rows.append([head, *(_transferred(cell, own=i == j) for j, cell in enumerate(found["cells"][i]))])
    told = (
        "Rows: whose profile and threshold, and the target that it was stored for. Columns: whose data. Precision with its 95 % interval, then "
        "recall; each profile's own data are marked. Queries are told by their names: those that bear the name of one that the profile was fitted "
        "on are left out, or said where they were kept."
    )
    return joined([tag("p", told), table("Precision and recall of each profile on each collection", ["Profile of", *found["names"]], rows)])


def _transferred(cell: Any, *, own: bool) -> Cell:
    css = "own" if own else ""
    if "reason" in cell:
        return Cell(NOTHING, cell["reason"], css)
    made = _both(cell)
    return Cell(made.text + (" (own)" if own else ""), (*made.small, *seen_words(cell)), css)


def promises(facts: Any) -> Safe:
    """What each stored threshold was chosen for, reached when fitted and reaches here."""
    if not facts["validation"]["thresholds"]:
        return tag("p", "The profile holds no threshold.", class_="empty")
    rows = [[cell if isinstance(cell, str) else _measured(*cell) for cell in row] for row in _verdict.promises(facts)]
    return joined(
        [table("What the stored thresholds promised, 95 % intervals by query", _verdict.HEAD, rows), tag("p", _verdict.PROMISE, class_="quiet")]
    )


def _measured(figure: str, n: str) -> Cell:
    """Return a figure with its interval and its n on lines of their own."""
    value, bracket, limits = figure.partition(" [")
    return Cell(value, (bracket.strip() + limits, n))


def profile(facts: Any) -> Safe:
    """What the profile records."""
    names = ("model", "revision", "metric", "task", "stage", "norm", "dims", "top_k", "corpus", "n_pairs", "n_queries", "created", "library_version")
    counts = {name: whole(facts[name]) for name in ("n_pairs", "n_queries") if facts[name] is not None}
    rows = [(name.replace("_", " "), NOTHING if facts[name] is None else counts.get(name, facts[name])) for name in names]
    rows.insert(5, ("modality", " → ".join(facts["modality"])))
    params = ", ".join(f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in facts["calibrator"]["params"].items())
    rows.append(("calibrator", f"{facts['calibrator']['type']}({params})"))
    if facts["groups"] is not None:
        rows.append(("groups", ", ".join(facts["groups"])))
    rows.append(("base rate", f"{fixed(facts['base_rate'], 4)} when fitted, probabilities are right for {fixed(facts['claimed_base_rate'], 4)}"))
    held = (facts["diagnostics"] or {}).get("held_out")
    if isinstance(held, dict):
        rows.append(
            (
                "held out when fitted",
                f"ECE {fixed(held['ece'], 4)}, Brier {fixed(held['brier'], 4)}, log loss {fixed(held['log_loss'], 4)}, n = {whole(held['n'])}",
            )
        )
    return joined([facts_table("What the profile records", rows), _stored(facts["thresholds"])])


def _stored(thresholds: Any) -> Safe | None:
    if not thresholds:
        return None
    rows = []
    for cut in thresholds:
        target = next((f"{name} {cut[f'target_{name}']:g}" for name in ("precision", "recall") if cut[f"target_{name}"] is not None), NOTHING)
        limits = interval(*cut["interval"]) if cut["interval"] is not None else ""
        n = NOTHING if cut["n_selected"] is None else whole(cut["n_selected"])
        rows.append(
            [
                f"{cut['space']} {stored(cut['value'])}",
                target,
                Cell(fixed(cut["precision"]), limits),
                fixed(cut["recall"]),
                Cell(n, "held out" if cut["held_out"] else "in sample"),
            ]
        )
    return table("Thresholds as they were stored", ["Threshold", "Target", "Precision", "Recall", "Selected"], rows)


def data(facts: Any) -> Safe:
    """What was measured on, and how much of it was judged."""
    found = facts["data"]
    missed = f"{whole(found['n_relevant'])} of {whole(found['n_relevant_in_qrels'])} that the judgements know for these queries"
    rows = [
        ("queries measured", f"{whole(found['n_queries'])} of {whole(found['n_queries_in_run'])} in the run"),
        ("candidates", f"{whole(found['n_pairs'])}, lists of {fixed(found['median_results'], 0)} (median) up to {whole(found['most_results'])}"),
        ("relevant in the lists", missed),
        (
            "base rate",
            f"{estimate(found['base_rate'], 4)}, n = {whole(found['base_rate']['n'])}, {many(found['base_rate']['n_queries'], 'query', 'queries')}",
        ),
        ("unjudged candidates", f"{whole(found['n_unjudged'])} of {whole(found['n_pairs'])}"),
        ("direction of the scores", "higher is better" if found["higher_is_better"] else "lower is better"),
    ]
    both = found["judgements_hold_irrelevant"]
    judged = [
        [
            f"@{each['k']}",
            Cell(fixed(each["value"]), interval(each["low"], each["high"])),
            fixed(each["precision_irrelevant"]),
            fixed(each["precision_judged"]) if both else NOTHING,
        ]
        for each in found["judged_at"]
    ]
    head = ["Depth", "Judged", "Precision, unjudged as irrelevant", "Precision, judged only"]
    return joined(
        [
            facts_table("What was measured on", rows),
            table(f"How much of the lists was judged, mean of {many(found['n_queries'], 'query', 'queries')}", head, judged),
        ]
    )
