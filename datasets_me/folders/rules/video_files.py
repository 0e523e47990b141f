"""Video files, by what they say of themselves."""

from __future__ import annotations

from collections.abc import Iterator

from datasets_me.core.errors import plural
from datasets_me.core.frames import VideoFacts
from datasets_me.findings.finding import Finding
from datasets_me.folders.context import Context, about_folder
from datasets_me.folders.layouts import Folder

RATE = 0.0005
"""Of a rate, up to which two count as the same: 29.97 frames a second are not 30."""

FAR = 250
"""Frames from one key frame to the next, on average, from which on jumping to a frame takes long; encoders' default."""

FEWEST_BITS = 0.1
"""Bits per pixel of pictures that are predicted from others, below which features have at least three times the error
that they have from good JPEG files (``benchmarks/video.py``)."""

_DEEP = ("10", "12", "14", "16", "p010", "p016")


def _files(context: Context) -> Iterator[tuple[Folder, VideoFacts]]:
    for folder in context.inventory.folders:
        if folder.facts is not None:
            yield folder, folder.facts


def damaged(context: Context) -> Iterator[Finding]:
    """Files that cannot be opened, or not be read to their end."""
    for folder in context.inventory.folders:
        fault = folder.fault or (folder.facts.damage if folder.facts else None)
        if fault:
            yield about_folder("ME313", fault, folder, found=fault)


def count_differs(context: Context) -> Iterator[Finding]:
    """Files whose header says another number of frames than they hold."""
    for folder, facts in _files(context):
        if facts.stated is not None and facts.stated - facts.hidden != facts.frames and facts.stated != facts.frames:
            message = f"the header says {plural(facts.stated, 'frame')}, the file holds {facts.frames:,}"
            yield about_folder("ME314", message, folder, expected=str(facts.stated), found=str(facts.frames))


def rate_differs(context: Context) -> Iterator[Finding]:
    """Files of another frame rate than the schema's."""
    for folder, facts in _files(context):
        rows = context.annotations.get(folder.key, [])
        expected = context.spec.fps if not rows or context.disk_frames != 1 else rows[0].fps
        if facts.fps is not None and abs(facts.fps - expected) > RATE * expected:
            message = f"the file says {facts.fps:g} frames a second, the dataset has {expected:g}"
            yield about_folder("ME315", message, folder, expected=f"{expected:g}", found=f"{facts.fps:g}")


def rate_varies(context: Context) -> Iterator[Finding]:
    """Files whose frames are shown for different times."""
    for folder, facts in _files(context):
        if facts.variable:
            message = "the frames do not follow each other evenly; they are counted, whatever their times say"
            yield about_folder("ME316", message, folder)


def few_key_frames(context: Context) -> Iterator[Finding]:
    """Long files with hardly any picture that can be decoded by itself."""
    for folder, facts in _files(context):
        if facts.frames > FAR * max(facts.key_frames, 1):
            message = f"{plural(facts.key_frames, 'key frame')} in {plural(facts.frames, 'frame')}"
            yield about_folder("ME317", message, folder, found=str(facts.key_frames))


def strongly_compressed(context: Context) -> Iterator[Finding]:
    """Files that are predicted from few bits, in which small motion is lost."""
    for folder, facts in _files(context):
        if facts.key_frames < facts.frames and facts.bits < FEWEST_BITS:
            message = f"{facts.codec} of {facts.bits:.3f} bits per pixel; motion of less than a pixel is lost in part"
            yield about_folder("ME320", message, folder, expected=f"{FEWEST_BITS:g}", found=f"{facts.bits:.3f}")


def converted(context: Context) -> Iterator[Finding]:
    """Files whose pictures are turned, hidden, or brought to 8 bits."""
    for folder, facts in _files(context):
        parts = []
        if facts.rotation:
            parts.append(f"turned by {facts.rotation} degrees")
        if facts.hidden:
            parts.append(f"{plural(facts.hidden, 'frame')} hidden by an edit list left out")
        if any(mark in facts.pixels for mark in _DEEP):
            parts.append(f"brought to 8 bits from {facts.pixels}")
        if facts.interlaced:
            parts.append("interlaced pictures taken as they are: lines of two moments")
        if parts:
            yield about_folder("ME318", "; ".join(parts), folder, found=facts.pixels)
