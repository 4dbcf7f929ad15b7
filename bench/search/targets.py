"""What the project set out to reach, held against a table of results."""

from __future__ import annotations

from dataclasses import dataclass

from bench.search.ours import INDEX

BEST_PEER = "best exact peer"


@dataclass(frozen=True)
class Target:
    """Times as fast as the fastest entry whose name starts with `against`, or as the best exact peer."""

    against: str
    reach: float
    aim: float | None = None
    ours: str = INDEX


def check(results, target):
    """One line of verdict, None where a side is missing."""
    ours = [r for r in results if r["name"] == target.ours]
    rivals = [r for r in results if (r["kind"] == "peer" if target.against == BEST_PEER else r["name"].startswith(target.against))]
    if not ours or not rivals:
        return None
    rival = min(rivals, key=lambda r: r["median"])
    what = f"{target.ours} against {target.against}" + (f" ({rival['name']})" if target.against == BEST_PEER else "")
    return verdict(what, rival["median"] / ours[0]["median"], target.reach, target.aim, unit="x")


def verdict(what, value, reach, aim=None, *, unit="", at_most=False):
    """``at_most``: lower is better."""
    met = lambda bound: bound is not None and (value <= bound if at_most else value >= bound)  # noqa: E731
    return {
        "what": what,
        "value": value,
        "reach": reach,
        "aim": aim,
        "unit": unit,
        "at_most": at_most,
        "verdict": "aim met" if met(aim) else "reached" if met(reach) else "MISSED",
    }


def check_all(results, targets):
    return [line for target in targets if (line := check(results, target))]
