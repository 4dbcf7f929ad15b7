"""What a certificate covers, in words."""

from __future__ import annotations

from fastcal.certificates._walk import Rule


def scope_of(rule: Rule, rows: int, lists: int | None, truncated: int | None) -> str:
    """Say what the promise is about and end in what it is not."""
    if rule.future:
        promise, chance = f"Future pairs drawn independently from where these {rows} came from", "draws of these"
        rest = "not pairs of one query, which are not independent, nor each query"
    else:
        promise, chance = f"The selection from this pool of {rows} rows, all of it together", "random orders of labelling"
        rest = "not future pairs or queries, nor each query of this pool"
    within = "" if lists is None else f" Only within the {lists} lists: rows they do not hold are not counted{_truncated(truncated)}."
    return f"{promise}, as judged by this labeller; wrong in at most {100 * rule.delta:g} % of {chance}.{within} It is {rest}."


def _truncated(truncated: int | None) -> str:
    return "" if truncated is None else f", and {truncated} of the lists end at or beyond the threshold"
