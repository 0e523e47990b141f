"""A Dask cluster as an executor: found by address or scheduler file, or started through Slurm.

::

    from datasets_me.core.engine.cluster import connect

    with connect("tcp://head:8786") as executor:
        me.extract(manifest, root, out, executor=executor)
"""

from __future__ import annotations

import json
import logging
import re
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datasets_me.core.errors import MeDatasetsError
from datasets_me.core.extras import install

if TYPE_CHECKING:
    from distributed import Client

Say = Callable[[str], None]
"""Told what a user should know, a line at a time."""

SLURM = "slurm"

_ANSWERS = 10.0  # seconds in which a scheduler answers, or comes back
_RENEWED = 2.0  # seconds for which the number of workers is believed
_PATIENCE = 15.0  # seconds without any worker after which it is said that there is none
_AHEAD = 2  # groups for each worker, so that it has the next when it is done with one
_LEAST = 16  # groups that wait where there is no worker yet: a cluster that grows by need sees that there is some
_LOGGERS = ("distributed", "distributed.client", "distributed.core", "distributed.comm", "tornado.application")

_ADDRESS = re.compile(r"([a-z]+://)?[^/\s]+:\d+")

_CONFIGURE = """\
write into ~/.config/dask/jobqueue.yaml what a job is, such as jobqueue: {slurm: {cores: 8, memory: 32GB, \
queue: normal, walltime: '08:00:00'}}; see the documentation of dask-jobqueue"""


