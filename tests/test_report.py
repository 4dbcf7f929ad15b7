"""The facts of a report against the library's own measures, and its two plain forms."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_cases import HOSTILE, ODD, collection, fitted, ordinary

import fastcal as fc
from fastcal.errors import InvalidValueError
from fastcal.report import make_report
from fastcal.report._operating import RESULTS_FROM, grid_of, operating, score_edges, shares_of
from fastcal.report._words import edge_texts

ROOT = Path(__file__).resolve().parent.parent
CLOSE = {"rtol": 1e-9, "atol": 1e-12}


@pytest.fixture(scope="module")
def case():
    return ordinary()


@pytest.fixture(scope="module")
def report(case):
    run, qrels, profile, options = case
    return make_report(run, qrels, profile, **options)


# -- the sweep --------------------------------------------------------------------------------------------
@given(st.integers(0, 10_000), st.integers(1, 9), st.booleans(), st.sampled_from([1, 5, 100]))
def test_every_threshold_does_what_the_library_measures(seed, n_queries, better, steps):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 60))
    values = (rng.integers(0, steps + 1, n) / steps).astype(np.float32)
    labels, judged = (rng.random(n) < rng.random()).astype(np.uint8), rng.random(n) < 0.7
    codes = np.sort(rng.integers(0, n_queries, n))
    edges = [0.25, 1.0]
    grid = grid_of(values, edges, (0.0, 1.0), better)
    assert np.isin(np.array(edges, np.float32), grid).all()
    assert (np.diff(grid) > 0).all()
    columns = operating(values, labels, judged, codes, n_queries, grid, better)
    worst = score_edges(values, values, grid, better=better, higher_is_better=better)
    for i in rng.choice(len(grid), 8):
        chosen = values >= grid[i] if better else values <= grid[i]
        found = fc.metrics.precision_recall_at(labels, values, float(grid[i]), groups=codes, higher_is_better=better)
        for name, n in (("precision", found.n_selected), ("recall", labels.sum())):
            told = [columns[key][i] for key in (name, f"{name}_low", f"{name}_high")]
            assert (told[0] is None) == (n == 0)
            told[0] = told[0] or 0.0
            np.testing.assert_allclose(told, [getattr(found, name), *getattr(found, f"{name}_interval")], **CLOSE)
        assert columns["n_selected"][i] == found.n_selected
        known = (
            fc.metrics.precision_recall_at(labels[judged], values[judged], float(grid[i]), groups=codes[judged], higher_is_better=better)
            if judged.any()
            else None
        )
        if known is not None:
            hits = labels[chosen & judged].sum() + labels[chosen & ~judged].sum()
            assert columns["n_judged_selected"][i] == known.n_selected
            assert columns["n_relevant_selected"][i] == hits
        per_query = np.bincount(codes[chosen], minlength=n_queries)
        assert columns["queries_with_any"][i] == (per_query > 0).sum()
        assert columns["queries_with_thousands"][i] == (per_query >= 1000).sum()
        assert columns["queries_with_most"][i] == (per_query == np.bincount(codes).max()).sum()
        assert columns["queries_by_results"][i] == np.histogram(per_query, [*RESULTS_FROM, 1e9])[0].tolist()
        spread = [*np.quantile(per_query, [0.5, 0.9]), per_query.max(), per_query.mean()]
        np.testing.assert_allclose([columns[f"results_{name}"][i] for name in ("median", "p90", "most", "mean")], spread)
        best = values.max() if better else values.min()
        assert worst[i] == ((values[chosen].min() if better else values[chosen].max()) if chosen.any() else best)
        among = chosen.sum() + labels.sum()
        assert (columns["f1"][i] is None) == (among == 0)
        f1 = columns["f1"][i] or 0.0
        np.testing.assert_allclose(f1, 2 * labels[chosen].sum() / among if among else 0.0, **CLOSE)
        assert columns["f1_low"][i] - 1e-12 <= f1 <= columns["f1_high"][i] + 1e-12


def test_the_f1_interval_is_that_of_its_trials():
    """F1 is the share of hits among the selected and the relevant, a hit counting on both sides."""
    run, _, labels = collection(5, n_queries=12)
    codes, labels = np.repeat(np.arange(12), 12), labels.reshape(-1)
    columns = operating(run.scores, labels, labels == 1, codes, 12, np.array([0.5], np.float32), True)
    chosen = run.scores >= 0.5
    sides = [(labels[chosen], codes[chosen]), (chosen[labels == 1], codes[labels == 1])]
    trials, groups = (np.concatenate([side[k] for side in sides]) for k in (0, 1))
    found = fc.metrics.precision_recall_at(trials, np.ones(len(trials)), 0.5, groups=groups)
    # Trials of the same pair are not two residuals of one size; only the sums by query enter.
    np.testing.assert_allclose([columns["f1_low"][0], columns["f1_high"][0]], found.precision_interval, rtol=1e-9)


@given(st.lists(st.floats(-(2.0**100), 2.0**100, width=32), min_size=1, max_size=30), st.booleans(), st.integers(1, 8), st.data())
def test_the_text_of_an_edge_selects_what_the_edge_does(values, better, digits, data):
    values = np.array(values, np.float32)
    values = np.unique(np.concatenate([values, np.nextafter(values, np.float32(np.inf)), values / np.float32(3)]))
    edges = np.array(
        [*data.draw(st.lists(st.sampled_from(values), max_size=5)), *data.draw(st.lists(st.floats(-5, 5, width=32), max_size=5))], np.float32
    )
    for edge, text in zip(edges, edge_texts(edges, values, better, digits), strict=True):
        copied = np.float32(text)
        np.testing.assert_array_equal(values >= copied if better else values <= copied, values >= edge if better else values <= edge)
        assert copied == edge or (copied < edge) == better
    assert edge_texts(np.array([0.954878986, 0.26, -0.0], np.float32), np.float32([0.95481, 0.954878986]), True, 4) == ["0.95487", "0.2600", "0.0000"]
    assert edge_texts(np.array([0.954878986], np.float32), np.float32([0.9547, 0.954878986]), True, 4) == ["0.9548"]


def test_shares_hold_every_number_of_queries_that_two_edges_can_bring_about():
    run, _, labels = collection(6)
    codes = np.repeat(np.arange(60), 12)
    grid = grid_of(run.scores, [], (0.0, 1.0), True)
    columns = operating(run.scores, labels.reshape(-1), labels.reshape(-1) == 1, codes, 60, grid, True)
    shares = shares_of(columns, 60)
    some = columns["queries_with_any"]
    assert {abs(a - b) for a in some for b in some} | {60 - a for a in some} | set(columns["queries_with_most"]) <= set(shares["count"])
    low, high = fc.wilson_interval(shares["count"], np.full(len(shares["count"]), 60))
    np.testing.assert_array_equal([shares["low"], shares["high"]], [low, high])


# -- the sections -------------------------------------------------------------------------------------------
def test_the_report_starts_from_the_policy(case, report):
    run, _, profile, _ = case
    facts = report.to_dict()
    found = facts["operating"]
    band = profile.policy(target_precision=0.7, escalate_from=0.25).band
    assert [found["threshold"][found[at]] for at in ("start", "escalate_start")] == [np.float32(band.high), np.float32(band.low)]
    best = np.maximum.reduceat(profile.predict(run.scores), run.offsets[:-1])
    decided = np.bincount(band.decide(best), minlength=3).tolist()
    reached = found["queries_with_any"]
    assert decided[::-1] == [
        reached[found["start"]],
        reached[found["escalate_start"]] - reached[found["start"]],
        60 - reached[found["escalate_start"]],
    ]
    assert [found["threshold"][mark["at"]] for mark in found["marks"]] == [cut.value for cut in profile.thresholds]
    assert len(found["threshold"]) < 200
    p = profile.predict(run.scores).astype(np.float32)
    for text, n_selected in zip(found["threshold_text"], found["n_selected"], strict=True):
        assert (p >= np.float32(text)).sum() == n_selected


def test_sections_are_what_the_library_says(case, report):
    run, qrels, profile, options = case
    facts, labels = report.to_dict(), qrels.labels_of(run)
    codes, p = np.repeat(np.arange(60), 12), profile.predict(run.scores)
    curve = fc.metrics.reliability_curve(labels.labels, p, groups=run.query_ids[codes], band="consistency")
    assert facts["calibration"]["reliability"] == curve.to_dict()
    summary = fc.metrics.calibration_summary(labels.labels, p, groups=run.query_ids[codes], base_rate=profile.calibrator.base_rate_).to_dict()
    assert facts["calibration"]["summary"] == summary
    for name in ("brier", "log_loss"):
        found = facts["calibration"][name]
        assert [found["value"], found["low"], found["high"]] == [summary[name], *summary[f"{name}_interval"]]
    assert facts["validation"]["verdict"] == profile.revalidate(run.scores, labels.labels, query_ids=run.query_ids[codes]).verdict
    assert facts["validation"]["distributions"]["reference"][-1] == profile.reference.quantiles[-1]
    scores = facts["scores"]
    assert [sum(scores[name]) for name in ("relevant", "irrelevant", "unjudged")] == [
        labels.labels.sum(),
        (labels.judged & (labels.labels == 0)).sum(),
        labels.n_unjudged,
    ]
    classes = np.array([("en", "de")[i % 2] for i in range(60)])[codes]
    edge = facts["operating"]["threshold"][facts["operating"]["start"]]
    for row in facts["classes"]["rows"]:
        inside = classes == row["name"]
        found = fc.metrics.precision_recall_at(labels.labels[inside], p[inside], edge, groups=codes[inside]).to_dict()
        assert {name: row["here"][name] for name in found} == found
        assert row["here"]["too_few"] == (found["n_selected"] < 30 or int(labels.labels[inside].sum()) < 30)
        assert row["threshold_text"] in edge_texts(np.array([row["threshold"]], np.float32), p[inside].astype(np.float32), True, 4)
    other, judged, _ = options["others"]["shop"]
    there = fc.metrics.precision_recall_at(judged.labels_of(other).labels, profile.predict(other.scores), edge, groups=np.repeat(np.arange(30), 12))
    cell = facts["transfer"]["cells"][0][1]
    assert {name: cell[name] for name in there.to_dict()} == there.to_dict()
    assert facts["data"]["judged_at"][-1]["value"] == pytest.approx(fc.metrics.judged_at_k(run, qrels, 12).mean_judged)


def test_the_norm_comes_first():
    run, qrels, _ = collection()
    train, _, labels = collection(1)
    unit = fc.Run(train.ids, fc.normalize(train.scores, "minmax", offsets=train.offsets), train.offsets)
    profile = fitted(unit, labels, norm="minmax", calibrator=fc.PlattCalibrator())
    facts = make_report(run, qrels, profile).to_dict()
    p = profile.predict(fc.normalize(run.scores, "minmax", offsets=run.offsets))
    assert facts["calibration"]["summary"]["brier"] == fc.metrics.brier_score(qrels.labels_of(run).labels, p)
    assert facts["scores"]["edges"][0] == 0.0
    assert facts["scores"]["edges"][-1] == 1.0


# -- which queries count --------------------------------------------------------------------------------------
def test_seen_queries_are_left_out_or_said():
    run, qrels, labels = collection()
    half = fc.Profile.fit(run.scores[:360], labels[:30].reshape(-1), np.repeat(run.query_ids[:30], 12), model="m", metric="cosine")
    dropped = make_report(run, qrels, half).to_dict()
    assert (dropped["data"]["n_queries"], dropped["data"]["n_queries_left_out_as_seen"]) == (30, 30)
    assert "30 queries were left out: the profile was fitted on them" in dropped["warnings"]
    kept = make_report(run, qrels, half, seen="keep").to_dict()
    assert kept["data"]["n_queries"] == 60
    assert any("30 of 60 queries are among those" in note for note in kept["warnings"])
    with pytest.raises(InvalidValueError, match="fitted on 30 of these 60 queries"):
        make_report(run, qrels, half, seen="error")
    whole = fc.Profile.fit(run.scores, labels.reshape(-1), np.repeat(run.query_ids, 12), model="m", metric="cosine")
    with pytest.raises(InvalidValueError, match=r'fitted on 60 of these 60 queries.*seen="keep"'):
        make_report(run, qrels, whole)


def test_queries_without_judgements_and_lists():
    run = fc.Run.from_dict({"q1": {"a": 0.9, "b": 0.1}, "q2": {"a": 0.8}})
    qrels = fc.Qrels.from_dict({"q1": {"a": 1}, "q3": {"a": 1}})
    profile = fc.Profile("m", "cosine", fc.PlattCalibrator().fit([0.1, 0.9], [0, 1]), [])
    few = make_report(run, qrels, profile).to_dict()["data"]
    assert [few[name] for name in ("n_queries", "n_queries_without_judgement", "n_judged_queries_not_in_run")] == [1, 1, 1]
    everything = make_report(run, qrels, profile, all_queries=True, by=["x", "y"]).to_dict()
    assert everything["data"]["n_queries"] == 3
    assert everything["operating"]["queries_with_any"][0] == 2  # of three: one has no list
    asked = []
    make_report(run, fc.Qrels.from_dict({"q2": {"z": 1}}), profile, unjudged="ask", labeler=lambda at: asked.extend(at.tolist()) or np.ones(len(at)))
    assert asked == [2]  # of the run that was given, although its first query does not count


# -- forms -----------------------------------------------------------------------------------------------------
def test_json_is_strict_and_the_same_facts(report, tmp_path):
    report.save(tmp_path / "r.json")
    found = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"), parse_constant=pytest.fail)
    assert found == report.to_dict()
    assert (found["format"], found["schema_version"]) == ("fastcal report", 1)
    described = (ROOT / "docs" / "report.md").read_text(encoding="utf-8")
    assert not {key for key in found if f"`{key}`" not in described}
    assert not {
        key for key in found["operating"] if f"`{key}`" not in described and not key.startswith("results_") and not key.endswith(("_low", "_high"))
    }


def test_markdown_has_every_section_and_whole_tables(report, tmp_path):
    report.save(tmp_path / "r.md")
    text = (tmp_path / "r.md").read_text(encoding="utf-8")
    assert text.startswith("# toy (cosine) on news: 60 queries, 720 candidates\n")
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == ["Threshold", "Calibration", "Classes", "Transfer", "Drift", "Profile and data"]
    for block in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}) == 1, block


@pytest.mark.parametrize("name", ODD)
def test_odd_data_has_a_report(name):
    run, qrels, profile, options = ODD[name]
    made = make_report(run, qrels, profile, **options)
    json.loads(made.to_json(), parse_constant=pytest.fail)
    assert "<img" not in made.to_markdown().replace("\\<img", "")
    assert not re.search(r"(?<!\\)\|_\*", made.to_markdown())


def test_a_report_appears_whole_or_not_at_all(report, tmp_path, monkeypatch):
    target = tmp_path / "r.md"
    target.write_text("old")
    with pytest.raises(InvalidValueError, match=r"must end in one of \.html, \.md, \.json, got '\.txt'"):
        report.save(tmp_path / "r.txt")
    monkeypatch.setattr(type(report), "to_markdown", lambda self: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        report.save(target)
    assert [path.name for path in tmp_path.iterdir()] == ["r.md"]
    assert target.read_text() == "old"


def test_the_page_needs_its_extra(report, monkeypatch):
    from fastcal.report import _page

    _page.library.cache_clear()
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    with pytest.raises(fc.MissingExtraError, match=r"fastcal\[report\]"):
        report.to_html()


def test_size_does_not_grow_with_the_run():
    small, large = (
        make_report(run, qrels, fc.Profile("m", "cosine", fc.PlattCalibrator().fit([0.1, 0.9], [0, 1]), []))
        for run, qrels, _ in (collection(7, 40), collection(7, 2000))
    )
    assert len(large.to_json()) < 2 * len(small.to_json())
    assert HOSTILE not in large.to_json()
