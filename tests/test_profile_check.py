"""Where a profile may be used: the check that refuses the wrong model, the fingerprint of a corpus, the policy it gives."""

from __future__ import annotations

import numpy as np
import pytest

import fastcal as fc

PLATT = fc.PlattCalibrator().fit([0.1, 0.2, 0.4, 0.3, 0.8, 0.9], [0, 0, 0, 1, 1, 1])
CUT = fc.Threshold(0.75, target_precision=0.9, precision=0.88, recall=0.4, interval=(0.8, 0.93), n_selected=120, held_out=True)


def make(**changes):
    facts = {"revision": "abc", "task": "answer", "stage": "dense", "modality": ("text", "image"), "dims": 256, "corpus": "faq-2026", "top_k": 100}
    facts["norm"] = "minmax"
    given_facts = {"model": "m", "metric": "cosine", "calibrator": PLATT, "thresholds": [CUT], **facts, **changes}
    return fc.Profile(**given_facts)


# -- check ---------------------------------------------------------------------------------------------------
def test_what_agrees_passes_in_silence():
    named = {"model": "m", "revision": "abc", "metric": "cosine", "task": "answer", "stage": "dense", "norm": "minmax", "corpus": "faq-2026"}
    make().check(**named, dims=256, modality=["text", "image"], top_k=100)
    make(corpus=np.eye(3)).check(corpus=np.eye(3))


def test_one_error_names_both_sides_of_every_mismatch():
    wrong = {"model": "n", "revision": "d", "metric": "dot", "dims": 384, "modality": ("text", "text"), "task": "duplicate", "stage": "rerank"}
    wrong["norm"] = "zscore"
    with pytest.raises(fc.ProfileMismatchError) as caught:
        make().check(**wrong, top_k=10)
    for name, value in wrong.items():
        assert f"{name} is {getattr(make(), name)!r} in the profile and {value!r} here" in str(caught.value)
    assert isinstance(caught.value, ValueError)
    assert "top_k" not in str(caught.value)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"top_k": 10}, "top_k is 100 in the profile and 10 here"),
        ({"corpus": "faq-2027"}, "corpus is 'faq-2026' in the profile and 'faq-2027' here: the corpus has changed"),
        ({"corpus": np.eye(2)}, "'float64:2x2:"),
    ],
)
def test_what_may_differ_warns(asked, message):
    with pytest.warns(fc.ProfileWarning, match=message) as caught:
        make().check(model="m", **asked)
    assert caught[0].filename == __file__


def test_what_the_profile_does_not_record_is_said():
    with pytest.warns(fc.ProfileWarning, match="does not record revision, top_k, so nothing is known about 'abc', 10"):
        make(revision=None, top_k=None).check(model="m", revision="abc", top_k=10)


def test_a_check_of_nothing_or_of_nonsense():
    with pytest.raises(ValueError, match="nothing to check; give one of model, revision"):
        make().check()
    with pytest.raises(TypeError, match="dims must be an integer"):
        make().check(dims="256")
    with pytest.raises(ValueError, match="model must not be blank"):
        make().check(model="")


def test_the_fingerprint_sees_every_change_and_no_layout():
    rows = np.random.default_rng(0).random((50, 7)).astype(np.float32)
    found = fc.corpus_fingerprint(rows)
    assert fc.corpus_fingerprint(np.asfortranarray(rows)) == fc.corpus_fingerprint(rows, num_threads=2) == found
    assert fc.corpus_fingerprint(np.repeat(rows, 2, axis=1)[:, ::2]) == found
    changed = rows.copy()
    changed[13, 5] = np.nextafter(changed[13, 5], 2)
    others = [rows[::-1], rows[:-1], rows[:, :-1], rows.astype(np.float16), rows.astype(np.float64), changed, rows.reshape(25, 14)]
    assert len({found, *map(fc.corpus_fingerprint, others)}) == len(others) + 1
    with pytest.raises(ValueError, match="shape"):
        fc.corpus_fingerprint(rows[0])
    with pytest.raises(TypeError, match="object"):
        fc.corpus_fingerprint([["a", None]])


# -- a policy from it -----------------------------------------------------------------------------------------
def test_the_policy_acts_where_the_threshold_says():
    strict, lax = fc.Threshold(0.75, target_precision=0.9), fc.Threshold(0.25, target_recall=0.9, inclusive=False)
    profile = make(calibrator=fc.IsotonicCalibrator().fit([0.0, 1.0], [0, 1]), thresholds=[strict, lax])
    found = fc.SearchResult(np.array([[0.75], [0.5], [0.25]], np.float32), np.array([[1], [2], [3]]))
    assert profile.policy(target_precision=0.9, escalate_from=0.5).decide(found).decisions.tolist() == [2, 1, 0]
    assert profile.policy(target_recall=0.9).decide(found).decisions.tolist() == [2, 2, 0]
    with pytest.raises(
        ValueError, match=r"no target selects 2 of the profile.s thresholds; expected one of: target_precision=0\.9, target_recall=0\.9"
    ):
        profile.policy()
    assert profile.policy(threshold=profile.thresholds[0]).band == profile.policy(target_precision=0.9).band
    for arguments, message in (
        ({"threshold": fc.Threshold(0.5)}, "threshold must be one of profile.thresholds, got Threshold"),
        ({"threshold": strict, "target_precision": 0.9}, "both given"),
    ):
        with pytest.raises(ValueError, match=message):
            profile.policy(**arguments)
    bare = make(calibrator=profile.calibrator, thresholds=[fc.Threshold(0.75), fc.Threshold(0.5)])
    with pytest.raises(ValueError, match=r"expected one of: threshold=the one at 0\.75, threshold=the one at 0\.5"):
        bare.policy()
    with pytest.raises(ValueError, match=r"target_precision=0\.8 selects 0"):
        profile.policy(target_precision=0.8)
    with pytest.raises(ValueError, match=r"^escalate_from=0\.8 exceeds the threshold \(probability 0\.75, target_precision=0\.9\)"):
        profile.policy(target_precision=0.9, escalate_from=0.8)
    with pytest.raises(TypeError, match=r"^escalate_from must be"):
        profile.policy(target_precision=0.9, escalate_from="0.5")
    cut = fc.Threshold(0.42858)  # a little less in float32, where edges are compared
    same = make(calibrator=profile.calibrator, thresholds=cut).policy(escalate_from=0.42858).band
    assert same.low == same.high == cut.value


def test_the_policy_of_a_score_threshold_on_distances():
    cut = fc.Threshold(0.5, space="score", higher_is_better=False)
    with pytest.raises(ValueError, match=r"^escalate_from=0\.4 is below the threshold \(score 0\.5"):
        make(thresholds=cut).policy(escalate_from=0.4)
    falling = fc.IsotonicCalibrator(increasing=False).fit([0.0, 1.0], [1, 0])
    policy = make(calibrator=falling, thresholds=cut).policy(escalate_from=0.75, on_escalate="human")
    found = fc.SearchResult(np.array([[0.5], [0.75], [0.8]], np.float32), np.array([[1], [2], [3]]), higher_is_better=False)
    assert policy.decide(found).decisions.tolist() == [2, 1, 0]
