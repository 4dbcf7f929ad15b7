"""ShardedIndex: the bytes of one Index, whatever the number of shards, and after actors are killed."""

from __future__ import annotations

import os
import signal
import threading
import time

import numpy as np
import pytest

pytest.importorskip("ray.data")
import ray
from ray_cluster import cluster  # noqa: F401

import fastcal as fc
from fastcal.distributed.ray import ShardedIndex
from fastcal.errors import InvalidValueError

# Ray Data warns of options that it sets itself.
pytestmark = [pytest.mark.usefixtures("cluster"), pytest.mark.filterwarnings("ignore::DeprecationWarning:ray.data.context")]
RNG = np.random.default_rng(5)
# Small integers: many exact ties, also across shards, and a zero row.
CORPUS = RNG.integers(-2, 3, (203, 6)).astype(np.float32)
QUERIES = RNG.integers(-2, 3, (5, 6)).astype(np.float32)
LIGHT = {"num_cpus": 0.01, "timeout": 60}


def same(found, expected):
    """Compare two results byte by byte."""
    assert type(found) is type(expected)
    assert found.higher_is_better is expected.higher_is_better
    for name in ("offsets", "scores", "ids"):
        if hasattr(expected, name):
            ours, theirs = getattr(found, name), getattr(expected, name)
            assert (ours.dtype, ours.shape, ours.tobytes()) == (theirs.dtype, theirs.shape, theirs.tobytes()), name


def compare(sharded, index, corpus):
    """Every search that both offer."""
    masks = [None, RNG.random(len(corpus)) < 0.3, RNG.random((5, len(corpus))) < 0.3, [0, 3, 150, 3], np.zeros(len(corpus), bool), []]
    for k in (1, 10, 300):
        for allow in masks:
            same(sharded.search(QUERIES, k, allow=allow), index.search(QUERIES, k, allow=allow))
    threshold = np.float32(1.0)
    same(sharded.search(QUERIES, 7, threshold=threshold), index.search(QUERIES, 7, threshold=threshold))
    for allow in masks:
        same(sharded.range_search(QUERIES, threshold, allow=allow), index.range_search(QUERIES, threshold, allow=allow))
    same(sharded.search(QUERIES[:0], 3), index.search(QUERIES[:0], 3))


@pytest.mark.parametrize(("n_shards", "metric"), [(1, "cosine"), (3, "dot"), (7, "euclidean")])
def test_bit_identical_to_one_index(n_shards, metric):
    index = fc.Index(CORPUS, metric)
    with ShardedIndex.build(CORPUS, n_shards, metric, **LIGHT) as sharded:
        assert (len(sharded), sharded.dim, sharded.metric, sharded.n_shards) == (203, 6, metric, n_shards)
        compare(sharded, index, CORPUS)


def test_external_ids_dims_and_a_shuffled_corpus():
    order = RNG.permutation(len(CORPUS))
    ids = 10 + order // 2  # pairs of rows under one id
    index = fc.Index(CORPUS[order], ids=ids, dims=4)
    with ShardedIndex.build(CORPUS[order], 3, ids=ids, dims=4, **LIGHT) as sharded:
        same(sharded.search(QUERIES, 20), index.search(QUERIES, 20))
        same(sharded.search(QUERIES[:, :4], 20, allow=ids[:50]), index.search(QUERIES, 20, allow=ids[:50]))
        same(sharded.range_search(QUERIES, 0.0), index.range_search(QUERIES, 0.0))


def test_a_mapped_file_saved_shards_and_files_of_indexes(tmp_path):
    np.save(tmp_path / "corpus.npy", CORPUS)
    index = fc.Index(CORPUS, "dot")
    with ShardedIndex.build(tmp_path / "corpus.npy", 2, "dot", path=tmp_path / "shards", **LIGHT) as sharded:
        expected = index.search(QUERIES, 10)
        same(sharded.search(QUERIES, 10), expected)
    assert sum(file.stat().st_size for file in (tmp_path / "shards").glob("*.index")) < 30_000  # the rows stay where they are
    with ShardedIndex.load(tmp_path / "shards", **LIGHT) as sharded:
        same(sharded.search(QUERIES, 10), expected)
    with pytest.raises(InvalidValueError, match="holds shards already"):
        ShardedIndex.build(CORPUS, 2, path=tmp_path / "shards")
    files = [tmp_path / "a", tmp_path / "b"]
    for file, part in zip(files, np.split(CORPUS, [50]), strict=True):
        fc.Index(part, "dot").save(file, include_corpus=True)
    with ShardedIndex.load(files, **LIGHT) as sharded:
        same(sharded.search(QUERIES, 10), expected)
    fc.Index(CORPUS[50:], "cosine").save(files[1], include_corpus=True)
    with pytest.raises(InvalidValueError, match=r"expected shards of one index"):
        ShardedIndex.load(files, **LIGHT)


def process_of(actor):
    """Process id of an actor."""
    return ray.get(actor.__ray_call__.remote(lambda _: os.getpid()))


