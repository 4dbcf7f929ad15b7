"""What a reader has to know before believing a number."""

from __future__ import annotations

from typing import Any

from fastcal.report._edges import Edges
from fastcal.report._words import many, whole

MOSTLY_JUDGED = 0.8


def notes(facts: dict[str, Any], edges: Edges) -> list[str]:
    """Return sentences, the gravest first; what the verdict says stands beside it."""
    data = facts["data"]
    return [
        *_seen(data),
        *_judgements(data),
        *_sizes(data, facts["profile"]),
        *edges.notes,
        *_threshold(facts["operating"], edges),
    ]


def _seen(data: dict[str, Any]) -> list[str]:
    found = []
    if data["n_queries_seen"]:
        seen, measured = whole(data["n_queries_seen"]), many(data["n_queries"], "query is", "queries are")
        found.append(f"{seen} of {measured} among those the profile was fitted on: figures on them flatter, and say little about new queries")
    if data["n_queries_left_out_as_seen"]:
        found.append(f"{many(data['n_queries_left_out_as_seen'], 'query was', 'queries were')} left out: the profile was fitted on them")
    if data["n_queries_seen"] is None:
        found.append("the profile does not record its training queries: whether these are new to it cannot be told")
    return found


def _judgements(data: dict[str, Any]) -> list[str]:
    found = []
    top = data["judged_at"][min(1, len(data["judged_at"]) - 1)]
    if data["n_unjudged"] and data["unjudged"] == "irrelevant" and top["value"] < MOSTLY_JUDGED:
        found.append(
            f"{whole(data['n_unjudged'])} of {whole(data['n_pairs'])} candidates were never judged and count as irrelevant (judged@{top['k']} is "
            f"{top['value']:.2f}): precision and probabilities may look worse than they are, unless the judgements are complete"
        )
    if data["n_unjudged"] and not data["judgements_hold_irrelevant"]:
        found.append("the judgements hold relevant documents only: which candidates are irrelevant is an assumption")
    if data["n_queries_without_judgement"]:
        n, of = data["n_queries_without_judgement"], many(data["n_queries_in_run"], "query", "queries")
        fate = "stayed" if data["all_queries"] else "left out"
        found.append(f"{whole(n)} of {of} of the run without any judgement: {fate}")
    if data["n_judged_queries_not_in_run"]:
        found.append(f"{whole(data['n_judged_queries_not_in_run'])} judged queries are not in the run, and count for nothing here")
    return found


def _sizes(data: dict[str, Any], profile: dict[str, Any]) -> list[str]:
    found = []
    if profile["top_k"] is not None and profile["top_k"] != data["most_results"]:
        here, fitted = whole(data["most_results"]), whole(profile["top_k"])
        found.append(f"lists here hold up to {here} results, those of the profile {fitted}: its probabilities are for that depth")
    return found


def _threshold(operating: dict[str, Any], edges: Edges) -> list[str]:
    if edges.stored is None:
        return ["the profile holds no threshold: the sliders start at probability 0.5"]
    selected = operating["n_selected"][operating["start"]]
    return [f"the threshold selects {selected} candidates here: too few for a rate"] if selected < 30 else []
