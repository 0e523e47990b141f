"""Every face of every group photograph: coordinates, crops, aligned faces, and a set of vectors per image.

::

    face_coordinates.parquet  groups.parquet  findings.parquet  groups.json
    faces/<image>_<face>.png      the box, as far as it is inside the image
    aligned/<image>_<face>.png    112x112, see `align`
    features/<image>.npz          features (K, D) float32, mask (K,) bool, boxes (K, 4), points (K, 5, 2),
                                  confidence (K,) float32, faces int32, label, id; whole (E,) float32 of the
                                  photograph, where that was asked for

``<image>`` is the image's number in the set. Without padding K is the number of faces.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from datasets_me.core import artefact
from datasets_me.core.engine import Failure, Report, run, workers_for
from datasets_me.core.errors import plural
from datasets_me.core.tables import stream
from datasets_me.features.boxes import Box, Detection, FaceDetector
from datasets_me.features.landmarks import GONE
from datasets_me.findings.finding import Finding, finding
from datasets_me.formats import image_set
from datasets_me.formats.image_records import Face, ImageRow
from datasets_me.formats.image_set import ImageSet
from datasets_me.formats.kinds import GROUPS
from datasets_me.formats.parts import Done, Parts, done, with_files
from datasets_me.images.groups.align import aligned, five_points
from datasets_me.images.groups.embed import Embedder, dlib_embedder
from datasets_me.images.groups.records import FaceCoordinates, GroupRow
from datasets_me.images.looks.faces import Finder, examine, hog, measured
from datasets_me.images.unify import Form, formed

Image = NDArray[np.uint8]

LONGEST = 2000
"""The longer side in px that larger photographs are shrunk to before faces are looked for."""

FOLDERS = ("faces", "aligned", "features")
"""Where the files lie."""

SMALLEST = 40
"""Faces from this many px on are looked for in a photograph that is not shrunk: half of what dlib's detector sees,
because the picture is doubled."""


@dataclass
class Grouped:
    """Sums of a run, for people to read."""

    images: int = 0
    faces: int = 0
    by_count: dict[int, int] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


@dataclass(frozen=True)
class GroupOptions:
    """How group photographs are described; functions of modules or partials of them, so that processes get them.

    Attributes:
        finder: the detector of faces.
        embedder: makes what describes a face.
        pad: vectors per npz: missing ones are zeros with a false mask, and of more faces the largest stay.
        whole: makes what describes the whole photograph; None for no such vector.
        side: px of the square that the photograph is brought to for that, by black borders.
    """

    finder: Finder
    embedder: Callable[[], Embedder] = dlib_embedder
    pad: int | None = None
    whole: Callable[[], Embedder] | None = None
    side: int = 224


@dataclass(frozen=True)
class _Setting:
    """What a process needs for every photograph."""

    folder: Path
    root: Path | None
    options: GroupOptions


@dataclass(frozen=True)
class _Described:
    """What came of one photograph."""

    row: GroupRow
    faces: list[FaceCoordinates]
    findings: list[Finding]


def every_face(image: Image, detector: FaceDetector) -> tuple[list[Face], list[Face]]:
    """The faces of a photograph (H, W, 3) in BGR, the largest first; and what was found, but is none to its landmarks.

    A detector for one face looks from far first and stops when it sees somebody, so it misses the back row. dlib's is
    therefore run on the whole picture at twice its size; any other is taken as it is. Where nobody is found, the
    picture is enlarged and padded as `faces.examine` does.
    """
    grey = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8)
    detections = _dlib_faces(grey) if detector.name == "dlib" else detector.detect(image)
    faces = [measured(grey, each) for each in detections]
    if not faces:
        faces, _ = examine(image, detector)
    faces.sort(key=lambda face: -(face.x1 - face.x0) * (face.y1 - face.y0))
    return [face for face in faces if face.residual < GONE], [face for face in faces if face.residual >= GONE]


def _dlib_faces(grey: Image) -> list[Detection]:
    factor = max(1.0, max(grey.shape) / LONGEST)
    size = (max(1, round(grey.shape[1] / factor)), max(1, round(grey.shape[0] / factor)))
    small = grey if factor == 1 else cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    boxes, scores, _ = hog().run(np.ascontiguousarray(small), 1, 0.0)
    return [
        Detection(Box(*(value * factor for value in (b.left(), b.top(), b.right() + 1, b.bottom() + 1))), float(score))
        for b, score in zip(boxes, scores, strict=True)
    ]


def write_groups(
    images: ImageSet,
    root: Path | None,
    out: Path,
    options: GroupOptions,
    *,
    workers: int | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
    force: bool = False,
) -> Grouped:
    """Find and describe the faces of every image; a run that was killed goes on where it was, see `parts`.

    Findings: ME732 something that is no face to its landmarks, ME733 no face, ME734 more faces than ``pad``, ME735 an
    image cannot be decoded, or a model cannot be run on it.

    Args:
        images: the set.
        root: the folder the files lie under.
        out: the new folder.
        options: how.
        workers: processes; one per core by default.
        progress: called with the number of images done, and of all.
        force: replace an earlier folder of groups.

    Raises:
        MeDatasetsError: the output cannot be written, or a model cannot be run at all.
    """
    sums = Grouped()
    groups: list[GroupRow] = []
    files: set[str] = set()
    about = {
        "detector": {"name": options.finder.name, **options.finder.make().provenance},
        "embedding": dict(options.embedder().about),
        **({"whole": {**options.whole().about, "side": options.side}} if options.whole else {}),
    }

    artefact.may_replace(out, GROUPS, force)
    options_of_parts = {**about, "pad": options.pad, "images": images.sha256, "root": str(root and root.resolve())}
    parts = Parts(out, Done, options_of_parts, folders=FOLDERS)

    def make(photographs: Iterable[tuple[int, ImageRow]]) -> Iterator[Done]:
        for name in FOLDERS:
            (parts.folder / name).mkdir(exist_ok=True)
        setting = _Setting(parts.folder, root, options)
        count = min(workers_for(workers), max(1, len(images)))
        for (number, row), outcome in run(_describer, photographs, setting, workers=count, in_order=True):
            if isinstance(outcome, Failure):
                doubt = finding("ME735", f"the image cannot be described: {outcome.why}", path=row.id)
                outcome = _Described(_row(row, number, why=outcome.why), [], [doubt])
            written = [name for face in outcome.faces for name in (face.crop, face.aligned)]
            written += [outcome.row.file] if outcome.row.file else []
            unread = any(each.code == "ME735" for each in outcome.findings)
            records = [outcome.row, *outcome.faces]
            yield done(parts.folder, row.id, records, outcome.findings, written, read=not unread)

    def faces_of() -> Iterator[FaceCoordinates]:
        photographs = with_files(parts, lambda: enumerate(images.rows()), lambda photograph: photograph[1].id, make)
        for place, each in enumerate(photographs, start=1):
            row, faces, findings = each.content(GroupRow, FaceCoordinates)
            sums.findings += findings
            files.update(each.files)
            yield from faces
            groups.append(row)
            sums.images += 1
            sums.faces += row.faces
            sums.by_count[row.faces] = sums.by_count.get(row.faces, 0) + 1
            progress(place, len(images))

    with parts.held(), artefact.new_folder(out, GROUPS, force=force) as new:
        stream(new.path / "face_coordinates.parquet", FaceCoordinates, faces_of())
        stream(new.path / "groups.parquet", GroupRow, groups)
        stream(new.path / "findings.parquet", Finding, sums.findings)
        parts.give(new, files)
        new.about.update(
            dataset=images.dataset,
            table=images.sha256,
            **about,
            pad=options.pad,
            images=sums.images,
            faces=sums.faces,
        )
    return sums


def _describer(setting: _Setting) -> Callable[[tuple[int, ImageRow], Report], _Described]:
    """Describes one photograph after the other; its detector and models are made once in a process."""
    options = setting.options
    detector, embedder = options.finder.make(), options.embedder()
    whole = options.whole() if options.whole else None

    def described(item: tuple[int, ImageRow], report: Report) -> _Described:
        number, row = item
        image = image_set.load_image(row, setting.root)
        if isinstance(image, str):
            doubt = finding("ME735", f"the image cannot be decoded: {image}", path=row.id)
            return _Described(_row(row, number, why=image), [], [doubt])
        faces, doubtful = every_face(image, detector)
        findings = [_doubt(row, face) for face in doubtful]
        cut = [_cut(setting.folder, image, row, number, index, face) for index, face in enumerate(faces)]
        arrays = _arrays(image, cut, embedder, options.pad)
        if whole is not None:
            arrays["whole"] = whole.describe(image, np.empty((0, 2), np.float32), _square(image, options.side))
        grouped, more = _written(setting.folder, row, number, len(faces), arrays, options.pad)
        return _Described(grouped, [face for face, _ in cut], [*findings, *more])

    return described


def _square(image: Image, side: int) -> Image:
    """The whole photograph in the middle of a square of so many px."""
    return formed(image, Form("png", side, pad=True))


def _row(row: ImageRow, number: int, **fields: object) -> GroupRow:
    about = {"id": row.id, "dataset": row.dataset, "number": number, "split": row.split, "label": row.label}
    return GroupRow.model_validate({**about, **fields})


def _doubt(row: ImageRow, face: Face) -> Finding:
    place = f"{face.x0:.0f},{face.y0:.0f} to {face.x1:.0f},{face.y1:.0f}"
    message = f"what was found at {place} is no face to its landmarks (residual {face.residual:.4f}); it is left out"
    return finding("ME732", message, path=row.id, found=f"{face.residual:.4f}", expected=f"below {GONE:g}")


def _cut(
    folder: Path, image: Image, row: ImageRow, number: int, index: int, face: Face
) -> tuple[FaceCoordinates, Image]:
    """A face's row and its aligned form; that and its crop are written."""
    points = five_points(np.array(face.landmarks, np.float32).reshape(-1, 2))
    name = f"{number:06d}_{index:03d}.png"
    height, width = image.shape[:2]
    x0, y0 = max(0, int(np.floor(face.x0))), max(0, int(np.floor(face.y0)))
    x1, y1 = min(width, int(np.ceil(face.x1))), min(height, int(np.ceil(face.y1)))
    upright = aligned(image, points)
    for kind, picture in (("faces", image[y0:y1, x0:x1]), ("aligned", upright)):
        (folder / kind / name).write_bytes(cv2.imencode(".png", picture)[1].tobytes())
    names = ("left_eye", "right_eye", "nose", "left_mouth", "right_mouth")
    flat = {
        f"{point}_{axis}": round(float(value), 2)
        for point, place in zip(names, points, strict=True)
        for axis, value in zip("xy", place, strict=True)
    }
    coordinates = FaceCoordinates(
        id=row.id,
        dataset=row.dataset,
        split=row.split,
        label=row.label,
        number=number,
        face=index,
        x0=face.x0,
        y0=face.y0,
        x1=face.x1,
        y1=face.y1,
        **flat,
        confidence=face.score,
        residual=face.residual,
        landmarks=face.landmarks,
        crop=f"faces/{name}",
        aligned=f"aligned/{name}",
    )
    return coordinates, upright


