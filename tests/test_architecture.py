"""The house as docs and CONTRIBUTING draw it: arrows, symbols, sizes and names, checked on the source."""

from __future__ import annotations

import ast
import importlib.metadata
import inspect
import platform
import re
import shutil
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import fastcal as fc
from fastcal import _backend

ROOT = Path(__file__).resolve().parent.parent
PACKAGE, CSRC = ROOT / "fastcal", ROOT / "csrc"
MODULES = sorted(PACKAGE.rglob("*.py"))
CPP = sorted(path for path in CSRC.rglob("*") if path.suffix in {".h", ".cpp"})

# A room may use every lower floor, and on its own floor only what BESIDE names.
FLOORS = (
    ("errors", "_version"),
    ("_threads", "_denormals", "_extras", "_atomic"),
    ("_backend", "_core"),
    ("_validate", "results"),
    ("_clusters",),
    ("scoring", "index", "normalization", "fusion", "run", "_csr"),
    ("intervals", "labelling"),
    ("calibration", "thresholds", "metrics", "evaluation", "trained_fusion"),
    ("selection", "certificates", "probing"),
    ("policy",),
    ("profile",),
    ("files", "display", "sklearn"),
    ("bulk", "report"),
    ("distributed", "duckdb", "polars"),
    ("_info",),
    ("cli", "__main__"),
)
BESIDE = {
    ("_backend", "_core"),
    ("run", "_csr"),
    ("fusion", "_csr"),
    ("fusion", "run"),
    ("fusion", "normalization"),
    ("metrics", "thresholds"),
    ("metrics", "calibration"),
    ("trained_fusion", "evaluation"),
    ("probing", "certificates"),
    ("__main__", "cli"),
}
FLOOR_OF = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
# Narrower than their floor says.
ONLY = {
    "_validate": {"fastcal.errors", "fastcal._denormals", "fastcal._backend.protocol"},
    "results": {"fastcal.errors"},
    "_backend": {"fastcal.errors", "fastcal._threads", "fastcal._denormals", "fastcal._core"},
}


def named(path):
    """Dotted module name of a file of the package."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def room_of(module):
    return module.split(".")[1] if "." in module else ""


def imports(tree):
    """Every absolute module that a tree imports, wherever it does; ``from package import module`` names the module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative import"
            for alias in node.names:
                deeper = f"{node.module}.{alias.name}"
                yield deeper if deeper in NAMES or deeper == "fastcal._core" else node.module


