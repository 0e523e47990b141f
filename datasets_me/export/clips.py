"""``me-datasets export clips``: for recognition, the pictures of each annotated expression and its labels.

::

    export.json  items.parquet  annotations.parquet  findings.parquet
    clips/<subject>/<annotation>.npz

A clip holds ``frames`` (N, size, size, 3) uint8 RGB; ``numbers`` (N,) int32, their 0-based frame numbers in the video,
at the rate ``fps`` of the files; ``onset``, ``apex`` and ``offset`` as they were read, at that rate, -1 for none;
``type``, ``emotion``, ``class_3`` and ``class_5``, empty where there is none; ``aus`` (k,) int16, each action unit
once; ``au_text``, the action units as in the workbook; ``subject``, ``video_name``, and in ``annotations`` the id of
the manifest's row.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np

from datasets_me.core import artefact
from datasets_me.core.choices import ItemFormat
from datasets_me.core.errors import FeaturesError, FolderError, MeDatasetsError, plural
from datasets_me.core.paths import safe_name
from datasets_me.core.rates import ratio, shown
from datasets_me.export import frames_on_disk as disk
from datasets_me.export import labels
from datasets_me.export.faces import Face, Picture, aligner, cut_out, face_of
from datasets_me.export.labels import about
from datasets_me.export.options import check_format
from datasets_me.export.sinks import ExportItem, open_sink
from datasets_me.features.interpolate import interpolated
from datasets_me.findings.finding import Finding
from datasets_me.formats.features import FeatureFolder
from datasets_me.formats.frame_files import FrameFiles, choose_layout, frame_files, frame_rate
from datasets_me.formats.items import ItemRow, describe, write_tables
from datasets_me.formats.kinds import CLIPS
from datasets_me.formats.manifest import Manifest
from datasets_me.formats.missing_offset import check_rule
from datasets_me.formats.records import Annotation, Video, VideoFeatures

Progress = Callable[[int, int, str], None]
"""Called with annotations done, annotations in all, and the id of the last."""


@dataclass(frozen=True)
class ClipOptions:
    """How clips are cut.

    Attributes:
        frames: ``all`` from onset to offset, ``key`` for onset, apex and offset, or a number of frames taken evenly
            from onset to offset, both included; ``tim:N`` or ``linear:N`` for N frames interpolated between all of
            them, see `datasets_me.features.interpolate`.
        size: height and width of the pictures.
        align: move each frame so that the face lies as in the clip's first.
        layout: the folders to take frames from; None for those of the features, otherwise the schema's first layout
            with annotated folders.
        offset_missing: how an offset that was not annotated is read, see `formats.missing_offset`.
        format: how items are stored.
    """

    frames: str = "all"
    size: int = 128
    align: bool = False
    layout: str | None = None
    offset_missing: str = "mirror"
    format: ItemFormat = "npz"

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            MeDatasetsError: one of them is out of range.
        """
        if not re.fullmatch(r"all|key|((tim|linear):)?[1-9]\d{0,5}", self.frames):
            raise MeDatasetsError(
                f"'{self.frames}' is not a choice of frames",
                fix="give all, key (onset, apex, offset), a number of frames, tim:N or linear:N",
            )
        if not 1 <= self.size <= 4096:
            raise MeDatasetsError(f"a picture cannot be {self.size} px wide", fix="give a --size from 1 to 4096")
        check_rule(self.offset_missing)
        check_format(self.format)

    @property
    def takes_all(self) -> bool:
        """Whether all frames of an expression are read, and not only some."""
        return self.frames == "all" or ":" in self.frames


@dataclass(frozen=True)
class ExportedClips:
    """The number of clips written, of annotations in all, and the findings."""

    clips: int
    annotations: int
    findings: list[Finding]


