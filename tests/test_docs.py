"""Every example is run: ```python blocks of the pages, docstrings of the modules.

A ```text block right after a ```python block is what that block prints. Blocks of one page share their names.
"""

from __future__ import annotations

import contextlib
import doctest
import importlib
import io
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
OPTIONS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
BLOCK = re.compile(r"^```python\n(?P<code>.*?)^```\n(?:\s*^```text\n(?P<output>.*?)^```$)?", re.MULTILINE | re.DOTALL)

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
PAGES_WITH_CODE = [page for page in PAGES if "```python" in page.read_text(encoding="utf-8")]


def modules():
    """Names of all modules but the Numba kernels, which have no examples and need an extra."""
    for path in sorted((ROOT / "fastcal").rglob("*.py")):
        if not path.name.startswith("_numba"):
            yield ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def skip_without(error):
    """Skip if a third-party package is missing; anything else is a failure."""
    name = (error.name or "").partition(".")[0]
    if name in {"", "fastcal"}:
        raise error
    pytest.skip(f"{name} is not installed")


@pytest.mark.parametrize("page", PAGES_WITH_CODE, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_page(page):
    text, names = page.read_text(encoding="utf-8"), {"__name__": "__main__"}
    for block in BLOCK.finditer(text):
        line = text.count("\n", 0, block.start("code"))
        printed = io.StringIO()
        code = compile("\n" * line + block["code"], str(page), "exec", dont_inherit=True)
        try:
            with contextlib.redirect_stdout(printed):
                exec(code, names)
        except ModuleNotFoundError as error:
            skip_without(error)
        expected = block["output"]
        if expected is not None:
            same = doctest.OutputChecker().check_output(expected, printed.getvalue(), OPTIONS)
            assert same, f"{page.name}:{line}: printed\n{printed.getvalue()}expected\n{expected}"


def test_every_python_block_is_found():
    for page in PAGES_WITH_CODE:
        text = page.read_text(encoding="utf-8")
        assert len(BLOCK.findall(text)) == text.count("```python"), page.name
    assert ROOT / "README.md" in PAGES_WITH_CODE


@pytest.mark.parametrize("name", list(modules()))
def test_docstrings(name):
    try:
        module = importlib.import_module(name)
    except ImportError as error:
        skip_without(error)
    for example in doctest.DocTestFinder(exclude_empty=True).find(module):
        report = io.StringIO()
        runner = doctest.DocTestRunner(optionflags=OPTIONS, verbose=False)
        failed = runner.run(example, out=report.write).failed
        assert not failed, report.getvalue()
