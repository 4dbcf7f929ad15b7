"""The two backends, the stub and the Protocol have the same methods with the same parameters, name for name."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path

import pytest

from fastcal._backend.protocol import Backend

STUB = Path(__file__).resolve().parent.parent / "fastcal" / "_core.pyi"


METHODS = sorted(name for name, _ in inspect.getmembers(Backend, inspect.isfunction) if not name.startswith("_"))
PROPERTIES = sorted(name for name, value in vars(Backend).items() if isinstance(value, property))


def shape(parameters):
    return [(parameter.name, parameter.kind) for parameter in parameters.values()]


def stub_methods():
    tree = ast.parse(STUB.read_text(encoding="utf-8"))
    engine = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "Engine")
    return {node.name: node.args for node in engine.body if isinstance(node, ast.FunctionDef)}


def test_the_protocol_is_not_empty():
    assert {"topk", "affine_lists", "fuse", "platt_fit"} <= set(METHODS)
    assert PROPERTIES == ["isa", "name"]


@pytest.mark.parametrize("method", METHODS)
def test_numba_twin(method):
    twin = pytest.importorskip("fastcal._backend._numba", exc_type=ImportError).NumbaBackend
    assert shape(inspect.signature(getattr(twin, method)).parameters) == shape(inspect.signature(getattr(Backend, method)).parameters)


@pytest.mark.parametrize("method", METHODS)
def test_native_twin(method):
    """The stub and the signature that pybind11 writes into the docstring have the names of the Protocol."""
    expected = inspect.signature(getattr(Backend, method)).parameters
    keyword_only = [name for name, parameter in expected.items() if parameter.kind is inspect.Parameter.KEYWORD_ONLY]
    arguments = stub_methods()[method]
    assert [a.arg for a in arguments.args] + [a.arg for a in arguments.kwonlyargs] == list(expected)
    assert [a.arg for a in arguments.kwonlyargs] == keyword_only
    core = pytest.importorskip("fastcal._core", exc_type=ImportError)
    signature = getattr(core.Engine, method).__doc__.splitlines()[0]
    assert re.findall(r"(\w+): ", signature) == list(expected)
    assert ("*, " in signature) == bool(keyword_only)


def test_no_backend_has_a_method_the_protocol_lacks():
    assert {name for name in stub_methods() if not name.startswith("_")} == {*METHODS, *PROPERTIES}
    twin = pytest.importorskip("fastcal._backend._numba", exc_type=ImportError).NumbaBackend
    assert {name for name in dir(twin) if not name.startswith("_")} == {*METHODS, *PROPERTIES}
