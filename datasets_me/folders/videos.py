"""The rows of ``videos.parquet``: folders tied to annotations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from datasets_me.core.pictures import Facts, look_at
from datasets_me.folders.layouts import Folder, Inventory, tie
from datasets_me.formats.records import Annotation, Video
from datasets_me.schema.spec import Spec


def list_videos(spec: Spec, annotations: Sequence[Annotation], inventory: Inventory | None) -> list[Video]:
    """One row per folder of a layout, then one per annotated video that has none. One image per folder is opened.

    Without an inventory every annotated video is a row without a path.
    """
    rows = []
    seen: set[str] = set()
    by_key = tie(spec.layouts, annotations)
    for folder in inventory.folders if inventory else ():
        # Of several folders that show the same, the one in the right place has the annotations.
        chosen = inventory is not None and inventory.by_key[folder.key][0] is folder
        tied = by_key.get(folder.key, []) if chosen else []
        rows.append(_video_of(spec, inventory, folder, tied))
        seen.update(row.video for row in tied)
    without = Counter(row.video for row in annotations if row.video not in seen)
    first_rows = {row.video: row for row in reversed(annotations)}
    rows += [
        Video(
            dataset=spec.id,
            subject=first_rows[video].subject,
            video=video,
            annotations=count,
            fps=first_rows[video].fps,
        )
        for video, count in without.items()
    ]
    return sorted(
        rows,
        key=lambda row: (row.layout or "~", row.subject or "", row.video, row.expression or "", row.path or ""),
    )


def _video_of(spec: Spec, inventory: Inventory | None, folder: Folder, tied: list[Annotation]) -> Video:
    frames = folder.frames
    facts: Facts | None = None
    if folder.facts is not None:
        facts = Facts(folder.facts.codec, folder.facts.width, folder.facts.height, 3)
    elif inventory and frames.names:
        facts, _ = look_at(inventory.tree.root / folder.path / frames.names[0], whole=False)
    return Video(
        dataset=spec.id,
        subject=tied[0].subject if tied else folder.identity.subject,
        video=tied[0].video if tied else folder.identity.video,
        expression=folder.identity.expression if folder.layout.holds == "expression" else None,
        layout=folder.layout.id,
        path=folder.path,
        relocated=folder.relocation is not None,
        annotations=len(tied),
        frames=len(frames.numbers),
        first=frames.numbers[0] if frames.numbers else None,
        last=frames.numbers[-1] if frames.numbers else None,
        missing=frames.missing,
        width=facts.width if facts else None,
        height=facts.height if facts else None,
        fps=spec.fps if not tied else tied[0].fps,
        format=facts.format if facts else None,
    )
