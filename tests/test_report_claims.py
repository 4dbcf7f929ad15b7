"""What a report says about profiles on each other's data, about promises, and where it cannot tell."""

from __future__ import annotations

import numpy as np
import pytest
from report_cases import ODD, collection, fitted, ordinary

import fastcal as fc
from fastcal.errors import InvalidValueError
from fastcal.report import _tables as tables
from fastcal.report import make_report
from fastcal.report._charts import charts
from fastcal.report._words import fixed


def renamed(seed, names):
    run, qrels, _ = collection(seed)
    run = fc.Run(run.ids, run.scores, run.offsets, query_ids=names, doc_ids=run.doc_ids)
    return run, fc.Qrels.from_dict({names[int(query[1:])]: documents for query, documents in qrels.to_dict().items()})


def test_no_cell_of_the_transfer_matrix_is_measured_on_queries_that_its_profile_knows():
    run, qrels, labels = collection()
    theirs, judged = renamed(2, [f"q{i}" if i < 20 else f"other{i}" for i in range(60)])
    strange, strangely = renamed(3, [f"new{i}" for i in range(60)])
    half = fc.Profile.fit(
        run.scores[:360], labels[:30].reshape(-1), np.repeat(run.query_ids[:30], 12), model="m", metric="cosine", target_precision=[0.6, 0.7]
    )
    train, _, fresh = collection(1)
    second = fitted(train, fresh, calibrator=fc.PlattCalibrator(), target_recall=0.9, target_precision=0.7)
    given = {"others": {"shop": (theirs, judged, second)}, "target_precision": 0.7}
    found = make_report(run, qrels, half, **given).to_dict()["transfer"]
    cell = found["cells"][0][1]
    assert (cell["n_queries"], cell["n_queries_left_out_as_seen"], cell["n_queries_seen"]) == (40, 20, 0)
    new = slice(20 * 12, None)
    there = fc.metrics.precision_recall_at(
        judged.labels_of(theirs).labels[new], half.predict(theirs.scores[new]), found["threshold"][0], groups=np.repeat(np.arange(40), 12)
    )
    assert {name: cell[name] for name in there.to_dict()} == there.to_dict()
    assert found["target"] == ["target precision 0.7"] * 2
    assert found["threshold"][1] == next(cut.value for cut in second.thresholds if cut.target_precision == 0.7)
    kept = make_report(run, qrels, half, seen="keep", **given).to_dict()["transfer"]["cells"][0][1]
    assert (kept["n_queries"], kept["n_queries_seen"]) == (60, 20)
    with pytest.raises(InvalidValueError, match="the profile of 'new' was fitted on 20 of the 60 queries of 'these data'"):
        make_report(theirs, judged, second, seen="error", others={"new": (strange, strangely, half)})
    only = make_report(theirs, judged, second, others={"x": (run, qrels, half)}, target_recall=0.9, name="y").to_dict()["transfer"]
    assert only["target"] == ["target recall 0.9", "target precision 0.6"]  # the first one of a profile without such a target


def test_few_queries_cannot_tell_and_promises_show_what_they_rest_on():
    run, qrels, profile, options = ordinary()
    report = make_report(run, qrels, profile, target_precision=options["target_precision"])
    facts = report.to_dict()
    assert facts["verdict"]["word"] == facts["validation"]["verdict"] == "keep"
    assert "p < 0.01" in facts["verdict"]["test"]
    few = make_report(*ODD["three queries"][:3])
    assert (few.facts["validation"]["verdict"], few.facts["verdict"]["word"]) == ("keep", "cannot be told")
    assert "**cannot be told**: 3 queries: fewer than 20" in few.to_markdown()
    check, cut = facts["validation"]["thresholds"][0], facts["profile"]["thresholds"][0]
    row = next(line for line in report.to_markdown().splitlines() if line.startswith(f"| probability {np.float32(cut['value'])!s} | precision 0.700"))
    for number in (cut["precision"], *cut["interval"], check["achieved"], *check["interval"]):
        assert f"{number:.3f}" in row
    assert f"{cut['n_selected']} selected" in row
    assert f"{check['n_selected']} selected" in row
    assert row.endswith(f"precision {check['promised']:.3f}: not refuted |")


