"""Functions of SQL: the numbers of the bulk rescorer, to the bit, whatever types and rows a query is made of."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest

import fastcal as fc
import fastcal.duckdb as fd
from fastcal.bulk import Rescorer

duckdb = pytest.importorskip("duckdb")
pa = pytest.importorskip("pyarrow")

PLATT = fc.PlattCalibrator().fit([0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1])
PROFILE = fc.Profile("m", "cosine", PLATT, fc.Threshold(0.6, target_precision=0.9))
NAMES = np.array([code.name for code in fc.Decision])


@pytest.fixture
def con():
    with duckdb.connect() as connection:
        yield connection


def candidates(n=200_000, seed=0, kind=np.float32):
    rng = np.random.default_rng(seed)
    return pa.table({"query_id": rng.integers(0, n // 20, n), "doc_id": rng.permutation(n), "score": rng.random(n).astype(kind)})


def answers(con, text, **tables):
    for name, table in tables.items():
        con.register(name, table)
    return con.sql(text).to_arrow_table()


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_as_the_rescorer_on_every_thread(con, kind):
    table = candidates(kind=kind)
    con.execute("SET threads = 4")
    assert fd.register(con, PROFILE, escalate_from=0.4) == ("fastcal_probability", "fastcal_decision")
    found = answers(
        con,
        "SELECT doc_id, fastcal_probability(score) AS probability, fastcal_decision(score) AS decision, typeof(decision) AS kind "
        "FROM candidates ORDER BY doc_id",
        candidates=table,
    )
    expected = Rescorer(PROFILE, escalate_from=0.4)(table).sort_by("doc_id")
    assert found["probability"].to_numpy().tobytes() == expected["probability"].to_numpy().tobytes()
    assert found["decision"].to_pylist() == NAMES[expected["decision"].to_numpy()].tolist()
    assert set(found["decision"].to_pylist()) == set(NAMES)
    assert found["kind"][0].as_py() == "ENUM('NOT_FOUND', 'ESCALATE', 'ACT')"


def test_null_nan_and_other_numbers(con):
    fd.register(con, PROFILE)
    for column in ("probability", "decision"):
        text = f"SELECT fastcal_{column}(s) FROM (VALUES (1), (NULL)) t(s) UNION ALL SELECT fastcal_{column}(1::{{}})"
        first, null, second = (row[0] for row in con.sql(text.format("DECIMAL(9, 2)")).fetchall())
        assert null is None
        assert first == second
    assert first == "ACT"
    assert math.isnan(con.sql("SELECT fastcal_probability('nan'::FLOAT)").fetchall()[0][0])
    assert con.sql("SELECT fastcal_decision('nan'::FLOAT)").fetchall()[0] == ("NOT_FOUND",)
    empty = con.sql("SELECT fastcal_probability(s), fastcal_decision(s) FROM (SELECT 1.0 AS s) WHERE s > 2")
    assert empty.fetchall() == []
    assert empty.types[0] == "FLOAT"


@pytest.mark.parametrize(
    ("condition", "kept"),
    [
        ("enum_code(fastcal_decision(s)) >= 1", ["ESCALATE", "ACT"]),
        ("enum_code(fastcal_decision(s)) BETWEEN 0 AND 1", ["NOT_FOUND", "ESCALATE"]),
        ("fastcal_decision(s) <> 'NOT_FOUND'", ["ESCALATE", "ACT"]),
        ("fastcal_decision(s) IN ('ESCALATE', 'ACT')", ["ESCALATE", "ACT"]),
        ("fastcal_decision(s) = 'ACT'", ["ACT"]),
        ("fastcal_decision(s) >= 'ESCALATE'", ["NOT_FOUND", "ESCALATE"]),  # as text: why the docs warn of it
    ],
)
def test_conditions_on_decisions(con, condition, kept):
    fd.register(con, PROFILE, escalate_from=0.4)
    text = f"SELECT fastcal_decision(s) AS d FROM (VALUES (0.9), (NULL), (0.5), (0.01)) t(s) WHERE {condition} ORDER BY d"
    assert con.sql(text).fetchall() == [(name,) for name in kept]
    assert con.sql("SELECT max(fastcal_decision(s)), min(fastcal_decision(s)) FROM (VALUES (0.9), (0.5), (0.01)) t(s)").fetchall() == [
        ("ACT", "NOT_FOUND")
    ]


def test_two_profiles_and_the_connection_of_a_cursor(con):
    fd.register(con, PROFILE)
    assert fd.register(con, fc.Profile("m", "cosine", PLATT, []).adjust_prior(0.01), prefix="rare") == ("rare_probability",)
    cursor = con.cursor()
    usual, rare = cursor.sql("SELECT fastcal_probability(0.9), rare_probability(0.9)").fetchall()[0]
    assert usual == np.float32(PROFILE.predict(np.float32([0.9])))[0]
    assert rare < usual / 5


def test_distances_and_thresholds_on_scores(con):
    far = fc.PlattCalibrator().fit([0.1, 0.2, 0.8, 0.9], [1, 1, 0, 0])
    cut = fc.Threshold(0.5, space="score", higher_is_better=False)
    fd.register(con, fc.Profile("m", "euclidean", far, cut))
    assert con.sql("SELECT fastcal_decision(s) FROM (VALUES (0.2), (0.5), (0.51)) t(s)").fetchall() == [("ACT",), ("ACT",), ("NOT_FOUND",)]


@pytest.mark.parametrize("labels", [["de", "en"], [3, 7]])
def test_groups(con, labels):
    grouped = fc.GroupCalibrator(shrinkage=1).fit([0.1, 0.9, 0.2, 0.4, 0.6, 0.3], [0, 1, 0, 1, 1, 0], [labels[0]] * 3 + [labels[1]] * 3)
    profile = fc.Profile("m", "cosine", grouped, fc.Threshold(0.5))
    table = candidates(3000)
    table = table.append_column("lang", pa.array([labels[i % 2] for i in range(3000)]))
    fd.register(con, profile)
    found = answers(con, "SELECT fastcal_probability(score, lang) AS p, fastcal_decision(score, lang) AS d FROM t ORDER BY doc_id", t=table)
    expected = Rescorer(profile, by="lang")(table).sort_by("doc_id")
    assert found["p"].to_numpy().tobytes() == expected["probability"].to_numpy().tobytes()
    assert found["d"].to_pylist() == NAMES[expected["decision"].to_numpy()].tolist()
    assert con.sql(f"SELECT fastcal_probability(0.5, NULL), fastcal_decision(NULL, {labels[0]!r})").fetchall() == [(None, None)]
    some = con.sql(f"SELECT fastcal_probability(0.5, g) FROM (VALUES ({labels[0]!r}), (NULL), ({labels[1]!r})) t(g)").fetchall()
    assert [value is None for (value,) in some] == [False, True, False]
    with pytest.raises(duckdb.BinderException, match=re.escape("fastcal_probability")):
        con.sql("SELECT fastcal_probability(0.5)")


QUERIES = """
SELECT unnest(docs) AS doc_id, unnest(fastcal_probability(scores)) AS p, unnest(fastcal_decision(scores)) AS d
FROM (SELECT query_id, list(doc_id) AS docs, list(score) AS scores FROM t GROUP BY query_id) ORDER BY doc_id
"""


@pytest.mark.parametrize("norm", ["minmax", "zscore", "rank"])
def test_a_norm_takes_the_list_of_a_query(con, norm):
    profile = fc.Profile("m", "cosine", PLATT, fc.Threshold(0.6), norm=norm)
    table = candidates(6000)
    fd.register(con, profile)
    found = answers(con, QUERIES, t=table)
    expected = Rescorer(profile)(table).sort_by("doc_id")
    assert found["p"].to_numpy().tobytes() == expected["probability"].to_numpy().tobytes()
    assert found["d"].to_pylist() == NAMES[expected["decision"].to_numpy()].tolist()
    assert con.sql("SELECT fastcal_probability(NULL::FLOAT[]), fastcal_probability([])").fetchall() == [(None, [])]
    padded, dense = con.sql("SELECT fastcal_probability([0.2, NULL, 0.4, 0.9]), fastcal_probability([0.2, 0.4, 0.9])").fetchall()[0]
    assert padded == [dense[0], None, *dense[1:]]
    with pytest.raises(duckdb.BinderException, match=r"fastcal_probability\(.*DOUBLE\[\]"):
        con.sql("SELECT fastcal_probability(0.5)")


def test_a_norm_and_groups(con):
    grouped = fc.GroupCalibrator(shrinkage=1).fit([0.1, 0.9, 0.2, 0.4, 0.6, 0.3], [0, 1, 0, 1, 1, 0], ["a"] * 3 + ["b"] * 3)
    fd.register(con, fc.Profile("m", "cosine", grouped, [], norm="minmax"))
    (found,) = con.sql("SELECT fastcal_probability([1, 2, 3], ['a', 'b', 'a'])").fetchall()[0]
    assert found == grouped.predict(np.float32([0, 0.5, 1]), ["a", "b", "a"]).tolist()
    # A score of NULL is padding; where only the group is not known the score still counts in the norm.
    (holes,) = con.sql("SELECT fastcal_probability([1, NULL, 2, 3], ['a', 'b', 'b', NULL])").fetchall()[0]
    assert holes == [found[0], None, found[1], None]
    assert con.sql("SELECT fastcal_probability([0.5, NULL], [NULL, NULL])").fetchall() == [([None, None],)]
    with pytest.raises(duckdb.InvalidInputException, match="as long as"):
        con.sql("SELECT fastcal_probability([1, 2, 3], ['a', 'b'])").fetchall()[0]


def test_norms_of_one_score_take_scores(con):
    profile = fc.Profile("m", "cosine", PLATT, [], norm="sigmoid")
    fd.register(con, profile)
    assert con.sql("SELECT fastcal_probability(0.25)").fetchall()[0] == (PLATT.predict(fc.normalize(np.float32([0.25]), "sigmoid"))[0],)


def test_what_cannot_be_used(con, monkeypatch):
    with pytest.raises(fc.errors.InvalidTypeError, match="con must be a DuckDBPyConnection, got str"):
        fd.register("db", PROFILE)
    with pytest.raises(fc.errors.InvalidTypeError, match="profile must be a Profile, got PlattCalibrator"):
        fd.register(con, PLATT)
    for prefix in ("", "my prefix", "1st"):
        with pytest.raises(fc.errors.InvalidValueError, match="prefix must be an identifier"):
            fd.register(con, PROFILE, prefix=prefix)
    with pytest.raises(fc.errors.InvalidValueError, match=r"target_precision=0\.8 selects 0 of the profile's thresholds"):
        fd.register(con, PROFILE, target_precision=0.8)
    with pytest.raises(fc.errors.InvalidValueError, match="higher_is_better is False, but the probabilities of the profile rise"):
        fd.register(con, PROFILE, higher_is_better=False)
    fd.register(con, PROFILE)
    hint = re.escape("a function fastcal_decision already; name another prefix=, or call con.remove_function('fastcal_decision') first")
    with pytest.raises(fc.errors.InvalidValueError, match=hint):
        fd.register(con, PROFILE)
    with pytest.raises(fc.errors.InvalidValueError, match="a function fastcal_decision already"):
        fd.register(con, PROFILE, prefix="FastCal")
    con.remove_function("fastcal_decision")
    with pytest.raises(fc.errors.InvalidValueError, match="fastcal_probability already"):
        fd.register(con, PROFILE)
    assert con.sql("SELECT count(*) FROM duckdb_functions() WHERE function_name = 'fastcal_decision'").fetchall() == [(0,)], "all or nothing"
    con.remove_function("fastcal_probability")
    fd.register(con, PROFILE)
    monkeypatch.setitem(__import__("sys").modules, "duckdb", None)
    with pytest.raises(fc.errors.MissingExtraError, match=re.escape("pip install 'fastcal[duckdb]'")):
        fd.register(con, PROFILE)
