"""What a certificate covers, in words."""

from __future__ import annotations

from fastcal.certificates._walk import Rule


def scope_of(rule: Rule, rows: int, lists: int | None, truncated: int | None) -> str:
    """Say what the promise is about and end in what it is not."""
    chance = f"{100 * rule.delta:g} %"
    if rule.future:
        promise = f"Future pairs drawn independently from where these {rows} came from, as judged by this labeller"
        rest = "not pairs of one query, which are not independent, nor each query"
    else:
        promise = f"The selection from this pool of {rows} rows, all of it together, as judged by this labeller"
        rest = "not future pairs or queries, nor each query of this pool"
    within = "" if lists is None else f" Only within the {lists} lists: rows they do not hold are not counted{_truncated(truncated)}."
    return f"{promise}; wrong in at most {chance} of random orders of labelling.{within} It is {rest}."


def _truncated(truncated: int | None) -> str:
    return "" if truncated is None else f", and {truncated} of the lists end at or beyond the threshold"
