"""Where items are stored: one npz each, tar shards for ``webdataset``, or one Parquet table per part.

An item is a mapping from names to arrays, texts, numbers and lists of texts. The same items give the same bytes.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from datasets_me.core.paths import under

if TYPE_CHECKING:
    from datasets_me.core.choices import ItemFormat

Value = NDArray[np.generic] | str | int | float | list[str]
ExportItem = Mapping[str, Value]


@dataclass(frozen=True)
class Stored:
    """Where an item lies: the file, relative to the export; its key there; the hash of a file that holds it alone."""

    file: str
    key: str
    sha256: str | None = None


class Sink(Protocol):
    """Stores items in the order they come, part by part or mixed."""

    def add(self, parts: Sequence[str], subject: str, stem: str, item: ExportItem) -> list[Stored]:
        """Store an item in each of ``parts``; subject and stem are safe names (`core.paths.safe_name`).

        Raises:
            PathError: the path would lie outside the export.
        """

    def close(self) -> None:
        """Write what is still in memory, and close the files."""


def open_sink(form: ItemFormat, folder: Path, kind: str) -> Sink:
    """A sink under ``folder / kind``."""
    sinks = {"npz": NpzSink, "webdataset": TarSink, "parquet": ParquetSink}
    sink: Sink = sinks[form](folder, kind)
    return sink


def npz(item: ExportItem) -> bytes:
    """An uncompressed npz that ``np.load`` reads with ``allow_pickle=False``: texts are arrays of unicode."""
    content = io.BytesIO()
    arrays = {
        name: np.array(value, str) if isinstance(value, list) else np.asarray(value) for name, value in item.items()
    }
    np.savez(content, **arrays)  # type: ignore[arg-type]
    return content.getvalue()


@dataclass
class NpzSink:
    """``<kind>/<part>/<subject>/<stem>.npz``; without ``<part>`` where there is only one."""

    folder: Path
    kind: str
    folders: set[Path] = field(default_factory=set)

    def add(self, parts: Sequence[str], subject: str, stem: str, item: ExportItem) -> list[Stored]:
        """Write one file per part."""
        content = npz(item)
        digest = hashlib.sha256(content).hexdigest()
        stored = []
        for part in parts:
            path = Path(self.kind, part, subject, f"{stem}.npz")
            place = under(self.folder, path.as_posix())
            if place.parent not in self.folders:
                place.parent.mkdir(parents=True, exist_ok=True)
                self.folders.add(place.parent)
            place.write_bytes(content)
            stored.append(Stored(path.as_posix(), stem, digest))
        return stored

    def close(self) -> None:
        """Nothing is kept in memory."""


SHARD = 1000
"""Items per tar shard."""


@dataclass
class TarSink:
    """``<kind>/<part>-000000.tar`` with ``<subject>/<stem>.<name>.npy`` and ``….json``; times and owners are zero.

    A full stop in a name would end the key that ``webdataset`` groups by, so it becomes ``%2E``; the JSON is unescaped.
    """

    folder: Path
    kind: str
    shards: dict[str, tuple[int, int, tarfile.TarFile]] = field(default_factory=dict)

    def add(self, parts: Sequence[str], subject: str, stem: str, item: ExportItem) -> list[Stored]:
        """Append the item's members to the current shard of each part."""
        key = f"{_escaped(subject)}/{_escaped(stem)}"
        arrays = {name: value for name, value in item.items() if isinstance(value, np.ndarray)}
        rest = {name: value for name, value in item.items() if name not in arrays}
        members = [(f"{key}.{name}.npy", npy(value)) for name, value in arrays.items()]
        members.append((f"{key}.json", json.dumps(rest, ensure_ascii=False, sort_keys=True).encode()))
        return [Stored(self._write(part or "all", members), key) for part in parts]

    def _write(self, part: str, members: list[tuple[str, bytes]]) -> str:
        number, count, shard = self.shards.get(part, (-1, SHARD, None))
        if shard is None or count == SHARD:
            if shard is not None:
                shard.close()
            number, count = number + 1, 0
            path = under(self.folder, self._path(part, number))
            path.parent.mkdir(parents=True, exist_ok=True)
            shard = tarfile.open(path, "w", format=tarfile.GNU_FORMAT)  # noqa: SIM115 - closed in close()
        for name, content in members:
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            shard.addfile(entry, io.BytesIO(content))
        self.shards[part] = (number, count + 1, shard)
        return self._path(part, number)

    def _path(self, part: str, number: int) -> str:
        return f"{self.kind}/{part}-{number:06}.tar"

    def close(self) -> None:
        """Close the last shard of each part."""
        for _, _, shard in self.shards.values():
            shard.close()


ROWS = 64
"""Items that are written together as one row group."""


@dataclass
class ParquetSink:
    """``<kind>/<part>.parquet``: one row per item, arrays as nested lists of their own dtype."""

    folder: Path
    kind: str
    waiting: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    writers: dict[str, Any] = field(default_factory=dict)

    def add(self, parts: Sequence[str], subject: str, stem: str, item: ExportItem) -> list[Stored]:
        """Append the item as a row to the table of each part."""
        stored = []
        for part in parts:
            name = part or "all"
            rows = self.waiting.setdefault(name, [])
            rows.append({"key": f"{subject}/{stem}", **item})
            if len(rows) == ROWS:
                self._flush(name)
            stored.append(Stored(f"{self.kind}/{name}.parquet", f"{subject}/{stem}"))
        return stored

    def _flush(self, part: str) -> None:
        import pyarrow.parquet as pq

        from datasets_me.export.columns import table

        rows = self.waiting[part]
        if not rows:
            return
        rows_table = table(rows)
        if part not in self.writers:
            path = under(self.folder, f"{self.kind}/{part}.parquet")
            path.parent.mkdir(parents=True, exist_ok=True)
            self.writers[part] = pq.ParquetWriter(path, rows_table.schema, compression="zstd")
        self.writers[part].write_table(rows_table)
        rows.clear()

    def close(self) -> None:
        """Write the rows that are still in memory, and close the tables."""
        for part in self.waiting:
            self._flush(part)
        for writer in self.writers.values():
            writer.close()


def npy(array: NDArray[np.generic]) -> bytes:
    """An array as the bytes of an ``.npy`` file."""
    content = io.BytesIO()
    np.lib.format.write_array(content, np.asanyarray(array), allow_pickle=False)
    return content.getvalue()


def _escaped(name: str) -> str:
    return name.replace("%", "%25").replace(".", "%2E")
