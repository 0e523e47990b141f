"""The numbers of a card, computed from a manifest; README, page and plots only lay them out."""

from __future__ import annotations

import re
import statistics
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from datasets_me.cards.durations import Histogram, histogram, seconds
from datasets_me.core.choices import ExpressionType
from datasets_me.findings.codes import SEVERITIES, all_codes
from datasets_me.findings.finding import Finding
from datasets_me.formats.manifest import Manifest
from datasets_me.formats.records import Annotation
from datasets_me.schema.spec import FRAME_FIELDS, Spec

TYPES: tuple[ExpressionType, ...] = ("micro", "macro")
LONGEST_MICRO = 0.5
"""Seconds up to which an expression counts as micro (Yan, Wu, Liang, Chen, Fu: How Fast Are the Leaked Facial
Expressions, Journal of Nonverbal Behavior 37, 2013)."""


@dataclass(frozen=True)
class Share:
    """How many expressions of each type have one label."""

    label: str
    micro: int
    macro: int

    @property
    def total(self) -> int:
        """Expressions of both types."""
        return self.micro + self.macro


@dataclass(frozen=True)
class LengthSummary:
    """Lengths of the expressions of one type, onset and offset included.

    ``known`` counts the rows whose onset and offset are annotated and in order; only these are measured. Lengths are in
    frames, null where the dataset has several frame rates; ``median_s`` and ``mean_s`` are in seconds. ``within``
    counts expressions of at most 0.5 s.
    """

    type: str
    rows: int
    known: int
    least: int | None
    median: float | None
    mean: float | None
    greatest: int | None
    median_s: float | None
    mean_s: float | None
    within: int


@dataclass(frozen=True)
class Published:
    """A published count and that of the manifest."""

    what: str
    published: int
    here: int


@dataclass(frozen=True)
class LayoutFolders:
    """The folders of frames of one layout; ``sizes`` are those of the images, width × height px."""

    layout: str
    folders: int
    frames: int
    missing: int
    sizes: list[str]


@dataclass(frozen=True)
class Defect:
    """A defect of the dataset that is recorded in its schema: where, and the reason."""

    kind: str
    what: str
    why: str


@dataclass(frozen=True)
class CodeFindings:
    """The findings of one code."""

    code: str
    name: str
    severity: str
    what: str
    fix: str
    findings: list[Finding]

    @property
    def count(self) -> int:
        """How many findings there are."""
        return len(self.findings)


@dataclass(frozen=True)
class Facts:
    """The numbers of a dataset.

    ``missing`` counts the rows without an onset, apex, offset; ``unlabelled`` those without an emotion;
    ``with_aus`` those with at least one action unit, ``unread_aus`` those where part of the text was not understood.
    ``aus`` counts rows, so that a unit that occurs twice in a row counts once.
    """

    annotations: int
    subjects: list[Share]
    videos: int
    types: list[str]
    fps: list[float]
    lengths: list[LengthSummary]
    durations: Histogram | None
    missing: dict[str, int]
    emotions: list[Share]
    unlabelled: int
    class_3: list[Share]
    class_5: list[Share]
    aus: list[Share]
    with_aus: int
    unread_aus: int
    published: list[Published]
    folders: list[LayoutFolders]
    defects: list[Defect]
    corrected: int
    found: list[CodeFindings]

    def of_severity(self, name: str) -> int:
        """The number of findings of a severity."""
        return sum(group.count for group in self.found if group.severity == name)


def compute(manifest: Manifest) -> Facts:
    """The facts of a manifest."""
    rows = manifest.annotations
    types = [kind for kind in TYPES if any(row.type == kind for row in rows)]
    return Facts(
        annotations=len(rows),
        subjects=sorted(shares(rows, lambda row: [row.subject]), key=lambda share: natural(share.label)),
        videos=len({row.video for row in rows}),
        types=list(types),
        fps=sorted({row.fps for row in rows}) or [manifest.spec.fps],
        lengths=[
            _lengths(kind, [row for row in rows if row.type == kind], one_rate=len({row.fps for row in rows}) == 1)
            for kind in types
        ],
        durations=histogram(rows, types),
        missing={name: sum(getattr(row, name) is None for row in rows) for name in FRAME_FIELDS},
        emotions=shares(rows, lambda row: [row.emotion]),
        unlabelled=sum(not row.emotion for row in rows),
        class_3=shares(rows, lambda row: [row.class_3]),
        class_5=shares(rows, lambda row: [row.class_5]),
        aus=shares(rows, lambda row: sorted({str(unit.au) for unit in row.aus})),
        with_aus=sum(bool(row.aus) for row in rows),
        unread_aus=sum(bool(row.aus_unread) for row in rows),
        published=_published(manifest),
        folders=_folders(manifest),
        defects=_defects(manifest.spec),
        corrected=sum(bool(row.corrected) for row in rows),
        found=_found(manifest.findings),
    )


