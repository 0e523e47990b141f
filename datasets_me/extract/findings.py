"""Findings of an extraction (ME6xx): what could not be used, and where the face was hard to find."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from datasets_me.core.errors import plural
from datasets_me.core.frame_names import far_away, number_of
from datasets_me.core.text import ranges
from datasets_me.extract.crops import Found
from datasets_me.extract.reader import FrameReader
from datasets_me.features.video import Features, Quality
from datasets_me.findings.finding import Finding, finding
from datasets_me.formats.frame_files import FrameFiles
from datasets_me.formats.records import Video, VideoFeatures
from datasets_me.formats.tool_tables import ToolTable


def failed(row: VideoFeatures, why: str) -> Finding:
    """A video without features."""
    return _about("ME610", row, why)


def too_short(row: VideoFeatures, why: str) -> Finding:
    """A video with fewer frames than a pair needs."""
    return _about("ME611", row, why)


def without_folder(video: Video) -> Finding:
    """An annotated video of which there are no frames."""
    count = plural(video.annotations, "annotation")
    return finding("ME612", f"{count}, but no folder of frames", subject=video.subject, video=video.video)


def second_folder(video: Video) -> Finding:
    """A further folder of a video that has another one."""
    return finding("ME615", "the video has another folder, which was used instead", video=video.video, path=video.path)


def box_of_no_video(name: str) -> Finding:
    """A box of the user's that belongs to no video."""
    return finding("ME616", f"there is a box for '{name}', which is not a video of the manifest")


def about_files(row: VideoFeatures, files: FrameFiles, frames: FrameReader) -> Iterator[Finding]:
    """What is wrong with the files of a video."""
    as_named = not files.in_file and all(number_of(name) == number for number, name in files.names.items())
    counted = "" if as_named else ", counted from 0"
    by_reason: dict[str, list[int]] = {}
    for index, why in frames.unreadable.items():
        by_reason.setdefault(why, []).append(frames.numbers[index])
    for why, numbers in by_reason.items():
        path = f"{row.path}/{files.names[numbers[0]]}" if len(numbers) == 1 and not files.in_file else None
        text = f"{plural(len(numbers), 'frame')} cannot be read{counted}: {ranges(numbers)}: {why}"
        yield _about("ME601", row, text, path=path)
    if frames.missing:
        numbers = [frames.numbers[index] for index in frames.missing]
        yield _about("ME602", row, f"{plural(len(numbers), 'frame')} without a file{counted}: {ranges(numbers)}")
    if frames.repeated:
        numbers = [frames.numbers[index] for index in frames.repeated]
        what = "is the same picture" if len(numbers) == 1 else "are each the same picture"
        text = f"{plural(len(numbers), 'frame')} {what} as the frame before{counted}: {ranges(numbers)}"
        yield _about("ME621", row, text)
    size = (row.width, row.height)
    others = {index: other for index, other in frames.sizes.items() if other != size} if row.width else {}
    if others:
        numbers = [frames.numbers[index] for index in others]
        seen = ", ".join(f"{width} x {height}" for width, height in sorted(set(others.values())))
        yield _about(
            "ME603",
            row,
            f"{plural(len(numbers), 'frame')} of another size: {ranges(numbers)}",
            expected=f"{row.width} x {row.height}",
            found=seen,
        )
    if files.left_out:
        names = ", ".join(files.left_out[:3])
        more = f" and {len(files.left_out) - 3} more" if len(files.left_out) > 3 else ""
        yield _about("ME614", row, f"{plural(len(files.left_out), 'file')} left out: {names}{more}")
    if files.far:
        yield _about("ME312", row, far_away(files.far, list(files.names.values())))


def about_table(row: VideoFeatures, table: ToolTable, frames: int) -> list[Finding]:
    """What is odd about another tool's table of a video with so many frames."""
    findings = []
    if table.frames != frames:
        text = table.of_another_length(frames)
        findings.append(_about("ME619", row, text, expected=str(frames), found=str(table.frames)))
    if table.others:
        findings.append(_about("ME607", row, table.left_out))
    return findings


