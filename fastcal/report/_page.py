"""The page: sections around the charts, one file, nothing asked of the network."""

from __future__ import annotations

import base64
import functools
import hashlib
from pathlib import Path
from typing import Any

from fastcal._extras import require
from fastcal.report import _charts, _sections
from fastcal.report._html import Safe, data_script, joined, tag
from fastcal.report._words import DASH

ASSETS = Path(__file__).parent / "assets"
LIBRARY = "window.vegaEmbed = vegaEmbed;"


@functools.cache
def library() -> str:
    """Return the drawing library as one script (0.9 MB), from the package that carries it."""
    found: str = require("vl_convert", "report").javascript_bundle(LIBRARY)
    licence = (ASSETS / "vega-licence.txt").read_text(encoding="utf-8")
    return f"/*!\n{licence}*/\n{found}".replace("</script", "<\\/script")


def page(facts: Any) -> str:
    """Return the whole page."""
    script = (ASSETS / "page.js").read_text(encoding="utf-8")
    scripts = [library(), script]
    shown = {"operating": facts["operating"], "data": facts["data"]}
    head = joined(
        [
            tag("meta", charset="utf-8"),
            tag("meta", name_="viewport", content="width=device-width, initial-scale=1"),
            tag("meta", http_equiv="Content-Security-Policy", content=policy(scripts)),
            tag("meta", name_="color-scheme", content="light dark"),
            tag("link", rel="icon", href="data:,"),
            tag("title", f"{facts['title']} {DASH} fastcal report"),
            tag("style", Safe((ASSETS / "page.css").read_text(encoding="utf-8"))),
        ]
    )
    body = joined(
        [
            tag("a", "Skip to the report", class_="skip", href="#main"),
            tag("div", _sections.header(facts), tag("main", *_sections.sections(facts), id="main"), _sections.footer(facts), class_="column"),
            data_script("facts", shown),
            data_script("result-classes", _charts.result_classes(facts["operating"], facts["data"]["most_results"])),
            data_script("charts", _charts.charts(facts)),
            *(tag("script", Safe(each)) for each in scripts),
        ]
    )
    return f'<!DOCTYPE html>\n<html lang="en">\n<head>{head}</head>\n<body>{body}</body>\n</html>\n'


def policy(scripts: list[str]) -> str:
    """Return a Content-Security-Policy: these two scripts by their digests, styles of the page, nothing else and no network."""
    digests = [base64.b64encode(hashlib.sha256(each.encode("utf-8")).digest()).decode("ascii") for each in scripts]
    sources = " ".join(f"'sha256-{digest}'" for digest in digests)
    return f"default-src 'none'; script-src {sources}; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
