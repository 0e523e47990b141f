"""What every rule sees: the manifest, the inventory, and how the two are tied together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from datasets_me.findings.finding import Finding, finding
from datasets_me.folders.layouts import Folder, Inventory, Key, tie
from datasets_me.formats.manifest import Manifest
from datasets_me.formats.records import Annotation
from datasets_me.schema.spec import Layout, Spec


@dataclass(frozen=True)
class Context:
    """A manifest and the folders it is about."""

    manifest: Manifest
    inventory: Inventory

    @property
    def spec(self) -> Spec:
        """The dataset."""
        return self.manifest.spec

    @cached_property
    def layouts(self) -> list[Layout]:
        """The layouts that occur under the root."""
        return [self.spec.layout(name) for name in self.inventory.layouts]

    @cached_property
    def annotations(self) -> dict[Key, list[Annotation]]:
        """Annotations by the folder they need, over the layouts that occur."""
        return tie(self.layouts, self.manifest.annotations)

    @cached_property
    def frame_ratio(self) -> float:
        """Frames on disk per annotated frame; 1 unless the source counts at another rate than the videos."""
        frames = next((v.frames for v in self.spec.workbook.variants if v.id == self.manifest.variant), None)
        return self.spec.fps / frames.fps if frames and frames.fps else 1.0

    def chosen(self) -> Iterator[tuple[Folder, list[Annotation]]]:
        """Every folder that is used, without copies, with its annotations."""
        for key, folders in self.inventory.by_key.items():
            yield folders[0], self.annotations.get(key, [])

    def number(self, layout: Layout, annotation: Annotation, frame: int) -> int:
        """The number in the file name of a 0-based frame."""
        if layout.numbers == "clip":
            frame -= annotation.onset or 0
        return round(frame * self.frame_ratio) + layout.base


def about_folder(
    code: str,
    message: str,
    folder: Folder,
    *,
    path: str | None = None,
    expected: str | None = None,
    found: str | None = None,
) -> Finding:
    """A finding about a folder, or about a file in it whose path is given."""
    return finding(
        code,
        message,
        subject=folder.identity.subject,
        video=folder.identity.video,
        path=path or folder.path,
        expected=expected,
        found=found,
    )
