"""The words of a report that need a line of explanation."""

from __future__ import annotations

from fastcal.report._html import Safe, tag

NO_INTERVAL = (
    "The library has no interval for: the debiased calibration error, Brier skill, overlap, best F1, the distance of drift, numbers of results "
    "per query, and precision at a depth."
)
WORDS = (
    ("Candidate", "One document in the list of one query. Rates count candidates, not queries."),
    ("Base rate", "Share of relevant candidates. The claimed one is what the profile's probabilities are right for; if they differ, all are off."),
    ("ECE", "Expected calibration error: mean distance of stated probability and observed share over bins. Noise alone makes it positive."),
    ("Debiased calibration error", "Root mean square of the gaps of the bins, less what chance alone adds; large gaps count more than in the ECE."),
    ("Brier score, log loss", "Mean squared error, and mean surprise, of the probabilities; less is better."),
    ("Brier skill", "1 minus the Brier score over that of stating the base rate for every candidate: 0 is no better than that, 1 is perfect."),
    (
        "AUROC",
        "Chance that a relevant candidate scores better than an irrelevant one; 0.5 is a coin. Unjudged ones count as the notes say.",
    ),
    ("Overlap", "How much of the two histograms of scores coincides: 0 is none, 1 is all."),
    (
        "These scores cannot separate",
        "No cut has precision and recall together (their lesser one) of at least one half, and a quarter of the way from the base rate to 1.",
    ),
    ("judged@k", "Share of the first k results that somebody judged, mean over queries. Low: precision depends on what the unjudged ones are."),
    ("keep, refit, stop", "Nothing refuted; a promise or the probabilities refuted; worse than stating the base rate, or far below a promise."),
    ("Escalate", "What is not good enough to act on and too good to drop: a person or a slower model decides."),
)


def glossary() -> Safe:
    """Return the words as a list that opens on demand."""
    rows = [tag("div", tag("dt", name), tag("dd", told)) for name, told in WORDS]
    return tag("dl", *rows, class_="words")
