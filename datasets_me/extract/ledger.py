"""What is done: one small file per video, written after its arrays, so that a killed run can go on.

The file holds the stamp of everything that the arrays depend on, as far as it can be known without reading the frames
(their names, sizes and times of change stand for their contents), the video's row and its findings.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from datasets_me.core.files import read_json, remove_leftovers, write_file
from datasets_me.findings.finding import Finding
from datasets_me.formats.frame_files import FrameFiles
from datasets_me.formats.records import VideoFeatures

FOLDER = "done"


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
    for number, name in files.names.items():
        try:
            about = (files.folder / name).stat()
            facts = f"{about.st_size} {about.st_mtime_ns}"
        except OSError:
            facts = "cannot be read"
        hashed.update(f"{number} {name} {facts}\n".encode("utf-8", "surrogateescape"))
    return hashed.hexdigest()


def marker(out: Path, subject: str, name: str) -> Path:
    """Where it is written that a video is done."""
    return out / FOLDER / subject / f"{name}.json"


def finish(out: Path, subject: str, stamp: str, row: VideoFeatures, findings: Sequence[Finding]) -> None:
    """Write down that a video is done, after all its other files.

    Raises:
        WriteError: it cannot be written.
    """
    sizes = {path: (out / path).stat().st_size for path in (row.features, row.landmarks) if path}
    about = {
        "stamp": stamp,
        "files": sizes,
        "row": row.model_dump(mode="json"),
        "findings": [finding.model_dump(mode="json", exclude_none=True) for finding in findings],
    }
    path = marker(out, subject, row.name)
    remove_leftovers(path)
    write_file(path, (json.dumps(about, ensure_ascii=False) + "\n").encode())


def remove_all(out: Path) -> None:
    """Remove everything that is written down as done, arrays and all."""
    for path in sorted((out / FOLDER).glob("*/*.json")):
        try:
            files = dict(read_json(path)["files"])
        except (OSError, ValueError, KeyError, TypeError):
            files = {}
        for name in files:
            if (out / name).resolve().is_relative_to(out.resolve()):  # of a damaged file nothing is believed
                (out / name).unlink(missing_ok=True)
        path.unlink()


def done(out: Path, subject: str, name: str, stamp: str | None = None) -> Done | None:
    """What is written down of a video; None if it is not done, was done from something else than ``stamp`` says, or
    its arrays are not there as they were written.
    """
    try:
        about = read_json(marker(out, subject, name))
        if stamp is not None and about["stamp"] != stamp:
            return None
        if any((out / path).stat().st_size != size for path, size in about["files"].items()):
            return None
        return Done(
            VideoFeatures.model_validate(about["row"]),
            [Finding.model_validate(finding) for finding in about["findings"]],
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