def write_clips(
    manifest: Manifest,
    root: Path,
    out: Path,
    options: ClipOptions = ClipOptions(),
    *,
    features: FeatureFolder | None = None,
    force: bool = False,
    progress: Progress | None = None,
) -> ExportedClips:
    """Export one clip per annotated expression to a new folder.

    Args:
        root: where the paths of the manifest begin.
        features: an extraction whose face boxes the frames are cropped to; without one, whole frames are taken.

    Raises:
        MeDatasetsError: the folder exists, there are no folders of frames, or ``align`` is set without features.
    """
    if not root.is_dir():
        raise FolderError(
            "the root is not a folder", where=str(root), fix="give the folder that the manifest's paths start from"
        )
    if options.align and features is None:
        raise FeaturesError(
            "without features there are no landmarks to align by", fix="give --features, or leave out --align"
        )
    if features is not None and options.layout is None:
        extracted = next((row.layout for row in features.rows if row.layout), None)
        layout = choose_layout(manifest, extracted, annotated=True, named_in=features.folder)
    else:
        layout = choose_layout(manifest, options.layout, annotated=True)
    maker = _Maker(manifest, root, options, features, disk.folders_by_annotation(manifest, layout), layout)
    items: list[ItemRow] = []
    with artefact.new_folder(out, CLIPS, force=force) as new:
        folder = new.path
        sink = open_sink(options.format, folder, CLIPS.name)
        try:
            for done, row in enumerate(maker.ordered(), start=1):
                clip = maker.clip(row)
                if clip is not None:
                    item, source = clip
                    subject, stem = safe_name(row.subject), safe_name(row.id.replace(":", "_"))
                    (stored,) = sink.add(("",), subject, stem, item)
                    frames = item["numbers"]
                    assert isinstance(frames, np.ndarray)
                    items.append(
                        ItemRow(
                            file=stored.file,
                            key=stored.key,
                            sha256=stored.sha256,
                            subject=row.subject,
                            video=row.video,
                            name=stem,
                            start=int(frames[0]),
                            length=len(frames),
                            fps=frame_rate(manifest, maker.folders[row.id]),
                            annotations=[row.id],
                            features=source.features if source else None,
                            features_key=source.key if source else None,
                        )
                    )
                if progress:
                    progress(done, len(manifest.annotations), row.id)
        finally:
            sink.close()
        write_tables(folder, items, manifest.annotations, maker.findings)
        fields = {"options": asdict(options) | {"layout": layout}, "manifest": describe(manifest), "clips": len(items)}
        new.about.update(fields)
    return ExportedClips(len(items), len(manifest.annotations), maker.findings)


def _interpolated(frames: list[Picture], numbers: list[int], how: str) -> tuple[list[Picture], list[int]]:
    """Frames interpolated to the number that ``how`` names, and the frame nearest to each."""
    method, _, count = how.partition(":")
    places = np.linspace(0, len(numbers) - 1, int(count)).round().astype(int)
    mixed = interpolated(np.stack(frames), int(count), "tim" if method == "tim" else "linear")
    return list(mixed), [numbers[place] for place in places]


def _distance(number: int, candidate: int) -> tuple[int, int]:
    return abs(candidate - number), candidate


class _Frames:
    """Pictures of a video, each read once: ``pictures`` by frame number."""

    def __init__(
        self, files: FrameFiles, face: Face, size: int, align: Callable[[Picture, int], Picture] | None
    ) -> None:
        self.files, self.face, self.size, self.align = files, face, size, align
        self.pictures: dict[int, Picture] = {}
        self._unreadable: set[int] = set()

    def read(self, number: int) -> bool:
        """Whether a frame can be read; its picture is kept."""
        if number in self.pictures:
            return True
        if number in self._unreadable or number not in self.files.names:
            return False
        image = disk.read_frame(self.files, number)
        if image is None:
            self._unreadable.add(number)
            return False
        picture = self.align(image, number) if self.align else image
        self.pictures[number] = cut_out(picture, self.face.box, self.size)
        return True


