"""The sections of the page in the order in which a reader asks: may I trust it, where to cut, is it calibrated, and for whom else."""

from __future__ import annotations

from typing import Any

from fastcal.report import _tables
from fastcal.report._glossary import NO_INTERVAL, glossary
from fastcal.report._html import Safe, chart, figures, joined, legend, more, tag
from fastcal.report._operating import THOUSANDS
from fastcal.report._verdict import MEANING
from fastcal.report._words import fixed, interval, many, readout, whole

RATES = legend(("Precision", "--c1", "solid"), ("Recall", "--c2", "dashed"), ("F1", "--c3", "dotted"))
DRIFT = legend(("when fitted", "--muted", "dashed"), ("now", "--c1", "solid"))
PARTS = (
    ("threshold", "Threshold"),
    ("calibration", "Calibration"),
    ("scores", "Scores"),
    ("classes", "Classes"),
    ("transfer", "Transfer"),
    ("drift", "Drift"),
    ("profile", "Profile"),
    ("data", "Data"),
    ("words", "Words"),
)


def header(facts: Any) -> Safe:
    """Title, verdict and where to go."""
    validation, verdict = facts["validation"], facts["verdict"]
    css = verdict["word"] if verdict["word"] in MEANING else "open"
    links = [tag("li", tag("a", name, href=f"#{key}")) for key, name in PARTS]
    return tag(
        "header",
        tag(
            "div",
            tag("div", tag("h1", facts["title"]), tag("p", f"{facts['created']} · fastcal {facts['library_version']}", class_="quiet")),
            tag("button", "Dark", id="theme", type="button", class_="needs-script"),
            class_="top",
        ),
        tag("p", tag("span", verdict["word"], class_=f"verdict {css}"), " ", verdict["meaning"]),
        tag("ul", *(tag("li", each) for each in [*validation["reasons"], verdict["test"]]), class_="quiet"),
        _notes(facts["warnings"]),
        tag("nav", tag("ul", *links), aria_label="Sections"),
        tag("p", "Charts and sliders need JavaScript; the tables have the same numbers.", class_="empty unscripted"),
    )


def _notes(warnings: list[str]) -> Safe | None:
    if not warnings:
        return None
    return tag(
        "aside", tag("h2", "Read this first", id="notes"), tag("ul", *(tag("li", each) for each in warnings)), class_="notes", aria_labelledby="notes"
    )


def sections(facts: Any) -> list[Safe]:
    """Return every section; one without numbers says what it would need."""
    made = {
        "threshold": _threshold(facts),
        "calibration": _calibration(facts),
        "scores": _scores(facts),
        "classes": _tables.classes(facts),
        "transfer": _tables.transfer(facts["transfer"]),
        "drift": _drift(facts),
        "profile": _tables.profile(facts["profile"]),
        "data": _tables.data(facts),
        "words": glossary(),
    }
    return [tag("section", tag("h2", name, id=f"{key}-title"), made[key], id=key, aria_labelledby=f"{key}-title") for key, name in PARTS]


def _threshold(facts: Any) -> Safe:
    operating, data = facts["operating"], facts["data"]
    texts = readout(operating, data, operating["start"], operating["escalate_start"])
    verb = "at least" if operating["higher_is_better"] else "at most"
    alone = operating["start"] == operating["escalate_start"]
    escalates = "Nothing escalates until the lower slider is moved to a laxer edge." if alone else "Candidates between the two edges escalate."
    drag = " Drag the sliders, or use the arrow keys: every number follows."
    intro = [
        f"Act on a candidate whose {operating['space']} is {verb} the threshold.",
        tag("span", drag, class_="needs-script"),
        f" Brackets are 95 % intervals, by query. {escalates}",
    ]
    most = data["most_results"]
    caution = (
        "A threshold picked here by looking was chosen on these labels, so its figures flatter: measure it on new queries, or certify it "
        "(fastcal certify)."
    )
    return joined(
        [
            tag("p", *intro),
            chart(
                "chart-rates",
                "Precision, recall and F1",
                "with 95 % bands; the vertical lines are the sliders",
                _rates_words(texts),
                lines=RATES,
            ),
            _edge("act", "Act from", operating, operating["start"]),
            _edge("escalate", "Escalate from", operating, operating["escalate_start"]),
            _presets(operating),
            tag("p", caution, class_="quiet"),
            tag("p", id="told", class_="heard", role="status", aria_live="polite"),
            _board(texts, data),
            _decisions(texts, data),
            chart(
                "chart-results",
                "Results per query",
                f"at the threshold to act from; no list here holds more than {whole(most)}, whatever there is behind it",
                "Number of queries by how many of their results are selected",
                small=True,
            ),
            more("Numbers behind these charts", _tables.rates(facts)),
        ]
    )


