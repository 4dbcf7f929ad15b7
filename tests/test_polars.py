"""Expressions and frames of Polars: the numbers of Profile.predict and of the bulk rescorer, to the bit, on both engines."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys

import numpy as np
import pytest

import fastcal as fc
from fastcal.bulk import QueryStatistics, Rescorer

pl = pytest.importorskip("polars")
pytest.importorskip("pyarrow")
fastcal_polars = pytest.importorskip("fastcal.polars")

PLATT = fc.PlattCalibrator().fit([0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1])
PROFILE = fc.Profile("m", "cosine", PLATT, fc.Threshold(0.6, target_precision=0.9))
GROUPED = fc.GroupCalibrator(shrinkage=1).fit([0.1, 0.9, 0.2, 0.4, 0.6, 0.3], [0, 1, 0, 1, 1, 0], ["de"] * 3 + ["en"] * 3)
NAMES = np.array([code.name for code in fc.Decision])
SCORE = pl.col("score").fastcal
ENGINES = ["eager", "in-memory", "streaming"]


def candidates(n=3000, seed=0, kind=pl.Float32):
    rng = np.random.default_rng(seed)
    lang = np.array(["de", "en", "fr"])[rng.integers(0, 3, n)]
    names = [f"d{i}" for i in rng.permutation(n)]
    frame = pl.DataFrame({"query_id": rng.integers(0, 1 + n // 20, n), "doc_id": names, "score": rng.random(n).round(2), "lang": lang})
    return frame.with_columns(pl.col("score").cast(kind), pl.col("lang").cast(pl.Categorical))


def selected(frame, engine, *expressions):
    return frame.select(*expressions) if engine == "eager" else frame.lazy().select(*expressions).collect(engine=engine)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("kind", [pl.Float32, pl.Float64])
def test_columns_as_predict_and_decide(kind, engine):
    frame = candidates(kind=kind)
    scores = frame["score"].to_numpy()
    found = selected(frame, engine, SCORE.probability(PROFILE), SCORE.decision(PROFILE, escalate_from=0.4).alias("decision"))
    assert found["score"].dtype == kind
    assert found["score"].to_numpy().tobytes() == PROFILE.predict(scores).tobytes()
    codes = PROFILE.policy(escalate_from=0.4).band.decide(PROFILE.predict(scores))
    assert found["decision"].to_list() == NAMES[codes].tolist()
    assert set(codes) == {0, 1, 2}
    assert frame.filter(SCORE.decision(PROFILE) >= "ACT").height == np.count_nonzero(codes == 2)


@pytest.mark.parametrize("engine", ENGINES)
def test_groups_nulls_and_nan(engine):
    profile = fc.Profile("m", "cosine", GROUPED, fc.Threshold(0.5))
    frame = pl.DataFrame({"score": [0.3, None, float("nan"), 0.7, 0.3], "lang": ["de", "en", "en", None, "en"]})
    for lang in (pl.String, pl.Categorical, pl.Enum(["en", "de"])):
        by = pl.col("lang").cast(lang)
        found = selected(frame, engine, SCORE.probability(profile, by=by), SCORE.decision(profile, by=by).alias("decision"))
        first, second = GROUPED.predict([0.3, 0.3], ["de", "en"])
        assert found["score"].is_null().to_list() == found["decision"].is_null().to_list() == [False, True, False, True, False]
        assert found["score"].to_numpy()[[0, 4]].tolist() == [first, second]
        assert np.isnan(found["score"][2])
        assert found["decision"][2] == "NOT_FOUND"
    one = selected(frame, engine, SCORE.probability(profile, by=pl.lit("de")))["score"]
    assert one.null_count() == 1
    assert one.drop_nulls().drop_nans().to_list() == GROUPED.predict([0.3, 0.7, 0.3], ["de"] * 3).tolist()


@pytest.mark.parametrize("method", ["minmax", "zscore", "rank"])
def test_lists_of_a_query_by_over_by_group_and_at_once(method):
    frame = candidates(kind=pl.Float64).with_columns(pl.when(pl.col("score") > 0.05).then("score"))
    lists = frame.group_by("query_id").agg("doc_id", pl.col("score"), SCORE.normalize(method).alias("normalized"))
    expected = {}
    for docs, scores, normalized in zip(lists["doc_id"], lists["score"], lists["normalized"], strict=True):
        values = fc.normalize(scores.to_numpy(), method)
        assert normalized.to_numpy().tobytes() == values.tobytes()
        expected |= dict(zip(docs, values.tolist(), strict=True))
    for engine in ENGINES:
        for column in (SCORE.normalize(method, query="query_id"), SCORE.normalize(method).over("query_id")):
            found = selected(frame, engine, column, "doc_id")
            assert found["score"].null_count() == frame["score"].null_count() > 0
            assert dict(zip(found["doc_id"], found["score"].fill_null(np.nan), strict=True)) == pytest.approx(expected, rel=0, abs=0, nan_ok=True)


def test_a_profile_with_a_norm_asks_for_the_queries():
    profile = fc.Profile("m", "euclidean", PLATT, fc.Threshold(0.6), norm="minmax")
    frame = candidates()
    found = frame.select(SCORE.probability(profile, query="query_id"))["score"]
    expected = Rescorer(profile)(frame.to_arrow())["probability"]
    assert found.to_numpy().tobytes() == expected.to_numpy().tobytes()
    with pytest.raises(TypeError, match=re.escape("query= is missing: the profile is for scores normalised by 'minmax' within each query")):
        SCORE.decision(profile)
    with pytest.raises(TypeError, match="query= has no use"):
        SCORE.probability(PROFILE, query="query_id")
    atan = fc.Profile("m", "cosine", PLATT, [], norm="atan")
    assert frame.select(SCORE.probability(atan))["score"].to_list() == PLATT.predict(fc.normalize(frame["score"].to_numpy(), "atan")).tolist()


@pytest.mark.parametrize("options", [{}, {"top_k": 3}, {"floor": 0.4, "drop_not_found": True, "escalate_from": 0.5}])
@pytest.mark.parametrize("norm", [None, "minmax"])
def test_frames_as_the_rescorer(norm, options):
    profile = fc.Profile("m", "cosine", PLATT, fc.Threshold(0.6), norm=norm)
    frame = candidates()
    expected = pl.from_arrow(Rescorer(profile, **options)(frame.to_arrow()))
    assert 0 < expected.height <= frame.height
    assert {name: expected.schema[name] for name in frame.columns} == dict(frame.schema)
    lazy = frame.lazy().fastcal.rescore(profile, **options)
    assert lazy.collect_schema() == expected.schema
    for found in (frame.fastcal.rescore(profile, **options), lazy.collect(), lazy.collect(engine="streaming")):
        assert found.equals(expected)
    statistics = None if norm is None else QueryStatistics(norm).update(frame)
    again = frame.lazy().fastcal.rescore(profile, statistics=statistics, **options).collect(engine="streaming")
    assert again.equals(expected)
    assert lazy.filter(pl.col("score") > 0.9).select("doc_id").collect().equals(expected.filter(pl.col("score") > 0.9).select("doc_id"))


def test_empty_frames():
    empty = candidates().clear()
    assert empty.fastcal.rescore(PROFILE, top_k=2).schema == candidates().fastcal.rescore(PROFILE, top_k=2).schema
    for engine in ENGINES:
        found = selected(empty, engine, SCORE.probability(PROFILE), SCORE.decision(PROFILE).alias("d"), SCORE.normalize(query="query_id").alias("n"))
        assert found.shape == (0, 3)
        assert [str(kind) for kind in found.dtypes] == ["Float32", "Enum(categories=['NOT_FOUND', 'ESCALATE', 'ACT'])", "Float32"]


def test_distances_and_thresholds_on_scores():
    cut = fc.Threshold(0.5, space="score", higher_is_better=False)
    profile = fc.Profile("m", "euclidean", fc.PlattCalibrator().fit([0.1, 0.2, 0.8, 0.9], [1, 1, 0, 0]), cut)
    found = pl.DataFrame({"score": [0.2, 0.5, 0.51]}).select(SCORE.decision(profile))
    assert found["score"].to_list() == ["ACT", "ACT", "NOT_FOUND"]


def test_what_cannot_be_used():
    frame = candidates(60)
    for column, kind in (("doc_id", "String"), ("query_id", "Int64")):
        with pytest.raises(TypeError, match=f"column '{column}' has dtype {kind}; expected Float32 or Float64: cast it"):
            frame.select(pl.col(column).fastcal.probability(PROFILE))
    with pytest.raises(TypeError, match="by= has no use"):
        frame.select(SCORE.probability(PROFILE, by="lang"))
    with pytest.raises(TypeError, match="by= is missing"):
        frame.lazy().select(SCORE.probability(fc.Profile("m", "cosine", GROUPED, []))).collect(engine="streaming")
    with pytest.raises(TypeError, match="expected the name of a column or an expression, got int"):
        SCORE.normalize(query=3)
    with pytest.raises(TypeError, match="out has no use"):
        SCORE.normalize(out=np.zeros(3))
    with pytest.raises(ValueError, match="needs a threshold, and the profile holds none"):
        SCORE.decision(fc.Profile("m", "cosine", PLATT, []))
    with pytest.raises(ValueError, match="higher_is_better is False, but the probabilities of the profile rise"):
        SCORE.probability(PROFILE, higher_is_better=False)
    with pytest.raises(TypeError, match="profile must be a Profile, got str"):
        SCORE.probability("profile.json")
    with pytest.raises(ValueError, match="method"):
        frame.select(SCORE.normalize("min-max"))
    with pytest.raises(ValueError, match="column 'query_id' of queries holds null"):
        frame.with_columns(query_id=None).select(SCORE.normalize(query="query_id"))
    with pytest.raises(ValueError, match="'candidate_score'"):
        frame.lazy().fastcal.rescore(PROFILE, score="candidate_score")


def test_a_second_import_and_a_missing_extra():
    importlib.reload(fastcal_polars)  # a warning would be an error
    assert pl.DataFrame({"score": [0.5]}).select(pl.col("score").fastcal.probability(PROFILE)).item() == PROFILE.predict([0.5])[0]
    code = "import sys; sys.modules['polars'] = None\nimport fastcal.polars"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False).stderr
    assert "MissingExtraError: polars is not installed: pip install 'fastcal[polars]'" in told
