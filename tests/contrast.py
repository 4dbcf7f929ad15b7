"""Contrast of the colours of a page (WCAG 2)."""

from __future__ import annotations

import re


def contrast(page):
    """The least contrast of text colours and chart colours on their page."""
    colours = page.evaluate("""() => {
        const probe = document.body.appendChild(document.createElement('i'));
        const names = ['--bg', '--ink', '--muted', '--accent', '--c1', '--c2', '--c3', '--good', '--warn', '--bad'];
        const found = names.map((name) => { probe.style.color = `var(${name})`; return getComputedStyle(probe).color; });
        probe.remove();
        return found;
    }""")
    background, *others = [luminance(colour) for colour in colours]
    return min((max(background, other) + 0.05) / (min(background, other) + 0.05) for other in others)


def luminance(colour):
    parts = [int(text) / 255 for text in re.findall(r"\d+", colour)[:3]]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
