"""What became of the rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class RescoreReport:
    """What became of the rows: ``rows == kept + padding + below_floor + not_found + beyond_top_k``.

    Attributes
    ----------
    target : str
        The folder.
    files, bytes : int
        Parts written, and their size.
    rows, kept : int
        Rows read and rows written.
    padding : int
        Rows without a score that were dropped; they are kept where nothing is dropped.
    below_floor, not_found, beyond_top_k : int
        Rows dropped by `floor`, `drop_not_found` and `top_k`.
    act, escalate, abstain : int
        Rows written, by their decision; all 0 where the profile has no threshold.
    resumed : int
        Tasks that an earlier run had done.
    done_before : bool
        Whether an earlier run had come to its end, so that nothing was left to do.
    seconds : float
        Of this run.
    """

    target: str
    files: int
    bytes: int
    rows: int
    kept: int
    padding: int
    below_floor: int
    not_found: int
    beyond_top_k: int
    act: int
    escalate: int
    abstain: int
    resumed: int
    done_before: bool
    seconds: float

    @classmethod
    def of(cls, target: str, manifest: Mapping[str, Any], **facts: Any) -> RescoreReport:
        """Read the manifest of a finished run."""
        return cls(target=target, files=len(manifest["files"]), bytes=sum(part["bytes"] for part in manifest["files"]), **manifest["rows"], **facts)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)
