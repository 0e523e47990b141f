"""What is known of each video: a small file, written after its arrays, so that a killed run can go on.

The note of a finished video holds the stamp of everything that its arrays depend on, as far as it can be known without
reading the frames (their names, sizes and times of change stand for their contents), the sizes of the arrays, the
video's row and its findings. A video that waits for the boxes of its subject's others has a note with the stamp alone,
and one that failed has a note without a stamp, since a rerun tries it again.

Beside the tables of an extraction lies what their rows do not say of the notes, in one file, so that a rerun need not
read as many notes as there are videos. It is removed with the tables before any note changes, and believed only
together with them.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from datasets_me.core.artefact import write_file
from datasets_me.core.errors import MeDatasetsError, PathError, WriteError
from datasets_me.core.files import read_json
from datasets_me.core.paths import check_table, safe_name, under
from datasets_me.core.tables import Record, batches, read_parquet, write_parquet
from datasets_me.findings.finding import Finding
from datasets_me.formats import features as feature_files
from datasets_me.formats.features import DONE, FINDINGS, TABLE
from datasets_me.formats.records import Video, VideoFeatures

ARRAYS = ("features", "landmarks")
"""Folders of the arrays of videos."""

NOTES = f"{DONE}/notes.parquet"
"""What is beside the rows of the tables in all notes."""


class Done(NamedTuple):
    """A video that is finished, or that failed."""

    row: VideoFeatures
    findings: list[Finding]


class Note(Record):
    """What a note says of a video besides its row and findings.

    ``subject`` and ``name`` are those of its files. ``stamp`` is the hash of all that its arrays depend on, ``waited``
    the one it had while it waited for its subject's others. ``size`` is that of the note in bytes, ``features`` and
    ``landmarks`` those of the arrays. ``findings`` is how many of the findings are its own, in the order of the rows.
    """

    subject: str
    name: str
    size: int | None = None
    stamp: str | None = None
    waited: str | None = None
    features: int | None = None
    landmarks: int | None = None
    findings: int = 0


class Noted(NamedTuple):
    """What tables and notes say of a video; a record of each would take half as much memory again.

    ``sizes`` are those of the note, the features and the landmarks; the others are as in `Note`.
    """

    sizes: tuple[int | None, ...]
    stamp: str | None
    waited: str | None
    done: Done


def digest(value: Mapping[str, Any]) -> str:
    """SHA-256 of some facts, the same for the same facts."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()


def note(out: Path, subject: str, name: str) -> Path:
    """Where it is written what is known of a video.

    Raises:
        PathError: a link in the output leads out of it.
    """
    path = checked_folder(out, f"{DONE}/{subject}") / f"{name}.json"
    return under(out, f"{DONE}/{subject}/{name}.json") if path.is_symlink() else path


def noted(out: Path, subject: str) -> set[str]:
    """The names of a subject's videos that are finished, failed, or wait for others."""
    folder = under(out, f"{DONE}/{subject}")
    return {path.name.removesuffix(".json") for path in folder.glob("[!.]*.json")}


def begin(out: Path, subject: str, name: str) -> None:
    """Remove what describes a video before anything of it changes: the tables, and its note.

    Raises:
        WriteError: it cannot be removed.
    """
    try:
        for path in (out / TABLE, out / FINDINGS, out / NOTES, note(out, subject, name)):
            path.unlink(missing_ok=True)
        feature_files.begin(out, name)
    except OSError as error:
        raise WriteError(f"the file cannot be replaced: {error.strerror or error}", where=str(path)) from error


