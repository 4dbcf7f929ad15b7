"""A small Ray cluster, one for all test modules that ask for it."""

from __future__ import annotations

import atexit
import logging
import os

import pytest

ray = pytest.importorskip("ray")
pytest.importorskip("ray.data")


@pytest.fixture(scope="module")
def cluster():
    """Two CPUs, a small object store, nothing printed. Starting it takes as long as ten tests, so the first module's is everybody's."""
    if not ray.is_initialized():
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
            patch.setenv("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # Ray 2.51 warns where it is not set
            ray.init(num_cpus=2, include_dashboard=False, object_store_memory=1 << 30, log_to_driver=False, logging_level=logging.ERROR)
        ray.data.DataContext.get_current().enable_progress_bars = False
        atexit.register(_stop, os.getpid())
    return ray


def _stop(owner):
    """End the cluster with the process that started it, not with a fork of it."""
    if os.getpid() == owner:
        ray.shutdown()