class Cluster(Executor):
    """The workers of a Dask scheduler. They may come and go; what one was at is done by another."""

    def __init__(self, client: Client, address: str, say: Say) -> None:
        self._client, self._address, self._say = client, address, say
        self._workers = 0
        self._counted = -_RENEWED
        self._without: float | None = None  # since when there is no worker

    def submit(self, function: Callable[..., Any], /, *arguments: Any, **options: Any) -> Any:
        """Have a function called by a worker; returns a future like those of ``concurrent.futures``."""
        return self._client.submit(function, *arguments, **options, pure=False)

    def room(self) -> int:
        """How many calls to have under way, by the number of workers that there are now."""
        if time.monotonic() - self._counted >= _RENEWED:
            self._counted = time.monotonic()
            with suppress(Exception):  # a scheduler that is gone is noticed where its answers are missed
                self._workers = len(self._client.scheduler_info(n_workers=-1)["workers"])
            self._complain()
        return max(_LEAST, _AHEAD * self._workers)

    def check(self, error: BaseException | None = None) -> None:
        """See that the scheduler is still there.

        Args:
            error: why there is no answer of a call; a stream that is closed is known before the client's status is.

        Raises:
            MeDatasetsError: it is not.
        """
        self.room()
        if self._client.status != "running" or isinstance(error, OSError):
            raise MeDatasetsError(
                "the connection to the Dask scheduler was lost",
                where=self._address,
                fix="start it again and run the same command; what is done is kept",
            )

    def forget(self, run: str) -> None:
        """Remove what the scheduler keeps about a run."""
        if self._client.status == "running":
            with suppress(Exception):
                self._client.set_metadata(run, None)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Close the connection; the cluster goes on if it was not started here."""
        with suppress(Exception):
            self._client.close(timeout=2)

    def _complain(self) -> None:
        """Say it once when there has been no worker for a while."""
        if self._workers:
            self._without = None
        elif self._without is None:
            self._without = time.monotonic()
        elif time.monotonic() - self._without > _PATIENCE:
            self._without = float("inf")
            self._say(f"waiting for workers, of which there are none yet: scheduler {self._address}")


@contextmanager
def connect(name: str, *, workers: int = 0, say: Say = lambda line: None) -> Iterator[Cluster]:
    """A Dask cluster, as long as the block lasts.

    Args:
        name: the address of a scheduler (``tcp://host:8786``), the path of a scheduler file, or ``slurm`` for a cluster
            of its own, whose jobs are as the user's configuration of dask-jobqueue says.
        workers: how many of them to ask Slurm for.
        say: told the address of the dashboard, and that there are no workers.

    Raises:
        MeDatasetsError: Dask is not installed, no scheduler answers, or Slurm is not configured.
    """
    try:
        import dask
        import distributed
    except ImportError as error:
        raise MeDatasetsError(
            f"a cluster needs Dask: {error}", fix=f"{install('distributed')}, here and where the workers run"
        ) from error
    with ExitStack() as stack:
        stack.enter_context(_quiet())
        stack.enter_context(dask.config.set({"distributed.admin.large-graph-warning-threshold": "1GB"}))
        if name == SLURM:
            scheduler: Any = stack.enter_context(_slurm(workers))
            address = str(scheduler.scheduler_address)
        else:
            scheduler = _address(name)
            address = scheduler if scheduler == name else f"{scheduler}, as {name} says"
        try:
            if name != SLURM:  # a client that fails at one of these closes itself noisily
                distributed.comm.resolve_address(scheduler)
                _check_certificates(scheduler)
            client = distributed.Client(scheduler, timeout=_ANSWERS, set_as_default=False)
        except (OSError, ValueError) as error:
            why = f": {error}" if isinstance(error, ValueError | socket.gaierror) else ""
            raise MeDatasetsError(
                f"no Dask scheduler answers{why}",
                where=address,
                fix="start one with dask scheduler, and workers with dask worker ADDRESS --nthreads 1",
            ) from error
        cluster = Cluster(client, address, say)
        stack.callback(cluster.shutdown)
        say(f"cluster {address}, dashboard {client.dashboard_link}")
        yield cluster


def _address(name: str) -> str:
    """The address of a scheduler, which may stand in a file.

    Raises:
        MeDatasetsError: it is neither, or the file is not there or damaged.
    """
    if _ADDRESS.fullmatch(name):
        return name
    path = Path(name)
    if not path.is_file() and path.suffix != ".json":
        raise MeDatasetsError(
            f"'{name}' is no cluster",
            fix="give the address of a Dask scheduler (tcp://host:8786), its scheduler file, or slurm",
        )
    try:
        address = json.loads(path.read_text(encoding="utf-8"))["address"]
        if not _ADDRESS.fullmatch(address):
            raise ValueError(address)
        return str(address)
    except (OSError, ValueError, KeyError, TypeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it holds no address"
        raise MeDatasetsError(
            f"the scheduler file cannot be used: {why}",
            where=name,
            fix="write it with dask scheduler --scheduler-file FILE, on a disk that this machine sees",
        ) from error


def _check_certificates(address: str) -> None:
    """Refuse an encrypted connection for which Dask has no certificates.

    Raises:
        MeDatasetsError: it has none.
    """
    from distributed.security import Security

    if address.startswith(("tls://", "wss://")) and not Security().get_connection_args("client").get("ssl_context"):
        raise MeDatasetsError(
            "Dask has no certificates for an encrypted connection",
            where=address,
            fix="name them in Dask's configuration (distributed.comm.tls), or start the scheduler with tcp://",
        )


@contextmanager
def _slurm(workers: int) -> Iterator[Any]:
    """A cluster of jobs of Slurm, with a worker of one thread for each core of a job.

    Raises:
        MeDatasetsError: the number of workers is not given, Slurm is not here, or a job is not configured.
    """
    if not workers:
        raise MeDatasetsError("--cluster slurm needs the number of workers", fix="add --workers, such as --workers 32")
    if shutil.which("sbatch") is None:
        raise MeDatasetsError("there is no sbatch on this machine", fix="run this where jobs are submitted to Slurm")
    try:
        import dask
        import dask_jobqueue
    except ImportError as error:
        raise MeDatasetsError(f"--cluster slurm needs dask-jobqueue: {error}", fix=install("dask_jobqueue")) from error
    job = dask.config.get("jobqueue.slurm", {})
    missing = [name for name in ("cores", "memory") if job.get(name) is None]
    if missing:
        raise MeDatasetsError(f"dask-jobqueue does not know the {' and the '.join(missing)} of a job", fix=_CONFIGURE)
    # each worker has one thread, as the workers of this machine have
    cluster = dask_jobqueue.SLURMCluster(processes=job.get("processes") or job["cores"])
    with cluster:
        cluster.scale(n=workers)
        yield cluster


@contextmanager
def _quiet() -> Iterator[None]:
    """What Dask logs is kept from the terminal: an error of ours says it once, and in other words."""
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
