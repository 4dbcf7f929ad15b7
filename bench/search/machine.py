"""Where and with what a run was made."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import fastcal as fc

PACKAGES = ("numpy", "faiss-cpu", "usearch", "numkong", "scikit-learn", "scann", "hnswlib", "threadpoolctl")


def describe():
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "cpu": _cpu(),
        "cpus": fc.cpu_info()["usable_cpus"],
        "memory_gib": round(_meminfo("MemTotal") / 2**30, 1),
        "caches": {level: _cache(level) for level in ("index2", "index3")},
        "load": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "fastcal": {"version": fc.__version__, "commit": _command("git", "rev-parse", "--short", "HEAD"), **fc.backend().to_dict()},
        "versions": {name: _version(name) for name in PACKAGES},
    }


def available_memory():
    return _meminfo("MemAvailable")


def _meminfo(field):
    lines = Path("/proc/meminfo").read_text().splitlines()
    return 1024 * int(next(line.split()[1] for line in lines if line.startswith(field + ":")))


def _cache(level):
    path = Path("/sys/devices/system/cpu/cpu0/cache") / level / "size"
    return path.read_text().strip() if path.exists() else None


def _cpu():
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    fields = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return f"{fields.get('model name', platform.machine())} (family {fields.get('cpu family')}, model {fields.get('model')})"


def _command(*words):
    try:
        return subprocess.run(words, capture_output=True, text=True, check=True, cwd=Path(__file__).parent).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def _version(name):
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