def at_import(node):
    """The statements that run when a module is imported: neither in functions nor under TYPE_CHECKING."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            continue
        yield child
        yield from at_import(child)


NAMES = {named(path) for path in MODULES}
TREES = {named(path): ast.parse(path.read_text(encoding="utf-8")) for path in MODULES}
ARROWS = {name: set(imports(tree)) for name, tree in TREES.items()}


# -- Python: every arrow points down -----------------------------------------------------------------------
def test_every_room_has_a_floor():
    assert {room_of(name) for name in NAMES} - {""} <= set(FLOOR_OF), "give the new room a floor in FLOORS"


@pytest.mark.parametrize("name", sorted(NAMES - {"fastcal"}))
def test_python_arrows(name):
    room = room_of(name)
    ours = {target for target in ARROWS[name] if target.partition(".")[0] == "fastcal"}
    if "fastcal" in ours:
        assert room in {"cli", "__main__"}, "below the command line, import the module that holds the name"
    for target in {target for target in ours if room_of(target) not in {"", room}}:
        assert FLOOR_OF[room_of(target)] < FLOOR_OF[room] or (room, room_of(target)) in BESIDE, f"{name} imports {target}"
        assert target in ONLY.get(room, {target}), f"{name} imports {target}"


def test_no_circles():
    down = {name: targets & NAMES - {name} for name, targets in ARROWS.items() if name != "fastcal"}
    list(TopologicalSorter({name: targets - {"fastcal"} for name, targets in down.items()}).static_order())


def test_backends_are_reached_through_the_choice_alone():
    """No module outside _backend/ names a backend; only the choice and ``info`` look at the extension."""
    for name, targets in ARROWS.items():
        if room_of(name) != "_backend":
            assert not {t for t in targets if t.startswith(("fastcal._backend._", "numba", "llvmlite"))}, name
        if "fastcal._core" in targets:
            assert name in {"fastcal._backend", "fastcal._backend._native", "fastcal._info"}


# A module that subclasses another package's classes cannot import it later; nothing in the package imports such a module.
NEEDS_AT_IMPORT = {"fastcal.sklearn": {"sklearn"}, "fastcal.polars": {"polars"}, "fastcal.distributed.ray": {"ray", "pyarrow"}}


@pytest.mark.parametrize("name", sorted(name for name in NAMES if room_of(name) not in {"cli", "__main__"}))
def test_modules_need_only_numpy_at_import(name):
    tops = {target.partition(".")[0] for node in at_import(TREES[name]) for target in imports_of(node)}
    within = next((room for room in NEEDS_AT_IMPORT if f"{name}.".startswith(f"{room}.")), "")
    extra = {"numba", "llvmlite"} if room_of(name) == "_backend" and "._numba" in name else NEEDS_AT_IMPORT.get(within, set())
    assert tops <= {"numpy", "fastcal", *extra} | sys.stdlib_module_names
    assert not ARROWS[name] & set(NEEDS_AT_IMPORT)


def imports_of(statement):
    """Modules of one import statement, none of any other."""
    if isinstance(statement, ast.Import):
        return [alias.name for alias in statement.names]
    return [statement.module] if isinstance(statement, ast.ImportFrom) else []


# -- C++: every arrow points down ------------------------------------------------------------------------------
MAY_INCLUDE = {
    "kernels": {"kernels"},
    "core": {"core", "kernels"},
    "dispatch": {"dispatch", "kernels"},
    "bindings": {"bindings", "dispatch", "core", "kernels"},
}
INTRINSICS = {"arm_neon.h", "immintrin.h"}
CPP_ROOMS = [path for path in CPP if path.relative_to(CSRC).parts[0] in MAY_INCLUDE]


def test_every_cpp_file_is_in_a_known_room():
    assert {path.relative_to(CSRC).parts[0] for path in CPP} <= {*MAY_INCLUDE, "tests"}


@pytest.mark.parametrize("path", CPP_ROOMS, ids=lambda path: path.relative_to(CSRC).as_posix())
def test_cpp_arrows(path):
    room, text = path.relative_to(CSRC).parts[0], path.read_text(encoding="utf-8")
    included = re.findall(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', text, re.MULTILINE)
    assert {name.partition("/")[0] for quote, name in included if quote == '"'} <= MAY_INCLUDE[room]
    system = {name for quote, name in included if quote == "<"}
    if room != "bindings":
        assert not {name for name in system if name.startswith("pybind11") or name == "Python.h"}
        assert "pybind11" not in re.sub(r"//.*", "", text)
    if room == "kernels":
        assert system <= {"cstddef", "cstdint"} | (INTRINSICS if path.name == "intrinsics.h" else set())
        assert not re.findall(r"std::(?!size_t\b|u?int\d+_t\b)\w+", re.sub(r"//.*", "", text))
    else:
        assert not system & INTRINSICS


def test_no_build_file_tunes_for_the_building_machine():
    files = [*CPP, *CSRC.rglob("*.cmake"), *CSRC.rglob("CMakeLists.txt"), ROOT / "CMakeLists.txt", ROOT / "pyproject.toml", ROOT / "Makefile"]
    files += [*(ROOT / ".github").rglob("*.yml"), *(ROOT / ".ci").rglob("*"), *MODULES]
    flag = re.compile("-m(arch|cpu|tune)=" + "native")
    assert not [path for path in files if path.is_file() and flag.search(path.read_text(encoding="utf-8"))]


# -- one symbol per instruction set -------------------------------------------------------------------------
def kernel_objects():
    """(build folder, instruction set, object file) of every build without a sanitizer, which adds symbols of its own."""
    for found in sorted((ROOT / "build").glob("*/CMakeFiles/kernels_*.dir/**/isa_unit.cpp.o")):
        folder = ROOT / "build" / found.relative_to(ROOT / "build").parts[0]
        cache = folder / "CMakeCache.txt"
        if cache.is_file() and not re.search(r"^FASTCAL_SANITIZE:\w+=.+$", cache.read_text(encoding="utf-8"), re.MULTILINE):
            yield folder.name, re.search(r"kernels_(\w+)\.dir", str(found))[1], found


def symbols(path):
    """(type letter, demangled name) of every symbol of an object file."""
    nm = shutil.which("nm")
    if nm is None:
        pytest.skip("nm is not installed (binutils)")
    lines = subprocess.run([nm, "-C", path], capture_output=True, text=True, check=True).stdout.splitlines()
    return [tuple(line[17:].split(" ", 1)) for line in lines if line]


def test_each_kernel_unit_exports_one_table_and_nothing_weak():
    objects = list(kernel_objects())
    if not objects:
        pytest.skip("no build folder: the symbols of installed wheels are not visible")
    for build, isa, path in objects:
        found = symbols(path)
        exported = [(kind, name) for kind, name in found if kind.isupper() and kind != "U"]
        assert [name for _, name in exported] == [f"fastcal::{isa}::table"], build
        assert exported[0][0] in "DR", f"{build}: the table is not data"
        assert not [name for kind, name in found if kind in "WwVvu"], build


def test_the_units_that_cmake_compiles_are_those_that_dispatch_knows():
    cmake = (CSRC / "cmake" / "isa.cmake").read_text(encoding="utf-8")
    dispatch = (CSRC / "dispatch" / "dispatch.cpp").read_text(encoding="utf-8")
    units = re.findall(r"^\s+fastcal_add_isa_unit\((\w+)", cmake, re.MULTILINE)
    assert units == re.findall(r"Unit\{&(\w+)::table", dispatch)
    here = [unit for unit in units if unit.startswith("neon") == (platform.machine() in {"aarch64", "arm64"})]
    assert _backend.compiled_isas() in ([], here)


# -- sizes ---------------------------------------------------------------------------------------------------------
def test_a_file_has_at_most_300_lines():
    sources = [*MODULES, *PACKAGE.rglob("*.pyi"), *CPP, *CSRC.rglob("*.cmake")]
    sources += [path for folder in ("tests", "bench", "docs") for kind in ("*.py", "*.md") for path in (ROOT / folder).rglob(kind)]
    texts = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in sources}
    assert not {name for name, text in texts.items() if len(text.splitlines()) > 300 and "<!-- results: begin (written by" not in text}


# -- public names --------------------------------------------------------------------------------------------------
def test_home_type_checking_and_all_agree():
    tree = TREES["fastcal"]
    typed = next(node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
    seen = {alias.asname or alias.name: node.module for node in ast.walk(typed) if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert seen == {"metrics": "fastcal", **fc._MODULE_OF}
    assert len(fc.__all__) == len(set(fc.__all__))
    assert set(fc.__all__) == {"__version__", *seen}


@pytest.mark.parametrize("name", fc.__all__)
def test_public_names_resolve_and_are_documented(name):
    value = getattr(fc, name)
    if name == "metrics":
        for inner in value.__all__:
            check_docstring(f"metrics.{inner}", getattr(value, inner))
    elif name != "__version__":
        check_docstring(name, value)


def check_docstring(name, value):
    """A numpydoc docstring with an example; functions describe every parameter."""
    doc = inspect.getdoc(value)
    assert doc, f"{name} has no docstring"
    if isinstance(value, type) and issubclass(value, Exception):
        return
    assert re.search(r"^Examples\n--------\n(.*\n)*?>>> ", doc + "\n", re.MULTILINE), f"{name} has no Examples"
    if inspect.isfunction(value):
        sections = re.split(r"^(\w[\w ]*)\n-+\n", doc, flags=re.MULTILINE)
        described = sections[sections.index("Parameters") + 1] if "Parameters" in sections else ""
        headings = re.findall(r"^(\**\w[\w, *]*)(?= :|$)", described, re.MULTILINE)
        listed = {word.strip(" *") for line in headings for word in line.split(",")}
        assert set(inspect.signature(value).parameters) <= listed, f"{name}: parameters without a description"


def test_versions_agree():
    assert importlib.metadata.version("fastcal") == fc.__version__
    assert f"## [{fc.__version__}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    if _backend.extension_present():
        from fastcal import _core

        assert _core.__version__ == fc.__version__
