"""The command line as a user runs it, without the seconds that each new process takes for its imports.

A server, started once, has imported everything and forks for each command: what runs is ``python -m datasets_me`` with
its arguments, folder and streams, and it ends as a process ends. Where a command needs another environment than the
server has, or coverage is measured, it gets a process of its own.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import pkgutil
import runpy
import subprocess
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

import datasets_me

SECONDS = 120.0
NOT_AHEAD = {"__main__", "torch_data", "tvl1_torch"}
"""Modules that are not imported ahead: PyTorch starts threads, which a fork does not have."""


class Commands:
    """Runs commands, one at a time."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._folder, self._environment = folder, dict(environment)
        self._server: subprocess.Popen[str] | None = None

    def run(self, arguments: list[str], cwd: Path, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        """Run ``me-datasets`` with some arguments, and wait for its end."""
        if dict(environment) != self._environment or not hasattr(os, "fork") or "COVERAGE_RUN" in os.environ:
            return subprocess.run(
                [sys.executable, "-m", "datasets_me", *arguments],
                cwd=cwd,
                capture_output=True,
                text=True,
                timeout=SECONDS,
                env=environment,
            )
        out, err = self._folder / "stdout", self._folder / "stderr"
        request = {"arguments": arguments, "cwd": str(cwd), "out": str(out), "err": str(err)}
        server = self._running()
        assert server.stdin is not None
        assert server.stdout is not None
        server.stdin.write(json.dumps(request) + "\n")
        server.stdin.flush()
        code = int(server.stdout.readline())
        return subprocess.CompletedProcess(arguments, code, out.read_text(), err.read_text())

    def close(self) -> None:
        """End the server."""
        if self._server is not None:
            self._server.communicate()

    def _running(self) -> subprocess.Popen[str]:
        if self._server is None:
            self._server = subprocess.Popen(
                [sys.executable, "-m", "tests.command"],
                cwd=Path(__file__).resolve().parents[1],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env=self._environment,
            )
        return self._server


def _import_all() -> None:
    for module in pkgutil.walk_packages(datasets_me.__path__, "datasets_me."):
        if not NOT_AHEAD & set(module.name.split(".")):
            importlib.import_module(module.name)
    for name in ("cv2", "openpyxl", "pyarrow.parquet", "rich.progress", "rich.table"):
        importlib.import_module(name)


def _serve() -> None:
    _import_all()
    gc.freeze()  # a fork that collects what was imported copies all of it
    for line in sys.stdin:
        request = json.loads(line)
        child = os.fork()
        if child == 0:
            _become(**request)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _become(arguments: list[str], cwd: str, out: str, err: str) -> NoReturn:
    """Be the program, with streams of its own; end as it ends, without taking apart what was imported."""
    os.chdir(cwd)
    for stream, path, flags in (
        (0, os.devnull, os.O_RDONLY),
        (1, out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC),
        (2, err, os.O_WRONLY | os.O_CREAT | os.O_TRUNC),
    ):
        opened = os.open(path, flags)
        os.dup2(opened, stream)
        os.close(opened)
    sys.path[0] = cwd
    sys.argv = ["me-datasets", *arguments]
    code = 0
    try:
        runpy.run_module("datasets_me", run_name="__main__", alter_sys=True)
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        traceback.print_exc()
        code = 1
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    _serve()
