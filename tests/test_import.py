"""What happens in a fresh process: what an import loads, which backend is chosen, how many threads are used."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

import fastcal as fc
from fastcal import _backend, _threads

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = Path(fc.__file__).resolve().parent
SITE = Path(np.__file__).resolve().parents[1]
OPTIONAL = ("numba", "llvmlite", "scipy", "sklearn", "pyarrow", "duckdb", "polars", "matplotlib", "ray", "typer", "rich", "bm25s", "ir_measures")
needs_native = pytest.mark.skipif(not _backend.extension_present(), reason="fastcal._core is not installed")


def python(code, *flags, **environment):
    """Run ``code`` in a fresh interpreter, warnings being errors unless ``flags`` say otherwise."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("FASTCAL_", "PYTHON"))}
    command = [sys.executable, *(flags or ("-W", "error")), "-c", textwrap.dedent(code)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, env=clean | environment)


def printed(code, *flags, **environment):
    """Return what ``code`` prints; it has to end well."""
    done = python(code, *flags, **environment)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


# -- import costs nothing ----------------------------------------------------------------------------------
def test_import_loads_nothing_but_numpy():
    loaded = printed("import sys, numpy; before = set(sys.modules); import fastcal; print(*(set(sys.modules) - before))").split()
    assert not {name.partition(".")[0] for name in loaded} & set(OPTIONAL)
    assert {name for name in loaded if name.startswith("fastcal")} == {"fastcal", "fastcal._version"}


def test_touching_every_public_name_loads_no_optional_package_and_no_backend():
    loaded = printed("""
        import sys
        import fastcal as fc
        for name in fc.__all__:
            getattr(fc, name)
        print(*sys.modules)
    """).split()
    assert not {name.partition(".")[0] for name in loaded} & set(OPTIONAL)
    assert "fastcal._core" not in loaded
    assert not [name for name in loaded if name.startswith("fastcal.cli")]


@needs_native
def test_the_extension_is_loaded_on_first_use_and_numba_is_not():
    loaded = printed("""
        import sys
        import fastcal as fc
        fc.warmup()
        print(*sys.modules)
    """).split()
    assert "fastcal._core" in loaded
    assert not {name.partition(".")[0] for name in loaded} & set(OPTIONAL)


def test_star_import_and_dir_agree():
    code = "from fastcal import *; import fastcal; assert set(fastcal.__all__) <= set(globals()); assert dir(fastcal) == sorted(fastcal.__all__)"
    printed(code)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'fastcal' has no attribute 'nonsense'"):
        fc.nonsense


# -- FASTCAL_BACKEND and FASTCAL_ISA -----------------------------------------------------------------------
CATCH = """
    import fastcal as fc
    try:
        fc.topk([[1.0]], [[1.0]], 1)
    except fc.BackendError as error:
        assert isinstance(error, ImportError)
        print(error)
"""


def test_an_unknown_backend_is_an_error_on_first_use():
    assert printed(CATCH, FASTCAL_BACKEND="fortran") == "FASTCAL_BACKEND='fortran' is not a backend; expected 'auto', 'native' or 'numba'"


@needs_native
def test_an_unknown_isa_is_an_error_on_first_use():
    message = printed(CATCH, FASTCAL_ISA="mmx")
    assert message.startswith("FASTCAL_ISA: 'mmx' is not an instruction set of this build; expected one of ")
    for isa in _backend.compiled_isas():
        assert f"'{isa}'" in message


@needs_native
def test_an_isa_this_cpu_lacks_is_an_error_on_first_use():
    lacking = sorted(set(_backend.compiled_isas()) - set(_backend.supported_isas()))
    if not lacking:
        pytest.skip("this CPU has every compiled instruction set")
    for isa in lacking:
        assert printed(CATCH, FASTCAL_ISA=isa) == f"FASTCAL_ISA: this CPU cannot run the instruction set '{isa}'"


