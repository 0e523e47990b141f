"""Annotated expressions beside the frames that show them: what exports of pictures are made from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from datasets_me.core.errors import FeaturesError, FolderError
from datasets_me.core.files import check_root
from datasets_me.core.rates import ratio, shown
from datasets_me.export import frames_on_disk as disk
from datasets_me.export import labels
from datasets_me.export.faces import Face, Picture, face_of
from datasets_me.export.sinks import Stored
from datasets_me.findings.finding import Finding
from datasets_me.formats.features import FeatureFolder
from datasets_me.formats.frame_files import FrameFiles, choose_layout, frame_files, frame_rate
from datasets_me.formats.items import ItemRow
from datasets_me.formats.manifest import Manifest
from datasets_me.formats.records import Annotation, Video, VideoFeatures


@dataclass(frozen=True)
class Expression:
    """An annotated expression in the frames of its video.

    ``onset``, ``apex`` and ``offset`` are 0-based frames at ``fps``, the rate of the files; ``apex`` is None where it
    is annotated outside of the expression. ``features`` is the row of the extraction that ``face`` is from.
    """

    row: Annotation
    video: Video
    files: FrameFiles
    fps: float
    onset: int
    apex: int | None
    offset: int
    apex_from: str | None
    face: Face
    features: VideoFeatures | None

    def picture(self, number: int) -> Picture | None:
        """A frame (H, W, 3) uint8 in RGB; None where it is missing or cannot be decoded."""
        return disk.read_frame(self.files, number)

    def by_distance(self, number: int) -> list[int]:
        """The frames of the expression for which there are files, the nearest to a number first."""
        there = [other for other in self.files.names if self.onset <= other <= self.offset]
        return sorted(there, key=lambda other: (abs(other - number), other))

    def nearest(self, number: int) -> tuple[int, Picture] | None:
        """The readable frame of the expression that is nearest to a number, and its picture."""
        for other in self.by_distance(number):
            picture = self.picture(other)
            if picture is not None:
                return other, picture
        return None


class Chosen(Protocol):
    """What the options of an export say about all of its expressions."""

    @property
    def layout(self) -> str | None:
        """The folders to take frames from.

        None for those of the features, otherwise the schema's first layout with annotated folders.
        """

    @property
    def offset_missing(self) -> str:
        """How an offset that was not annotated is read, see `formats.missing_offset`."""

    @property
    def align(self) -> bool:
        """Frames are to be aligned, so that a face without landmarks is a finding."""


class Expressions:
    """Finds the annotated expressions of a manifest in its folders of one layout.

    Attributes:
        findings: what is to be said about those looked up so far.
    """

    def __init__(self, manifest: Manifest, root: Path, options: Chosen, features: FeatureFolder | None = None) -> None:
        """Prepare to look expressions up.

        Args:
            root: where the paths of the manifest begin.
            options: of the export.
            features: an extraction that says where faces and landmarks are; without one, whole frames are taken.

        Raises:
            MeDatasetsError: the root is not a folder, there are no annotated folders of the layout, or frames are to
                be aligned without features.
        """
        check_root(root)
        if options.align and features is None:
            fix = "give --features, or leave out --align"
            raise FeaturesError("without features there are no landmarks to align by", fix=fix)
        rows = features.rows if features else ()
        self.manifest, self.root, self.offset_missing = manifest, root, options.offset_missing
        self.features, self.align = features, options.align
        if features is not None and options.layout is None:
            of_features = next((row.layout for row in rows if row.layout), None)
            self.layout = choose_layout(manifest, of_features, annotated=True, named_in=features.folder)
        else:
            self.layout = choose_layout(manifest, options.layout, annotated=True)
        self.folders = disk.folders_by_annotation(manifest, self.layout)
        self.findings: list[Finding] = manifest.notices
        self._by_path = {row.path: row for row in rows if row.path is not None}
        self._by_video = {(row.video, row.expression): row for row in reversed(rows)}
        self._listed: tuple[str | None, FrameFiles | str] = (None, "")
        self._face: tuple[str | None, Face] = (None, Face())

    def ordered(self) -> list[Annotation]:
        """The annotations by subject, those of one folder together."""
        rows = enumerate(self.manifest.annotations)
        return [row for _, row in sorted(rows, key=lambda pair: (pair[1].subject, pair[1].video, pair[0]))]

    def find(self, row: Annotation) -> Expression | None:
        """The expression of an annotation; None, and a finding, where nothing shows it."""
        extent = labels.read_extent(row, self.offset_missing, self.findings)
        if extent is None:
            return None
        video = self.folders.get(row.id)
        files = f"no folder in the layout '{self.layout}' shows this expression" if video is None else self._list(video)
        if video is None or isinstance(files, str):
            path = video.path if video else None
            self.findings.append(labels.about("ME511", str(files), row, "onset", path=path))
            return None
        fps = frame_rate(self.manifest, video)
        step = ratio(fps, row.fps)
        face, source = self.face_of(video, row)
        apex = None if extent.apex is None else shown(extent.apex, step)
        onset, offset = shown(extent.onset, step), shown(extent.offset, step)
        return Expression(row, video, files, fps, onset, apex, offset, extent.apex_from, face, source)

    def _list(self, video: Video) -> FrameFiles | str:
        if self._listed[0] != video.path:
            try:
                files: FrameFiles | str = frame_files(self.manifest, video, self.root)
            except FolderError as error:
                files = error.what
            self._listed = (video.path, files)
        return self._listed[1]

    def face_of(self, video: Video, row: Annotation | None = None) -> tuple[Face, VideoFeatures | None]:
        """Where the features say that the face of a video is, and their row; the whole frame where they do not."""
        if self.features is None:
            return Face(), None
        expression = row.expression if row is not None else video.expression
        named = self._by_video.get((video.video, expression)) or self._by_video.get((video.video, None))
        source = self._by_path.get(video.path or "") or named
        # The box of another layout's frames would lie elsewhere in these.
        if source is None or source.layout not in (None, self.layout) or len(source.box) != 4:
            self._lacking(row, video, "no box", "whole frames were taken")
            return Face(), source
        if self.align and source.landmarks is None:
            self._lacking(row, video, "no landmarks", "frames were not aligned")
        if self._face[0] != source.name:
            self._face = (source.name, face_of(self.features, source))
        return self._face[1], source

    def _lacking(self, row: Annotation | None, video: Video, what: str, consequence: str) -> None:
        if row is not None:
            message = f"the features have {what} for {video.video} in the layout '{self.layout}'; {consequence}"
            self.findings.append(labels.about("ME513", message, row, "onset", path=video.path))


def labels_of(row: Annotation) -> dict[str, str | list[str] | NDArray[np.generic]]:
    """What an expression is called, as items hold it."""
    return {
        "type": row.type,
        "emotion": row.emotion or "",
        "class_3": row.class_3 or "",
        "class_5": row.class_5 or "",
        "aus": np.array(sorted({unit.au for unit in row.aus}), np.int16),
        "au_text": row.au_raw or "",
        "subject": row.subject,
        "video_name": row.video,
        "annotations": [row.id],
    }


def item_row(expression: Expression, stored: Stored, name: str, start: int, length: int) -> ItemRow:
    """The row of the table of items for what was stored of an expression, from frame ``start`` on."""
    row, source = expression.row, expression.features
    return ItemRow(
        file=stored.file,
        key=stored.key,
        sha256=stored.sha256,
        subject=row.subject,
        video=row.video,
        name=name,
        start=start,
        length=length,
        fps=expression.fps,
        annotations=[row.id],
        features=source.features if source else None,
        features_key=source.key if source else None,
    )
