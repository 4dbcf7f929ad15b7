"""The Spark recipe of docs/bulk.md, as it stands there, against one process (`make test-spark` brings pyspark)."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

import fastcal as fc
from fastcal.bulk import Rescorer

pytest.importorskip("pyspark")
pa = pytest.importorskip("pyarrow")
if shutil.which("java") is None:
    pytest.skip("no JVM: java is not on the path", allow_module_level=True)
pytestmark = pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning")

PAGE = (Path(__file__).resolve().parent.parent / "docs" / "bulk.md").read_text(encoding="utf-8")
RECIPE, WHOLE_QUERIES = re.findall(r"^```py\n(.*?)^```$", PAGE.partition("\n## Spark\n")[2].partition("\n## ")[0], re.MULTILINE | re.DOTALL)
ONCE_PER_QUERY = re.search(r"`(\.groupBy[^`]+)`", PAGE)[1].replace("\n", " ")
TOP_K = 100  # the recipe's
ORDER = [("query_id", "ascending"), ("probability", "descending"), ("score", "descending"), ("doc_id", "ascending")]


@pytest.fixture(scope="module")
def spark():
    from pyspark.sql import SparkSession

    settings = {"spark.ui.enabled": "false", "spark.sql.shuffle.partitions": "3", "spark.pyspark.python": sys.executable}
    builder = SparkSession.builder.master("local[2]").config(map=settings)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    yield session
    session.stop()


@pytest.fixture(scope="module")
def table():
    """Queries of 150 candidates with many equal scores, shuffled; names in UTF-8 order are not in the order of UTF-16."""
    rng = np.random.default_rng(0)
    n = 6000
    names = [("\uffee", "\U0001f600")[i % 2] + str(i) for i in range(n)]
    scores = rng.random(n).round(2)
    scores[:20] = np.nan
    columns = {"query_id": np.arange(n) % 40, "doc_id": names, "score": scores, "lang": ["de", "en"] * (n // 2)}
    return pa.table(columns).take(rng.permutation(n))


def profile(norm=None, decides=True):
    thresholds = [fc.Threshold(0.6)] if decides else []
    return fc.Profile("m", "cosine", fc.PlattCalibrator().fit([0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1]), thresholds, norm=norm)


def single(given, table):
    """What one process says, in Spark's types."""
    found = Rescorer(given, top_k=TOP_K)(table)
    return (
        found if not given.thresholds else found.set_column(found.schema.get_field_index("decision"), "decision", found["decision"].cast(pa.int8()))
    )


@pytest.mark.parametrize("partitions", [1, 3, 7])
def test_the_recipe_is_one_process(spark, table, partitions):
    candidates = spark.createDataFrame(table).repartition(partitions)
    names = {"__name__": "__main__", "spark": spark, "candidates": candidates, "profile": profile()}
    exec(RECIPE, names)
    expected = single(profile(), table)
    assert names["top_k"] == TOP_K < table.num_rows // 40
    found = names["found"].toArrow()
    if partitions == 3:
        again = eval(f"candidates.mapInArrow(rescored, schema){ONCE_PER_QUERY}", names).toArrow()
        assert again.sort_by(ORDER).equals(found.sort_by(ORDER))
    in_order = found.take(np.argsort(found["query_id"].to_numpy(), kind="stable"))  # within a query as it came
    assert in_order.equals(expected)


def test_a_profile_without_a_threshold_gives_no_decision(spark, table):
    given = profile(decides=False)
    names = {"__name__": "__main__", "spark": spark, "candidates": spark.createDataFrame(table).repartition(3), "profile": given}
    exec(RECIPE, names)
    found = names["found"].toArrow()
    assert found.take(np.argsort(found["query_id"].to_numpy(), kind="stable")).equals(single(given, table))


def test_a_norm_needs_whole_queries(spark, table):
    names = {"__name__": "__main__", "spark": spark, "candidates": spark.createDataFrame(table).repartition(3), "profile": profile("minmax")}
    exec(RECIPE, names)
    exec(WHOLE_QUERIES, names)
    found = names["found"].toArrow()
    assert found.take(np.argsort(found["query_id"].to_numpy(), kind="stable")).equals(single(profile("minmax"), table))
