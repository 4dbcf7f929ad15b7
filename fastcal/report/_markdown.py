"""The same facts for logs, pull requests and terminals."""

from __future__ import annotations

from typing import Any


def markdown(facts: Any) -> str:
    return f"# {facts['title']}\n"
