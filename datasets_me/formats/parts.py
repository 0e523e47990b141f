"""What a run has made so far, kept in parts, so that one that was killed goes on where it was.

::

    faces.parts/  about.json  000000.parquet  000000-findings.parquet  000512.parquet  …

The parts lie beside the table or folder that is being made, and are removed when it is whole. Files of a folder lie
among them until then. Each part holds the rows of some images. Parts of another run (other images, options or another
version) are thrown away; images that could not be read are looked at again.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Generic, TypeVar

from datasets_me.core import artefact
from datasets_me.core.artefact import TOOL
from datasets_me.core.errors import MeDatasetsError, OutputError, StoppedError, WriteError, plural
from datasets_me.core.files import read_json
from datasets_me.core.locks import locked
from datasets_me.core.tables import Record, batches, in_groups, write_parquet
from datasets_me.core.version import __version__
from datasets_me.findings.finding import Finding

Row = TypeVar("Row", bound=Record)
Task = TypeVar("Task")

SIZE = 512
"""Images of a part: what a killed run may lose."""

_ABOUT = "about.json"
_OURS = {"kind": "parts", "tool": TOOL}


class Done(Record):
    """What was made of one image beside files: its records and findings as JSON, and whether it could be read."""

    id: str
    records: list[str]
    findings: list[str]
    read: bool


def done(name: str, records: Iterable[Record], findings: Iterable[Finding], *, read: bool) -> Done:
    """What was made of the image with this id."""
    return Done(id=name, records=_texts(records), findings=_texts(findings), read=read)


def _texts(records: Iterable[Record]) -> list[str]:
    return [each.model_dump_json() for each in records]


class Parts(Generic[Row]):
    """The parts of one table or folder.

    Args:
        target: the table or folder that is being made.
        model: of the rows.
        key: what the rows depend on beside the version; parts with another key are thrown away.
        size: items of a part; None for `SIZE`.
        noun: what an item is, for messages.
    """

    def __init__(
        self,
        target: Path,
        model: type[Row],
        key: Mapping[str, Any],
        size: int | None = None,
        noun: str = "image",
    ) -> None:
        # Path.resolve would follow a link, and what it leads to may lie on another disk
        place = Path(os.path.abspath(target))  # noqa: PTH100
        self.folder = place.with_name(f"{place.name.removesuffix('.parquet')}.parts")
        self._model = model
        self._about = json.loads(json.dumps({**_OURS, "version": __version__, "key": key}))
        self._size, self._noun = SIZE if size is None else size, noun
        self._done = 0

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep other runs away; a run that is stopped, or cannot write, leaves the parts, any other removes them.

        Raises:
            OutputError: the folder of the parts is something else.
            StoppedError: the run was stopped, and there are parts.
            WriteError: it cannot be locked.
        """
        with locked(self.folder):
            self._refuse_others()
            try:
                yield
            except WriteError:
                raise
            except KeyboardInterrupt:
                if not self._done:
                    raise
                items = plural(self._done, self._noun)
                raise StoppedError(f"stopped: {items} done; run the same again to go on") from None
            except MeDatasetsError:
                self._remove()
                raise
            self._remove()

    def kept(self) -> tuple[list[Row], list[Finding]]:
        """The rows and findings of an earlier run with the same key, as they were made."""
        rows: list[Row] = []
        findings: list[Finding] = []
        try:
            if read_json(self.folder / _ABOUT) != self._about:
                raise ValueError("parts of another run")
            while (path := self._path(len(rows))).is_file():
                part = [row for some in batches(path, self._model) for row in some]
                findings += [row for some in batches(self._findings_of(path), Finding) for row in some]
                rows += part
        except (OSError, ValueError, MeDatasetsError):
            self._remove()
            rows, findings = [], []
        self._done = len(rows)
        return rows, findings

    def keep(self, rows: Iterable[Row], findings: list[Finding]) -> Iterator[Row]:
        """The same rows, each part of them once it lies on the disk.

        Args:
            rows: those that were not `kept`.
            findings: grows while the rows are made.

        Raises:
            WriteError: a part cannot be written.
        """
        seen = len(findings)
        for part in in_groups(rows, self._size):
            self.begin()
            path = self._path(self._done)
            write_parquet(Finding, findings[seen:], self._findings_of(path))
            write_parquet(self._model, part, path)  # last: a part is there when this is
            self._done, seen = self._done + len(part), len(findings)
            yield from part

    def begin(self) -> None:
        """Make the folder, where there is none.

        Raises:
            WriteError: it cannot be made.
        """
        if not (self.folder / _ABOUT).is_file():
            artefact.write_file(self.folder / _ABOUT, json.dumps(self._about).encode())

    def _refuse_others(self) -> None:
        if not os.path.lexists(self.folder) or (self.folder.is_dir() and not any(self.folder.iterdir())):
            return
        try:
            about = read_json(self.folder / _ABOUT)
            ours = not self.folder.is_symlink() and {name: about[name] for name in _OURS} == _OURS
        except (OSError, ValueError, KeyError, TypeError):
            ours = False
        if not ours:
            raise OutputError(
                "what an interrupted run would leave goes here, and something else is in the place",
                where=str(self.folder),
                fix="choose another -o, or move it elsewhere",
            )

    def _remove(self) -> None:
        """Remove the folder; what tells whose it is goes last, so that the next run can go on with removing."""
        with suppress(OSError):
            for path in self.folder.iterdir():
                if path.is_dir():
                    shutil.rmtree(path, ignore_errors=True)
                elif path.name != _ABOUT:
                    path.unlink()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _path(self, first: int) -> Path:
        return self.folder / f"{first:06d}.parquet"

    def _findings_of(self, path: Path) -> Path:
        return path.with_name(f"{path.stem}-findings.parquet")


def resumed(
    tasks: Callable[[], Iterable[Task]],
    key_of: Callable[[Task], Hashable],
    known: Mapping[Any, Row],
    make: Callable[[Iterable[Task]], Iterator[Row]],
) -> Iterator[Row]:
    """The rows of all tasks, in order: those of an earlier run, and the others as they are made.

    Args:
        tasks: gives all of them in order, each time it is called.
        key_of: tells which row of ``known`` is that of a task.
        known: the rows of an earlier run.
        make: gives the rows of some tasks, in order.
    """
    made = make(task for task in tasks() if key_of(task) not in known)
    if not known:
        yield from made
        return
    for task in tasks():
        row = known.get(key_of(task))
        yield next(made) if row is None else row
