"""What a run has made so far, kept in parts, so that one that was killed goes on where it was.

::

    faces.parts/  about.json  000000.parquet  000000-findings.parquet  000512.parquet  …

The parts lie beside the table or folder that is being made, and are removed when it is whole. Files of a folder lie
among them until then. Each part holds the rows of some items, such as images. Parts of another run (other items,
options or another version) are thrown away; items that could not be read are looked at again.

Nothing else is removed or taken: what somebody put there stays, and is refused by the next run.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Generic, TypeVar

from datasets_me.core import artefact
from datasets_me.core.artefact import TOOL
from datasets_me.core.errors import MeDatasetsError, OutputError, StoppedError, WriteError, plural
from datasets_me.core.files import read_json
from datasets_me.core.locks import locked
from datasets_me.core.paths import under
from datasets_me.core.tables import Record, batches, in_groups, write_parquet
from datasets_me.core.version import __version__
from datasets_me.findings.finding import Finding

Row = TypeVar("Row", bound=Record)
Other = TypeVar("Other", bound=Record)
Task = TypeVar("Task")

SIZE = 512
"""Items of a part, where none is given: what a killed run may lose."""

_ABOUT = "about.json"
_OURS = {"kind": "parts", "tool": TOOL}
_PART = re.compile(r"\d{6,}(-findings)?\.parquet")
_SUFFIXES = (".jpg", ".png", ".npz")  # of the files that lie among the parts, in folders


class Done(Record):
    """What was made of one image: records and findings as JSON, and files.

    ``record`` tells of the image, each of ``others`` of something in it, or made from it. ``files`` are paths in the
    folder and ``sizes`` their bytes; ``read`` says whether the image could be read.
    """

    id: str
    record: str
    others: list[str]
    findings: list[str]
    files: list[str]
    sizes: list[int]
    read: bool

    def content(self, record: type[Row], others: type[Other]) -> tuple[Row, list[Other], list[Finding]]:
        """Its records, of these kinds, and its findings."""
        return (
            record.model_validate_json(self.record),
            [others.model_validate_json(each) for each in self.others],
            [Finding.model_validate_json(each) for each in self.findings],
        )


def done(
    folder: Path, name: str, records: Sequence[Record], findings: Iterable[Finding], files: Sequence[str], *, read: bool
) -> Done:
    """What was made of the image with this id; ``records`` are that of the image, and the others.

    Raises:
        WriteError: one of the files is gone.
    """
    record, *others = (each.model_dump_json() for each in records)
    try:
        sizes = [(folder / path).stat().st_size for path in files]
    except OSError as error:
        raise WriteError(
            f"a file that was just written is gone: {error.strerror}", where=str(error.filename)
        ) from error
    texts = [each.model_dump_json() for each in findings]
    return Done(id=name, record=record, others=others, findings=texts, files=list(files), sizes=sizes, read=read)


class Parts(Generic[Row]):
    """The parts of one table or folder.

    Args:
        target: the table or folder that is being made.
        model: of the rows.
        key: what the rows depend on beside the version; parts with another key are thrown away.
        folders: names of the folders of files that lie among the parts.
        size: items of a part; None for `SIZE`.
        noun: what an item is, for messages.
    """

    def __init__(
        self,
        target: Path,
        model: type[Row],
        key: Mapping[str, Any],
        *,
        folders: Sequence[str] = (),
        size: int | None = None,
        noun: str = "image",
    ) -> None:
        # Path.resolve would follow a link, and what it leads to may lie on another disk
        place = Path(os.path.abspath(target))  # noqa: PTH100
        self.folder = place.with_name(f"{place.name.removesuffix('.parquet')}.parts")
        self._model = model
        self._about = json.loads(json.dumps({**_OURS, "version": __version__, "key": key, "folders": folders}))
        self._size, self._noun = SIZE if size is None else size, noun
        self._done = 0

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep other runs away; a run that is stopped, or cannot write, leaves the parts, any other removes them.

        Raises:
            OutputError: the folder of the parts is something else.
            StoppedError: the run was stopped; it says whether there are parts.
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
                    self._remove()
                    raise StoppedError("stopped; nothing is kept") from None
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
        artefact.clear(self.folder / _ABOUT)  # of a run that was killed before it had said whose they are
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

    def give(self, new: artefact.NewFolder, files: Collection[str]) -> None:
        """Move the folders of files, which are whole now, into the new one, but only these files."""
        for name in self._about["folders"]:
            others = [path for path in self._below(name) if path.relative_to(self.folder).as_posix() not in files]
            for path in others:
                self._remove_file(path, [name])
            _remove_empty(self.folder / name)
            if (self.folder / name).is_dir():
                new.take(self.folder / name, [path for path in others if path.exists()])

    def _below(self, name: str = "") -> list[Path]:
        return [Path(folder) / each for folder, _, files in os.walk(self.folder / name) for each in files]

    def _remove(self) -> None:
        """Remove what a run writes here, and the folders that are empty then.

        What tells whose they are goes last, so that the next run can go on with removing.
        """
        artefact.clear_below(self.folder)
        folders = self._folders()
        for path in sorted(self._below(), key=lambda path: path.name == _ABOUT):
            self._remove_file(path, folders)
        _remove_empty(self.folder)

    def _folders(self) -> list[str]:
        """The folders of files of the run that left what there is."""
        try:
            return list(read_json(self.folder / _ABOUT)["folders"])
        except (OSError, ValueError, KeyError, TypeError):
            return []

    def _remove_file(self, path: Path, folders: Sequence[str]) -> None:
        """Remove a file if its place and name are those of one that a run with such folders writes."""
        first, *below = path.relative_to(self.folder).parts
        if below:
            written = first in folders and path.suffix in _SUFFIXES
        else:
            written = first == _ABOUT or _PART.fullmatch(first) is not None
        if written:
            path.unlink(missing_ok=True)

    def _path(self, first: int) -> Path:
        return self.folder / f"{first:06d}.parquet"

    def _findings_of(self, path: Path) -> Path:
        return path.with_name(f"{path.stem}-findings.parquet")


def _remove_empty(folder: Path) -> None:
    """Remove a folder and those below it, as far as they are empty."""
    for below, _, _ in os.walk(folder, topdown=False):
        with suppress(OSError):  # it is not empty
            Path(below).rmdir()


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


def with_files(
    parts: Parts[Done],
    tasks: Callable[[], Iterable[Task]],
    name_of: Callable[[Task], str],
    make: Callable[[Iterable[Task]], Iterator[Done]],
) -> Iterator[Done]:
    """What is made of all images, in order: by an earlier run whose files are there, and now; see `resumed`."""
    known = {each.id: each for each in parts.kept()[0] if each.read and _are_there(parts.folder, each)}
    parts.begin()
    return resumed(tasks, name_of, known, lambda some: parts.keep(make(some), []))


def _are_there(folder: Path, image: Done) -> bool:
    """Whether the files of an image are where an earlier run put them, and whole."""
    try:
        return [under(folder, path).stat().st_size for path in image.files] == image.sizes
    except (OSError, MeDatasetsError):
        return False
