"""TREC files read slowly: one line, one field after another."""

from __future__ import annotations

import re

import numpy as np

SPACES = " \t\v\f\r"


class MalformedError(Exception):
    """Carries the number of the line, from 1."""


def score_of(text):
    """Return the float32 of a decimal number, or None."""
    sign, body = (text[0], text[1:]) if text[:1] in {"+", "-"} else ("+", text)
    if body.lower() in {"inf", "infinity"}:
        return np.float32(f"{sign}inf")
    mantissa, _, exponent = re.sub("E", "e", body).partition("e")
    digits = mantissa.replace(".", "", 1)
    if not (digits.isascii() and digits.isdigit()) or ("e" in body.lower() and not re.fullmatch("[+-]?[0-9]+", exponent)):
        return None
    with np.errstate(over="ignore"):
        value = np.float32(np.float64(text))
    return None if np.isinf(value) else value


def grade_of(text):
    """Return the int32 of a whole number, or None."""
    digits = text[1:] if text[:1] in {"+", "-"} else text
    return int(text) if digits.isascii() and digits.isdigit() and -(2**31) <= int(text) < 2**31 else None


def read(data, n_fields=6, value_at=4, value_of=score_of):
    """Return ``{query: [(document, value), ...]}`` in file order, or raise MalformedError."""
    lines = data.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    while lines and not lines[-1].strip():
        lines.pop()
    out = {}
    for number, line in enumerate(lines, 1):
        try:
            text = line.decode()
        except UnicodeDecodeError:
            raise MalformedError(number) from None
        fields = [field for field in re.split(f"[{SPACES}]", text) if field]
        value = value_of(fields[value_at]) if len(fields) == n_fields else None
        if value is None:
            raise MalformedError(number)
        out.setdefault(fields[0], []).append((fields[2], value))
    return out
