"""``me-datasets export clips``: for recognition, the pictures of each annotated expression and its labels.

::

    export.json  items.parquet  annotations.parquet  findings.parquet
    clips/<subject>/<annotation>.npz

A clip holds ``frames`` (N, size, size, 3) uint8 RGB; ``numbers`` (N,) int32, their 0-based frame numbers in the video,
at the rate ``fps`` of the files; ``onset``, ``apex`` and ``offset`` as they were read, at that rate, -1 for none;
``type``, ``emotion``, ``class_3`` and ``class_5``, empty where there is none; ``aus`` (k,) int16, each action unit
once; ``au_text``, the action units as in the workbook; ``subject``, ``video_name``, and in ``annotations`` the id of
the manifest's row. Arrays of another tool (`export.beside`) have a row for each frame: ``with_au`` (N, A) and others.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np

from datasets_me.core import artefact
from datasets_me.core.choices import ItemFormat
from datasets_me.core.engine import Failure, Report, run
from datasets_me.core.errors import MeDatasetsError, plural
from datasets_me.core.paths import safe_name
from datasets_me.export import frames_on_disk as disk
from datasets_me.export.beside import Beside
from datasets_me.export.expressions import Expression, Expressions, item_row, labels_of
from datasets_me.export.faces import Face, Picture, aligner, cut_out
from datasets_me.export.labels import about
from datasets_me.export.magnified import eulerian_of, since_first
from datasets_me.export.options import check_format
from datasets_me.export.sinks import ExportItem, Stored, open_sink
from datasets_me.features.interpolate import interpolated
from datasets_me.features.magnify import check_magnification
from datasets_me.findings.finding import Finding
from datasets_me.formats.features import FeatureFolder
from datasets_me.formats.features import read as read_features
from datasets_me.formats.frame_files import FrameFiles
from datasets_me.formats.items import ItemRow, describe, write_tables
from datasets_me.formats.kinds import CLIPS
from datasets_me.formats.manifest import Manifest, refuse_other
from datasets_me.formats.missing_offset import check_rule
from datasets_me.formats.records import Annotation

WORTH = 8
"""Clips per process below which starting it takes longer than it saves."""

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
        magnify: make the motion since the clip's first frame so many times as large.
        band: the lowest and highest frequency in Hz, such as ``0.5-10``, of motion that is magnified in Eulerian form
            over all frames from onset to offset, in place of along the flow; see `datasets_me.features.magnify`.
    """

    frames: str = "all"
    size: int = 128
    align: bool = False
    layout: str | None = None
    offset_missing: str = "mirror"
    format: ItemFormat = "npz"
    magnify: float = 1.0
    band: str | None = None

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
        check_magnification(self.magnify, self.band)
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


