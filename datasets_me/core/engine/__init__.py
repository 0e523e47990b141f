"""The one way to run a function over many items, wherever they are run."""

from datasets_me.core.engine.loop import in_order, run, workers_for
from datasets_me.core.engine.outcome import Failure, Report

__all__ = ["Failure", "Report", "in_order", "run", "workers_for"]