def finish(
    out: Path,
    subject: str,
    stamp: str,
    row: VideoFeatures,
    findings: Sequence[Finding],
    waited: str | None = None,
) -> None:
    """Note that a video is finished, after all its other files.

    Args:
        out: the folder of the extraction.
        subject: as it is in paths.
        stamp: of all that its arrays depend on.
        row: of the video.
        findings: about the video.
        waited: the stamp that it had while it waited for others, if it did.

    Raises:
        WriteError: it cannot be written.
    """
    sizes = {path: under(out, path).stat().st_size for path in (row.features, row.landmarks) if path}
    content = {"stamp": stamp, "files": sizes, **_described(Done(row, list(findings)))}
    _write(out, subject, row.name, content if waited is None else {**content, "waited": waited})


def wait(out: Path, subject: str, name: str, stamp: str) -> None:
    """Note that a video waits for the boxes of its subject's others.

    Raises:
        WriteError: it cannot be written.
    """
    begin(out, subject, name)
    _write(out, subject, name, {"waited": stamp})


def fail(out: Path, subject: str, failed: Done) -> None:
    """Note that a video failed without anything being written of it, so that another run can report it.

    Raises:
        WriteError: it cannot be written.
    """
    begin(out, subject, failed.row.name)
    _write(out, subject, failed.row.name, _described(failed))


def _described(video: Done) -> dict[str, Any]:
    return {
        "row": video.row.model_dump(mode="json"),
        "findings": [finding.model_dump(mode="json", exclude_none=True) for finding in video.findings],
    }


def _write(out: Path, subject: str, name: str, content: Mapping[str, Any]) -> None:
    write_file(note(out, subject, name), (json.dumps(content, ensure_ascii=False) + "\n").encode())


def remove_all(out: Path) -> None:
    """Remove all notes, with the arrays that they name.

    Raises:
        PathError: a link in the output leads out of it; nothing behind it is removed.
    """
    for table in (TABLE, FINDINGS, NOTES):
        (out / table).unlink(missing_ok=True)
    for place in sorted((out / DONE).glob("*/*.json")):
        path = under(out, place.relative_to(out).as_posix())
        try:
            files = dict(read_json(path)["files"])
        except (OSError, ValueError, KeyError, TypeError):
            files = {}
        for name in files:
            # a note may come from a stranger: only what can be an array of ours is removed
            with suppress(PathError):
                if name.startswith(tuple(f"{folder}/" for folder in ARRAYS)) and under(out, name).is_file():
                    under(out, name).unlink()
        path.unlink()


def done(out: Path, subject: str, name: str, stamp: str | None = None) -> Done | None:
    """What a note says of a video that is finished or failed.

    Args:
        out: the folder of the extraction.
        subject: as it is in paths.
        name: the stem of the video's files.
        stamp: what the arrays have to depend on; None for any, and for failures, too.

    Returns:
        None if there is no such note, or the arrays are not there as they were written.
    """
    try:
        path = note(out, subject, name)
        content = read_json(path)
        if stamp is not None and content["stamp"] != stamp:
            return None
        if any(_size(out, array) != size for array, size in content.get("files", {}).items()):
            return None
        row = VideoFeatures.model_validate(content["row"])
        if row.name != name:
            return None
        check_table(path, [row], paths=["features", "landmarks", "path"])
        return Done(row, [Finding.model_validate(finding) for finding in content["findings"]])
    except (OSError, ValueError, KeyError, TypeError, AttributeError, PathError):
        return None


def arrays_of(subject: str, name: str) -> tuple[str, str]:
    """Where in the output the features and the landmarks of a video lie."""
    return f"features/{subject}/{name}.npy", f"landmarks/{subject}/{name}.npz"


def sizes(out: Path, subject: str, name: str) -> tuple[int | None, ...]:
    """The sizes of the note, the features and the landmarks of a video; None for what is not there."""
    return tuple(_known_size(out, path) for path in (f"{DONE}/{subject}/{name}.json", *arrays_of(subject, name)))


def _known_size(out: Path, path: str) -> int | None:
    try:
        return _size(out, path)
    except (OSError, PathError):
        return None


