"""A real Dask cluster for tests: a scheduler and workers as processes of this machine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.conftest import REPOSITORY

STARTS = 60.0  # seconds


class DaskCluster:
    """A scheduler, and workers that are started and killed by a test; all of them end with the block."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "scheduler.json"
        self._folder = folder
        self._processes: list[subprocess.Popen[bytes]] = []
        self.scheduler = self._start("dask_scheduler", "--port", "0", "--no-dashboard", "--no-show")
        deadline = time.monotonic() + STARTS
        while not self.file.is_file():
            assert time.monotonic() < deadline, (folder / "0.log").read_text()
            time.sleep(0.02)

    def __enter__(self) -> DaskCluster:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            process.kill()
        for process in self._processes:
            process.wait()

    def worker(self, *arguments: str, **environment: str) -> subprocess.Popen[bytes]:
        """Start a worker of one thread, without a nanny that would start another when it dies."""
        return self._start("dask_worker", "--nthreads", "1", "--no-nanny", "--no-dashboard", *arguments, **environment)

    def connected(self, count: int) -> None:
        """Wait until the scheduler has so many workers."""
        import distributed

        with distributed.Client(scheduler_file=str(self.file), set_as_default=False) as client:
            client.wait_for_workers(count, timeout=STARTS)

    def _start(self, program: str, *arguments: str, **environment: str) -> subprocess.Popen[bytes]:
        log = self._folder / f"{len(self._processes)}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", f"distributed.cli.{program}", "--scheduler-file", self.file, *arguments],
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**os.environ, "PYTHONPATH": str(REPOSITORY), **environment},
            )
        self._processes.append(process)
        return process


def kill(process: subprocess.Popen[bytes]) -> None:
    """End a process as a node that fails does."""
    process.send_signal(signal.SIGKILL)
    process.wait()
