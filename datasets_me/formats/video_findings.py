"""What a video file says of itself that a user has to know, for every verb that reads such files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from datasets_me.core.errors import plural
from datasets_me.core.frames import VideoFacts

RATE = 0.0005
"""Of a rate, up to which two count as the same: 29.97 frames a second are not 30."""

FAR = 250
"""Frames from one key frame to the next, on average, from which on jumping to a frame takes long; encoders' default."""

FEWEST_BITS = 0.1
"""Bits per pixel of pictures that are predicted from others, below which features have at least three times the error
that they have from good JPEG files (``benchmarks/video.py``)."""

_DEEP = ("10", "12", "14", "16", "p010", "p016")


class Doubt(NamedTuple):
    """What is to be said of a file, without its place."""

    code: str
    message: str
    expected: str | None = None
    found: str | None = None


def doubts(facts: VideoFacts, rate: float) -> Iterator[Doubt]:
    """What is doubtful about a file whose frames are taken as ``rate`` a second."""
    if facts.damage:
        yield Doubt("ME313", facts.damage, found=facts.damage)
    if facts.stated is not None and facts.frames not in (facts.stated, facts.stated - facts.hidden):
        message = f"the header says {plural(facts.stated, 'frame')}, the file holds {facts.frames:,}"
        yield Doubt("ME314", message, str(facts.stated), str(facts.frames))
    if facts.fps is not None and (facts.contradicted or abs(facts.fps - rate) > RATE * rate):
        by_times = f", its frames are {facts.timed:g} a second by their times" if facts.contradicted else ""
        message = f"the file says {facts.fps:g} frames a second{by_times}, it is read as {rate:g}"
        yield Doubt("ME315", message, f"{rate:g}", f"{facts.fps:g}")
    if facts.variable:
        message = "the frames do not follow each other evenly; they are counted, whatever their times say"
        yield Doubt("ME316", message)
    if facts.frames > FAR * max(facts.key_frames, 1):
        message = f"{plural(facts.key_frames, 'key frame')} in {plural(facts.frames, 'frame')}"
        yield Doubt("ME317", message, found=str(facts.key_frames))
    converted = "; ".join(_converted(facts))
    if converted:
        yield Doubt("ME318", converted, found=facts.pixels)
    if facts.key_frames < facts.frames and facts.bits < FEWEST_BITS:
        message = f"{facts.codec} of {facts.bits:.3f} bits per pixel; motion of less than a pixel is lost in part"
        yield Doubt("ME320", message, f"{FEWEST_BITS:g}", f"{facts.bits:.3f}")


def _converted(facts: VideoFacts) -> Iterator[str]:
    """How the pictures that are read differ from those in the file."""
    if facts.rotation:
        yield f"turned by {facts.rotation} degrees"
    if facts.mirrored:
        yield "mirrored"
    if facts.hidden:
        yield f"{plural(facts.hidden, 'frame')} hidden by an edit list left out"
    if any(mark in facts.pixels for mark in _DEEP):
        yield f"brought to 8 bits from {facts.pixels}"
    if facts.interlaced:
        yield "interlaced pictures taken as they are: lines of two moments"
