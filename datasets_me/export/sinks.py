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
Item = Mapping[str, Value]


@dataclass(frozen=True)
class Stored:
    """Where an item lies: the file, relative to the export; its key in a shard; the file's hash if it is its own."""

    file: str
    key: str
    sha256: str | None = None


class Sink(Protocol):
    """Takes items in order, part by part or mixed."""

    def add(self, parts: Sequence[str], subject: str, stem: str, item: Item) -> list[Stored]:
        """Store an item in each of some parts; subject and stem are names as of `core.paths.safe_name`.

        Raises:
            PathError: they lead out of the export.
        """

    def close(self) -> None:
        """Write what is still held."""


def open_sink(form: ItemFormat, folder: Path, kind: str) -> Sink:
    """A sink under ``folder / kind``."""
    sinks = {"npz": NpzSink, "webdataset": TarSink, "parquet": ParquetSink}
    made: Sink = sinks[form](folder, kind)
    return made


def npz(item: Item) -> bytes:
    """An uncompressed npz that ``np.load`` reads with ``allow_pickle=False``: texts are arrays of unicode."""
    content = io.BytesIO()
    arrays = {
        name: np.array(value, str) if isinstance(value, list) else np.asarray(value) for name, value in item.items()
    }
    np.savez(content, **arrays)  # type: ignore[arg-type]
    return content.getvalue()


@dataclass
class NpzSink:
    """``<kind>/<part>/<subject>/<stem>.npz``; where there is but one part, without its name."""

    folder: Path
    kind: str
    made: set[Path] = field(default_factory=set)

    def add(self, parts: Sequence[str], subject: str, stem: str, item: Item) -> list[Stored]:
        content = npz(item)
        digest = hashlib.sha256(content).hexdigest()
        stored = []
        for part in parts:
            path = Path(self.kind, part, subject, f"{stem}.npz")
            place = under(self.folder, path.as_posix())
            if place.parent not in self.made:
                place.parent.mkdir(parents=True, exist_ok=True)
                self.made.add(place.parent)
            place.write_bytes(content)
            stored.append(Stored(path.as_posix(), stem, digest))
        return stored

    def close(self) -> None:
        """Nothing is held."""


SHARD = 1000
"""Items of a tar shard."""


@dataclass
class TarSink:
    """``<kind>/<part>-000000.tar`` of ``<subject>/<stem>.<name>.npy`` and ``….json``, with times and owners of zero.

    A full stop in a name would end the key that ``webdataset`` groups by, so it becomes ``%2E``; the JSON has the name.
    """

    folder: Path
    kind: str
    shards: dict[str, tuple[int, int, tarfile.TarFile]] = field(default_factory=dict)

    def add(self, parts: Sequence[str], subject: str, stem: str, item: Item) -> list[Stored]:
        key = f"{_without_stops(subject)}/{_without_stops(stem)}"
        arrays = {name: value for name, value in item.items() if isinstance(value, np.ndarray)}
        rest = {name: value for name, value in item.items() if name not in arrays}
        members = [(f"{key}.{name}.npy", npy(value)) for name, value in arrays.items()]
        members.append((f"{key}.json", json.dumps(rest, ensure_ascii=False, sort_keys=True).encode()))
        return [Stored(self._write(part or "all", members), key) for part in parts]

    def _write(self, part: str, members: list[tuple[str, bytes]]) -> str:
        number, held, shard = self.shards.get(part, (-1, SHARD, None))
        if shard is None or held == SHARD:
            if shard is not None:
                shard.close()
            number, held = number + 1, 0
            path = under(self.folder, self._path(part, number))
            path.parent.mkdir(parents=True, exist_ok=True)
            shard = tarfile.open(path, "w", format=tarfile.GNU_FORMAT)  # noqa: SIM115 - closed in close()
        for name, content in members:
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            shard.addfile(entry, io.BytesIO(content))
        self.shards[part] = (number, held + 1, shard)
        return self._path(part, number)

    def _path(self, part: str, number: int) -> str:
        return f"{self.kind}/{part}-{number:06}.tar"

    def close(self) -> None:
        for _, _, shard in self.shards.values():
            shard.close()


ROWS = 64
"""Items held before they are written as one row group."""


@dataclass
class ParquetSink:
    """``<kind>/<part>.parquet``: one row per item, arrays as nested lists of their own dtype."""

    folder: Path
    kind: str
    held: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    writers: dict[str, Any] = field(default_factory=dict)

    def add(self, parts: Sequence[str], subject: str, stem: str, item: Item) -> list[Stored]:
        stored = []
        for part in parts:
            name = part or "all"
            rows = self.held.setdefault(name, [])
            rows.append({"key": f"{subject}/{stem}", **item})
            if len(rows) == ROWS:
                self._flush(name)
            stored.append(Stored(f"{self.kind}/{name}.parquet", f"{subject}/{stem}"))
        return stored

    def _flush(self, part: str) -> None:
        import pyarrow.parquet as pq

        from datasets_me.export.columns import table

        rows = self.held[part]
        if not rows:
            return
        made = table(rows)
        if part not in self.writers:
            path = under(self.folder, f"{self.kind}/{part}.parquet")
            path.parent.mkdir(parents=True, exist_ok=True)
            self.writers[part] = pq.ParquetWriter(path, made.schema, compression="zstd")
        self.writers[part].write_table(made)
        rows.clear()

    def close(self) -> None:
        for part in self.held:
            self._flush(part)
        for writer in self.writers.values():
            writer.close()


def npy(array: NDArray[np.generic]) -> bytes:
    """An array as the bytes of an ``.npy`` file."""
    content = io.BytesIO()
    np.lib.format.write_array(content, np.asanyarray(array), allow_pickle=False)
    return content.getvalue()


def _without_stops(name: str) -> str:
    return name.replace("%", "%25").replace(".", "%2E")