def test_killed_actors_come_back_and_answer_the_same(tmp_path):
    index = fc.Index(CORPUS)
    expected = index.search(QUERIES, 10)
    with ShardedIndex.build(CORPUS, 2, path=tmp_path, **LIGHT) as sharded:
        before = process_of(sharded._actors[1])
        os.kill(before, signal.SIGKILL)  # between two searches
        ray.kill(sharded._actors[0], no_restart=False)
        same(sharded.search(QUERIES, 10), expected)
        victim = process_of(sharded._actors[1])
        assert victim != before
        sharded._actors[1].__ray_call__.remote(lambda _: time.sleep(1.0))  # the search waits behind it and dies with it
        killer = threading.Timer(0.3, os.kill, (victim, signal.SIGKILL))
        killer.start()
        same(sharded.range_search(QUERIES, 0.5), index.range_search(QUERIES, 0.5))
        killer.join()


def test_an_actor_without_a_file_builds_its_shard_again_as_often_as_it_takes(capfd):
    ids = np.arange(len(CORPUS)) * 3
    expected = fc.Index(CORPUS, ids=ids).search(QUERIES, 10)
    with ShardedIndex.build(CORPUS, 1, ids=ids, **LIGHT) as sharded:
        for _ in range(5):
            os.kill(process_of(sharded._actors[0]), signal.SIGKILL)
            same(sharded.search(QUERIES, 10), expected)
    assert "restart will fail" not in "".join(capfd.readouterr())  # what Ray says of actors whose constructor was given references


def test_a_shard_that_cannot_come_back_is_named(tmp_path):
    with ShardedIndex.build(CORPUS, 2, path=tmp_path, max_restarts=1, **LIGHT) as sharded:
        file = tmp_path / "shard-00001-of-00002.index"
        file.rename(tmp_path / "elsewhere")
        os.kill(process_of(sharded._actors[1]), signal.SIGKILL)
        with pytest.raises(fc.ShardLostError, match=r"shard 1 of 2 \(.*shard-00001-of-00002.index\) cannot be read: .*No such file"):
            sharded.search(QUERIES, 3)
        (tmp_path / "elsewhere").rename(file)
        same(sharded.search(QUERIES, 3), fc.Index(CORPUS).search(QUERIES, 3))  # it is there again
        ray.kill(sharded._actors[1])
        with pytest.raises(fc.ShardLostError, match=r"shard 1 of 2 .* is lost and did not come back \(.*\): raise max_restarts= .* load the saved"):
            sharded.search(QUERIES, 3)
    with pytest.raises(InvalidValueError, match="shut down"):
        sharded.search(QUERIES, 3)
    sharded.shutdown()


def test_bad_input_is_refused_as_by_an_index(tmp_path):
    with ShardedIndex.build(CORPUS, 3, **LIGHT) as sharded:
        index = fc.Index(CORPUS)
        for arguments in [
            {"queries": QUERIES[:, :3], "k": 1},
            {"queries": QUERIES * np.nan, "k": 1},
            {"queries": QUERIES, "k": 0},
            {"queries": QUERIES, "k": 1, "threshold": np.inf},
            {"queries": QUERIES, "k": 1, "allow": [203]},
            {"queries": QUERIES, "k": 1, "allow": np.ones(9, bool)},
        ]:
            with pytest.raises(fc.FastcalError) as theirs:
                index.search(**arguments)
            with pytest.raises(type(theirs.value)) as ours:
                sharded.search(**arguments)
            assert str(ours.value) == str(theirs.value)
        for limit in (0, 3, 300):
            with pytest.raises(InvalidValueError) as theirs:
                index.range_search(QUERIES, -1.0, limit=limit)
            with pytest.raises(InvalidValueError) as ours:
                sharded.range_search(QUERIES, -1.0, limit=limit)
            assert str(ours.value) == str(theirs.value)
    file = tmp_path / "bad.npy"
    for value, kind, where in ((np.nan, np.float32, "rows 67 to 134"), (1e300, np.float64, f"rows 67 to 134 of {file}")):
        bad = CORPUS.astype(kind)
        bad[[100, 190], 2] = value
        np.save(file, bad)
        with pytest.raises(fc.InvalidElementError) as theirs:
            fc.Index(bad, dims=5)
        with pytest.raises(fc.InvalidElementError) as ours:
            ShardedIndex.build(file if "of" in where else bad, 3, dims=5, **LIGHT)
        assert str(ours.value) == f"shard 1 of 3 ({where}): {theirs.value}"
        assert ours.value.at == theirs.value.at == 100 * 5 + 2
    with pytest.raises(InvalidValueError, match="at least n_shards = 204 rows"):
        ShardedIndex.build(CORPUS, 204)
    with pytest.raises(InvalidValueError, match=r"holds no shards\.json"):
        ShardedIndex.load(tmp_path)
    for damaged in (
        "{}",
        "xx",
        "\xff",
        "[]",
        '{"format": "fastcal shards", "version": 1, "files": ["../a"]}',
        '{"format": "fastcal shards", "files": ["a"]}',
    ):
        (tmp_path / "shards.json").write_text(damaged, encoding="latin-1")
        with pytest.raises(fc.IndexCorruptError, match=rf"{tmp_path}/shards\.json does not list shards"):
            ShardedIndex.load(tmp_path)
    short = pytest.warns(
        fc.FastcalWarning, match=r"3 shards need 6 CPUs, the cluster has 2: ask for fewer with num_cpus=; waiting up to 1 s for more"
    )
    with short as told, pytest.raises(fc.ShardLostError, match=r"did not start within 1 s; .* CPUs are free"):
        ShardedIndex.build(CORPUS, 3, num_cpus=2, timeout=1)
    assert told[0].filename == __file__
