"""The file of a profile: strict, to the bit, for ever."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastcal as fc
from fastcal.profile import _json

GOLDEN = Path(__file__).parent / "golden"
PLATT = fc.PlattCalibrator().fit([0.1, 0.2, 0.4, 0.3, 0.8, 0.9], [0, 0, 0, 1, 1, 1])
CUT = fc.Threshold(0.75, target_precision=0.9, precision=0.88, recall=0.4, interval=(0.8, 0.93), n_selected=120, held_out=True)


def make(**changes):
    facts = {
        "revision": "abc",
        "task": "answer",
        "stage": "dense",
        "norm": "zscore",
        "modality": ("text", "image"),
        "dims": 256,
        "corpus": "faq-2026",
        "top_k": 100,
    }
    given_facts = {"model": "m", "metric": "cosine", "calibrator": PLATT, "thresholds": [CUT], **facts, **changes}
    return fc.Profile(**given_facts)


def fitted(n=60, **options):
    rng = np.random.default_rng(1)
    scores = rng.random((n, 5)).astype(np.float32)
    labels = rng.random((n, 5)) < scores
    facts = {"calibrator": fc.PlattCalibrator(), "target_precision": 0.7, **options}
    return fc.Profile.fit(scores, labels, [f"q{i}" for i in range(n)], model="m", metric="dot", **facts)


# -- round trips -------------------------------------------------------------------------------------------
def test_a_fitted_profile_comes_back_to_the_bit(tmp_path):
    profile, path = fitted(revision="r1", corpus=np.eye(3, dtype=np.float32)), tmp_path / "p.json"
    profile.save(path)
    again = fc.Profile.load(path)
    assert again.to_dict() == profile.to_dict()
    scores = np.linspace(-1, 2, 301, dtype=np.float32)
    np.testing.assert_array_equal(again.predict(scores), profile.predict(scores), strict=True)
    assert again.reference == profile.reference
    assert again.thresholds == profile.thresholds
    again.save(tmp_path / "q.json")
    assert (tmp_path / "q.json").read_bytes() == path.read_bytes()


@given(
    st.floats(0, 1, width=32, exclude_min=True, exclude_max=True),
    st.text(min_size=1).filter(str.strip).filter(lambda s: s.isprintable()),
    st.none() | st.integers(1, 2**62),
    st.sampled_from(["probability", "score"]),
    st.booleans(),
)
def test_every_profile_comes_back(rate, name, count, space, inclusive):
    cut = fc.Threshold(rate, space=space, inclusive=inclusive, higher_is_better=space == "probability", target_recall=rate)
    profile = make(model=name, dims=count, top_k=count, base_rate=rate, thresholds=[cut], n_pairs=count, diagnostics={"a": [1, None, {"b": rate}]})
    text = json.dumps(profile.to_dict(), allow_nan=False)
    assert fc.Profile.from_dict(json.loads(text)).to_dict() == profile.to_dict()


def test_a_later_change_of_the_calibrator_does_not_reach_the_profile():
    platt = fc.PlattCalibrator().fit([0.1, 0.9], [0, 1])
    profile = make(calibrator=platt)
    platt.adjust_prior(0.01)
    assert profile.calibrator.base_rate_ == profile.base_rate == 0.5


def test_a_save_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "p.json"
    make().save(path)
    before = path.read_bytes()
    monkeypatch.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(OSError, match="No space left"):
        make(model="other").save(path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["p.json"]


# -- for ever ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["profile-1.json", "profile-1-groups.json"])
def test_files_of_schema_version_1_stay_loadable(name):
    profile = fc.Profile.load(GOLDEN / name)
    stored = json.loads((GOLDEN / name).read_text(encoding="utf-8"))
    assert stored["schema_version"] == 1
    assert profile.to_dict() == stored | {"schema_version": _json.SCHEMA_VERSION, "norm": None}
    scores, expected = np.array(stored["diagnostics"]["scores"]), stored["diagnostics"]["probabilities"]
    groups = [np.full(scores.shape, "en")] if "groups" in name else []
    np.testing.assert_allclose(profile.calibrator.predict(scores, *groups), expected, rtol=1e-14)  # not all are cosines, as the profile says
    assert profile.seen_queries(["q0", "q1000"]).tolist() == [True, False]


def test_older_versions_climb_one_step_at_a_time():
    steps = {1: lambda d: {**d, "seen": [*d["seen"], 1]}, 2: lambda d: {"seen": [*d["seen"], 2], "new": d["old"]}}
    given_body = {"seen": [], "old": 5}
    assert _json.migrated(given_body, 1, steps, 3) == {"seen": [1, 2], "new": 5}
    assert _json.migrated(given_body, 2, steps, 3)["seen"] == [2]
    assert _json.migrated(given_body, 3, steps, 3) == given_body == {"seen": [], "old": 5}
    with pytest.raises(ValueError, match="schema_version 0 does not exist; expected 1 to 3"):
        _json.migrated(given_body, 0, steps, 3)


def test_every_version_before_this_one_has_its_step():
    assert sorted(_json.MIGRATIONS) == list(range(1, _json.SCHEMA_VERSION))


# -- strict ------------------------------------------------------------------------------------------------
BAD = [
    ("model", None, "model must be a str, got NoneType"),
    ("model", " ", "model must not be blank"),
    ("metric", 5, "metric must be a str"),
    ("revision", 5, "revision must be a str"),
    ("stage", "", "stage must not be blank"),
    ("modality", ["text"], "modality must be a pair"),
    ("modality", "text", "modality must be a list"),
    ("dims", 0, "dims must be an integer of at least 1, got 0"),
    ("dims", 2.5, "dims must be an integer"),
    ("top_k", True, "top_k must be an integer"),
    ("corpus", [1.0], "corpus must have shape"),
    ("base_rate", 1.0, "base_rate must be a number strictly between 0 and 1"),
    ("base_rate", None, "base_rate is null"),
    ("n_pairs", -1, "n_pairs must be an integer of at least 1"),
    ("created", "yesterday", "created must be a time in ISO 8601"),
    ("created", "2026-01-01T00:00:00", "created must say its offset"),
    ("library_version", 1, "library_version must be a str"),
    ("thresholds", {}, "thresholds must be a list"),
    ("diagnostics", [], "diagnostics must be a Mapping"),
    ("schema_version", 3, "newer fastcal; this one reads up to 2: upgrade"),
    ("norm", "csls", "norm must be one of"),
    ("schema_version", 0, "schema_version 0 does not exist"),
    ("schema_version", "1", "schema_version must be an integer"),
    ("format", "other", "format must be 'fastcal.profile', got 'other'"),
    ("model", "m\ud800", "model must be text that UTF-8 can hold"),
    ("diagnostics", {"a": ["\ud800"]}, r"diagnostics\['a'\]\[0\] must be text that UTF-8 can hold"),
    ("diagnostics", {"\ud800": 1}, "a key of diagnostics must be text"),
    ("library_version", "yes", "library_version must be a version such as"),
    ("n_queries", 61, "queries holds 60 hashes, fewer than n_queries=61"),
    ("extra", 1, r"unknown \['extra'\]"),
]
DEEP = [
    (("calibrator", "type"), "plat", "calibrator: calibrator type 'plat' is not known"),
    (("calibrator", "fitted", "a_"), "x", "calibrator: a_ must be a finite number"),
    (("thresholds", 0, "value"), 1.5, r"thresholds\[0\]: value must be a probability in \[0, 1\], got 1.5"),
    (("thresholds", 0, "target_recall"), 0.5, r"thresholds\[0\]: target_precision and target_recall are both given"),
    (("thresholds", 0, "interval"), [0.9, 0.8], r"thresholds\[0\]: interval must have low <= high"),
    (("thresholds", 0, "inclusive"), 1, r"thresholds\[0\]: inclusive must be True or False"),
    (("thresholds", 0, "space"), "cosine", r"thresholds\[0\]: space must be one of"),
    (("reference", "quantiles"), [1.0], "reference: quantiles must be a list of 257 numbers"),
    (("reference", "quantiles", 7), 9.0, "reference: quantiles must not fall"),
    (("reference", "n_effective"), 0.0, "reference: n_effective must be a positive"),
    (("reference", "n_effective"), 1e30, r"reference: n_pairs=300 is less than n_queries=60 or n_effective=1e\+30"),
    (("queries", "hashes"), [], "queries: hashes must hold at least one"),
    (("queries", "salt"), "12", "queries: salt must be 32 hexadecimal digits"),
    (("queries", "hashes", 0), "z", "queries: hashes must be a list of texts"),
    (("queries", "hashes", 0), "f" * 16, "queries: hashes must be sorted"),
]


@pytest.fixture(scope="module")
def good():
    return fitted().to_dict()


@pytest.mark.parametrize(("path", "value", "message"), [*(((key,), value, message) for key, value, message in BAD), *DEEP])
def test_a_bad_file_is_an_error_that_names_the_key(good, tmp_path, path, value, message):
    d = copy.deepcopy(good)
    at = d
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    file = tmp_path / "bad.json"
    file.write_text(json.dumps(d), encoding="utf-8")
    with pytest.raises((ValueError, TypeError), match=message) as caught:
        fc.Profile.load(file)
    assert isinstance(caught.value, fc.FastcalError)


def test_every_key_is_needed(good):
    for key in good:
        with pytest.raises(ValueError, match=key):
            fc.Profile.from_dict({k: v for k, v in good.items() if k != key})
    for key in ("thresholds", "reference", "queries"):
        holder = good[key][0] if key == "thresholds" else good[key]
        for inner in holder:
            d = copy.deepcopy(good)
            del (d[key][0] if key == "thresholds" else d[key])[inner]
            with pytest.raises(ValueError, match=inner):
                fc.Profile.from_dict(d)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"[]", "must be a JSON object, got list"),
        (b"\xff\xfe", "not UTF-8"),
        (b'{"format": NaN}', "NaN is no JSON number"),
        (b'{"a": -Infinity}', "-Infinity is no JSON number"),
        (b'{"a": 1, "b": 2, "a": 1}', "the key 'a' stands twice"),
        (b'{"format": "fastcal.profile", "schema_version": ' + b"9" * 5000 + b"}", "not JSON: .*4300 digits"),
        (b"[" * 100_000, "nested too deeply|not JSON"),
    ],
)
def test_what_is_no_json_profile(tmp_path, data, message):
    file = tmp_path / "x.json"
    file.write_bytes(data)
    with pytest.raises((ValueError, TypeError), match=message) as caught:
        fc.Profile.load(file)
    assert "x.json" in str(caught.value)


def test_files_that_cannot_be_read_or_written(tmp_path):
    with pytest.raises(FileNotFoundError):
        fc.Profile.load(tmp_path / "none.json")
    with pytest.raises(OSError, match="none"):
        make().save(tmp_path / "none" / "p.json")
    with pytest.raises(TypeError, match="path must be a str or path-like"):
        fc.Profile.load(5)
    with pytest.raises(ValueError, match="path must not be empty"):
        make().save("")


def test_saving_to_a_link_writes_what_it_leads_to(tmp_path):
    """As current.json -> v3.json, which a save must not turn into a file beside v3.json."""
    link, target = tmp_path / "current.json", tmp_path / "versions" / "v3.json"
    target.parent.mkdir()
    link.symlink_to(Path("versions") / "v3.json")
    for name in ("first", "second"):
        make(model=name).save(link)
        assert link.is_symlink()
        assert fc.Profile.load(target).model == name
    assert [file.name for file in target.parent.iterdir()] == ["v3.json"]


def test_it_shows_itself_on_a_line():
    shown = repr(fitted(task="answer"))
    assert shown.startswith("Profile(model='m', metric='dot', modality=('text', 'text'), task='answer', top_k=5, base_rate=")
    assert "calibrator='PlattCalibrator', thresholds=1, created=" in shown
    assert len(shown) < 300


def test_a_group_whose_name_no_file_can_hold():
    by = np.repeat(["\ud800", "b"], 2)
    group = fc.GroupCalibrator().fit([0.1, 0.9, 0.2, 0.8], [0, 1, 0, 1], by)
    with pytest.raises(ValueError, match="UTF-8 can hold"):
        make(calibrator=group).save("never written.json")


def test_constructor_refuses_what_a_file_could_not_hold():
    with pytest.raises(ValueError, match=r"diagnostics\['a'\]\[1\] is nan, which JSON cannot hold"):
        make(diagnostics={"a": [0, float("nan")]})
    with pytest.raises(TypeError, match=r"diagnostics\['a'\] is a float64"):
        make(diagnostics={"a": np.float64(1)})
    with pytest.raises(TypeError, match="calibrator must be a fitted calibrator of fastcal, got float"):
        make(calibrator=0.5)
    with pytest.raises(fc.NotFittedError):
        make(calibrator=fc.PlattCalibrator())
    with pytest.raises(TypeError, match="thresholds must hold Threshold, got float"):
        make(thresholds=[0.5])
    with pytest.raises(ValueError, match="same threshold twice"):
        make(thresholds=[CUT, CUT])
    with pytest.raises(TypeError, match="reference must be a Reference"):
        make(reference={})
    with pytest.raises(AttributeError):
        make().model = "other"
