"""What there is to look at: the videos of a manifest with their annotations, features, findings and predictions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from datasets_me.core.errors import MeDatasetsError
from datasets_me.core.files import check_root
from datasets_me.core.rates import ratio
from datasets_me.core.tables import read_parquet
from datasets_me.core.text import printable
from datasets_me.findings.finding import Finding
from datasets_me.formats import features as feature_files
from datasets_me.formats.features import FeatureFolder
from datasets_me.formats.frame_files import choose_layout, frame_rate
from datasets_me.formats.manifest import Manifest
from datasets_me.formats.records import Annotation, Video, VideoFeatures

WEIGHTS = {"error": 100, "warning": 10, "info": 0}
"""How much an open finding adds to a video's place in the list of those that need eyes most."""


@dataclass
class Entry:
    """One video to look at.

    Attributes:
        number: its place in the dataset, by which it is asked for.
        source: its folder of frames, or its video file; without a path where there is none.
        fps: the rate of its frames.
        step: its frames per annotated frame: 8 for annotations at 25 frames a second of a video at 200.
        annotations: in order of onset.
        features: its row in the table of features, if there is one.
        findings: the numbers of the findings about it.
    """

    number: int
    source: Video
    fps: float
    step: Fraction
    annotations: list[Annotation]
    features: VideoFeatures | None = None
    findings: list[int] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The video's name, and the expression's where a folder holds one alone and the name does not end with it."""
        video, expression = self.source.video, self.source.expression
        return video if expression is None or video.endswith(expression) else f"{video} {expression}"

    @property
    def doubtful_frames(self) -> int:
        """Frames that are missing, have no face, or are cut at the edge of the crop."""
        row = self.features
        return 0 if row is None else row.missing + row.no_face + row.clipped


@dataclass(frozen=True)
class Spotted:
    """A predicted interval: frames at the annotations' rate, both included, and whether it hits an annotation."""

    type: str
    onset: int
    offset: int
    hit: bool


@dataclass
class Predicted:
    """Predicted intervals by video, predicted labels by annotation, and findings about rows that fit nothing."""

    intervals: dict[str, list[Spotted]] = field(default_factory=lambda: defaultdict(list))
    labels: dict[str, str] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


class Dataset:
    """A manifest with all that is known of its videos.

    Args:
        manifest: of the dataset.
        root: the folder under which the frames lie.
        features: the folder of an extraction, if there is one.
        predicted: intervals and labels that a model gave, by video and by annotation.

    Raises:
        MeDatasetsError: the root is not a folder, there is no video, or the features cannot be read or are of other
            videos.
    """

    def __init__(
        self, manifest: Manifest, root: Path, features: Path | None = None, predicted: Predicted | None = None
    ) -> None:
        check_root(root)
        self.manifest, self.root = manifest, root
        self.predicted = predicted or Predicted()
        self.features: FeatureFolder | None = None if features is None else feature_files.read(features, manifest)
        self.entries = _entries(manifest, {} if self.features is None else _rows(self.features))
        if not self.entries:
            raise MeDatasetsError("there is no video in the manifest", fix="make it with me-datasets convert … --root")
        if self.features is not None and self.features.rows and not any(each.features for each in self.entries):
            raise MeDatasetsError(
                f"the features are of other videos: {printable(self.features.rows[0].video)}, and none of the manifest",
                where=str(features),
                fix="give the features that were extracted from this manifest",
            )
        self.findings: list[Finding] = []
        self._numbers: dict[tuple[str, str, str], int] = {}
        self._of_video: dict[str, list[Entry]] = defaultdict(list)
        self._of_row: dict[tuple[str | None, int], Entry] = {}
        self._of_path = {entry.source.path: entry for entry in self.entries if entry.source.path}
        for entry in self.entries:
            self._of_video[entry.source.video].append(entry)
            for row in entry.annotations:
                self._of_row[row.source_sheet, row.source_row] = entry
        self.add(manifest.findings)
        self.add(_of_extraction(self.features))
        self.add(self.predicted.findings)

    def add(self, findings: Sequence[Finding]) -> list[int]:
        """Take in findings that are not known yet, and tie them to their videos; returns the numbers of all."""
        numbers = []
        for finding in findings:
            key = (finding.code, finding.where, finding.message)
            if key not in self._numbers:
                self._numbers[key] = len(self.findings)
                self.findings.append(finding)
                for entry in self.about(finding):
                    entry.findings.append(self._numbers[key])
            numbers.append(self._numbers[key])
        return numbers

    def about(self, finding: Finding) -> list[Entry]:
        """The videos that a finding is about; none where it is about the whole dataset."""
        if finding.row is not None and (finding.sheet, finding.row) in self._of_row:
            return [self._of_row[finding.sheet, finding.row]]
        if finding.path in self._of_path:
            return [self._of_path[finding.path]]
        return self._of_video.get(finding.video or "", [])

    def entry_of(self, row: Annotation) -> Entry | None:
        """The video that shows an annotation."""
        return self._of_row.get((row.source_sheet, row.source_row))

    def annotation(self, finding: Finding) -> Annotation | None:
        """The annotation that a finding is about, if it is about one row."""
        entry = self._of_row.get((finding.sheet, finding.row or 0))
        rows = entry.annotations if entry else []
        return next((row for row in rows if (row.source_sheet, row.source_row) == (finding.sheet, finding.row)), None)


def _entries(manifest: Manifest, rows: Mapping[tuple[str, str | None], VideoFeatures]) -> list[Entry]:
    """The videos of the layout that frames are taken from, and the annotated ones that it lacks."""
    layout = choose_layout(manifest, None) if any(video.path for video in manifest.videos) else None
    of_layout = [video for video in manifest.videos if video.layout == layout and video.path]
    there = {video.video for video in of_layout}
    lacking = {video.video: video for video in manifest.videos if video.annotations and video.video not in there}
    lacking |= {
        row.video: Video(dataset=row.dataset, subject=row.subject, video=row.video, fps=row.fps)
        for row in manifest.annotations
        if row.video not in there and row.video not in lacking
    }
    without = [video.model_copy(update={"path": None, "layout": None, "frames": None}) for video in lacking.values()]
    entries = []
    by_video: dict[str, list[Annotation]] = defaultdict(list)
    for row in manifest.annotations:
        by_video[row.video].append(row)
    for number, video in enumerate([*of_layout, *without]):
        shown = [row for row in by_video[video.video] if video.expression in (None, row.expression)]
        fps = frame_rate(manifest, video)
        entries.append(
            Entry(
                number=number,
                source=video,
                fps=fps,
                step=ratio(fps, shown[0].fps) if shown else Fraction(1),
                annotations=sorted(shown, key=_begin),
                features=rows.get((video.video, video.expression)) or rows.get((video.video, None)),
            )
        )
    return entries


def _begin(row: Annotation) -> int:
    return min((frame for frame in (row.onset, row.apex, row.offset) if frame is not None), default=0)


def _rows(folder: FeatureFolder) -> dict[tuple[str, str | None], VideoFeatures]:
    return {(row.video, row.expression): row for row in reversed(folder.rows)}


def _of_extraction(folder: FeatureFolder | None) -> list[Finding]:
    if folder is None or not folder.extracted:
        return []
    path = folder.folder / feature_files.FINDINGS
    try:
        return read_parquet(Finding, path)
    except (OSError, ValueError) as error:
        raise MeDatasetsError(f"the findings of the extraction cannot be read: {error}", where=str(path)) from error
