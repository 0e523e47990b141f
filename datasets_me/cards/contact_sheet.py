"""A contact sheet: one page with a frame of every video, its crop and landmarks, the worst first."""

from __future__ import annotations

import base64
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from datasets_me.core import resources
from datasets_me.core.artefact import write_file
from datasets_me.core.errors import FeaturesError, FolderError, MeDatasetsError, PathError
from datasets_me.core.version import __version__
from datasets_me.extract.extract import Extraction
from datasets_me.extract.options import taken
from datasets_me.features.regions import REGION_SETS
from datasets_me.features.video import Quality
from datasets_me.findings.codes import SEVERITIES, all_codes
from datasets_me.findings.finding import Finding
from datasets_me.formats.features import FeatureFolder, read_landmarks
from datasets_me.formats.frame_files import frame_files, frame_rate
from datasets_me.formats.manifest import Manifest
from datasets_me.formats.records import VideoFeatures

Image = NDArray[np.uint8]

WIDTH = 320
"""Width of a picture on the page in px."""

MARK = '<meta name="generator" content="me-datasets contact sheet">'
"""The mark by which an earlier page is recognised."""

_BOX, _POINT, _DOUBT = (80, 220, 80), (40, 200, 255), (60, 40, 230)  # BGR


@dataclass(frozen=True)
class Entry:
    """One video on the page."""

    row: VideoFeatures
    picture: str | None
    frame: int | None
    findings: list[Finding]
    share: float
    doubt: float = 0.0
    """The part of the known motion that is not believed to be that of the skin."""

    @property
    def rank(self) -> tuple[int, float, int, str]:
        """Sorts the worst first: without features, with few good frames, with errors."""
        severities = [SEVERITIES.index(finding.severity) for finding in self.findings]
        status = ("failed", "partial", "ok").index(self.row.status)
        return status, self.share, min(severities, default=len(SEVERITIES)), self.row.name


def check_sheet(path: Path) -> None:
    """Check that a contact sheet may be written: to a new page, or in place of an earlier contact sheet.

    Raises:
        MeDatasetsError: the path is not a page, it cannot be written, or something else is there.
    """
    if path.suffix.casefold() not in (".html", ".htm"):
        raise MeDatasetsError(
            "a contact sheet is an HTML page", where=str(path), fix="give a --sheet that ends in .html"
        )
    if not path.exists():
        parent = next(folder for folder in path.absolute().parents if folder.exists())
        if not (parent.is_dir() and os.access(parent, os.W_OK)):
            raise MeDatasetsError(
                f"the page cannot be written under {parent}", where=str(path), fix="choose another --sheet"
            )
        return
    earlier = False
    if path.is_file():
        with path.open("rb") as file:
            earlier = MARK.encode() in file.read(1000)
    if not earlier:
        raise MeDatasetsError(
            "the file exists and is not a contact sheet", where=str(path), fix="choose another --sheet"
        )


def write_sheet(manifest: Manifest, root: Path, out: Path, extraction: Extraction, path: Path) -> None:
    """Write the self-contained page.

    Raises:
        WriteError: it cannot be written.
    """
    import jinja2

    by_video: dict[str | None, list[Finding]] = {}
    for finding in extraction.findings:
        by_video.setdefault(finding.video, []).append(finding)
    entries = [_entry(manifest, root, out, row, by_video.get(row.video, [])) for row in extraction.rows]
    template = resources.package_file("cards/contact_sheet.html.j2").read_text(encoding="utf-8")
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    statuses = [(name, sum(entry.row.status == name for entry in entries)) for name in ("failed", "partial", "ok")]
    page = environment.from_string(template).render(
        title=f"{manifest.spec.title}: contact sheet",
        mark=MARK,
        version=__version__,
        entries=sorted(entries, key=lambda entry: entry.rank),
        statuses=statuses,
        codes=all_codes(),
        frames=sum(entry.row.frames for entry in entries),
    )
    write_file(path, page.encode())


