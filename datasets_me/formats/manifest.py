"""The manifest: a folder of Parquet tables where all stages meet.

::

    annotations.parquet  videos.parquet  findings.parquet  manifest.json  schema.yaml

Frames are 0-based, inclusive, int32 and nullable. ``schema.yaml`` is the schema the manifest was made with.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datasets_me.core.errors import ManifestError
from datasets_me.core.files import TOOL, made_here, new_folder, read_json, read_regular
from datasets_me.core.tables import Record, arrow_table, read_parquet
from datasets_me.core.version import __version__
from datasets_me.findings.finding import Finding
from datasets_me.formats.records import Annotation, Video
from datasets_me.schema import schema_files
from datasets_me.schema.schema_files import Schema
from datasets_me.schema.spec import Spec

if TYPE_CHECKING:
    import pandas as pd

_FORMAT = 1  # of the folder; raised when a reader of the old one would go wrong
_TABLES: dict[str, type[Record]] = {"annotations": Annotation, "videos": Video, "findings": Finding}
_FILES = {"manifest.json", "schema.yaml", *(f"{name}.parquet" for name in _TABLES)}


@dataclass(frozen=True)
class Manifest:
    """A dataset, typed: annotations, videos, findings, the schema, and where it all came from.

    ``sources`` are the files read, each with ``name``, ``sha256`` and ``bytes``; ``options`` what the user chose;
    ``variant`` the workbook variant the annotations were read by.
    """

    schema: Schema
    annotations: list[Annotation]
    videos: list[Video]
    findings: list[Finding]
    variant: str
    sources: list[dict[str, Any]] = field(default_factory=list)
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def spec(self) -> Spec:
        return self.schema.spec

    def counts(self) -> dict[str, Any]:
        """Rows by type, subjects, videos, and findings by code."""
        types = Counter(row.type for row in self.annotations)
        return {
            "annotations": len(self.annotations),
            "micro": types["micro"],
            "macro": types["macro"],
            "subjects": len({row.subject for row in self.annotations}),
            "annotated_videos": len({row.video for row in self.annotations}),
            "folders": sum(row.path is not None for row in self.videos),
            "findings": dict(sorted(Counter(row.code for row in self.findings).items())),
        }

    def to_pandas(self, table: str = "annotations") -> pd.DataFrame:
        """One table (``annotations``, ``videos`` or ``findings``) as a DataFrame with nullable dtypes."""
        import pandas as pd

        rows: Sequence[Record] = getattr(self, table)
        frame: pd.DataFrame = arrow_table(_TABLES[table], rows).to_pandas(types_mapper=pd.ArrowDtype)
        return frame


def write(manifest: Manifest, folder: Path, *, force: bool = False) -> None:
    """Write a manifest: first under a temporary name, then renamed, so that no half of one is ever seen.

    The same manifest gives the same bytes. With ``force`` an existing manifest is replaced; any other folder is not.

    Raises:
        ManifestError: the folder exists already.
        WriteError: it cannot be written.
    """
    if folder.exists():
        _refuse_to_overwrite(folder, force)
    with new_folder(folder, "manifest") as temporary:
        _write_tables(manifest, temporary)


def read(folder: Path) -> Manifest:
    """Read a manifest folder.

    Raises:
        ManifestError: there is none, it is damaged, or a newer version wrote it.
    """
    if not (folder / "manifest.json").is_file():
        reason = "there is no manifest.json in it" if folder.is_dir() else "there is no such folder"
        raise ManifestError(f"not a manifest: {reason}", where=str(folder), fix="make one with me-datasets convert")
    try:
        about = read_json(folder / "manifest.json")
        if about["format"] > _FORMAT:
            raise ManifestError(
                f"the manifest has format {about['format']}, this version reads {_FORMAT}",
                where=str(folder),
                fix="install a newer me-datasets",
            )
        schema = schema_files.parse(read_regular(folder / "schema.yaml").decode(), str(folder / "schema.yaml"))
        return Manifest(
            schema=schema,
            annotations=read_parquet(Annotation, folder / "annotations.parquet"),
            videos=read_parquet(Video, folder / "videos.parquet"),
            findings=read_parquet(Finding, folder / "findings.parquet"),
            variant=about["variant"],
            sources=list(about["sources"]),
            options=dict(about["options"]),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ManifestError(
            f"the manifest is damaged: {error}",
            where=str(folder),
            fix="make it again with me-datasets convert",
        ) from error


def _refuse_to_overwrite(folder: Path, force: bool) -> None:
    names = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    if "manifest.json" not in names or not made_here(folder / "manifest.json"):
        raise ManifestError("the output exists and is not a manifest", where=str(folder), fix="choose another -o")
    if not force:
        raise ManifestError("the manifest exists already", where=str(folder), fix="add --force to replace it")
    foreign = sorted(name for name in names if name not in _FILES or not (folder / name).is_file())
    if foreign:
        raise ManifestError(
            f"the manifest's folder holds other files, which would be lost: {', '.join(foreign[:5])}",
            where=str(folder),
            fix="put them elsewhere, or choose another -o",
        )


def _write_tables(manifest: Manifest, folder: Path) -> None:
    import pyarrow.parquet as pq

    for name, model in _TABLES.items():
        with (folder / f"{name}.parquet").open("wb") as file:
            pq.write_table(arrow_table(model, getattr(manifest, name)), file, compression="zstd")
    (folder / "schema.yaml").write_text(manifest.schema.text, encoding="utf-8")
    about = {
        "format": _FORMAT,
        "dataset": manifest.spec.id,
        "schema": {
            "id": manifest.spec.id,
            "version": manifest.spec.version,
            "sha256": manifest.schema.sha256,
        },
        "variant": manifest.variant,
        "sources": manifest.sources,
        "options": manifest.options,
        "tool": {"name": TOOL, "version": __version__},
        "counts": manifest.counts(),
    }
    text = json.dumps(about, indent=2, ensure_ascii=False) + "\n"
    (folder / "manifest.json").write_text(text, encoding="utf-8")
    for path in folder.iterdir():
        with path.open("rb") as file:
            os.fsync(file.fileno())
