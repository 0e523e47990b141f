"""Video files, by what they say of themselves."""

from __future__ import annotations

from collections.abc import Iterator

from datasets_me.findings.finding import Finding
from datasets_me.folders.context import Context, about_folder
from datasets_me.formats.video_findings import doubts


def doubtful(context: Context) -> Iterator[Finding]:
    """Files that cannot be opened or not be read to their end, or whose frames are not what the dataset says."""
    rates = {video.path: video.fps for video in context.manifest.videos}
    for folder in context.inventory.folders:
        if folder.fault:
            yield about_folder("ME313", folder.fault, folder, found=folder.fault)
        if folder.facts is None:
            continue
        rows = context.annotations.get(folder.key, [])
        rate = rows[0].fps if rows else rates.get(folder.path, context.spec.fps)
        for doubt in doubts(folder.facts, context.spec.fps if context.disk_frames != 1 else rate):
            yield about_folder(doubt.code, doubt.message, folder, expected=doubt.expected, found=doubt.found)