class _Maker:
    """Makes clips one after the other; keeps the files and the face of the current video."""

    def __init__(
        self,
        manifest: Manifest,
        root: Path,
        options: ClipOptions,
        features: FeatureFolder | None,
        folders: dict[str, Video],
        layout: str,
    ) -> None:
        self.manifest, self.root, self.options, self.features = manifest, root, options, features
        self.folders, self.layout = folders, layout
        self.findings: list[Finding] = manifest.notices
        rows = features.rows if features else ()
        self.by_path = {row.path: row for row in rows if row.path is not None}
        self.by_video = {(row.video, row.expression): row for row in reversed(rows)}
        self._listed: tuple[str | None, FrameFiles | str] = (None, "")
        self._face: tuple[str | None, Face] = (None, Face())

    def ordered(self) -> list[Annotation]:
        """The annotations by subject, those of one folder together."""
        rows = enumerate(self.manifest.annotations)
        return [row for _, row in sorted(rows, key=lambda pair: (pair[1].subject, pair[1].video, pair[0]))]

    def clip(self, row: Annotation) -> tuple[ExportItem, VideoFeatures | None] | None:
        """An annotation's item and the features its box comes from; None, with a finding, where there is no clip."""
        extent = labels.read_extent(row, self.options.offset_missing, self.findings)
        if extent is None:
            return None
        video = self.folders.get(row.id)
        if video is None:
            message = f"no folder in the layout '{self.layout}' shows this expression"
            self.findings.append(about("ME511", message, row, "onset", path=None))
            return None
        files = self._list(video)
        if isinstance(files, str):
            self.findings.append(about("ME511", files, row, "onset", path=video.path))
            return None
        fps = frame_rate(self.manifest, video)
        step = ratio(fps, row.fps)
        onset, offset = shown(extent.onset, step), shown(extent.offset, step)
        apex = None if extent.apex is None else shown(extent.apex, step)
        source = self._source(row, video)
        face = self._face_of(row, video, source)
        frames, numbers = self._pictures(row, video, files, (onset, apex, offset), face, fps)
        if not frames:
            return None
        if ":" in self.options.frames:
            frames, numbers = _interpolated(frames, numbers, self.options.frames)
        at = (onset, -1 if apex is None else apex, offset)
        return self._item(row, frames, numbers, at, fps), source

    def _wanted(self, onset: int, apex: int | None, offset: int, files: FrameFiles) -> list[int]:
        """The frames to show; for ``all``, those between onset and offset that lie within the video."""
        if self.options.takes_all:
            return list(range(max(onset, files.start), min(offset + 1, files.end)))
        if self.options.frames == "key":
            return [onset, onset + (offset - onset) // 2 if apex is None else apex, offset]
        return [int(n) for n in np.linspace(onset, offset, int(self.options.frames)).round()]

    def _list(self, video: Video) -> FrameFiles | str:
        """The files of a folder, or the reason why they cannot be listed."""
        if self._listed[0] != video.path:
            try:
                files: FrameFiles | str = frame_files(self.manifest, video, self.root)
            except FolderError as error:
                files = error.what
            self._listed = (video.path, files)
        return self._listed[1]

    def _source(self, row: Annotation, video: Video) -> VideoFeatures | None:
        named = self.by_video.get((row.video, row.expression)) or self.by_video.get((row.video, None))
        return self.by_path.get(video.path or "") or named

    def _face_of(self, row: Annotation, video: Video, source: VideoFeatures | None) -> Face:
        if self.features is None:
            return Face()
        # The box of another layout's frames would lie elsewhere in these.
        usable = source is not None and source.layout in (None, self.layout) and len(source.box) == 4
        if source is None or not usable or (self.options.align and source.landmarks is None):
            lacking = "no box" if not usable else "no landmarks"
            consequence = "whole frames were taken" if not usable else "frames were not aligned"
            message = f"the features have {lacking} for {row.video} in the layout '{self.layout}'; {consequence}"
            self.findings.append(about("ME513", message, row, "onset", path=video.path))
        if source is None or not usable:
            return Face()
        if not self.options.align:
            return Face(tuple(source.box))
        if self._face[0] != source.name:
            self._face = (source.name, face_of(self.features, source))
        return self._face[1]

    def _pictures(
        self,
        row: Annotation,
        video: Video,
        files: FrameFiles,
        extent: tuple[int, int | None, int],
        face: Face,
        fps: float,
    ) -> tuple[list[Picture], list[int]]:
        """The pictures of an expression with this onset, apex and offset, and their frame numbers.

        Of ``all``, frames that cannot be read are left out; otherwise the nearest readable frame of the expression
        takes their place.
        """
        first, _, last = extent
        keep_all = self.options.takes_all
        wanted = self._wanted(*extent, files)
        frames = _Frames(
            files, face, self.options.size, aligner(face, first, fps) if face.landmarks is not None else None
        )
        numbers, unreadable = [], []
        for number in wanted:
            if frames.read(number):
                numbers.append(number)
                continue
            unreadable.append(number)
            if not keep_all:
                within = [candidate for candidate in files.names if first <= candidate <= last]
                nearest = sorted(within, key=partial(_distance, number))
                numbers += [candidate for candidate in nearest if frames.read(candidate)][:1]
        total = last - first + 1 if keep_all else len(wanted)
        count = len(unreadable) + total - len(wanted)
        if not numbers:
            message = f"none of the frames {first} to {last} can be read"
            self.findings.append(about("ME511", message, row, "onset", path=video.path))
        elif count:
            consequence = "they are left out" if keep_all else "the nearest were taken"
            start = first if wanted[0] > first else unreadable[0] if unreadable else wanted[-1] + 1
            message = f"{count:,} of {plural(total, 'frame')} cannot be read, the first is {start}; {consequence}"
            self.findings.append(about("ME512", message, row, "onset", path=video.path))
        if face.landmarks is not None:
            self._not_aligned(row, video, numbers, first, face, fps)
        return [frames.pictures[number] for number in numbers], numbers

    def _not_aligned(
        self, row: Annotation, video: Video, numbers: list[int], first: int, face: Face, fps: float
    ) -> None:
        """Append a finding where frames have no landmarks, or the first one, which all are aligned to, has none."""
        reference = face.points(first, fps) is not None
        still = [number for number in numbers if not reference or face.points(number, fps) is None]
        if still:
            message = f"{len(still)} of {plural(len(numbers), 'frame')} have no landmarks to align by"
            self.findings.append(about("ME513", message, row, "onset", path=video.path))

    def _item(
        self, row: Annotation, frames: list[Picture], numbers: list[int], at: tuple[int, int, int], fps: float
    ) -> ExportItem:
        return {
            "frames": np.stack(frames),
            "numbers": np.array(numbers, np.int32),
            "onset": at[0],
            "apex": at[1],
            "offset": at[2],
            "fps": float(fps),
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
