"""The same facts for logs, pull requests and terminals."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from fastcal.report import _verdict
from fastcal.report._charts import result_classes
from fastcal.report._glossary import NO_INTERVAL
from fastcal.report._words import NOTHING, estimate, fixed, interval, many, readout, seen_words, share, stored, whole

# Brackets of an interval stay as they are; any others could begin a link.
_SIGNS = re.compile(r"([\\`*_<>|#~]|\[(?![\u2212\d.]+, [\u2212\d.]+\](?!\()))")


def escaped(text: Any) -> str:
    """Return text on one line that means nothing to Markdown or HTML."""
    return _SIGNS.sub(r"\\\1", " ".join(str(text).split()))


def table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> list[str]:
    """Return the lines of a table, numbers to the right."""
    return ["", f"| {' | '.join(head)} |", f"|---|{'---:|' * (len(head) - 1)}", *(f"| {' | '.join(map(escaped, row))} |" for row in rows)]


def markdown(facts: Any) -> str:
    """Return the whole report."""
    validation, verdict = facts["validation"], facts["verdict"]
    lines = [f"# {_title(facts['title'])}", "", f"**{verdict['word']}**: {verdict['meaning']} {'; '.join(map(escaped, validation['reasons']))}."]
    lines += ["", escaped(verdict["test"])]
    if facts["warnings"]:
        lines += ["", "Read this first:", "", *(f"- {escaped(each)}" for each in facts["warnings"])]
    parts = {
        "Threshold": _threshold(facts),
        "Calibration": _calibration(facts),
        "Classes": _classes(facts["classes"]),
        "Transfer": _transfer(facts["transfer"]),
        "Drift": _drift(facts),
        "Profile and data": _profile(facts),
    }
    for name, part in parts.items():
        if part:
            lines += ["", f"## {name}", *part]
    told = f"Brackets are 95 % intervals, by query. {NO_INTERVAL}"
    return "\n".join([*lines, "", f"{told} {escaped(facts['created'])}, fastcal {escaped(facts['library_version'])}."]) + "\n"


def _title(text: str) -> str:
    return escaped(text).replace("\\_", "_")


def _threshold(facts: Any) -> list[str]:
    operating, data = facts["operating"], facts["data"]
    grid, shares = operating["threshold_text"], operating["query_shares"]
    names = {operating["start"]: "start"} | {mark["at"]: mark["label"] for mark in operating["marks"]}
    rows = []
    for at in sorted(names, reverse=True):
        said = readout(operating, data, at, at)
        none = shares["n_queries"] - operating["queries_with_any"][at]
        cells = [f"{said[name]} {said[f'{name}_interval']}" if said[name] != NOTHING else NOTHING for name in ("precision", "recall", "f1")]
        counts = [said["selected"], f"{whole(none)}: {share(none, shares)}", said["results"]]
        rows.append([f"{grid[at]} ({names[at]})", *cells[:2], cells[2], said["precision_n"].split(" ")[0], *counts])
    recall = f"recall (of {whole(data['n_relevant'])} in the lists, {whole(data['n_relevant_in_qrels'])} known)"
    head = [f"{operating['space']} threshold", "precision (of selected)", recall, "F1", "relevant selected", "selected", "queries with none"]
    lines = table([*head, "median results"], rows)
    said = readout(operating, data, operating["start"], operating["escalate_start"])
    edges = f"from {grid[operating['start']]}, escalate from {grid[operating['escalate_start']]}"
    decided = [[name.replace("_", " "), said[name], said[f"{name}_share"]] for name in ("act", "escalate", "not_found")]
    classes = result_classes(operating, data["most_results"])
    lines += table(
        ["queries by their results", *map(escaped, classes)],
        [[f"{grid[at]} ({names[at]})", *map(whole, operating["queries_by_results"][at][: len(classes)])] for at in sorted(names, reverse=True)],
    )
    lines += ["", f"No list here holds more than {many(data['most_results'], 'result', 'results')}, whatever there is behind it."]
    return [*lines, *table([f"decision per query, act {edges}", f"of {many(data['n_queries'], 'query', 'queries')}", "share"], decided)]


def _calibration(facts: Any) -> list[str]:
    found = facts["calibration"]
    summary, curve = found["summary"], found["reliability"]
    rows = [
        ["base rate", estimate(facts["data"]["base_rate"], 4)],
        ["claimed base rate", fixed(facts["profile"]["claimed_base_rate"], 4)],
        ["ECE", f"{fixed(summary['ece'], 4)} {interval(summary['ece_interval'][0], summary['ece_interval'][1], 4)}"],
        ["Debiased calibration error (root mean square)", fixed(summary["debiased_calibration_error"], 4)],
        ["Brier score", estimate(found["brier"], 4)],
        ["Brier skill", fixed(summary["brier_skill"])],
        ["log loss", estimate(found["log_loss"], 4)],
    ]
    separation = facts["scores"]["separation"]
    if separation is not None:
        rows += [["AUROC", f"{fixed(separation['auroc'])} {interval(*separation['auroc_interval'])}"], ["separation", separation["verdict"]]]
    names = ("mean_predicted", "observed_rate", "interval_low", "interval_high", "count")
    bins = [
        [fixed(claimed, 4), f"{fixed(seen, 4)} {interval(low, high)}", whole(n)]
        for claimed, seen, low, high, n in zip(*(curve[name] for name in names), strict=True)
    ]
    measure = f"{many(summary['n'], 'candidate', 'candidates')} of {many(summary['n_groups'], 'query', 'queries')}"
    return [*table(["measure", measure], rows), *table(["stated probability", "observed", "candidates"], bins)]


def _rule(at: Any) -> list[str]:
    precision = f"{fixed(at['precision'])} {interval(*at['precision_interval'])}" if at["n_selected"] else NOTHING
    recall = f"{fixed(at['recall'])} {interval(*at['recall_interval'])}" if at["n_relevant"] else NOTHING
    return [precision, recall, whole(at["n_selected"]) + (" (too few)" if at["too_few"] else "")]


def _cell(at: Any) -> str:
    if "reason" in at:
        return str(at["reason"])
    precision, recall, selected = _rule(at)
    n = (f"precision {precision} of {selected} selected", f"recall {recall} of {whole(at['n_relevant'])} relevant", *seen_words(at))
    return "; ".join(filter(None, n))


def _classes(found: Any) -> list[str]:
    if found is None:
        return []
    rows = []
    for row in found["rows"]:
        limits = interval(row["threshold_low"], row["threshold_high"], 4)
        own = [NOTHING] * 4 if row["own"] is None else [f"{row['threshold_text']} {limits.replace(NOTHING, '(open-ended)')}", *_rule(row["own"])]
        rows.append([row["name"], *(whole(row[name]) for name in ("n", "n_relevant", "n_queries")), *_rule(row["here"]), *own])
    own_head = ["own threshold", "precision there", "recall there", "selected there"]
    head = ["class", "candidates", "relevant", "queries", "precision", "recall", "selected", *own_head]
    return ["", f"Verdict: {escaped(found['verdict'])}.", *table(head, rows)]


def _transfer(found: Any) -> list[str]:
    if found is None:
        return []
    rows = [
        [f"{name}, {space} {stored(edge)} ({target})", *map(_cell, cells)]
        for name, space, edge, target, cells in zip(*(found[key] for key in ("names", "space", "threshold", "target", "cells")), strict=True)
    ]
    return [
        "",
        "Each profile (row) on each collection (column), without the queries that bear the name of one it was fitted on, unless they were kept.",
        *table(["profile of", *map(escaped, found["names"])], rows),
    ]


def _drift(facts: Any) -> list[str]:
    validation = facts["validation"]
    lines: list[str] = []
    rows = [[cell if isinstance(cell, str) else ", ".join(cell) for cell in row] for row in _verdict.promises(facts)]
    drift = validation["drift"]
    if drift is not None:
        size = validation["reference_size"]
        sizes = [whole(size["n_pairs"]), f"{whole(validation['n_pairs'])}, worth {fixed(drift['n_effective'], 0)} independent ones"]
        head = ["distance of the scores", "p-value", "candidates when fitted", "now"]
        lines += table(head, [[fixed(drift["statistic"]), fixed(drift["p_value"], 4), *sizes]])
    return [*lines, *([*table([name.lower() for name in _verdict.HEAD], rows), "", _verdict.PROMISE] if rows else [])]


def _profile(facts: Any) -> list[str]:
    data, profile = facts["data"], facts["profile"]
    names = ("model", "revision", "metric", "task", "stage", "norm", "dims", "top_k", "corpus", "n_queries", "created")
    rows = [[name.replace("_", " "), whole(profile[name]) if name == "n_queries" else profile[name]] for name in names if profile[name] is not None]
    rows.append(["calibrator", profile["calibrator"]["type"]])
    lines = table(["profile", ""], rows)
    judged = [[f"judged@{each['k']}", f"{estimate(each)}, mean of {many(each['n_queries'], 'query', 'queries')}"] for each in data["judged_at"]]
    sizes = [["queries", f"{whole(data['n_queries'])} of {whole(data['n_queries_in_run'])}"], ["candidates", whole(data["n_pairs"])]]
    found = f"{whole(data['n_relevant'])} of {whole(data['n_relevant_in_qrels'])} known"
    return [*lines, *table(["data", ""], [*sizes, ["relevant in the lists", found], ["unjudged candidates", whole(data["n_unjudged"])], *judged])]
