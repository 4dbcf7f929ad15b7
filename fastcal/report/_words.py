"""Numbers as the page writes them; ``assets/page.js`` has the same rules, and rounds halves away from zero as JavaScript does."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal
from typing import Any

import numpy as np
import numpy.typing as npt

NOTHING = DASH = "\u2013"
MINUS = "\u2212"


def fixed(value: float | None, digits: int = 3) -> str:
    """Return a number with so many decimals, a dash for None."""
    if value is None:
        return NOTHING
    text = str(Decimal(value).quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP))
    return MINUS + text[1:] if text.startswith("-") and float(text) != 0 else text.lstrip("-")


def stored(edge: float) -> str:
    """Return a threshold so that it can be copied: the shortest decimal that is the same float32 number."""
    return str(np.float32(edge))


def edge_texts(edges: npt.NDArray[np.float32], values: npt.NDArray[np.float32], higher_is_better: bool, digits: int) -> list[str]:
    """Return each edge so that its copy selects the same of `values`: with as few decimals as do, but at least `digits`, on its lax side."""
    sign = 1.0 if higher_is_better else -1.0
    ranked = np.concatenate([[-np.inf], np.sort(sign * values.astype(np.float64))])
    behind = ranked[np.searchsorted(ranked, sign * edges.astype(np.float64)) - 1]
    return [_edge_text(float(edge), float(sign * limit), digits) for edge, limit in zip(edges, behind, strict=True)]


def _edge_text(edge: float, behind: float, digits: int) -> str:
    """Return a decimal between an edge and the best value that it leaves out; rounded to nearest only where that is the same float32 number."""
    exact, wide = Decimal(edge), Context(prec=400)
    falls = behind < edge

    def cut(places: int, rounding: str) -> Decimal:
        return exact.quantize(Decimal(1).scaleb(-places), rounding, wide)

    found = cut(digits, ROUND_HALF_EVEN)
    while float(np.float32(found)) != edge:
        found = cut(digits, ROUND_FLOOR if falls else ROUND_CEILING)
        if found == exact or (behind < float(np.float32(found)) if falls else float(np.float32(found)) < behind):
            break
        digits += 1
    return str(abs(found) if found == 0 else found)


def interval(low: float | None, high: float | None, digits: int = 3) -> str:
    """Return both limits in brackets."""
    return NOTHING if low is None or high is None else f"[{fixed(low, digits)}, {fixed(high, digits)}]"


def whole(value: float) -> str:
    """Return a count with separators between thousands."""
    return f"{int(value):,}"


def percent(value: float) -> str:
    """Return a share in percent with one decimal."""
    return f"{fixed(100 * value, 1)} %"


def digits_for(low: float, high: float) -> int:
    """Return how many decimals tell about ten thousand steps of a range apart."""
    span = high - low
    found = 4
    while span > 0 and span < 0.1 and found < 8:
        span, found = span * 10, found + 1
    while span > 100 and found > 1:
        span, found = span / 10, found - 1
    return found


def many(n: int, one: str, several: str) -> str:
    """Return a count with its noun."""
    return f"{whole(n)} {one if n == 1 else several}"


def estimate(found: Any, digits: int = 3) -> str:
    """Return a value with its interval."""
    if found["value"] is None:
        return NOTHING
    return f"{fixed(found['value'], digits)} {interval(found['low'], found['high'], digits)}"


def share(count: int, shares: Any) -> str:
    """Return a number of queries as a share of all with its interval."""
    at = shares["count"].index(count)
    n = shares["n_queries"]
    return f"{percent(count / n)} [{fixed(100 * shares['low'][at], 1)}, {fixed(100 * shares['high'][at], 1)}]"


def seen_words(cell: Any) -> tuple[str, ...]:
    """Return how many queries a cell of the transfer matrix rests on, and which of them its profile knows by name."""
    queries = many(cell["n_queries"], "query", "queries")
    if cell["n_queries_seen"] is None:
        return (f"{queries}, if new not recorded",)
    seen, left_out = cell["n_queries_seen"], cell["n_queries_left_out_as_seen"]
    return (queries, f"{whole(seen)} of them seen in fitting" if seen else "", f"{whole(left_out)} left out as seen" if left_out else "")


def readout(operating: Any, data: Any, act: int, escalate: int) -> dict[str, str]:
    """Return what the page says when the edges stand at these places of the grid."""
    at = {name: values[act] for name, values in operating.items() if isinstance(values, list) and len(values) == len(operating["threshold"])}
    shares, n = operating["query_shares"], data["n_queries"]
    with_any, reached = at["queries_with_any"], operating["queries_with_any"][escalate]
    further = operating["n_selected"][escalate] - at["n_selected"]
    found = {}
    for name, hits, among in (
        ("precision", at["n_relevant_selected"], f"{whole(at['n_selected'])} selected"),
        ("recall", at["n_relevant_selected"], f"{whole(data['n_relevant'])} relevant in the lists ({whole(data['n_relevant_in_qrels'])} known)"),
        ("precision_judged", at["n_relevant_selected"], f"{whole(at['n_judged_selected'])} judged"),
    ):
        nothing = among.startswith("0 ")
        found[name] = NOTHING if nothing else fixed(at[name])
        found[f"{name}_interval"] = NOTHING if nothing else interval(at[f"{name}_low"], at[f"{name}_high"])
        found[f"{name}_n"] = f"{whole(hits)} of {among}"
    found["f1"] = fixed(at["f1"])
    found["f1_interval"] = interval(at["f1_low"], at["f1_high"])
    found["f1_n"] = f"{whole(at['n_selected'])} selected, {whole(data['n_relevant'])} relevant"
    found["selected"] = whole(at["n_selected"])
    found["selected_n"] = f"of {whole(data['n_pairs'])} candidates; {whole(further)} more escalate"
    found["results"] = fixed(at["results_median"], 1)
    found["results_n"] = f"median; 90 % of queries up to {fixed(at['results_p90'], 1)}, most {whole(at['results_most'])}"
    for name, count in (
        ("none", n - with_any),
        ("thousands", at["queries_with_thousands"]),
        ("full", at["queries_with_most"]),
        ("act", with_any),
        ("escalate", reached - with_any),
        ("not_found", n - reached),
    ):
        found[name] = whole(count)
        found[f"{name}_share"] = share(count, shares)
    return found
