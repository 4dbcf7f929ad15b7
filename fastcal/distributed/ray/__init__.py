"""fastcal on Ray (extra ``ray``): bulk rescoring over Ray Data, and exact search over a corpus in shards.

Both give the bytes of a single process, whatever the number of blocks, shards and workers, and after the loss of a worker.
Scheduling, retries, spilling and shuffles are Ray's.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from fastcal._extras import require

if TYPE_CHECKING:
    from fastcal.distributed.ray._aggregates import MergedStatistics as MergedStatistics
    from fastcal.distributed.ray._aggregates import TopK as TopK
    from fastcal.distributed.ray._rescore import rescore as rescore
    from fastcal.distributed.ray._rescore_files import rescore_files as rescore_files
    from fastcal.distributed.ray._sharded_index import ShardedIndex as ShardedIndex

__all__ = ["MergedStatistics", "ShardedIndex", "TopK", "rescore", "rescore_files"]

require("ray", "ray")
# Ray Data is loaded by whoever asks for it: it would take the actors of an index longer to start than to build a shard.
_MODULE_OF = {
    "MergedStatistics": "_aggregates",
    "TopK": "_aggregates",
    "rescore": "_rescore",
    "rescore_files": "_rescore_files",
    "ShardedIndex": "_sharded_index",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULE_OF[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
