"""The content of a card, from which its README, page and JSON are generated."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datasets_me.cards import plots as plotting
from datasets_me.cards.facts import Facts, compute
from datasets_me.cards.timeline import Timeline, timeline
from datasets_me.core import resources
from datasets_me.core.errors import ManifestError
from datasets_me.core.files import read_json
from datasets_me.formats import manifest as manifests
from datasets_me.formats.manifest import Manifest
from datasets_me.schema import schema_files
from datasets_me.schema.schema_files import Schema

if TYPE_CHECKING:
    from datasets_me.findings.finding import Finding
    from datasets_me.formats.features import FeatureFolder
    from datasets_me.formats.records import VideoFeatures

TABLES = ("annotations", "videos", "findings")
_FILES = (*(f"{table}.parquet" for table in TABLES), "manifest.json", "schema.yaml")

PLOTS = {
    "durations": "How long the expressions last; up to 0.5 s, the dashed line, counts as micro.",
    "subjects": "Expressions per subject.",
    "emotions": "Expressions by emotion and type; the numbers are those of each type.",
    "action_units": "In how many expressions each action unit occurs; the numbers are those of each type.",
    "timeline": "All videos, one line each, with their expressions; the shortest are drawn wider than they are.",
}
"""What each plot shows, by the name of its file."""


@dataclass(frozen=True)
class ManifestFile:
    """A file of the manifest, with its hash and size."""

    name: str
    sha256: str
    bytes: int


@dataclass(frozen=True)
class ExtractionSummary:
    """An extraction of features: videos by status, frames by quality, videos that are not ok.

    ``known`` is false for arrays from elsewhere, of which only the shapes are known.
    """

    known: bool
    videos: int
    statuses: dict[str, int]
    frames: int
    quality: dict[str, int]
    rates: list[float]
    regions: list[str]
    units_px: list[float]
    troubles: list[tuple[str, str, str]]


@dataclass(frozen=True)
class Card:
    """The card of a manifest.

    ``plots`` has each plot's PNG, or the reason why there is none; ``made_by`` is the version of the tool that wrote
    the manifest; ``prose`` is the text about a shipped dataset, None for one of the user's own.
    """

    manifest: Manifest
    facts: Facts
    timeline: Timeline
    plots: dict[str, bytes | str]
    files: list[ManifestFile]
    made_by: str
    prose: str | None
    extraction: ExtractionSummary | None


def make(folder: Path, features: Path | None = None, findings: Sequence[Finding] | None = None) -> Card:
    """The card of the manifest in a folder, with a summary of an extraction where one is given.

    Args:
        folder: of the manifest.
        features: the folder of an extraction.
        findings: what the card counts, in place of what the conversion found.

    Raises:
        MeDatasetsError: the manifest or the features cannot be read, or matplotlib is not installed.
    """
    manifest = manifests.read(folder)
    counted = manifest if findings is None else replace(manifest, findings=list(findings))
    facts, lines = compute(counted), timeline(manifest)
    try:
        about = read_json(folder / "manifest.json")
        files = [_file(folder / name) for name in _FILES]
    except (OSError, ValueError) as error:
        raise ManifestError(
            f"the manifest cannot be read: {getattr(error, 'strerror', None) or error}", where=str(folder)
        ) from error
    return Card(
        manifest=manifest,
        facts=facts,
        timeline=lines,
        plots=plotting.draw(facts, lines, manifest.spec.title),
        files=files,
        made_by=str(about.get("tool", {}).get("version", "unknown")),
        prose=prose(manifest.schema),
        extraction=None if features is None else _extraction(_features(features, manifest)),
    )


def prose(schema: Schema) -> str | None:
    """The text ``cards/<id>.md`` of a dataset whose schema ships with the package.

    A user's schema with the same id but another title is another dataset, and so is a synthetic one.
    """
    path = resources.folder("cards") / f"{schema.spec.id}.md"
    shipped = {known.spec.id: known.spec.title for known in schema_files.shipped()}
    if shipped.get(schema.spec.id) != schema.spec.title or not path.is_file():
        return None
    return path.read_text(encoding="utf-8").strip()


def to_json(card: Card) -> dict[str, Any]:
    """The numbers of a card as JSON."""
    spec, facts = card.manifest.spec, asdict(card.facts)
    facts["found"] = [
        {"code": group.code, "name": group.name, "severity": group.severity, "count": group.count}
        for group in card.facts.found
    ]
    return {
        "dataset": spec.id,
        "title": spec.title,
        "facts": facts,
        "plots": {
            name: {"file": f"plots/{name}.png"} if isinstance(plot, bytes) else {"left_out": plot}
            for name, plot in card.plots.items()
        },
        "extraction": asdict(card.extraction) if card.extraction else None,
        "provenance": {
            "sources": card.manifest.sources,
            "variant": card.manifest.variant,
            "options": card.manifest.options,
            "schema": {"id": spec.id, "version": spec.version, "sha256": card.manifest.schema.sha256},
            "manifest_made_by": card.made_by,
            "manifest": [asdict(file) for file in card.files],
        },
    }


def _file(path: Path) -> ManifestFile:
    content = path.read_bytes()
    return ManifestFile(path.name, hashlib.sha256(content).hexdigest(), len(content))


def _features(folder: Path, manifest: Manifest) -> FeatureFolder:
    from datasets_me.formats import features as feature_files  # needs NumPy, which is there where matplotlib is

    return feature_files.read(folder, manifest)


def _extraction(features: FeatureFolder) -> ExtractionSummary:
    rows = features.rows
    statuses = Counter(row.status for row in rows)
    return ExtractionSummary(
        known=features.extracted,
        videos=len(rows),
        statuses={name: statuses[name] for name in ("ok", "partial", "failed")},
        frames=sum(row.frames for row in rows),
        quality={name: sum(getattr(row, name) for row in rows) for name in ("good", "missing", "no_face", "clipped")},
        rates=sorted({row.fps for row in rows}),
        regions=sorted({row.regions for row in rows}),
        units_px=sorted({row.unit_px for row in rows}),
        troubles=[(_name(row), row.status, row.why or "") for row in rows if row.status != "ok"],
    )


def _name(row: VideoFeatures) -> str:
    return f"{row.video} {row.expression}" if row.expression else row.video
