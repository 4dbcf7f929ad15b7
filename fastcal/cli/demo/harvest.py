"""Public docstrings of an installed package: what they say and which other objects they name under See Also."""

from __future__ import annotations

import importlib
import inspect
import io
import pkgutil
import re
import warnings
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

_NOT_API = {"conftest", "core", "distutils", "experimental", "externals", "f2py", "matlib", "testing", "tests", "typing"}
_SIGNATURE = re.compile(r"[\w.]+\(")
_SENTENCE_END = re.compile(r"\.\s+(?=[A-Z`:*])")
_SEE_ALSO = re.compile(r"^See Also\n-+[ \t]*\n(?P<body>.*?)(?=^[^\n]+\n-{3,}[ \t]*$|^\.\. |\Z)", re.MULTILINE | re.DOTALL)
_REFERENCE = re.compile(r"(?::\w+:)?`?~?(?P<name>[A-Za-z_][\w.]*)`?$")


@dataclass(frozen=True)
class Docstring:
    """One public object.

    Attributes
    ----------
    name : str
        Dotted name under which it was found first.
    summary : str
        Its first sentence.
    body : str
        The rest, without the See Also section.
    see_also : tuple of str
        The names listed there, as written.
    """

    name: str
    summary: str
    body: str
    see_also: tuple[str, ...]


def harvest(package: str) -> list[Docstring]:
    """Return the public objects of ``package`` that have a summary and a body, summaries unique, in alphabetical order of modules."""
    found: dict[str, Docstring] = {}
    with warnings.catch_warnings(), redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        for name, text in _public_docstrings(package):
            entry = parse(name, text)
            if entry.summary and entry.body:
                found.setdefault(entry.summary.lower(), entry)
    return list(found.values())


def parse(name: str, text: str) -> Docstring:
    """Split a numpydoc docstring into summary, body and See Also names; signature lines are dropped."""
    match = _SEE_ALSO.search(text)
    listed = _references(match["body"]) if match else ()
    if match:
        text = text[: match.start()] + text[match.end() :]
    paragraphs = [p.strip() for p in re.split(r"\n\s*\n", text) if p.strip()]
    while paragraphs and _SIGNATURE.match(paragraphs[0]):
        paragraphs.pop(0)
    if not paragraphs:
        return Docstring(name, "", "", listed)
    first, *rest = _SENTENCE_END.split(" ".join(paragraphs[0].split()), maxsplit=1)
    return Docstring(name, first.rstrip("."), "\n\n".join([*rest, *paragraphs[1:]]), listed)


def _references(section: str) -> tuple[str, ...]:
    names: list[str] = []
    for line in section.splitlines():
        if not line.strip() or line[0].isspace():
            continue
        matches = (_REFERENCE.match(part.strip()) for part in re.split(r"\s+:|:\s", line)[0].split(","))
        names += [match["name"] for match in matches if match]
    return tuple(names)


def _public_docstrings(package: str) -> Iterator[tuple[str, str]]:
    seen: set[int] = set()
    for module in _public_modules(package):
        for name in _public_names(module):
            thing = _attribute(module, name)
            if thing is None or id(thing) in seen or not _belongs(thing, package):
                continue
            seen.add(id(thing))
            text = inspect.getdoc(thing)
            if text:
                yield f"{module.__name__}.{name}", text


def _public_modules(package: str) -> Iterator[ModuleType]:
    root = importlib.import_module(package)
    yield root
    for name in sorted(info.name for info in pkgutil.iter_modules(root.__path__)):
        if name.startswith("_") or name in _NOT_API:
            continue
        try:
            yield importlib.import_module(f"{package}.{name}")
        except Exception:  # noqa: BLE001, S112  (a module of another project that cannot be imported here is not public)
            continue


def _public_names(module: ModuleType) -> list[str]:
    declared = getattr(module, "__all__", None)
    if declared is not None:
        return sorted(declared)
    return sorted(name for name, thing in vars(module).items() if not name.startswith("_") and getattr(thing, "__module__", "") == module.__name__)


def _attribute(module: ModuleType, name: str) -> object | None:
    try:
        return getattr(module, name, None)
    except Exception:  # noqa: BLE001  (lazy attributes may raise anything)
        return None


def _belongs(thing: object, package: str) -> bool:
    home = getattr(thing, "__module__", None) or package
    return callable(thing) and home.partition(".")[0] == package
