"""Ray itself, answers of actors and tasks, and what their failures mean to a caller."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import wraps
from typing import Any, NoReturn, ParamSpec, TypeVar

import ray
from ray.exceptions import GetTimeoutError, RayError, RayTaskError

from fastcal._validate.elements import told_from
from fastcal.errors import FastcalError, FastcalWarning, ShardLostError

P = ParamSpec("P")
T = TypeVar("T")


def start() -> None:
    """Start Ray, or join the cluster that its environment names, if that was not done: as Ray's own functions do."""
    if not ray.is_initialized():
        ray.init()


def said(call: Callable[P, T]) -> Callable[P, T | Exception]:
    """Let a call in a worker return what it raises, as :func:`gather` expects: Ray prints errors that are raised there and not asked for."""

    @wraps(call)
    def answer(*args: P.args, **options: P.kwargs) -> T | Exception:
        try:
            return call(*args, **options)
        except (FastcalError, OSError) as error:
            return error

    return answer


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
        answer = ray.get(ref)
    except (RayTaskError, GetTimeoutError):
        raise
    except RayError as error:
        again = "raise max_restarts= if that was its limit, and load the saved shards or build the index again"
        raise ShardLostError(f"{name} is lost and did not come back ({first_line(error)}): {again}") from error
    if isinstance(answer, OSError):
        raise ShardLostError(f"{name} cannot be read: {answer}") from answer
    if isinstance(answer, FastcalError):
        raise told_from(name, answer)
    return answer


def _raise_late(n_late: int, n_shards: int, timeout: float) -> NoReturn:
    free, all_cpus = ray.available_resources().get("CPU", 0.0), ray.cluster_resources().get("CPU", 0.0)
    cpus = f"{free:g} of {all_cpus:g} CPUs are free"
    raise ShardLostError(f"{n_late} of {n_shards} shards did not start within {timeout:g} s; {cpus}: ask for fewer with num_cpus=, or wait longer")


def first_line(error: BaseException) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