@pytest.mark.parametrize("isa", _backend.supported_isas())
def test_a_supported_isa_is_used(isa):
    code = "import fastcal as fc; print(fc.backend().name, fc.backend().isa)"
    assert printed(code, FASTCAL_ISA=isa) == f"native {isa}"


@needs_native
def test_without_a_wish_the_strongest_isa_is_used():
    assert printed("import fastcal as fc; print(fc.backend().isa)") == _backend.supported_isas()[-1]


def test_the_numba_backend_on_request():
    pytest.importorskip("numba")
    code = "import sys, fastcal as fc; b = fc.backend(); print(b.name, b.isa, 'fastcal._core' in sys.modules)"
    assert printed(code, FASTCAL_BACKEND="numba") == "numba numba False"


# -- a package without its extension, or with a broken one -------------------------------------------------
@pytest.fixture
def tree(tmp_path):
    """A folder that holds a copy of the package without the extension."""
    shutil.copytree(PACKAGE, tmp_path / "fastcal", ignore=shutil.ignore_patterns("*.so", "*.pyd", "__pycache__"))
    return tmp_path


def printed_in(tree, code, **environment):
    """``printed`` with the package of ``tree``: without site (-S) no .pth file is read, so an editable install is not found."""
    found = f"""
        import sys, warnings
        sys.path[:0] = [{str(tree)!r}, {str(SITE)!r}]
        import fastcal as fc
        assert fc.__file__.startswith({str(tree)!r}), fc.__file__
    """
    return printed(textwrap.dedent(found) + textwrap.dedent(code), "-S", **environment)


MESSAGE = """
    try:
        fc.backend()
    except ImportError as error:
        print(type(error).__name__, error)
"""


def test_a_missing_extension_falls_back_to_numba_with_one_warning(tree):
    pytest.importorskip("numba")
    code = """
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            names = {fc.backend().name, fc.backend().name}
            fc.cpu_info()
        ours = [w for w in caught if issubclass(w.category, fc.FastcalWarning)]
        print(names, [w.category.__name__ for w in ours], ours[0].message)
    """
    message = printed_in(tree, code)
    assert message.startswith("{'numba'} ['BackendFallbackWarning'] ")
    assert "fastcal._core is not installed" in message


def test_numba_on_request_does_not_warn(tree):
    pytest.importorskip("numba")
    code = "warnings.simplefilter('error', fc.FastcalWarning); print(fc.backend().name, fc.cpu_info()['compiled_isas'])"
    assert printed_in(tree, code, FASTCAL_BACKEND="numba") == "numba []"


@pytest.mark.parametrize("wanted", ["auto", "numba"])
def test_neither_extension_nor_numba_is_explained(tree, wanted):
    message = printed_in(tree, "sys.modules['numba'] = None\n" + textwrap.dedent(MESSAGE), FASTCAL_BACKEND=wanted)
    assert message.startswith("BackendError no backend can run: the compiled extension fastcal._core is not installed")
    assert "fastcal[numba]" in message


def test_native_on_request_never_falls_back(tree):
    message = printed_in(tree, MESSAGE, FASTCAL_BACKEND="native")
    assert message.startswith("BackendError the native backend was asked for, but the compiled extension fastcal._core is not installed")


@pytest.mark.parametrize("wanted", ["auto", "native"])
def test_an_import_error_inside_an_extension_is_raised_again(tree, wanted):
    (tree / "fastcal" / "_core.py").write_text("raise ImportError('GLIBCXX_9.9.9 not found')\n")
    message = printed_in(tree, "warnings.simplefilter('error')\n" + textwrap.dedent(MESSAGE), FASTCAL_BACKEND=wanted)
    assert message == "ImportError GLIBCXX_9.9.9 not found"


# -- how many threads ----------------------------------------------------------------------------------------
THREADS = "import fastcal as fc; print(fc.backend().num_threads)"


