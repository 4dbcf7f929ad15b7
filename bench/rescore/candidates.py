"""Generated candidates: a Parquet file of query_id, doc_id (int64) and score (float32), 1,000 rows a query."""

from __future__ import annotations

import numpy as np

import fastcal as fc

DEPTH, GROUP = 1000, 1 << 20
VARIANTS = ("clustered", "scattered")


def make(folder, variant, rows):
    """Write the file, unless it is there. Clustered: the rows of a query follow each other; scattered: each row is of any query."""
    import pyarrow as pa
    from pyarrow import parquet

    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{variant}-{rows}.parquet"
    if path.exists():
        return path
    rng, begun = np.random.default_rng(7), path.with_suffix(".tmp")
    schema = pa.schema({"query_id": pa.int64(), "doc_id": pa.int64(), "score": pa.float32()})
    with parquet.ParquetWriter(begun, schema) as writer:
        for begin in range(0, rows, GROUP):
            n = min(GROUP, rows - begin)
            queries = np.arange(begin, begin + n) // DEPTH if variant == "clustered" else rng.integers(0, -(-rows // DEPTH), n)
            columns = [queries, rng.integers(0, 50_000_000, n), rng.beta(2, 5, n).astype(np.float32)]
            writer.write_table(pa.Table.from_arrays([pa.array(column) for column in columns], schema=schema), row_group_size=GROUP)
    begun.rename(path)
    return path


def profile(path, norm=None):
    """Save a profile with Platt scaling and one threshold."""
    rng = np.random.default_rng(0)
    scores = rng.beta(2, 5, 2000)
    platt = fc.PlattCalibrator().fit(scores, rng.random(2000) < scores)
    fc.Profile("generated", "cosine", platt, fc.Threshold(0.5, target_precision=0.9), norm=norm).save(path)
    return path