def shares(rows: Sequence[Annotation], labels: Callable[[Annotation], Iterable[str | None]]) -> list[Share]:
    """Rows per label, the most frequent first; equal ones in the order of their names."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        for label in labels(row):
            if label:
                counts[label][row.type] += 1
    entries = [Share(label, types["micro"], types["macro"]) for label, types in counts.items()]
    return sorted(entries, key=lambda share: (-share.total, natural(share.label)))


def natural(text: str) -> list[tuple[int, int, str]]:
    """A key that sorts digits within names as numbers: ``s2`` before ``s10``."""
    parts = re.findall(r"[0-9]+|[^0-9]+", text)
    return [(0, len(part.lstrip("0")), part.lstrip("0")) if part[0] in "0123456789" else (1, 0, part) for part in parts]


def _lengths(kind: str, rows: Sequence[Annotation], *, one_rate: bool) -> LengthSummary:
    known = [row for row in rows if row.length is not None and row.length > 0]
    frames = [row.length or 0 for row in known] if one_rate else []
    times = [seconds(row) or 0.0 for row in known]
    return LengthSummary(
        type=kind,
        rows=len(rows),
        known=len(known),
        least=min(frames, default=None),
        median=statistics.median(frames) if frames else None,
        mean=sum(frames) / len(frames) if frames else None,
        greatest=max(frames, default=None),
        median_s=statistics.median(times) if times else None,
        mean_s=sum(times) / len(times) if times else None,
        within=sum(time <= LONGEST_MICRO for time in times),
    )


def _published(manifest: Manifest) -> list[Published]:
    expected, counts = manifest.spec.expected_of(manifest.variant), manifest.counts()
    pairs = [
        ("annotations", expected.annotations, counts["annotations"]),
        ("micro-expressions", expected.micro, counts["micro"]),
        ("macro-expressions", expected.macro, counts["macro"]),
        ("subjects", expected.subjects, counts["subjects"]),
        ("annotated videos", expected.videos, counts["annotated_videos"]),
    ]
    emotions = Counter(row.emotion for row in manifest.annotations)
    pairs += [(f"emotion {label}", count, emotions[label]) for label, count in expected.emotions.items()]
    if counts["folders"]:
        layouts = Counter(video.layout for video in manifest.videos if video.path is not None)
        pairs += [(f"folders in {name}", count, layouts[name]) for name, count in expected.folders.items()]
    return [Published(what, published, here) for what, published, here in pairs if published is not None]


def _folders(manifest: Manifest) -> list[LayoutFolders]:
    groups = []
    for layout in sorted({video.layout or "" for video in manifest.videos if video.path is not None}):
        videos = [video for video in manifest.videos if video.path is not None and (video.layout or "") == layout]
        sizes = Counter(f"{video.width} × {video.height}" for video in videos if video.width and video.height)
        groups.append(
            LayoutFolders(
                layout=layout,
                folders=len(videos),
                frames=sum(video.frames or 0 for video in videos),
                missing=sum(video.missing or 0 for video in videos),
                sizes=sorted(sizes, key=lambda size: (-sizes[size], size)),
            )
        )
    return groups


def _defects(spec: Spec) -> list[Defect]:
    relocations = [
        Defect("relocation", f"{item.found} of {item.layout} belongs at {item.belongs}", item.why)
        for item in spec.relocations
    ]
    corrections = [
        Defect(
            "correction",
            f"{' '.join(filter(None, (item.video, item.expression)))}: {item.column} {item.old} should be {item.new}",
            item.why,
        )
        for item in spec.corrections
    ]
    exclusions = [
        Defect("exclusion", f"{' '.join(filter(None, (item.video, item.expression)))} is left out", item.why)
        for item in spec.exclude
    ]
    absences = [
        Defect("absence", f"{' '.join(filter(None, (item.video, item.expression)))} is not in {item.layout}", item.why)
        for item in spec.absent
    ]
    return [*relocations, *corrections, *exclusions, *absences]


def _found(findings: Sequence[Finding]) -> list[CodeFindings]:
    grouped: dict[tuple[str, str], list[Finding]] = defaultdict(list)
    for finding in findings:
        grouped[finding.code, finding.severity].append(finding)
    known = all_codes()
    groups = []
    for (code, severity), same in grouped.items():
        entry = known.get(code)  # a manifest of another version may have codes that this one lacks
        groups.append(
            CodeFindings(
                code=code,
                name=entry.name if entry else "",
                severity=severity,
                what=entry.what if entry else "",
                fix=entry.fix if entry else "",
                findings=same,
            )
        )
    return sorted(groups, key=lambda group: (SEVERITIES.index(group.findings[0].severity), group.code))