def test_the_environment_sets_the_number_of_threads():
    assert printed(THREADS, FASTCAL_NUM_THREADS="3") == "3"
    assert printed(THREADS, FASTCAL_NUM_THREADS="") == str(_threads.usable_cpus())


@pytest.mark.parametrize("text", ["0", "-1", "many", "1.5", "1025"])
def test_a_number_of_threads_that_is_none_is_an_error(text):
    code = "import fastcal as fc\ntry:\n    fc.topk([[1.0]], [[1.0]], 1)\nexcept ValueError as error:\n    print(error)"
    assert printed(code, FASTCAL_NUM_THREADS=text) == f"FASTCAL_NUM_THREADS={text!r}: expected an integer from 1 to 1024"


def test_argument_beats_setting_beats_environment():
    code = "import fastcal as fc; from fastcal import _threads; fc.set_num_threads(5); print(_threads.resolve(7), fc.backend().num_threads)"
    assert printed(code, FASTCAL_NUM_THREADS="3") == "7 5"


def test_none_returns_to_the_default():
    before = fc.backend().num_threads
    try:
        fc.set_num_threads(before + 1)
        assert fc.backend().num_threads == before + 1
    finally:
        fc.set_num_threads(None)
    assert fc.backend().num_threads == before


@pytest.mark.parametrize(
    ("n", "error"), [(0, ValueError), (-2, ValueError), (1025, ValueError), (1.0, TypeError), ("2", TypeError), (True, TypeError)]
)
def test_set_num_threads_says_what_it_expects(n, error):
    with pytest.raises(error, match=r"n must be an integer from 1 to 1024, got"):
        fc.set_num_threads(n)
    with pytest.raises(error, match=r"num_threads must be an integer from 1 to 1024, got"):
        fc.topk(np.eye(2), np.eye(2), 1, num_threads=n)


def quota(tmp_path, membership, files):
    """What ``_cgroup_quota`` reads from a made-up /proc/self/cgroup and /sys/fs/cgroup."""
    root = tmp_path / "cgroup"
    root.mkdir()
    for group, text in files.items():
        (root / group).mkdir(parents=True, exist_ok=True)
        (root / group / "cpu.max").write_text(text)
    (tmp_path / "membership").write_text(membership)
    return _threads._cgroup_quota(tmp_path / "membership", root)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"a/b": "200000 100000\n"}, 2),
        ({"a/b": "150000 100000\n"}, 2),  # rounded up
        ({"a/b": "50000 100000\n"}, 1),
        ({"a/b": "max 100000\n"}, None),
        ({"a/b": "max 100000\n", "a": "300000 100000\n"}, 3),  # the parent limits
        ({"a/b": "400000 100000\n", "a": "300000 100000\n"}, 3),
        ({"a/b": "100000 100000\n", "a": "300000 100000\n"}, 1),
        ({".": "200000 100000\n"}, 2),  # the root of a container
        ({"a/c": "100000 100000\n"}, None),  # a sibling does not count
        ({}, None),
        ({"a/b": ""}, None),
    ],
)
def test_cgroup_quota(tmp_path, files, expected):
    assert quota(tmp_path, "0::/a/b\n", files) == expected


def test_cgroup_quota_beside_version_1_controllers(tmp_path):
    assert quota(tmp_path, "4:cpu,cpuacct:/x\n0::/a\n", {"a": "200000 100000\n", "x": "100000 100000\n"}) == 2


def test_cgroup_quota_without_version_2(tmp_path):
    assert quota(tmp_path, "4:cpu,cpuacct:/a\n", {"a": "200000 100000\n"}) is None


def test_cgroup_quota_without_cgroups(tmp_path):
    assert _threads._cgroup_quota(tmp_path / "absent", tmp_path) is None


def test_cgroup_quota_outside_the_namespace(tmp_path):
    assert quota(tmp_path, "0::/../sibling\n", {".": "200000 100000\n"}) == 2


def test_usable_cpus_is_within_the_affinity():
    assert 1 <= _threads.usable_cpus() <= (os.cpu_count() or 1)
