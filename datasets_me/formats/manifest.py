"""The manifest: a folder of Parquet tables where all stages meet.

::

    annotations.parquet  videos.parquet  findings.parquet  manifest.json  schema.yaml

Frames are 0-based, inclusive, int32 and nullable. ``schema.yaml`` is the schema the manifest was made with.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datasets_me.core import artefact
from datasets_me.core.errors import ManifestError, Place
from datasets_me.core.files import read_regular
from datasets_me.core.paths import check_table
from datasets_me.core.tables import Record, arrow_table, read_parquet, write_parquet
from datasets_me.findings.finding import Finding, finding
from datasets_me.formats.kinds import MANIFEST
from datasets_me.formats.records import Annotation, Video
from datasets_me.schema import schema_files
from datasets_me.schema.schema_files import Schema
from datasets_me.schema.spec import LeftOut, Relocation, Spec

if TYPE_CHECKING:
    import pandas as pd

_TABLES: dict[str, type[Record]] = {"annotations": Annotation, "videos": Video, "findings": Finding}

NOTICES = ("ME132", "ME133", "ME134")
"""Codes of findings about decisions and exclusions."""


@dataclass(frozen=True)
class Manifest:
    """A dataset, typed: annotations, videos, findings, the schema, and where they came from.

    ``sources`` are the files that were read, each with ``name``, ``sha256`` and ``bytes``; ``options`` are the user's;
    ``variant`` is the workbook variant of the annotations.
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
        """The dataset."""
        return self.schema.spec

    @property
    def notices(self) -> list[Finding]:
        """The findings that everything made of this manifest repeats: what was left out, and decisions not applied."""
        return [doubt for doubt in self.findings if doubt.code in NOTICES]

    def leaves_out(self, video: str) -> bool:
        """Whether the schema leaves a whole video out."""
        applied = bool(self.options.get("corrections", True))
        return applied and any(each.whole_video and each.video == video for each in self.spec.exclude)

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


def refuse_twice(manifests: Sequence[Manifest]) -> None:
    """Refuse manifests of which two are of one dataset.

    Raises:
        ManifestError: two are.
    """
    names = [manifest.spec.id for manifest in manifests]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise ManifestError(f"{twice} is given twice", fix="give each dataset's manifest once")


def left_out(entry: LeftOut, place: Place | None = None, path: str | None = None) -> Finding:
    """The finding that a row, or the folder of a video, is left out by an entry of the schema's exclusions."""
    what = "the whole video" if entry.whole_video else "the row"
    message = f"{what} is left out: {entry.why}"
    return finding("ME134", message, place=place, subject=entry.subject, video=entry.video, path=path)


def relocated(entry: Relocation, path: str, target: str, *, subject: str | None, video: str) -> Finding:
    """The finding that a folder of frames, or a video file, belongs at ``target`` by an entry of the relocations."""
    message = f"{entry.found} belongs at {entry.belongs}: {entry.why}"
    return finding("ME201", message, subject=subject, video=video, path=path, expected=target, found=path)


def refuse_other(manifest: object) -> None:
    """Refuse what a caller from Python gave in place of a manifest, such as the path of one.

    Raises:
        ManifestError: it is none.
    """
    if not isinstance(manifest, Manifest):
        what = f"the path '{manifest}'" if isinstance(manifest, str | Path) else type(manifest).__name__
        raise ManifestError(
            f"a manifest is needed, not {what}",
            fix="read_manifest(folder) reads one, convert(schema, workbook).manifest() makes one",
        )


def write(manifest: Manifest, folder: str | Path, *, force: bool = False) -> None:
    """Write a manifest. The same manifest gives the same bytes.

    With ``force`` an existing manifest is replaced, but no other folder.

    Raises:
        OutputError: the folder exists and may not be replaced.
        WriteError: it cannot be written.
    """
    refuse_other(manifest)
    with artefact.new_folder(Path(folder), MANIFEST, force=force) as new:
        _write_tables(manifest, new.path)
        new.about.update(
            dataset=manifest.spec.id,
            schema={
                "id": manifest.spec.id,
                "version": manifest.spec.version,
                "sha256": manifest.schema.sha256,
            },
            variant=manifest.variant,
            sources=manifest.sources,
            options=manifest.options,
            counts=manifest.counts(),
        )


def read(folder: str | Path) -> Manifest:
    """Read a manifest folder.

    Raises:
        ManifestError: there is none, it is damaged, or a newer version wrote it.
        PathError: the path of a video leads out of the root.
    """
    folder = Path(folder)
    about = artefact.read_about(folder, MANIFEST)
    try:
        schema = schema_files.parse(read_regular(folder / "schema.yaml").decode(), str(folder / "schema.yaml"))
        videos = read_parquet(Video, folder / "videos.parquet")
        check_table(folder / "videos.parquet", videos, paths=["path"])
        return Manifest(
            schema=schema,
            annotations=read_parquet(Annotation, folder / "annotations.parquet"),
            videos=videos,
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


def _write_tables(manifest: Manifest, folder: Path) -> None:
    for name, model in _TABLES.items():
        write_parquet(model, getattr(manifest, name), folder / f"{name}.parquet")
    (folder / "schema.yaml").write_text(manifest.schema.text, encoding="utf-8")
