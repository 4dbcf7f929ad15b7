"""What a report says about profiles on each other's data, about promises, and where it cannot tell."""

from __future__ import annotations

import numpy as np
import pytest
from report_cases import ODD, collection, fitted, ordinary

import fastcal as fc
from fastcal.errors import InvalidValueError
from fastcal.report import make_report


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
    row = next(line for line in report.to_markdown().splitlines() if line.startswith(f"| probability {cut['value']:.4f} | precision 0.700"))
    for number in (cut["precision"], *cut["interval"], check["achieved"], *check["interval"]):
        assert f"{number:.3f}" in row
    assert f"{cut['n_selected']} selected" in row
    assert f"{check['n_selected']} selected" in row
    assert row.endswith(f"precision {check['promised']:.3f}: not refuted |")