def write_clips(  # noqa: PLR0913 - what it reads and where it writes; the choices are one object
    manifest: Manifest,
    root: str | Path,
    out: str | Path,
    options: ClipOptions = ClipOptions(),
    *,
    features: FeatureFolder | str | Path | None = None,
    beside: Beside | None = None,
    workers: int = 0,
    force: bool = False,
    progress: Progress | None = None,
) -> ExportedClips:
    """Export one clip per annotated expression to a new folder.

    Args:
        root: where the paths of the manifest begin.
        features: an extraction, or its folder, to whose face boxes the frames are cropped; without one, whole frames
            are taken.
        beside: what another tool has found in each frame, for further arrays of a clip.
        workers: processes; with 0 all is done in this one. The same files are written.

    Raises:
        MeDatasetsError: the folder exists, there are no folders of frames, or ``align`` is set without features.
    """
    refuse_other(manifest)
    if isinstance(features, str | Path):
        features = read_features(features, manifest)
    sources = _Sources(manifest, Path(root), options, features, beside)
    expressions = sources.expressions()
    findings, items = expressions.findings, list[ItemRow]()
    with artefact.new_folder(Path(out), CLIPS, force=force) as new:
        sink = open_sink(options.format, new.path, CLIPS.name)
        annotations = expressions.ordered()
        workers = min(workers, len(annotations) // WORTH)
        outcomes = run(_handler, annotations, sources, workers=workers, in_order=True)
        with closing(sink), closing(outcomes):
            for done, (row, outcome) in enumerate(outcomes, start=1):
                if isinstance(outcome, Failure):
                    findings.append(about("ME511", f"no clip: {outcome.why}", row, "onset"))
                else:
                    findings += outcome.findings
                    if outcome.made is not None:
                        item, of_item = outcome.made
                        (stored,) = sink.add(("",), safe_name(row.subject), of_item.name, item)
                        items.append(of_item.model_copy(update=asdict(stored)))
                if progress:
                    progress(done, len(manifest.annotations), row.id)
        write_tables(new.path, items, manifest.annotations, findings)
        chosen = asdict(options) | {"layout": expressions.layout}
        joined = {} if beside is None else beside.about()
        new.about.update({"options": chosen, "with": joined, "manifest": describe(manifest), "clips": len(items)})
    return ExportedClips(len(items), len(manifest.annotations), findings)


@dataclass(frozen=True)
class _Sources:
    """What clips are made from, and how: all that a process needs to make some of them."""

    manifest: Manifest
    root: Path
    options: ClipOptions
    features: FeatureFolder | None
    beside: Beside | None

    def expressions(self) -> Expressions:
        """The expressions of the manifest in the folders of the chosen layout."""
        return Expressions(self.manifest, self.root, self.options, self.features)


class _Clip(NamedTuple):
    """What came of an annotation: its item, with the row of it, which does not know its file yet; what was found."""

    made: tuple[ExportItem, ItemRow] | None
    findings: list[Finding]


def _handler(sources: _Sources) -> Callable[[Annotation, Report], _Clip]:
    """A function that makes the clip of an annotation."""
    expressions = sources.expressions()
    maker = _Maker(expressions, sources.options, sources.beside)

    def make(annotation: Annotation, report: Report) -> _Clip:
        expressions.findings.clear()
        expression = expressions.find(annotation)
        item = None if expression is None else maker.clip(expression)
        made = None
        if expression is not None and item is not None:
            numbers = np.asarray(item["numbers"])
            name = safe_name(annotation.id.replace(":", "_"))
            made = item, item_row(expression, Stored("", ""), name, int(numbers[0]), len(numbers))
        return _Clip(made, [*expressions.findings])

    return make


def _interpolated(frames: list[Picture], numbers: list[int], how: str) -> tuple[list[Picture], list[int]]:
    """Frames interpolated to the number that ``how`` names, and the frame nearest to each."""
    method, _, count = how.partition(":")
    places = np.linspace(0, len(numbers) - 1, int(count)).round().astype(int)
    mixed = interpolated(np.stack(frames), int(count), "tim" if method == "tim" else "linear")
    return list(mixed), [numbers[place] for place in places]


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

    def picture(self, number: int) -> Picture | None:
        """The picture of a frame; None where it cannot be read."""
        return self.pictures[number] if self.read(number) else None


class _Maker:
    """Makes the clips of expressions."""

    def __init__(self, expressions: Expressions, options: ClipOptions, beside: Beside | None) -> None:
        self.expressions, self.options, self.beside = expressions, options, beside

    def clip(self, expression: Expression) -> ExportItem | None:
        """The item of an expression; None, and a finding, where none of its frames can be read."""
        frames, numbers = self._pictures(expression)
        if not frames:
            return None
        if ":" in self.options.frames:
            frames, numbers = _interpolated(frames, numbers, self.options.frames)
        return {
            "frames": np.stack(frames),
            "numbers": np.array(numbers, np.int32),
            "onset": expression.onset,
            "apex": -1 if expression.apex is None else expression.apex,
            "offset": expression.offset,
            "fps": float(expression.fps),
            **labels_of(expression.row),
            **({} if self.beside is None else self.beside.of_frames(expression.video, numbers)),
        }

    def _wanted(self, expression: Expression) -> list[int]:
        """The frames to show; for ``all``, those between onset and offset that lie within the video."""
        onset, apex, offset, files = expression.onset, expression.apex, expression.offset, expression.files
        if self.options.takes_all:
            return list(range(max(onset, files.start), min(offset + 1, files.end)))
        if self.options.frames == "key":
            return [onset, onset + (offset - onset) // 2 if apex is None else apex, offset]
        return [int(n) for n in np.linspace(onset, offset, int(self.options.frames)).round()]

    def _pictures(self, expression: Expression) -> tuple[list[Picture], list[int]]:
        """The pictures of an expression and their frame numbers.

        Of ``all``, frames that cannot be read are left out; otherwise the nearest readable frame of the expression
        takes their place.
        """
        first, last, face = expression.onset, expression.offset, expression.face
        keep_all = self.options.takes_all
        wanted = self._wanted(expression)
        align = aligner(face, first, expression.fps) if self.options.align else None
        frames = _Frames(expression.files, face, self.options.size, align)
        numbers, unreadable = [], []
        for number in wanted:
            if frames.read(number):
                numbers.append(number)
                continue
            unreadable.append(number)
            if not keep_all:
                nearest = (other for other in expression.by_distance(number) if frames.read(other))
                numbers += list(islice(nearest, 1))
        total = last - first + 1 if keep_all else len(wanted)
        count = len(unreadable) + total - len(wanted)
        if not numbers:
            self._say("ME511", f"none of the frames {first} to {last} can be read", expression)
        elif count:
            consequence = "they are left out" if keep_all else "the nearest were taken"
            start = first if wanted[0] > first else unreadable[0] if unreadable else wanted[-1] + 1
            message = f"{count:,} of {plural(total, 'frame')} cannot be read, the first is {start}; {consequence}"
            self._say("ME512", message, expression)
        if self.options.align and face.landmarks is not None:
            self._not_aligned(expression, numbers)
        return self._magnified(expression, frames, numbers), numbers

    def _magnified(self, expression: Expression, frames: _Frames, numbers: list[int]) -> list[Picture]:
        """The pictures of these frames, their motion magnified if that is wanted."""
        factor, band = self.options.magnify, self.options.band
        if factor > 1 and band is not None and numbers:
            moved = eulerian_of(expression, frames.picture, factor, band)
            return [moved[number] for number in numbers]
        pictures = [frames.pictures[number] for number in numbers]
        return since_first(pictures, factor) if factor > 1 else pictures

    def _not_aligned(self, expression: Expression, numbers: list[int]) -> None:
        """Append a finding where frames have no landmarks, or the first one, which all are aligned to, has none."""
        face, fps = expression.face, expression.fps
        reference = face.points(expression.onset, fps) is not None
        still = [number for number in numbers if not reference or face.points(number, fps) is None]
        if still:
            message = f"{len(still)} of {plural(len(numbers), 'frame')} have no landmarks to align by"
            self._say("ME513", message, expression)

    def _say(self, code: str, message: str, expression: Expression) -> None:
        self.expressions.findings.append(about(code, message, expression.row, "onset", path=expression.video.path))
