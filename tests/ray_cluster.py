"""A small Ray cluster for the length of a test module."""

from __future__ import annotations

import logging

import pytest

ray = pytest.importorskip("ray")
pytest.importorskip("ray.data")


@pytest.fixture(scope="module")
def cluster():
    """Two CPUs, a small object store, nothing printed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        ray.init(num_cpus=2, include_dashboard=False, object_store_memory=1 << 30, log_to_driver=False, logging_level=logging.ERROR)
        yield ray
        ray.shutdown()