def _rates_words(texts: dict[str, str]) -> str:
    return f"Precision, recall and F1 over the threshold. At the profile's threshold: precision {texts['precision']}, recall {texts['recall']}."


def _edge(name: str, label: str, operating: Any, start: int) -> Safe:
    grid, texts = operating["threshold"], operating["threshold_text"]
    numbers = {"min": repr(grid[0]), "max": repr(grid[-1]), "step": "any"}
    slider = tag("input", id=name, type="range", value=repr(grid[start]), aria_label=f"{label}, {operating['space']}", **numbers)
    box = tag("input", id=f"{name}-value", type="number", value=texts[start], step="any")
    said = tag("span", id=f"{name}-said", class_="n", role="status")
    row = tag("div", tag("label", label, for_=f"{name}-value"), box, said, class_="row")
    return tag("div", row, tag("div", slider, class_="track"), class_="edge needs-script")


def _presets(operating: Any) -> Safe:
    """Buttons that set both edges: each threshold of the profile, and the start."""
    buttons = [
        tag("button", f"{mark['label']} ({operating['threshold_text'][mark['at']]})", type="button", data_at=mark["at"])
        for mark in operating["marks"]
    ]
    told = tag("span", "The profile's thresholds:", class_="quiet") if buttons else None
    reset = tag("button", "Reset", type="button", id="reset", data_at=operating["start"])
    return tag("div", *([told] if told else []), *buttons, reset, class_="presets needs-script")


def _out(name: str, texts: dict[str, str], css: str) -> Safe:
    return tag("span", texts[name], class_=css, data_out=name)


def _of(data: Any) -> Safe:
    return tag("span", f"of {many(data['n_queries'], 'query', 'queries')}", class_="n")


def _board(texts: dict[str, str], data: Any) -> Safe:
    rows: list[tuple[str, Safe]] = []
    most = data["most_results"]
    names = {"precision": "Precision", "recall": "Recall", "f1": "F1"}
    if data["n_unjudged"] and data["judgements_hold_irrelevant"]:
        names["precision_judged"] = "Precision, judged ones only"
    for key, name in names.items():
        parts = [_out(key, texts, "value"), _out(f"{key}_interval", texts, "n")]
        rows.append((name, tag("dd", *parts, _out(f"{key}_n", texts, "n"))))
    rows += [
        (name, tag("dd", _out(key, texts, "value"), _out(f"{key}_n", texts, "n")))
        for key, name in (("selected", "Selected"), ("results", "Results per query"))
    ]
    rows += [
        (name, tag("dd", _out(key, texts, "value"), _out(f"{key}_share", texts, "n"), _of(data)))
        for key, name in (("none", "Queries with none"), *([("thousands", "Queries with thousands")] if most >= THOUSANDS else []))
    ]
    full = [_out("full", texts, "value"), _out("full_share", texts, "n"), _of(data), tag("span", "the most that a list holds here", class_="n")]
    rows.append((f"Queries with {many(most, 'result', 'results')}", tag("dd", *full)))
    return tag("dl", *(tag("div", tag("dt", name), value) for name, value in rows), class_="figures", id="board")


def _decisions(texts: dict[str, str], data: Any) -> Safe:
    names = {"act": "Act", "escalate": "Escalate", "not_found": "Not found"}
    bar = tag("div", *(tag("div", name, id=f"bar-{key}", title=name) for key, name in names.items()), class_="bar needs-script", aria_hidden="true")
    rows = [
        tag(
            "div",
            tag("dt", tag("span", class_=f"key key-{key}"), name),
            tag("dd", _out(key, texts, "value"), _out(f"{key}_share", texts, "n"), _of(data)),
        )
        for key, name in names.items()
    ]
    return joined([tag("h3", "Decision per query"), tag("p", "By its best candidate.", class_="quiet"), bar, tag("dl", *rows, class_="figures")])


