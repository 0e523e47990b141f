"""What is done: one small file per video, written after its arrays, so that a killed run can go on.

The file holds the stamp of everything that the arrays depend on, as far as it can be known without reading the frames
(their names, sizes and times of change stand for their contents), the video's row and its findings.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from datasets_me.core.artefact import write_file
from datasets_me.core.errors import PathError, WriteError
from datasets_me.core.files import read_json
from datasets_me.core.paths import check_table, under
from datasets_me.findings.finding import Finding
from datasets_me.formats.features import DONE, FINDINGS, TABLE
from datasets_me.formats.frame_files import FrameFiles
from datasets_me.formats.records import VideoFeatures

ARRAYS = ("features", "landmarks")
"""Folders of the arrays of videos."""


class Done(NamedTuple):
    """A finished video."""

    row: VideoFeatures
    findings: list[Finding]


def digest(value: Mapping[str, Any]) -> str:
    """SHA-256 of some facts, the same for the same facts."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()


def stat_of(files: FrameFiles) -> str:
    """A hash of the names, sizes and times of change of the files of a video."""
    hashed = hashlib.sha256()
    listed = files.names if not files.in_file else {files.start: files.names[files.start]} if files.names else {}
    for number, name in listed.items():
        try:
            about = (files.folder / name).stat()
            facts = f"{about.st_size} {about.st_mtime_ns}"
        except OSError:
            facts = "cannot be read"
        hashed.update(f"{number} {name} {facts}\n".encode("utf-8", "surrogateescape"))
    return hashed.hexdigest()


def marker(out: Path, subject: str, name: str) -> Path:
    """Where it is written that a video is done.

    Raises:
        PathError: a link in the output leads out of it.
    """
    return under(out, f"{DONE}/{subject}/{name}.json")


def begin(out: Path, subject: str, name: str) -> None:
    """Take back what is said of a video, before anything of it changes: the tables, and that it is done.

    Raises:
        WriteError: it cannot be removed.
    """
    try:
        for path in (out / TABLE, out / FINDINGS, marker(out, subject, name)):
            path.unlink(missing_ok=True)
    except OSError as error:
        raise WriteError(f"the file cannot be replaced: {error.strerror or error}", where=str(path)) from error


def finish(out: Path, subject: str, stamp: str, row: VideoFeatures, findings: Sequence[Finding]) -> None:
    """Write down that a video is done, after all its other files.

    Raises:
        WriteError: it cannot be written.
    """
    sizes = {path: under(out, path).stat().st_size for path in (row.features, row.landmarks) if path}
    about = {
        "stamp": stamp,
        "files": sizes,
        "row": row.model_dump(mode="json"),
        "findings": [finding.model_dump(mode="json", exclude_none=True) for finding in findings],
    }
    path = marker(out, subject, row.name)
    write_file(path, (json.dumps(about, ensure_ascii=False) + "\n").encode())


def remove_all(out: Path) -> None:
    """Remove everything that is written down as done, arrays and all.

    Raises:
        PathError: a link in the output leads out of it; nothing behind it is removed.
    """
    for table in (TABLE, FINDINGS):
        (out / table).unlink(missing_ok=True)
    for found in sorted((out / DONE).glob("*/*.json")):
        path = under(out, found.relative_to(out).as_posix())
        try:
            files = dict(read_json(path)["files"])
        except (OSError, ValueError, KeyError, TypeError):
            files = {}
        for name in files:
            # of what it says only that is believed which can be an array of ours
            with suppress(PathError):
                if name.startswith(tuple(f"{folder}/" for folder in ARRAYS)) and under(out, name).is_file():
                    under(out, name).unlink()
        path.unlink()


def done(out: Path, subject: str, name: str, stamp: str | None = None) -> Done | None:
    """What is written down of a video; None if it is not done, was done from something else than ``stamp`` says, or
    its arrays are not there as they were written.
    """
    try:
        about = read_json(marker(out, subject, name))
        if stamp is not None and about["stamp"] != stamp:
            return None
        if any(under(out, path).stat().st_size != size for path, size in about["files"].items()):
            return None
        row = VideoFeatures.model_validate(about["row"])
        if row.name != name:
            return None
        check_table(marker(out, subject, name), [row], paths=["features", "landmarks", "path"])
        return Done(row, [Finding.model_validate(finding) for finding in about["findings"]])
    except (OSError, ValueError, KeyError, TypeError, AttributeError, PathError):
        return None
