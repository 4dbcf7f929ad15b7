"""Backends, data and Hypothesis profiles of the whole suite.

A test that takes ``backend`` runs once per backend id, ``numba`` and ``native:<isa>``. A run that was expected to
execute an id and executed no test on it fails: ids come from ``FASTCAL_EXPECT=numba,native:base,...`` or, in a run of the
whole suite, from what this machine can run.
"""

from __future__ import annotations

import importlib.util
import os
import signal
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

TESTS = Path(__file__).resolve().parent
ROOT = TESTS.parent

# A shell's background jobs ignore Ctrl-C, and so would this process and its children; tests send it.
signal.signal(signal.SIGINT, signal.default_int_handler)

sys.path.insert(0, str(TESTS))  # the helper modules beside the tests
if importlib.util.find_spec("fastcal") is None:
    sys.path.insert(0, str(ROOT))

from fastcal import _backend  # noqa: E402  (found through the line above)

HAS_NUMBA = importlib.util.find_spec("numba") is not None
BACKENDS = ["numba", *(f"native:{isa}" for isa in _backend.compiled_isas())]

_executed: set[str] = set()
_missing: list[str] = []

settings.register_profile(
    "fastcal",
    deadline=None,
    max_examples=25,
    derandomize="CI" in os.environ,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.differing_executors],
)
settings.load_profile("fastcal")


@pytest.fixture(params=BACKENDS)
def backend(request):
    """The backend of one id, active for the length of the test."""
    name, _, isa = request.param.partition(":")
    if name == "numba" and not HAS_NUMBA:
        pytest.skip("numba not installed")
    if name == "native" and isa not in _backend.supported_isas():
        pytest.skip(f"this CPU lacks {isa}")
    with _backend.use(_backend.by_id(request.param)) as active:
        yield active


@pytest.fixture(scope="session")
def data_dir():
    """The folder of real data sets, ``FASTCAL_DATA`` or ``../shared/data``."""
    folder = Path(os.environ.get("FASTCAL_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no data sets at {folder} (set FASTCAL_DATA)")
    return folder


def expected_ids(config: pytest.Config) -> list[str]:
    """Backend ids of which at least one test has to run."""
    if "FASTCAL_EXPECT" in os.environ:
        return [name.strip() for name in os.environ["FASTCAL_EXPECT"].split(",") if name.strip()]
    option = config.option
    narrowed = option.keyword or option.markexpr or option.deselect or option.ignore or getattr(option, "lf", False)
    if narrowed or not {(config.invocation_params.dir / argument).resolve() for argument in config.args} <= {ROOT, TESTS}:
        return []
    return [*(["numba"] if HAS_NUMBA else []), *(f"native:{isa}" for isa in _backend.supported_isas())]


def pytest_report_header():
    """Say what will run."""
    return f"fastcal backends: {', '.join(BACKENDS)}"


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    """Let a report say which backend id its test was for; it may have been made in another process."""
    report = (yield).get_result()
    params = getattr(getattr(item, "callspec", None), "params", {})
    if "backend" in params:
        report.user_properties.append(("backend", params["backend"]))


def pytest_runtest_logreport(report):
    """Remember the backend ids on which a test was executed to its end."""
    if report.when == "call" and not report.skipped:
        _executed.update(value for name, value in report.user_properties if name == "backend")


def pytest_sessionfinish(session):
    """Fail a run that executed no test on an expected id; with several processes the one that has all reports."""
    if session.config.option.collectonly or hasattr(session.config, "workerinput"):
        return
    _missing.extend(name for name in expected_ids(session.config) if name not in _executed)
    if _missing and session.exitstatus in {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED}:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter):
    """Name the backends that never ran."""
    if _missing:
        terminalreporter.section("backends that never ran", red=True)
        terminalreporter.line(f"no test was executed on: {', '.join(_missing)} (compiled: {', '.join(BACKENDS)})", red=True)
