"""What a split deals out: expressions, or whole videos, of one or several manifests."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from datasets_me.core.errors import SplitError
from datasets_me.findings.finding import Finding, finding
from datasets_me.formats.manifest import Manifest
from datasets_me.formats.records import Annotation
from datasets_me.formats.split import LabelField, Unit

Group = tuple[str, str]
"""A dataset and one of its subjects: what no split may divide."""


@dataclass(frozen=True)
class Item:
    """One expression (``annotation`` is its id), or one whole video (it is None)."""

    dataset: str
    subject: str
    video: str
    annotation: str | None = None

    @property
    def group(self) -> Group:
        return self.dataset, self.subject

    @property
    def name(self) -> str:
        """What people call it."""
        return self.annotation or self.video


def items(manifests: Sequence[Manifest], unit: Unit) -> tuple[list[Item], list[Finding]]:
    """Everything the manifests hold, in order of dataset, subject and video; and videos whose subject nobody knows.

    Videos without any annotation count as videos, since to spot nothing in them is right.

    Raises:
        SplitError: one dataset is given twice.
    """
    names = [manifest.spec.id for manifest in manifests]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise SplitError(f"{twice} is given twice", fix="give each dataset's manifest once")
    found: list[Item] = []
    said: list[Finding] = []
    for manifest in manifests:
        if unit == "expression":
            found += sorted(map(of, manifest.annotations), key=lambda item: (item.subject, item.video))
        else:
            found += _videos(manifest)
            said += _without_subject(manifest)
    return found, said


def of(annotation: Annotation) -> Item:
    """The item of an expression."""
    return Item(annotation.dataset, annotation.subject, annotation.video, annotation.id)


def labelled(annotations: Iterable[Annotation], label: LabelField) -> list[tuple[Group, str]]:
    """Group and class of each expression, in an order that does not depend on the rows'; "" where it has none."""
    return sorted(((row.dataset, row.subject), str(getattr(row, label) or "")) for row in annotations)


def _videos(manifest: Manifest) -> list[Item]:
    pairs = {(row.subject, row.video) for row in manifest.annotations}
    annotated = {video for _, video in pairs}
    pairs |= {
        (row.subject, row.video) for row in manifest.videos if row.subject is not None and row.video not in annotated
    }
    return [Item(manifest.spec.id, subject, video) for subject, video in sorted(pairs)]


def _without_subject(manifest: Manifest) -> list[Finding]:
    annotated = {row.video for row in manifest.annotations}
    return [
        finding("ME520", f"the subject of {row.video} is not known", video=row.video, path=row.path)
        for row in manifest.videos
        if row.subject is None and row.video not in annotated
    ]
