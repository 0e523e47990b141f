"""Everything that ``me-datasets check-split`` compares: what a split says, its clips' features, and their images."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from datasets_me.core.choices import LabelField
from datasets_me.core.errors import MeDatasetsError, plural
from datasets_me.findings.finding import Finding
from datasets_me.formats import features as feature_files
from datasets_me.formats.manifest import Manifest
from datasets_me.formats.split import Split
from datasets_me.splits.check import SplitContext, check
from datasets_me.splits.near_features import check_features

Progress = Callable[[str], AbstractContextManager[Callable[..., None]]]
"""Begins to show the progress of something, and gives ``update(done, total)``."""


@dataclass(frozen=True)
class Leaks:
    """What was found, the number of different items in the split, and what was compared, in words."""

    findings: list[Finding]
    items: int
    compared: list[str]


def find_leaks(
    split: Split,
    manifests: Sequence[Manifest],
    progress: Progress,
    *,
    features: Sequence[Path] = (),
    roots: Sequence[Path] = (),
    classes: LabelField | None = None,
    may_be_empty: bool = False,
) -> Leaks:
    """Check a split against its manifests, and compare the clips on the two sides of its folds.

    Args:
        features: folders of features, one per manifest in their order; none to leave features out.
        roots: folders of frames, likewise.
        classes: the classes that parts should have; None for those the split is stratified by.
        may_be_empty: whether a comparison of nothing is no error.

    Raises:
        MeDatasetsError: there are not as many folders as manifests, one cannot be read, or nothing could be compared.
    """
    _refuse_other_counts(manifests, {"--features": features, "--root": roots})
    context = SplitContext(split, manifests, classes)
    findings = list(check(context))
    compared = []
    if features:
        folders = [
            (manifest.spec.id, feature_files.read(folder, manifest))
            for manifest, folder in zip(manifests, features, strict=True)
        ]
        with progress("features") as update:
            alike, count = check_features(context, folders, update)
        if not may_be_empty:
            _refuse_nothing(count, "clip", "--features", "they are of another dataset, or empty")
        findings += alike
        compared.append(f"{plural(count, 'clip')} compared by features")
    if roots:
        from datasets_me.splits.near_images import check_images  # needs the extra 'splits'

        with progress("images") as update:
            alike, counts = check_images(context, list(zip(manifests, roots, strict=True)), update)
        count = sum(counts.values())
        if not may_be_empty:
            _refuse_nothing(count, "image", "--root", "the folders are not there, or their pictures show nothing")
        findings += alike
        layouts = f"layout{'s' if len(counts) > 1 else ''} {', '.join(counts)}"
        compared.append(f"{plural(count, 'image')} of {layouts} compared")
    findings.sort(key=lambda finding: (finding.code, finding.subject or "", finding.video or "", finding.message))
    return Leaks(findings, len(context.items), compared)


def _refuse_other_counts(manifests: Sequence[Manifest], folders: dict[str, Sequence[Path]]) -> None:
    for option, places in folders.items():
        if places and len(places) != len(manifests):
            raise MeDatasetsError(
                f"{plural(len(places), 'folder')} of {option} for {plural(len(manifests), 'manifest')}",
                fix=f"give {option} once per manifest, in the same order",
            )


def _refuse_nothing(count: int, what: str, option: str, why: str) -> None:
    """A comparison of nothing must not look like one that found nothing."""
    if count == 0:
        raise MeDatasetsError(f"not one {what} of the split could be compared: {why}", fix=f"check {option}")
