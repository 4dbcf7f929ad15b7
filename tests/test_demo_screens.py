"""What the reader sees: the same cells everywhere, every number under its right name, files complete or not there."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from beir_folder import make_beir

pytest.importorskip("typer")
pytest.importorskip("rich")
pytest.importorskip("sklearn")
pytest.importorskip("bm25s")
pytest.importorskip("ir_measures")
pytest.importorskip("matplotlib")

from fastcal.cli.demo import beir, experiment, files, report, screens
from fastcal.cli.demo.conclusions import conclusions
from fastcal.cli.demo.decision import CASES
from fastcal.cli.demo.digits import load_digits
from fastcal.cli.demo.estimates import QueryBootstrap
from fastcal.cli.demo.transfer import transfers


@pytest.fixture(scope="module")
def digits():
    return experiment.experiment(load_digits())


@pytest.fixture(scope="module")
def topics(tmp_path_factory):
    return experiment.experiment(beir.load_beir(make_beir(tmp_path_factory.mktemp("beir") / "topics")))


def test_terminal_and_report_show_the_same_cells(digits, topics):
    screen = screens.transfer(transfers([digits.home, topics.home], [], 0))
    text = report.markdown(screen)
    for group in screen.groups:
        for row in group.rows:
            assert all(cell.replace("\n", "<br>") in text for cell in row)


def test_cells_cannot_break_the_table():
    screen = screens.Screen("t", ("a", "b"), (screens.Group((("x|y", "two\nlines"),)),))
    assert "| x\\|y | two<br>lines |" in report.markdown(screen)


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path, monkeypatch):
    path = tmp_path / "report.md"
    files.write(path, b"old")

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.replace", lambda _, target: full(target))
    with pytest.raises(OSError, match="No space left"):
        files.write(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_pictures_are_pictures(topics, tmp_path):
    from matplotlib.image import imread

    paths = report.write_report(tmp_path, "heading", [], {}, [topics])
    for path in paths[1:]:
        pixels = imread(path)
        assert min(pixels.shape[:2]) > 400
        assert len(np.unique(pixels.reshape(-1, pixels.shape[2]), axis=0)) > 50


def notes(screen):
    return " ".join(screen.notes)


def test_the_share_of_relevant_best_documents_never_reads_as_being_right(digits, topics):
    screen = screens.decision([digits, topics])
    rows = {row[0]: row[1:] for group in screen.groups for row in group.rows}
    for case in CASES:
        cells = rows[f"queries: {case.name.lower().replace('_', ' ')}"]
        for f, cell in zip((digits, topics), cells, strict=True):
            relevant = f.decisions.best_relevant[case]
            assert cell.endswith(f"\nbest document relevant:\n{relevant.text()}\nn = {relevant.n} queries") == (relevant.n > 0)
    assert not any(re.search(r"\bright\b", cell) for cells in rows.values() for cell in cells)
    assert "under not found a relevant document was rejected" in notes(screen)


def test_small_samples_and_chosen_cuts_are_labelled(digits, topics):
    found = transfers([digits.home, topics.home], [], 0)
    for screen in (screens.hardcoded([digits]), screens.decision([digits]), screens.transfer(found)):
        assert "on fewer than 30 pairs: widened to contain Wilson over pairs" in notes(screen)
    assert "In sample: the interval does not account for having chosen the cut on the same pairs." in screens.decision([digits]).notes
    assert "mirrored for ECE" in notes(screens.reliability([digits]))
    assert "Blend: 0.7 dense + 0.3 BM25" in notes(screens.ranking([topics]))


def test_queries_that_share_documents_are_said_to_be_dependent(digits):
    (told,) = [note for note in screens.overview([digits]).notes if note.startswith("digits: ")]
    assert "200 of 200 queries share their relevant documents" in told
    assert "not independent, so the real uncertainty is larger" in told


def test_closing_lines_show_the_intervals_of_the_table_and_name_what_is_in_sample(topics):
    *_, reached = screens.summary(topics)
    assert topics.kept.precision.percent() in reached
    few = QueryBootstrap(4, seed=0).ratio(np.array([2, 1, 0, 3]), np.array([3, 1, 1, 4]), "pairs")
    unreached = replace(topics, cut=replace(topics.cut, reached=False), kept=replace(topics.kept, precision=few))
    *_, missed = screens.summary(unreached)
    assert f"{topics.cut.precision.full()} on train (in sample) and {few.full()} on held-out" in missed


def test_every_cut_is_shown_at_home_and_the_transfer_screen_ends_with_what_follows(digits, topics):
    both = transfers([digits.home, topics.home], [], 0)
    assert screens.transfer(both, ["remark"]).notes[-4:] == ("remark", *conclusions(both))
    with_guest = transfers([topics.home], [digits.home], 0)
    moves = [(t.source, t.target, t.at_home, t.guest) for t in with_guest]
    assert moves == [
        ("topics", "topics", True, False),
        ("digits", "topics", False, True),
        ("digits", "digits", True, True),
        ("topics", "digits", False, False),
    ]
    home = next(t for t in with_guest if t.guest and t.at_home)
    assert home.kept == digits.kept
