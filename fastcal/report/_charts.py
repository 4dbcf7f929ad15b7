"""The charts as Vega-Lite specifications with their data. Colours are CSS variables of the page: one drawing for light, dark and paper."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastcal.report._words import DASH

Spec = dict[str, Any]
LEFT, RIGHT = 48, 16  # pixels beside the plot, which the sliders line up with
FEW = 30
SHORT = "datum.value % 1 ? '' : format(datum.value, '~s')"

CONFIG: Spec = {
    "background": None,
    "font": "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif",
    "view": {"stroke": None},
    "axis": {
        "labelColor": "var(--muted)",
        "titleColor": "var(--muted)",
        "gridColor": "var(--grid)",
        "domainColor": "var(--line)",
        "tickColor": "var(--line)",
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "labelOverlap": "greedy",
        "labelSeparation": 4,
    },
    "axisY": {"minExtent": LEFT - 8, "maxExtent": LEFT - 8, "title": None, "domain": False, "ticks": False},
    "axisX": {"grid": False},
    "point": {"opacity": 1},
    "legend": {"disable": True},  # the page has its own, which wraps
}
SHAPE: Spec = {
    "width": "container",
    "autosize": {"type": "fit-x", "contains": "padding"},
    "padding": {"left": 8, "right": RIGHT, "top": 6, "bottom": 2},
}
EDGES: list[Spec] = [
    {"name": "act", "color": "var(--ink)", "dash": [1, 0]},
    {"name": "escalate", "color": "var(--muted)", "dash": [4, 3]},
]


def charts(facts: Any) -> dict[str, Spec]:
    """Return every chart that there are numbers for, by the id of its place in the page."""
    found = {"chart-rates": rates(facts["operating"]), "chart-results": results(facts["operating"], facts["data"])}
    found |= reliability(facts["calibration"]["reliability"])
    found |= histograms(facts["scores"], facts["operating"])
    if facts["validation"]["distributions"] is not None:
        found["chart-drift"] = drift(facts["validation"]["distributions"])
    return {name: SHAPE | {"config": CONFIG} | spec for name, spec in found.items()}


def _rules(operating: Any, of: str = "threshold") -> tuple[list[Spec], list[Spec]]:
    """The edges as parameters that the page sets, and lines that stand where they are."""
    starts = {"act": operating["start"], "escalate": operating["escalate_start"]}
    params = [{"name": edge["name"], "value": operating[of][starts[edge["name"]]]} for edge in EDGES]
    lines = [
        {
            "data": {"values": [{}]},
            "mark": {"type": "rule", "color": edge["color"], "strokeDash": edge["dash"], "strokeWidth": 1.5, "tooltip": None},
            "encoding": {"x": {"datum": {"expr": edge["name"]}, "type": "quantitative"}},
        }
        for edge in reversed(EDGES)
    ]
    return params, lines


def rates(operating: Any) -> Spec:
    """Precision, recall and F1 with their intervals over the threshold."""
    names = {"Precision": "precision", "Recall": "recall", "F1": "f1"}
    rows = [
        {"t": t, "rate": label, "value": operating[name][i], "low": operating[f"{name}_low"][i], "high": operating[f"{name}_high"][i]}
        for label, name in names.items()
        for i, t in enumerate(operating["threshold"])
        if operating[name][i] is not None
    ]
    params, lines = _rules(operating)
    x = {
        "field": "t",
        "type": "quantitative",
        "title": f"{operating['space']} threshold",
        "scale": {"domain": domain(operating), "nice": False},
        "axis": {"tickCount": 10, "format": "~g"},
    }
    color = {"field": "rate", "type": "nominal", "scale": {"domain": list(names), "range": ["var(--c1)", "var(--c2)", "var(--c3)"]}}
    dash = {"field": "rate", "type": "nominal", "scale": {"domain": list(names), "range": [[1, 0], [8, 3], [2, 3]]}}
    y = {"type": "quantitative", "scale": {"domain": [0, 1]}, "axis": {"tickCount": 5, "format": ".1f"}}
    bands = {
        "data": {"values": rows},
        "mark": {"type": "area", "opacity": 0.14, "tooltip": None},
        "encoding": {"x": x, "y": y | {"field": "low"}, "y2": {"field": "high"}, "color": color},
    }
    curves = {
        "data": {"values": rows},
        "mark": {"type": "line", "strokeWidth": 2, "tooltip": None},
        "encoding": {"x": x, "y": y | {"field": "value"}, "color": color, "strokeDash": dash},
    }
    return {"height": 260, "params": params, "layer": [bands, curves, *lines]}


def domain(operating: Any) -> list[float]:
    """Return the ends of the slider."""
    return [operating["threshold"][0], operating["threshold"][-1]]


def result_classes(operating: Any, most: int) -> list[str]:
    """Return the names of the classes of queries by their number of results, of which there are at most `most`."""
    lows = [low for low in operating["results_from"] if low <= most]
    lasts = [*(low - 1 for low in lows[1:]), most]
    return [f"{a}s" if b >= 999 else str(a) if a == b else f"{a}{DASH}{b}" for a, b in zip(lows, lasts, strict=True)]


def results(operating: Any, data: Any) -> Spec:
    """How many queries get how many results at the edge to act from; the page replaces the rows."""
    names = result_classes(operating, data["most_results"])
    rows = [{"results": name, "queries": n} for name, n in zip(names, operating["queries_by_results"][operating["start"]], strict=False)]
    x = {"field": "results", "type": "ordinal", "sort": names, "title": "results of a query", "axis": {"labelAngle": 0, "labelOverlap": False}}
    y = {
        "field": "queries",
        "type": "quantitative",
        "scale": {"domain": [0, data["n_queries"]], "nice": False},
        "axis": {"tickCount": 4, "labelExpr": SHORT, "tickMinStep": 1},
    }
    bars = {"mark": {"type": "bar", "color": "var(--c1)", "tooltip": None}, "encoding": {"x": x, "y": y}}
    text = {
        "mark": {"type": "text", "dy": -7, "color": "var(--ink)", "fontSize": 12, "tooltip": None},
        "encoding": {"x": x, "y": y, "text": {"field": "queries", "format": ","}},
    }
    return {"height": 150, "data": {"name": "results", "values": rows}, "layer": [bars, text], "padding": SHAPE["padding"] | {"top": 18}}


def reliability(curve: Any) -> dict[str, Spec]:
    """Observed share of relevant pairs over stated probability, and how many pairs each bin has."""
    names = ("mean_predicted", "observed_rate", "count", "interval_low", "interval_high", "band_low", "band_high", "lower_edge", "upper_edge")
    rows = [dict(zip(names, values, strict=True)) | {"few": values[2] < FEW} for values in zip(*(curve[name] for name in names), strict=True)]
    # Axes end at the next tenth: low base rates would otherwise crowd into a corner.
    most = max(max(row["mean_predicted"], row["interval_high"] if not row["few"] else row["observed_rate"]) for row in rows)
    top = min(1.0, float(np.ceil(most * 10 + 1e-9) / 10))
    scale = {"domain": [0, top], "nice": False, "clamp": True}
    x = {
        "field": "mean_predicted",
        "type": "quantitative",
        "scale": scale,
        "title": "probability that the profile states",
        "axis": {"tickCount": 10, "format": "~g"},
    }
    y = {"type": "quantitative", "scale": scale, "axis": {"tickCount": 5}}
    diagonal = [{"x": 0, "y": 0}, {"x": top, "y": top}]
    layers = [
        {
            "mark": {"type": "area", "color": "var(--muted)", "opacity": 0.18, "tooltip": None},
            "encoding": {"x": x, "y": y | {"field": "band_low"}, "y2": {"field": "band_high"}},
        },
        {
            "data": {"values": diagonal},
            "mark": {"type": "line", "color": "var(--muted)", "strokeDash": [4, 3], "strokeWidth": 1, "tooltip": None},
            "encoding": {"x": x | {"field": "x"}, "y": y | {"field": "y"}},
        },
        {
            "mark": {"type": "rule", "color": "var(--c1)", "strokeWidth": 1.5, "tooltip": None},
            "encoding": {"x": x, "y": y | {"field": "interval_low"}, "y2": {"field": "interval_high"}},
        },
        {
            "transform": [{"filter": "!datum.few"}],
            "mark": {"type": "line", "color": "var(--c1)", "strokeWidth": 2, "tooltip": None},
            "encoding": {"x": x, "y": y | {"field": "observed_rate"}},
        },
        {
            "mark": {"type": "point", "size": 60, "strokeWidth": 2, "color": "var(--c1)", "tooltip": None},
            "encoding": {
                "x": x,
                "y": y | {"field": "observed_rate"},
                "fill": {"condition": {"test": "datum.few", "value": "var(--bg)"}, "value": "var(--c1)"},
            },
        },
    ]
    powers = [10**i for i in range(1 + int(np.ceil(np.log10(max(*curve["count"], 2)))))]
    ceiling = powers[-1]
    counts = {
        "mark": {"type": "bar", "color": "var(--muted)", "tooltip": None},
        "encoding": {
            "x": {
                "field": "lower_edge",
                "bin": {"binned": True},
                "type": "quantitative",
                "scale": scale,
                "title": None,
                "axis": {"labels": False, "ticks": False},
            },
            "x2": {"field": "upper_edge"},
            "y": {
                "field": "count",
                "type": "quantitative",
                "scale": {"type": "log", "domain": [0.5, ceiling]},
                "axis": {"values": powers, "labelExpr": SHORT},
            },
            "y2": {"datum": 0.5},
        },
    }
    return {
        "chart-reliability": {"height": 300, "data": {"values": rows}, "layer": layers},
        "chart-counts": {"height": 60, "data": {"values": rows}, **counts},
    }


def histograms(scores: Any, operating: Any) -> dict[str, Spec]:
    """One small chart per kind of pair on the same axis of scores."""
    edges, found = scores["edges"], {}
    kinds = [(name, color) for name, color in (("relevant", "--c1"), ("irrelevant", "--c2"), ("unjudged", "--c3")) if any(scores[name])]
    params, lines = _rules(operating, "score_edge") if operating["score_edge"] is not None else ([], [])
    for name, color in kinds:
        rows = [{"low": a, "high": b, "n": n} for a, b, n in zip(edges, edges[1:], scores[name], strict=False)]
        last = name == kinds[-1][0]
        # Labels at the ends stand out to the sides, and the plot makes room for them: those of the upper charts are there and not seen.
        unseen = {"labelOpacity": 0, "labelPadding": -16, "ticks": False}
        axis = {"title": "score" if last else None, "axis": {"labelFlush": False} | ({} if last else unseen)}
        bars = {
            "data": {"values": rows},
            "mark": {"type": "bar", "color": f"var({color})", "binSpacing": 1, "tooltip": None},
            "encoding": {
                "x": {
                    "field": "low",
                    "bin": {"binned": True},
                    "type": "quantitative",
                    "scale": {"domain": [edges[0], edges[-1]], "nice": False, "zero": False},
                    **axis,
                },
                "x2": {"field": "high"},
                "y": {"field": "n", "type": "quantitative", "axis": {"tickCount": 3, "labelExpr": SHORT, "tickMinStep": 1}},
            },
        }
        found[f"chart-{name}"] = {"height": 84, "params": params, "layer": [bars, *lines]}
    return found


def drift(distributions: Any) -> Spec:
    """Share of the pairs at or below each score, when the profile was fitted and now."""
    names = {"when fitted": "reference", "now": "now"}
    rows = [
        {"score": s, "share": p, "when": label}
        for label, name in names.items()
        for s, p in zip(distributions[name], distributions["share"], strict=True)
    ]
    when = {"field": "when", "type": "nominal"}
    found = [*distributions["reference"], *distributions["now"]]
    scale = {"domain": [min(found), max(found)], "nice": False, "zero": False}
    return {
        "height": 200,
        "data": {"values": rows},
        "mark": {"type": "line", "strokeWidth": 2, "interpolate": "step-after", "tooltip": None},
        "encoding": {
            "x": {"field": "score", "type": "quantitative", "title": "score", "scale": scale, "axis": {"labelFlush": False}},
            "y": {"field": "share", "type": "quantitative", "scale": {"domain": [0, 1]}, "axis": {"tickCount": 5, "format": ".0%"}},
            "color": when | {"scale": {"domain": list(names), "range": ["var(--muted)", "var(--c1)"]}},
            "strokeDash": when | {"scale": {"domain": list(names), "range": [[6, 3], [1, 0]]}},
        },
    }
