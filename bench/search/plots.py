"""PNG plots from sweeps.json and search.json: ``python -m bench.search.plots --out build/bench``. Measures nothing."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.ticker import LogFormatter

# Okabe and Ito's colours, told apart also by marker; ours is the thick black line.
STYLES = {
    "fastcal Index": ("#000000", "o"),
    "FAISS IndexFlatIP": ("#E69F00", "s"),
    "NumPy matmul + argpartition": ("#56B4E9", "^"),
    "usearch exact": ("#009E73", "v"),
    "NumKong + argpartition": ("#F0E442", "D"),
    "scikit-learn brute": ("#0072B2", "P"),
    "ScaNN brute force float32": ("#D55E00", "X"),
    "ScaNN tree + AH (approximate)": ("#CC79A7", "<"),
    "hnswlib (approximate)": ("#999999", ">"),
}
LABELS = {"rows": "rows", "queries": "queries in a call", "k": "k", "dim": "dim"}


def axes(x_label, y_label, title, footer):
    figure, plot = plt.subplots(figsize=(10, 5.5), layout="constrained")
    plot.set(xlabel=x_label, ylabel=y_label, title=title, yscale="log")
    plot.yaxis.set_major_formatter("{x:g}")
    plot.yaxis.set_minor_formatter(LogFormatter(labelOnlyBase=False, minor_thresholds=(1, 0.4)))
    plot.grid(visible=True, which="major", alpha=0.4)
    plot.grid(visible=True, which="minor", alpha=0.12)
    figure.supxlabel(footer, fontsize=7, color="#555555")
    return figure, plot


def legend(plot):
    """Beside the axes, where it hides nothing."""
    plot.legend(fontsize=8, loc="upper left", bbox_to_anchor=(1.01, 1.0))


def line(plot, name, xs, ys, label=None):
    colour, marker = STYLES[name]
    ours = name.startswith("fastcal")
    plot.plot(
        xs,
        ys,
        color=colour,
        marker=marker,
        markersize=6,
        markeredgecolor="black",
        markeredgewidth=0.5,
        linewidth=3 if ours else 1.5,
        zorder=3 if ours else 2,
        label=label or name,
    )


def growth(name, points, footer):
    """Median milliseconds of a call against what grows."""
    fixed = {
        "rows": "1 query, k=10, dim 384",
        "queries": f"k=10, {points[0]['title'].split(', ', 2)[2].rsplit(', ', 1)[0]}",
        "k": f"1 query, {points[0]['title'].split(', ', 2)[2].rsplit(', ', 1)[0]}",
        "dim": f"1 query, k=10, {points[0]['title'].split(', ', 2)[2].split(' x ')[0]} rows",
    }[name]
    figure, plot = axes(LABELS[name], "milliseconds a call (median, best thread setting)", f"Exact search: {fixed}", footer)
    plot.set_xscale("log", base=2 if name in {"queries", "dim"} else 10)
    if name in {"queries", "dim"}:
        plot.set_xticks([point["x"] for point in points], [f"{point['x']:,}" for point in points])
        plot.minorticks_off()
    for contender in STYLES:
        found = [(p["x"], 1e3 * r["median"]) for p in points for r in p["results"] if r["name"] == contender]
        if found:
            line(plot, contender, *zip(*found, strict=True))
    legend(plot)
    return figure


def recall(tables, footer):
    """Speed against recall: approximate indexes as curves, exact search as points at recall 1."""
    table = next(t for t in tables if t["key"] == "approximate")
    figure, plot = axes("recall at 10", "milliseconds a query (one thread, or as named)", table["title"].removeprefix("for orientation: "), footer)
    families = {}
    for result in table["results"]:
        families.setdefault(result["family"], []).append(result)
    for family, results in families.items():
        found = sorted((r["recall"], 1e3 * r["median"]) for r in results)
        label = f"{family}, built in {results[0]['build']:.3g} s"
        line(plot, "fastcal Index" if family.startswith("fastcal") else family, *zip(*found, strict=True), label=label)
    for result in exact_of_the_same_size(tables, table):
        line(
            plot,
            result["name"],
            [1.0],
            [1e3 * result["median"]],
            label=f"{result['name']} (exact, {result['threads']} thread{'s'[: result['threads'] > 1]})",
        )
    legend(plot)
    return figure


def exact_of_the_same_size(tables, table):
    size = table["title"].rsplit(", ", 1)[1]
    same = [t for t in tables if t["key"] == "1q-k10 on synthetic" and f", {size}," in t["title"]]
    return [r for t in same for r in t["results"] if r["kind"] == "peer" and r["name"] in STYLES]


def footer_of(run):
    m = run["machine"]
    build = f"fastcal {m['fastcal']['version']} {m['fastcal']['commit']} ({m['fastcal']['isa']})"
    return f"{m['date']}, {m['cpu']}, {m['cpus']} CPUs, {build}, median of {run['settings']['rounds']}"


def main():
    parser = argparse.ArgumentParser(prog="python -m bench.search.plots", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("build/bench"), help="folder of the JSON files, and of the plots")
    folder = parser.parse_args().out
    runs = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in (folder / "sweeps.json", folder / "search.json") if path.exists()}
    figures = {name: growth(name, points, footer_of(runs["sweeps"])) for name, points in runs.get("sweeps", {}).get("sweeps", {}).items() if points}
    tables = runs.get("search", {}).get("tables", [])
    if any(table["key"] == "approximate" for table in tables):
        figures["recall"] = recall(tables, footer_of(runs["search"]))
    for name, figure in figures.items():
        figure.savefig(folder / f"search-{name}.png", dpi=150)
        print(folder / f"search-{name}.png")
    if not figures:
        raise SystemExit(f"nothing to draw: neither sweeps.json nor search.json in {folder}")


if __name__ == "__main__":
    main()
