"""The verdict at the head of a report and the promises of stored thresholds, in words."""

from __future__ import annotations

from typing import Any

from fastcal.profile._verdict import ALPHA, FEW_QUERIES, MATERIAL
from fastcal.report._words import NOTHING, fixed, interval, many, stored, whole

CANNOT_BE_TOLD = "cannot be told"
MEANING = {
    "keep": "Nothing here refutes the profile, which is not proof that it is right.",
    "refit": "The profile no longer says what is so here: fit it again, or move its base rate.",
    "stop": "Do not use this profile here.",
}
PROMISE = (
    "A promise is the target, or what held-out queries reached when the profile was fitted if that was less. It is broken where the whole interval "
    "lies below it; not refuted is no more than that. The intervals reached here hold for all thresholds together."
)
HEAD = ("Threshold", "Target", "Held out when fitted", "Reached here", "The promise")


def head(validation: Any) -> dict[str, str]:
    """Return the word at the head of a report and the sentences that say what it means and how it was reached."""
    verdict, n = validation["verdict"], validation["n_queries"]
    few = verdict == "keep" and n < FEW_QUERIES
    meaning = f"{many(n, 'query', 'queries')}: fewer than {FEW_QUERIES} refute only what is grossly wrong." if few else MEANING[verdict]
    return {"word": CANNOT_BE_TOLD if few else verdict, "meaning": meaning, "test": _test(validation)}


def _test(validation: Any) -> str:
    found = validation["calibration"]
    return (
        f"The test of the probabilities refutes them at p < {ALPHA:g}, if recalibration would also gain {100 * MATERIAL:g} % of the base rate's "
        f"Brier score; here p = {found['p_value']:.2g}. The ECE ({fixed(found['ece'], 4)}) can be large while the test stays calm: it adds up the "
        f"noise of every bin, and {many(validation['n_pairs'], 'candidate', 'candidates')} of {many(validation['n_queries'], 'query', 'queries')} "
        "make some."
    )


def promises(facts: Any) -> list[list[str | tuple[str, str]]]:
    """Return a row per stored threshold under HEAD; pairs are a figure and its n."""
    rows: list[list[str | tuple[str, str]]] = []
    for check, cut in zip(facts["validation"]["thresholds"], facts["profile"]["thresholds"], strict=True):
        kind = check["kind"]
        rows.append(
            [
                f"{check['space']} {stored(check['value'])}",
                NOTHING if kind is None else f"{kind} {fixed(cut[f'target_{kind}'])}",
                _fitted(cut, kind),
                _reached(check, facts["data"]["n_relevant"]),
                _kept(check),
            ]
        )
    return rows


def _fitted(cut: Any, kind: str | None) -> str | tuple[str, str]:
    if kind is None or cut[kind] is None or not cut["held_out"]:
        return NOTHING
    limits = f" {interval(*cut['interval'])}" if kind == "precision" and cut["interval"] is not None else ""
    return fixed(cut[kind]) + limits, NOTHING if cut["n_selected"] is None else f"{whole(cut['n_selected'])} selected"


def _reached(check: Any, n_relevant: int) -> str | tuple[str, str]:
    n = f"of {whole(n_relevant)} relevant" if check["kind"] == "recall" else f"{whole(check['n_selected'])} selected"
    return (NOTHING if check["achieved"] is None else f"{fixed(check['achieved'])} {interval(*check['interval'])}"), n


def _kept(check: Any) -> str:
    if check["kind"] is None:
        return NOTHING
    word = {True: "not refuted", False: "broken", None: CANNOT_BE_TOLD}[check["kept"]]
    return f"{check['kind']} {fixed(check['promised'])}: {word}"