def about_face(row: VideoFeatures, where: Found, features: Features) -> Iterator[Finding]:
    """Where the crop comes from if not from the face in it, and where the face was lost."""
    crop = where.crop
    tried = "; ".join(f"{step}: {outcome}" for step, outcome in crop.tried.items())
    if where.instead is not None:
        yield _about("ME613", row, where.instead)
    if crop.source == "subject":
        if crop.looked:
            yield _about("ME605", row, f"no face was found ({tried})")
    elif crop.source == "whole-frame":
        yield _about("ME604", row, f"no face was found ({tried})")
    elif not crop.confirmed:
        yield _about("ME606", row, f"the face is not found again in the crop {row.box}")
    if crop.dropped and crop.found:
        yield _about("ME607", row, f"{plural(crop.dropped, 'detection')} in {crop.looked} frames left out")
    quality = features.quality
    lost = np.flatnonzero((quality & Quality.NO_FACE > 0) & (quality & Quality.MISSING == 0))
    if len(lost) and crop.source != "whole-frame":
        text = f"{plural(len(lost), 'frame')} without believable landmarks: {ranges((lost + row.start).tolist())}"
        yield _about("ME608", row, text)
    cut = np.flatnonzero((quality & Quality.CLIPPED > 0) & (quality & Quality.MISSING == 0))
    if len(cut):
        text = f"windows reach over the edge of the crop in {plural(len(cut), 'frame')}"
        yield _about("ME609", row, f"{text}: {ranges((cut + row.start).tolist())}")


AMPLITUDE = 0.0075
"""Displacement of the skin at the apex of a micro-expression, as a fraction of the face's width: 1 px on 133 px."""


COVERED = 1 / 4
"""Part of a frame's regions that has to be doubted before the frame is named."""

BLINK = 0.4
"""Seconds that this has to last: blinks, which take the brows' windows with them, are shorter."""

CLEAR = 3.0
"""How many times as large as the noise the motion of a step should be."""


def about_trust(row: VideoFeatures, features: Features, half: int | None) -> Iterator[Finding]:
    """Motion that is not that of the skin, and a step too short for any; half an expression is so many frames."""
    seen: NDArray[np.bool_] = np.asarray(np.isfinite(features.feature).all(axis=2), bool)
    doubt = seen & ~features.valid
    many = np.flatnonzero(doubt.mean(axis=1) >= COVERED)
    runs = np.split(many, np.flatnonzero(np.diff(many) > 1) + 1)
    frames = np.concatenate([run for run in runs if len(run) > BLINK * row.fps] or [many[:0]])
    if len(frames):
        share = 100 * float(doubt.sum() / seen.sum())
        where = ranges((frames + row.start).tolist())
        yield _about(
            "ME617", row, f"{share:.1f} % of the motion is not believed to be that of the skin, mostly in {where}"
        )
    width = features.method["face_width"]
    if half is None or row.step >= half or not isinstance(width, float) or not seen.any():
        return
    length = np.where(seen & features.valid, np.linalg.norm(features.feature, axis=2), 0).max(axis=1)
    # most frames of a video are neutral; of one that is cut to its expression, a quarter nearly are
    noise = float(np.percentile(length[np.any(seen, axis=1)], 25)) * features.unit_px
    expected = AMPLITUDE * width * row.step / half
    if expected < CLEAR * noise:
        text = f"at {row.fps:g} frames a second, a micro-expression moves the skin by {expected:.3f} px in"
        text += (
            f" {plural(row.step, 'frame')}, and where nothing moves the features are {noise:.3f} px: take --step {half}"
        )
        yield _about("ME618", row, text)


def _about(
    code: str,
    row: VideoFeatures,
    message: str,
    *,
    path: str | None = None,
    expected: str | None = None,
    found: str | None = None,
) -> Finding:
    return finding(
        code,
        message,
        subject=row.subject,
        video=row.video,
        path=path or row.path,
        expected=expected,
        found=found,
    )
