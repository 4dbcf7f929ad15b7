"""What a report's page shows, held against what the library measured."""

from __future__ import annotations

import pytest

from fastcal.report._charts import result_classes
from fastcal.report._words import readout


def places(page, facts):
    grid = facts["operating"]["threshold"]
    values = [float(page.locator(f"#{name}").input_value()) for name in ("act", "escalate")]
    return [min(range(len(grid)), key=lambda i: abs(grid[i] - value)) for value in values]


def shown(page):
    return page.evaluate("Object.fromEntries([...document.querySelectorAll('[data-out]')].map((e) => [e.dataset.out, e.textContent]))")


def drawn(page, facts):
    """Where the line of the rate chart stands, as a threshold."""
    low, high = facts["operating"]["threshold"][0], facts["operating"]["threshold"][-1]
    boxes = page.evaluate("""() => {
        const svg = document.querySelector('#chart-rates svg');
        const line = [...svg.querySelectorAll('.mark-rule.role-mark line')].map((e) => e.getBoundingClientRect()).filter((b) => b.height > 50);
        const plot = svg.querySelector('.root > g > path.background, .background').getBoundingClientRect();
        return [line.map((b) => b.left), plot.left, plot.width];
    }""")
    lines, left, width = boxes
    return [low + (x - left) / width * (high - low) for x in lines]


def check(page, facts):
    """Every number on the page is what the library measured where the sliders stand."""
    act, escalate = places(page, facts)
    expected = readout(facts["operating"], facts["data"], act, escalate)
    found = shown(page)
    assert found == {name: expected[name] for name in found}
    assert len(found) > 20
    grid = facts["operating"]["threshold"]
    lines = drawn(page, facts)
    for at in (act, escalate):
        assert min(abs(x - grid[at]) for x in lines) < 0.003
    bars = page.evaluate("[...document.querySelectorAll('#chart-results .mark-text.role-mark text')].map((e) => e.textContent)")
    names = result_classes(facts["operating"], facts["data"]["most_results"])
    assert [int(text.replace(",", "")) for text in bars] == facts["operating"]["queries_by_results"][act][: len(names)]
    assert not any(facts["operating"]["queries_by_results"][act][len(names) :])
    for name, at in (("act", act), ("escalate", escalate)):
        assert page.locator(f"#{name}-value").input_value() == facts["operating"]["threshold_text"][at]
    parts = [page.locator(f"#bar-{name}").evaluate("e => e.getBoundingClientRect().width") for name in ("act", "escalate", "not_found")]
    counts = [int(found[name]) for name in ("act", "escalate", "not_found")]
    for part, count in zip(parts, counts, strict=True):
        assert part == pytest.approx(sum(parts) * count / sum(counts), abs=8)
    return act, escalate