def _arrays(
    image: Image, faces: list[tuple[FaceCoordinates, Image]], embedder: Embedder, pad: int | None
) -> dict[str, NDArray[Any]]:
    """What the npz of a photograph holds of its faces."""
    used = faces[:pad]
    size = len(used) if pad is None else pad
    features = np.zeros((size, int(embedder.about["size"])), np.float32)
    boxes, points = np.zeros((size, 4), np.float32), np.zeros((size, 5, 2), np.float32)
    confidence = np.zeros(size, np.float32)
    for i, (face, upright) in enumerate(used):
        landmarks = np.array(face.landmarks, np.float32).reshape(-1, 2)
        features[i] = embedder.describe(image, landmarks, upright)
        boxes[i] = face.x0, face.y0, face.x1, face.y1
        points[i] = five_points(landmarks)
        confidence[i] = face.confidence
    mask = np.arange(size) < len(used)
    return {"features": features, "mask": mask, "boxes": boxes, "points": points, "confidence": confidence}


def _written(
    folder: Path, row: ImageRow, number: int, faces: int, arrays: dict[str, NDArray[Any]], pad: int | None
) -> tuple[GroupRow, list[Finding]]:
    """An image's row, with its npz written; no npz of nothing: without a face, a whole vector or padding."""
    findings: list[Finding] = []
    if not faces:
        findings.append(finding("ME733", "no face was found in the photograph", path=row.id, found="0"))
        if pad is None and "whole" not in arrays:
            return _row(row, number, why="no face"), findings
    if pad is not None and faces > pad:
        message = f"{plural(faces, 'face')}; the {pad} largest are in the npz"
        findings.append(finding("ME734", message, path=row.id, found=str(faces), expected=str(pad)))
    name = f"features/{number:06d}.npz"
    about: dict[str, Any] = {"faces": np.int32(faces), "label": np.array(row.label or ""), "id": np.array(row.id)}
    content: dict[str, Any] = {**arrays, **about}
    np.savez(folder / name, **content)
    used = int(arrays["mask"].sum())
    return _row(row, number, faces=faces, used=used, file=name, why=None if faces else "no face"), findings
