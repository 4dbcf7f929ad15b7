"""fastcal on Ray (extra ``ray``): bulk rescoring over Ray Data, and exact search over a corpus in shards.

Both give the bytes of a single process, whatever the number of blocks, shards and workers, and after the loss of a worker.
Scheduling, retries, spilling and shuffles are Ray's.
"""

from fastcal._extras import require

require("ray.data", "ray")
from fastcal.distributed.ray._aggregates import MergedStatistics, TopK  # noqa: E402  (the line above says what is missing)
from fastcal.distributed.ray._rescore import rescore  # noqa: E402
#from fastcal.distributed.ray._sharded_index import ShardedIndex, ShardLostError  # noqa: E402

__all__ = ["MergedStatistics", "ShardLostError", "ShardedIndex", "TopK", "rescore"]