def test_what_rests_on_few_queries_says_so():
    """Many candidates of three queries are three observations."""
    run, qrels, _ = collection(11, depth=100)
    train, _, labels = collection(9)
    profile = fitted(train, labels, calibrator=fc.PlattCalibrator(), target_precision=0.6)
    report = make_report(run, qrels, profile, by=["rare" if i < 3 else "usual" for i in range(60)])
    rare, usual = report.facts["classes"]["rows"]
    assert (rare["name"], rare["n_queries"]) == ("rare", 3)
    assert min(rare["here"]["n_selected"], rare["own"]["n_selected"], rare["n_relevant"]) >= 30
    assert [each["too_few"] for row in (rare, usual) for each in (row["here"], row["own"])] == [True, True, False, False]
    head, line = (next(text for text in report.to_markdown().splitlines() if text.startswith(f"| {name} | ")) for name in ("class", "rare"))
    row = dict(zip((cell.strip() for cell in head.split("|")), (cell.strip() for cell in line.split("|")), strict=True))
    assert row["queries"] == "3"
    for which, at, threshold in (("here", "", None), ("own", " there", rare["threshold_text"])):
        told = rare[which]
        for name in ("precision", "recall"):
            low, high = told[f"{name}_interval"]
            assert row[name + at] == f"{fixed(told[name])} [{fixed(low)}, {fixed(high)}]"
        assert row["selected" + at] == f"{told['n_selected']:,} (too few)"
        assert threshold is None or row["own threshold"].startswith(threshold)


def test_full_lists_are_told_and_thousands_only_where_there_can_be():
    run, qrels, profile, options = ordinary()
    report = make_report(run, qrels, profile, **options)
    text = report.to_html()
    assert "Queries with thousands" not in text
    assert "Queries with 12 results" in text
    assert "no list here holds more than 12" in text
    lines = report.to_markdown().splitlines()
    at = lines.index("| queries by their results | 0 | 1 | 2\u20135 | 6\u201312 |")
    facts = report.facts["operating"]
    shown = [f"{n:,}" for n in facts["queries_by_results"][max(mark["at"] for mark in facts["marks"])]]
    assert [cell.strip() for cell in lines[at + 2].split("|")[2:-1]] == shown[:4]


def test_precision_of_judged_ones_needs_some_that_are_judged_irrelevant():
    run, qrels, profile, _ = ordinary()
    relevant = fc.Qrels.from_dict({query: {name: 1 for name, grade in documents.items() if grade} for query, documents in qrels.to_dict().items()})
    facts = make_report(run, relevant, profile, target_precision=0.7).facts
    assert {each["precision_judged"] for each in facts["data"]["judged_at"]} == {None}
    for name in ("precision_judged", "precision_judged_low", "precision_judged_high"):
        assert set(facts["operating"][name]) == {None}
    assert max(facts["operating"]["n_judged_selected"]) > 0
    both = make_report(run, qrels, profile, target_precision=0.7).facts
    assert None not in {each["precision_judged"] for each in both["data"]["judged_at"]}


def test_words_that_depend_on_where_the_report_starts():
    run, qrels, profile, _ = ordinary()
    alone, band = (make_report(run, qrels, profile, target_precision=0.7, escalate_from=x).to_html() for x in (None, 0.25))
    assert "Nothing escalates until" in alone
    assert "Nothing escalates until" not in band
    assert "Candidates between the two edges escalate." in band
    assert ", where they differ most" in band


def test_charts_end_with_their_data_and_counts_have_separators():
    run, qrels, profile, options = ordinary()
    facts = make_report(run, qrels, profile, **options).facts
    found = facts["validation"]["distributions"]
    scale = charts(facts)["chart-drift"]["encoding"]["x"]["scale"]
    assert scale == {"domain": [min(*found["reference"], *found["now"]), max(*found["reference"], *found["now"])], "nice": False, "zero": False}
    assert "<td>38,500</td>" in tables.profile(facts["profile"] | {"n_pairs": 38500})