def _calibration(facts: Any) -> Safe:
    found, data = facts["calibration"], facts["data"]
    summary, curve = found["summary"], found["reliability"]
    sizes = f"{many(summary['n'], 'candidate', 'candidates')}, {many(summary['n_groups'], 'query', 'queries')}"
    skill = summary["brier_skill"]
    board = figures(
        [
            (
                "Base rate",
                fixed(data["base_rate"]["value"], 4),
                interval(data["base_rate"]["low"], data["base_rate"]["high"], 4),
                f"claimed {fixed(facts['profile']['claimed_base_rate'], 4)}",
            ),
            (
                "Calibration error (ECE)",
                fixed(summary["ece"], 4),
                interval(summary["ece_interval"][0], summary["ece_interval"][1], 4),
                f"debiased, root mean square {fixed(summary['debiased_calibration_error'], 4)}",
            ),
            (
                "Brier score",
                fixed(found["brier"]["value"], 4),
                interval(found["brier"]["low"], found["brier"]["high"], 4),
                f"skill over the base rate {fixed(skill, 3)}",
            ),
            ("Log loss", fixed(found["log_loss"]["value"], 4), interval(found["log_loss"]["low"], found["log_loss"]["high"], 4), sizes),
        ]
    )
    words = f"Observed share of relevant candidates over stated probability in {len(curve['count'])} bins; ECE {fixed(summary['ece'], 4)}."
    note = (
        "Points on the dashed line are right. Grey: where right probabilities would fall, 95 %. Bars: 95 % intervals by query. "
        "Hollow: fewer than 30 candidates."
    )
    return joined(
        [
            board,
            chart("chart-reliability", "Reliability", note, words),
            chart("chart-counts", "Candidates per bin", "", "Number of candidates in each bin", small=True),
            more("Numbers behind these charts", _tables.reliability(curve)),
        ]
    )


def _scores(facts: Any) -> Safe:
    scores = facts["scores"]
    separation = scores["separation"]
    if separation is None:
        told = tag("p", "One class of labels only: nothing can be said about how far relevant and irrelevant scores lie apart.", class_="empty")
    else:
        low, high = separation["auroc_interval"]
        counted = facts["data"]["n_unjudged"] and facts["data"]["unjudged"] == "irrelevant"
        unjudged = ", unjudged ones as irrelevant" if counted else ""
        board = [
            ("AUROC", fixed(separation["auroc"]), interval(low, high), f"{many(facts['data']['n_pairs'], 'candidate', 'candidates')}{unjudged}"),
            ("Overlap of the two", fixed(separation["overlap"]), "", f"1 is no difference at all{unjudged}"),
            ("Best F1 of any threshold", fixed(separation["best_f1"]), "", "in hindsight"),
        ]
        told = joined([tag("p", f"Verdict: {separation['verdict']}. {separation['note'] or ''}"), figures(board)])
    norm = facts["profile"]["norm"]
    drawn = []
    for name in ("relevant", "irrelevant", "unjudged"):
        n = sum(scores[name])
        if n:
            words = f"Histogram of the scores of {whole(n)} {name} candidates"
            drawn.append(chart(f"chart-{name}", name.capitalize(), many(n, "candidate", "candidates"), words, small=True))
    intro = f"Scores after the norm {norm}, as the calibrator gets them." if norm else "Scores as the calibrator gets them."
    return joined([tag("p", intro, class_="quiet"), told, *drawn, more("Numbers behind these charts", _tables.histogram(scores))])


def _drift(facts: Any) -> Safe:
    validation = facts["validation"]
    drift = validation["drift"]
    parts: list[Any] = []
    if drift is None:
        parts.append(tag("p", "The profile holds no reference scores: drift cannot be measured. Profile.fit records them.", class_="empty"))
    else:
        size = validation["reference_size"]
        parts.append(
            figures(
                [
                    ("Distance of the scores", fixed(drift["statistic"]), "", "Kolmogorov-Smirnov: 0 is no drift"),
                    ("p-value", fixed(drift["p_value"], 4), "", f"{fixed(drift['n_effective'], 0)} independent candidates now"),
                    (
                        f"Share at or below {fixed(drift['at'])}, where they differ most",
                        fixed(drift["share_below"]),
                        "",
                        f"{fixed(drift['reference_share_below'])} when fitted",
                    ),
                ]
            )
        )
        note = f"when fitted ({whole(size['n_pairs'])} candidates, {whole(size['n_queries'])} queries) and now"
        words = f"Share of candidates at or below each score, when fitted and now; largest distance {fixed(drift['statistic'])}."
        parts += [
            chart("chart-drift", "Distribution of the scores", note, words, lines=DRIFT),
            more("Numbers behind this chart", _tables.distributions(validation["distributions"])),
        ]
    return joined([*parts, _tables.promises(facts)])


def footer(facts: Any) -> Safe:
    """How it was measured."""
    data = facts["data"]
    told = (
        f"Unjudged candidates count as: {data['unjudged']}. Relevant: grade {data['min_grade']} and above. Recall is of the relevant "
        "candidates in the lists. Intervals are 95 %: Wilson's, of effective trials by query (Rao & Scott 1992), or bootstrap by query. "
        f"{NO_INTERVAL} "
        f"The sliders read a grid of {len(facts['operating']['threshold'])} thresholds. Drawn with Vega-Lite (BSD-3-Clause), which is part of "
        "this file; nothing is loaded."
    )
    return tag("footer", tag("p", told))
