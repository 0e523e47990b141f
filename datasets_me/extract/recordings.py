"""Videos without a workbook: files and folders of frames that are no dataset, as a manifest without annotations."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from datasets_me.core.errors import FolderError, MeDatasetsError
from datasets_me.core.frame_names import Frames, beside, is_image, read_names
from datasets_me.core.frames import VideoError, VideoFacts, VideoFile, is_video_file
from datasets_me.core.paths import safe_name
from datasets_me.core.text import printable
from datasets_me.findings.finding import Finding, finding
from datasets_me.formats import manifest as manifests
from datasets_me.formats.kinds import EXTRACTION, MANIFEST
from datasets_me.formats.manifest import Manifest
from datasets_me.formats.records import Video
from datasets_me.formats.video_findings import doubts
from datasets_me.schema import schema_files
from datasets_me.schema.spec import FASTEST, SLOWEST

FOLDER = "manifest"
"""Where an extraction of recordings keeps their manifest, which the exports ask for."""

_SCHEMA = """\
# Recordings that belong to no dataset: video files, and folders of frames. Nothing is annotated.
id: recordings
version: 1
title: Recordings
fps: {fps:g}
citation: none
licence: {{page: none, terms: those of the recordings}}
workbook:
  files: [none]
  variants:
    - {{id: none, header: find, columns: {{subject: [Subject], video: [Video], onset: [Onset]}}}}
names:
  patterns: {{subject: '.+', video: '.+'}}
  subject: "{{subject}}"
  video: "{{video}}"
expression_type: {{constant: micro}}
layouts:
  - {{id: files, holds: video, video_files: true, folder: "{{video}}"}}
  - {{id: frames, holds: expression, folder: "{{video}}", frame: "{{frame}}.jpg", base: 0}}
