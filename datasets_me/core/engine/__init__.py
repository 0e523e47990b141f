"""The one way to run a function over many items, wherever they are run."""

from datasets_me.core.engine.loop import in_order, run, workers_for
from datasets_me.core.engine.outcome import Failure, Report
from datasets_me.core.engine.shards import Shard, read_shard

__all__ = ["Failure", "Report", "Shard", "in_order", "read_shard", "run", "workers_for"]
