"""Findings from inside video files: every frame of them is decoded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from datasets_me.core.engine import Failure, in_order, workers_for
from datasets_me.core.errors import plural
from datasets_me.core.frames import VideoError, VideoFile
from datasets_me.core.pictures import DamageError
from datasets_me.findings.finding import Finding
from datasets_me.folders.context import Context, about_folder


def check_videos(context: Context) -> Iterator[Finding]:
    """Decode every frame of every video file, on all cores."""
    folders = [folder for folder in context.inventory.folders if folder.facts is not None]
    root = context.inventory.tree.root
    outcomes = in_order(undecodable, (root / folder.path for folder in folders), workers_for(None, len(folders)))
    for folder, (_, outcome) in zip(folders, outcomes, strict=True):
        if isinstance(outcome, Failure):
            yield about_folder("ME319", f"it cannot be decoded: {outcome.why}", folder)
        elif outcome:
            count, first = len(folder.frames.numbers), folder.frames.numbers[0] + outcome[0]
            message = f"{len(outcome):,} of {plural(count, 'frame')} cannot be decoded, first {first}"
            yield about_folder("ME319", message, folder, expected=str(count), found=str(count - len(outcome)))


def undecodable(path: Path) -> list[int]:
    """The frames of a video file, from 0, that cannot be decoded."""
    lost = []
    try:
        with VideoFile(path) as video:
            for number in range(len(video)):
                try:
                    video.read(number, colour=False)
                except DamageError:
                    lost.append(number)
    except VideoError:
        pass  # ME313 says so
    return lost
