"""The items that a split distributes: expressions or whole videos of one or several manifests."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from datasets_me.core.choices import LabelField, Unit
from datasets_me.findings.finding import Finding, finding
from datasets_me.formats.manifest import Manifest, refuse_twice
from datasets_me.formats.records import Annotation

Group = tuple[str, str]
"""A dataset and one of its subjects, whose items no split may separate."""


@dataclass(frozen=True)
class SplitItem:
    """One expression (``annotation`` is its id), or one whole video (it is None)."""

    dataset: str
    subject: str
    video: str
    annotation: str | None = None

    @property
    def group(self) -> Group:
        """The item's dataset and subject."""
        return self.dataset, self.subject

    @property
    def name(self) -> str:
        """The id of the expression, or the name of the video."""
        return self.annotation or self.video


def items(manifests: Sequence[Manifest], unit: Unit) -> tuple[list[SplitItem], list[Finding]]:
    """All items of the manifests, by dataset, subject and video, and findings about videos of unknown subjects.

    Videos without annotations are included, since spotting nothing in them is correct.

    Raises:
        ManifestError: one dataset is given twice.
    """
    refuse_twice(manifests)
    members: list[SplitItem] = []
    findings: list[Finding] = []
    for manifest in manifests:
        findings += manifest.notices
        if unit == "expression":
            members += sorted(map(of, manifest.annotations), key=lambda item: (item.subject, item.video))
        else:
            members += _videos(manifest)
            findings += _without_subject(manifest)
    return members, findings


def of(annotation: Annotation) -> SplitItem:
    """The item of an expression."""
    return SplitItem(annotation.dataset, annotation.subject, annotation.video, annotation.id)


def labelled(annotations: Iterable[Annotation], label: LabelField) -> list[tuple[Group, str]]:
    """Group and class of each expression, in an order that does not depend on the rows'; "" where it has none."""
    return sorted(((row.dataset, row.subject), str(getattr(row, label) or "")) for row in annotations)


def _videos(manifest: Manifest) -> list[SplitItem]:
    pairs = {(row.subject, row.video) for row in manifest.annotations}
    annotated = {video for _, video in pairs}
    pairs |= {
        (row.subject, row.video) for row in manifest.videos if row.subject is not None and row.video not in annotated
    }
    return [SplitItem(manifest.spec.id, subject, video) for subject, video in sorted(pairs)]


def _without_subject(manifest: Manifest) -> list[Finding]:
    annotated = {row.video for row in manifest.annotations}
    return [
        finding("ME520", f"the subject of {row.video} is not known", video=row.video, path=row.path)
        for row in manifest.videos
        if row.subject is None and row.video not in annotated
    ]