def write_notes(out: Path, videos: Sequence[Done]) -> None:
    """Write beside the tables what the notes of their videos say besides, in the order of the rows.

    Raises:
        WriteError: it cannot be written.
    """
    rows = []
    for video in videos:
        subject, name = safe_name(video.row.subject), video.row.name
        about: dict[str, Any] = {"subject": subject, "name": name, "findings": len(video.findings)}
        try:
            content = read_json(note(out, subject, name))
            about["size"] = note(out, subject, name).stat().st_size
            files = zip(ARRAYS, map(content.get("files", {}).get, arrays_of(subject, name)), strict=True)
            rows.append(Note(**about, **dict(files), stamp=content.get("stamp"), waited=content.get("waited")))
        except (OSError, ValueError, TypeError, AttributeError, PathError):
            rows.append(Note(**about))
    write_parquet(Note, rows, out / NOTES)


def read_notes(out: Path) -> dict[tuple[str, str], Noted]:
    """What tables and notes say of all videos, by subject and name in paths; nothing where the tables are not current.

    It holds for a video as long as nothing begins to change it.
    """
    noted: dict[tuple[str, str], Noted] = {}
    try:
        if not (out / NOTES).is_file() or not (out / TABLE).is_file() or feature_files.begun(out):
            return {}
        findings = iter(read_parquet(Finding, out / FINDINGS))
        # a few at a time: there may be 100,000, and as they come from the file they take twice the memory
        for notes, rows in zip(batches(out / NOTES, Note), batches(out / TABLE, VideoFeatures), strict=True):
            check_table(out / TABLE, rows, paths=["features", "landmarks", "path"], names=["name"])
            for about, row in zip(notes, rows, strict=True):
                if (about.subject, about.name) != (safe_name(row.subject), row.name):
                    return {}
                found = list(islice(findings, about.findings))
                if len(found) < about.findings:
                    return {}
                share_texts(row)
                sizes = about.size, about.features, about.landmarks
                noted[sys.intern(about.subject), row.name] = Noted(sizes, about.stamp, about.waited, Done(row, found))
    except (OSError, ValueError, MeDatasetsError):
        return {}
    return noted


def share_texts(row: VideoFeatures | Video, video: Video | None = None) -> None:
    """Have a row use the texts of its video, and one copy of those that many rows have: there may be 100,000."""
    values = row.__dict__
    for name in _REPEATED & values.keys():
        values[name] = values[name] and sys.intern(values[name])
    for name in ("video", "path") if video is not None else ():
        values[name] = getattr(video, name) if values[name] == getattr(video, name) else values[name]
    if values.get("name") == values["video"]:
        values["name"] = values["video"]


_REPEATED = {"dataset", "subject", "layout", "format", "regions", "crop_source", "crop_pad", "status"}
"""Columns in which many rows say the same."""


def _size(out: Path, path: str) -> int:
    """The size of a file of the extraction.

    Raises:
        OSError: it is not there.
        PathError: it lies outside the folder.
    """
    folder, _, name = path.rpartition("/")
    about = os.lstat(f"{checked_folder(out, folder)}{os.sep}{name}")
    return under(out, path).stat().st_size if stat.S_ISLNK(about.st_mode) else about.st_size


@lru_cache(maxsize=4096)
def checked_folder(out: Path, folder: str) -> Path:
    """A folder of an extraction; links on the way to it are looked at once in a run, not for every video.

    Raises:
        PathError: a link leads out of the extraction.
    """
    return under(out, folder)


def waits(out: Path, subject: str, name: str, stamp: str) -> bool:
    """Whether a video waited, or still waits, for its subject's others when it had a stamp."""
    try:
        return bool(read_json(note(out, subject, name)).get("waited") == stamp)
    except (OSError, ValueError, AttributeError, PathError):
        return False


def failed(out: Path, subject: str, name: str) -> Done | None:
    """What a note says of a video that failed without anything being written of it."""
    video = done(out, subject, name)
    return video if video is not None and video.row.key is None else None
