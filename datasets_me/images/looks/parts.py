"""What was measured so far, kept in parts, so that a run that was killed goes on where it was.

::

    faces.parts/  about.json  000000.parquet  000000-findings.parquet  000512.parquet  …

The parts lie beside the table that is being made, and are removed when it is whole. Each holds the rows of a run of
images in order of the set; together they are those of its first images. Parts of another run (other images, options or
another version) are thrown away.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Generic, TypeVar

from datasets_me.core import artefact
from datasets_me.core.errors import MeDatasetsError
from datasets_me.core.files import read_json
from datasets_me.core.tables import Record, batches, in_groups, write_parquet
from datasets_me.findings.finding import Finding

Row = TypeVar("Row", bound=Record)

SIZE = 512
"""Images of a part: what a killed run may lose."""

_ABOUT = "about.json"


class Parts(Generic[Row]):
    """The parts of one table.

    Args:
        table: the table that is being made.
        model: of the rows.
        key: what the rows depend on; parts with another key are thrown away.
    """

    def __init__(self, table: Path, model: type[Row], key: Mapping[str, Any]) -> None:
        self._folder = table.with_suffix(".parts")
        self._model = model
        self._key = json.loads(json.dumps(key))
        self._done = 0

    def kept(self) -> tuple[list[Row], list[Finding]]:
        """The rows and findings of an earlier run with the same key, as far as they follow each other."""
        rows: list[Row] = []
        findings: list[Finding] = []
        try:
            if read_json(self._folder / _ABOUT) != self._key:
                raise ValueError("parts of another run")
            while (path := self._path(len(rows))).is_file():
                part = [row for some in batches(path, self._model) for row in some]
                findings += [row for some in batches(self._findings_of(path), Finding) for row in some]
                rows += part
        except (OSError, ValueError, MeDatasetsError):
            self.remove()
            rows, findings = [], []
        self._done = len(rows)
        return rows, findings

    def keep(self, rows: Iterable[Row], findings: list[Finding]) -> Iterator[Row]:
        """The same rows, each part of them once it lies on the disk.

        Args:
            rows: those after the ones that were `kept`, in order.
            findings: grows while the rows are made.

        Raises:
            WriteError: a part cannot be written.
        """
        seen = len(findings)
        for part in in_groups(rows, SIZE):
            if not (self._folder / _ABOUT).is_file():
                self._folder.mkdir(parents=True, exist_ok=True)
                artefact.write_file(self._folder / _ABOUT, json.dumps(self._key).encode())
            path = self._path(self._done)
            write_parquet(Finding, findings[seen:], self._findings_of(path))
            write_parquet(self._model, part, path)  # last: a part is there when this is
            self._done, seen = self._done + len(part), len(findings)
            yield from part

    def remove(self) -> None:
        """Remove all parts."""
        with suppress(FileNotFoundError):
            shutil.rmtree(self._folder)

    def _path(self, first: int) -> Path:
        return self._folder / f"{first:06d}.parquet"

    def _findings_of(self, path: Path) -> Path:
        return path.with_name(f"{path.stem}-findings.parquet")
