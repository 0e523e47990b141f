"""A summary of a conversion for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from datasets_me.findings.summary import by_code
from datasets_me.formats.manifest import Manifest
from datasets_me.formats.records import Annotation


def summarise(manifest: Manifest) -> dict[str, Any]:
    """Counts, lengths (inclusive, rows with onset and offset), labels, and findings by code.

    Lengths are in frames, or in ``unit`` seconds where the rows are of several frame rates.
    """
    rows = manifest.annotations
    seconds = len({row.fps for row in rows}) > 1
    return {
        "dataset": manifest.spec.id,
        "title": manifest.spec.title,
        "source": manifest.sources[0]["name"] if manifest.sources else None,
        "variant": manifest.variant,
        **{name: count for name, count in manifest.counts().items() if name != "findings"},
        "video_files": _video_files(manifest),
        "unit": "seconds" if seconds else "frames",
        "types": {
            kind: lengths([row for row in rows if row.type == kind], seconds=seconds)
            for kind in sorted({row.type for row in rows})
        },
        "emotions": dict(Counter(row.emotion for row in rows if row.emotion).most_common()),
        "action_units": dict(Counter(unit.au for row in rows for unit in row.aus).most_common()),
        "findings": by_code(manifest.findings),
    }


def _video_files(manifest: Manifest) -> int:
    """How many of the videos are files, and not folders of frames."""
    files = {layout.id for layout in manifest.spec.layouts if layout.video_files}
    return sum(video.path is not None and video.layout in files for video in manifest.videos)


def lengths(rows: Sequence[Annotation], *, seconds: bool = False) -> dict[str, float | int | None]:
    """Rows, rows whose length is known and positive, and the least, mean and greatest length in frames or seconds."""
    known = [
        row.length / row.fps if seconds else row.length for row in rows if row.length is not None and row.length > 0
    ]
    return {
        "rows": len(rows),
        "with_length": len(known),
        "min": min(known, default=None),
        "mean": sum(known) / len(known) if known else None,
        "max": max(known, default=None),
    }
