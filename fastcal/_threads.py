"""How many threads a call uses: ``num_threads=`` > :func:`set_num_threads` > ``FASTCAL_NUM_THREADS`` > what the process may use."""

from __future__ import annotations

import math
import operator
import os
from functools import cache
from pathlib import Path

from fastcal.errors import InvalidTypeError, InvalidValueError

# A guard against typing errors: a thread costs a stack and a wake-up, and results never depend on the number.
_MOST = 1024
_chosen: int | None = None


def set_num_threads(n: int | None) -> None:
    """Set the default number of threads of every later call in this process.

    Parameters
    ----------
    n : int or None
        From 1 to 1024. ``None`` returns to ``FASTCAL_NUM_THREADS`` or, without it, to the CPUs this process may use.

    Raises
    ------
    ValueError, TypeError
        If `n` is not a positive integer or None.

    Examples
    --------
    >>> import fastcal as fc
    >>> fc.set_num_threads(1)
    >>> fc.set_num_threads(None)
    """
    global _chosen
    _chosen = None if n is None else _positive(n, "n")


def resolve(num_threads: int | None) -> int:
    """Return the number of threads for one call; results never depend on it."""
    if num_threads is not None:
        return _positive(num_threads, "num_threads")
    if _chosen is not None:
        return _chosen
    return _default()


@cache
def _default() -> int:
    text = os.environ.get("FASTCAL_NUM_THREADS", "").strip()
    if text:
        if not text.isdecimal() or not 1 <= int(text) <= _MOST:
            raise InvalidValueError(f"FASTCAL_NUM_THREADS={text!r}: expected an integer from 1 to {_MOST}")
        return int(text)
    return usable_cpus()


def usable_cpus() -> int:
    """CPUs this process may use: the smaller of its affinity mask and its cgroup's CPU quota."""
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(affinity, _cgroup_quota(Path("/proc/self/cgroup"), Path("/sys/fs/cgroup")) or affinity))


def _cgroup_quota(membership: Path, root: Path) -> int | None:
    """CPU quota of the process's cgroup (v2) or of any parent, rounded up; None where there is none."""
    try:
        lines = membership.read_text().splitlines()
    except OSError:
        return None
    group = next((line[3:] for line in lines if line.startswith("0::")), None)
    if group is None:
        return None
    folder = root / group.lstrip("/")
    quotas = []
    for level in [folder, *folder.parents]:
        if level != root and root not in level.parents:
            break
        try:
            quota, period = (level / "cpu.max").read_text().split()[:2]
            if quota != "max":
                quotas.append(math.ceil(int(quota) / int(period)))
        except (OSError, ValueError, ZeroDivisionError):  # no such file, or not in the form the kernel writes
            continue
    return min(quotas, default=None)


def _positive(n: int, name: str) -> int:
    if type(n) is int and 1 <= n <= _MOST:
        return n
    truth_value = type(n).__name__ in {"bool", "bool_"}  # NumPy's has an __index__ up to 1.26, and NumPy is not imported here
    if truth_value or not hasattr(n, "__index__"):
        raise InvalidTypeError(f"{name} must be an integer from 1 to {_MOST}, got {n!r}")
    try:
        value = operator.index(n)
    except TypeError:  # an array has __index__, but may not be one number
        raise InvalidTypeError(f"{name} must be an integer from 1 to {_MOST}, got {n!r}") from None
    if not 1 <= value <= _MOST:
        raise InvalidValueError(f"{name} must be an integer from 1 to {_MOST}, got {value}")
    return value