"""


def manifest_of(paths: Sequence[Path], root: Path | None, rate: float | None) -> tuple[Manifest, Path, bool]:
    """The manifest that paths mean, the root of its videos, and whether it was made of recordings.

    One path to a manifest is that manifest, and needs a root; anything else is recordings.

    Raises:
        MeDatasetsError: a root or a rate is given where none is needed, or missing; or as in `of_recordings`.
    """
    if len(paths) == 1 and (paths[0] / MANIFEST.about).is_file():
        if root is None:
            raise MeDatasetsError("--root is missing", fix="give --root, the folder under which the frames lie")
        if rate is not None:
            raise MeDatasetsError("a manifest knows its frame rates", fix="leave out --rate")
        return manifests.read(paths[0]), root, False
    if root is not None:
        missing = next((path for path in paths if not path.exists()), paths[0])
        raise MeDatasetsError(
            "this is not a manifest",
            where=str(missing),
            fix="give one manifest and --root, or recordings without --root",
        )
    manifest, findings = of_recordings(paths, rate)
    return manifest, findings, True


def of_recordings(paths: Sequence[Path], rate: float | None = None) -> tuple[Manifest, Path]:
    """A manifest of some recordings, and the folder that holds them all.

    A folder of images is a recording; of any other folder all video files and folders of images below it are. Frames of
    a folder have the numbers of their files, those of a file are counted from 0.

    Args:
        rate: frames per second of folders of frames, which do not say it; of files, in place of what they say.

    A file that cannot be opened is a video without frames, for which an extraction has a finding. What is doubtful
    about the others, and which files of a folder are left out, are findings of the manifest.

    Raises:
        MeDatasetsError: a path is neither a video file nor a folder with recordings, there are both kinds, a frame rate
            is missing, or no file can be opened.
    """
    findings: list[Finding] = []
    given = [Path(os.path.abspath(path)) for path in paths]  # noqa: PTH100 - links stay
    places = list(dict.fromkeys(place for path in given for place in _recordings(path, findings)))
    folders = [place for place in places if place.is_dir()]
    if folders and len(folders) < len(places):
        raise MeDatasetsError(
            "there are video files and folders of frames, and an extraction is of one kind",
            details=[str(folders[0]), str(next(place for place in places if not place.is_dir()))],
            fix="extract them one kind after the other, into two folders",
        )
    if folders and rate is None:
        raise MeDatasetsError(
            "a folder of frames does not say its frame rate",
            where=str(folders[0]),
            fix="give --rate, such as --rate 200",
        )
    root = Path(os.path.commonpath([place.parent for place in places]))
    names = _names(places, root)
    if rate is not None and folders:
        videos = [_folder(place, root, names[place], rate) for place in places]
    else:
        videos = _files(places, root, names, rate, findings)
    schema = schema_files.parse(_SCHEMA.format(fps=videos[0].fps), "recordings")
    return Manifest(schema, [], videos, findings, "none"), root


def _recordings(path: Path, findings: list[Finding]) -> Iterator[Path]:
    """The recordings that a path stands for, in order; a finding about files left out is added to ``findings``.

    Raises:
        FolderError: there is none, or a folder cannot be opened.
    """
    if not path.exists():
        raise FolderError("there is no such file or folder", where=str(path))
    if not path.is_dir():
        yield path
        return
    places, left_out = [], []
    for place, below, files in os.walk(path, onerror=_refuse):
        below[:] = sorted(name for name in below if not name.startswith("."))
        if EXTRACTION.about in files:  # of an earlier run
            below.clear()
            continue
        videos = {name for name in files if is_video_file(Path(place), name)}
        others = sorted(name for name in files if name not in videos and not name.startswith("."))
        is_folder_of_frames = any(map(is_image, others))
        places += [Path(place, name) for name in videos]
        places += [Path(place)] if is_folder_of_frames else []
        strays = read_names(others).strays if is_folder_of_frames else others
        left_out += [printable(Path(place, name).relative_to(path).as_posix()) for name in strays]
    if not places:
        raise FolderError("there are neither video files nor images in it", where=str(path))
    if left_out:
        what = "frames" if any(place.is_dir() for place in places) else "videos"
        found = str(len(left_out))
        findings.append(finding("ME211", beside(sorted(left_out), what), path=path.name, found=found))
    yield from sorted(places)


def _refuse(error: OSError) -> None:
    raise FolderError(f"the folder cannot be opened: {error.strerror}", where=str(error.filename)) from error


def _names(places: Sequence[Path], root: Path) -> dict[Path, str]:
    """A name for each recording: that of its file or folder, with those above it where that is not the only one."""
    stems = {place: place.name if place.is_dir() else place.stem for place in places}
    taken = list(stems.values())
    return {
        place: safe_name(stem if taken.count(stem) == 1 else "_".join(place.relative_to(root).parts))
        for place, stem in stems.items()
    }


def _files(
    places: Sequence[Path], root: Path, names: Mapping[Path, str], rate: float | None, findings: list[Finding]
) -> list[Video]:
    """The videos of files; what is doubtful about them is added to ``findings``.

    One that cannot be opened has no frames, and the rate of the first that can.

    Raises:
        MeDatasetsError: a file does not say its frame rate, or none can be opened.
    """
    videos: dict[Path, Video] = {}
    errors: dict[Path, VideoError] = {}
    for place in places:
        video = Video(
            dataset="recordings",
            subject=names[place],
            video=names[place],
            layout="files",
            path=place.relative_to(root).as_posix(),
            fps=rate or 1.0,
        )
        try:
            with VideoFile(place) as file:
                facts = file.facts
        except VideoError as error:
            videos[place], errors[place] = video, error
            continue
        videos[place] = video.model_copy(update=_stated(facts, place, rate))
        for code, message, expected, actual in doubts(facts, videos[place].fps):
            findings.append(finding(code, message, video=video.video, path=video.path, expected=expected, found=actual))
    usual = next((videos[place].fps for place in places if place not in errors), None)
    if usual is None:
        raise next(iter(errors.values()))
    return [videos[place].model_copy(update={"fps": usual} if place in errors else {}) for place in places]


def _stated(facts: VideoFacts, path: Path, rate: float | None) -> dict[str, object]:
    """What a video file says of itself, as the fields of a video.

    Raises:
        MeDatasetsError: there is no frame rate.
    """
    fps = rate or facts.rate
    if not fps or not SLOWEST <= fps <= FASTEST:
        stated = f"says that it has {fps:g} frames a second" if fps else "does not say its frame rate"
        raise MeDatasetsError(f"the video {stated}", where=str(path), fix="give --rate, such as --rate 30")
    return {
        "frames": facts.frames,
        "first": 1 if facts.frames else None,
        "last": facts.frames or None,
        "missing": 0,
        "width": facts.width,
        "height": facts.height,
        "fps": fps,
        "format": facts.codec,
    }


def _folder(path: Path, root: Path, name: str, rate: float) -> Video:
    frames: Frames = read_names([entry.name for entry in path.iterdir() if entry.is_file()])
    return Video(
        dataset="recordings",
        subject=name,
        video=name,
        layout="frames",
        path=path.relative_to(root).as_posix(),
        frames=len(frames.numbers),
        first=frames.numbers[0] if frames.numbers else None,
        last=frames.numbers[-1] if frames.numbers else None,
        missing=frames.missing,
        fps=rate,
    )
