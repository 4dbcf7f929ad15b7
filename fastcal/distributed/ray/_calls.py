"""Answers of actors and tasks, and what their failures mean to a caller."""

from __future__ import annotations

import warnings
from typing import Any, NoReturn

import ray
from ray.exceptions import GetTimeoutError, RayError, RayTaskError

from fastcal.errors import FastcalError, FastcalWarning, ShardLostError


def gather(refs: list[Any], names: list[str], timeout: float | None = None) -> list[Any]:
    """Return the answers of all shards, or raise for the first that has none; errors of fastcal keep their class and name the shard."""
    if timeout is not None:
        _, late = ray.wait(refs, num_returns=len(refs), timeout=timeout, fetch_local=False)
        if late:
            _raise_late(len(late), len(refs), timeout)
    return [_answer(ref, name) for ref, name in zip(refs, names, strict=True)]


def tell_shortage(n_shards: int, num_cpus: float, timeout: float) -> None:
    """Warn of shards that cannot start on the cluster as it is."""
    needed, there = n_shards * num_cpus, ray.cluster_resources().get("CPU", 0.0)
    if needed > there:
        hint = f"ask for fewer with num_cpus=; waiting up to {timeout:g} s for more"
        warnings.warn(f"{n_shards} shards need {needed:g} CPUs, the cluster has {there:g}: {hint}", FastcalWarning, stacklevel=4)


def _answer(ref: Any, name: str) -> Any:
    try:
        return ray.get(ref)
    except RayTaskError as error:
        _raise_cause(error, name)
    except GetTimeoutError:
        raise
    except RayError as error:
        again = "raise max_restarts= if that was its limit, and load the saved shards or build the index again"
        raise ShardLostError(f"{name} is lost and did not come back ({_first_line(error)}): {again}") from error


def _raise_cause(error: Any, name: str) -> NoReturn:
    cause = error.cause
    if isinstance(cause, OSError):
        raise ShardLostError(f"{name} cannot be read: {cause}") from error
    if isinstance(cause, FastcalError):
        raise type(cause)(f"{name}: {cause}") from None
    raise error


def _raise_late(n_late: int, n_shards: int, timeout: float) -> NoReturn:
    free, all_cpus = ray.available_resources().get("CPU", 0.0), ray.cluster_resources().get("CPU", 0.0)
    cpus = f"{free:g} of {all_cpus:g} CPUs are free"
    raise ShardLostError(f"{n_late} of {n_shards} shards did not start within {timeout:g} s; {cpus}: ask for fewer with num_cpus=, or wait longer")


def _first_line(error: BaseException) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