def _entry(manifest: Manifest, root: Path, out: Path, row: VideoFeatures, findings: list[Finding]) -> Entry:
    own_findings = [f for f in findings if f.path is None or f.path == row.path or f.path.startswith(f"{row.path}/")]
    share = row.good / row.frames if row.frames else 0.0
    try:
        video = next(video for video in manifest.videos if video.path == row.path and video.layout == row.layout)
        files = frame_files(manifest, video, root)
    except (FolderError, StopIteration):
        return Entry(row, None, None, own_findings, share)
    _, numbers = taken(files.start, files.end, frame_rate(manifest, video), row.fps)
    points, quality, box = _landmarks(out, row)
    doubted = _doubted(out, row)
    doubt = float(doubted.mean()) if doubted.size else 0.0
    for index in _from_the_middle(len(numbers), quality):
        image = files.read(numbers[index], colour=True)[0] if numbers[index] in files.names else None
        if image is not None:
            shown = points[index] if points is not None and index < len(points) else None
            centres = _centres(row, shown, doubted[index]) if shown is not None and index < len(doubted) else []
            return Entry(row, _picture(image, box, shown, centres), numbers[index], own_findings, share, doubt)
    return Entry(row, None, None, own_findings, share, doubt)


def _doubted(out: Path, row: VideoFeatures) -> NDArray[np.bool_]:
    """Which motion (T - step, R) is known, but not believed to be that of the skin; empty where nobody knows."""
    try:
        folder = FeatureFolder(out, (row,), True)
        valid = folder.valid(row)
        if valid is not None:
            return np.asarray(np.isfinite(folder.load(row)).all(axis=2) & ~valid)
    except (FeaturesError, PathError):
        pass
    return np.zeros((0, 0), bool)


def _centres(row: VideoFeatures, points: NDArray[np.float32], doubted: NDArray[np.bool_]) -> list[list[float]]:
    """The centres of doubted regions in px of the raw frame."""
    regions = REGION_SETS.get(row.regions)
    if regions is None or len(regions.regions) != len(doubted):
        return []
    centres: list[list[float]] = (regions.matrix() @ points)[doubted].tolist()
    return centres


def _from_the_middle(count: int, quality: NDArray[np.uint8] | None) -> list[int]:
    """A few frames to try: the good ones nearest to the middle of the video, then any."""
    order = sorted(range(count), key=lambda index: abs(index - count // 2))
    if quality is not None and len(quality) == count:
        order.sort(key=lambda index: int(quality[index]) & int(Quality.MISSING | Quality.NO_FACE))
    return order[:8]


def _landmarks(out: Path, row: VideoFeatures) -> tuple[NDArray[np.float32] | None, NDArray[np.uint8] | None, list[int]]:
    if row.landmarks is None:
        return None, None, row.box
    try:
        arrays = read_landmarks(out, row, "landmarks", "quality")
        return np.asarray(arrays["landmarks"], np.float32), np.asarray(arrays["quality"], np.uint8), row.box
    except (FeaturesError, PathError):
        return None, None, row.box


def _picture(
    image: Image, box: list[int], points: NDArray[np.float32] | None, doubted: Sequence[Sequence[float]]
) -> str:
    """A small JPEG of a frame with its box, its landmarks and the centres of doubted regions, in base64."""
    factor = WIDTH / image.shape[1]
    mode = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    small = cv2.resize(image, (WIDTH, max(1, round(image.shape[0] * factor))), interpolation=mode)
    if box:
        (x0, y0), (x1, y1) = ((round(box[i] * factor), round(box[i + 1] * factor)) for i in (0, 2))
        cv2.rectangle(small, (x0, y0), (x1 - 1, y1 - 1), _BOX, 1, cv2.LINE_AA)
    if points is not None and np.isfinite(points).all():
        for x, y in (points * 16 * factor).round().astype(int).tolist():
            cv2.circle(small, (x, y), 20, _POINT, -1, cv2.LINE_AA, shift=4)
        for x, y in doubted:
            cv2.circle(small, (round(x * factor), round(y * factor)), 5, _DOUBT, 2, cv2.LINE_AA)
    coded = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 85])[1]
    return base64.b64encode(coded.tobytes()).decode()
