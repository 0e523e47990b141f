"""``me-datasets check-split``: whether anything leaks between the parts of a fold."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from datasets_me.cli import arguments, findings, show
from datasets_me.cli.split import MANIFESTS, Label
from datasets_me.core.errors import MeDatasetsError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from datasets_me.findings.finding import Finding
    from datasets_me.formats.manifest import Manifest
    from datasets_me.splits.check import SplitContext


def check_split(
    split: Path = typer.Argument(help="A split, made by 'me-datasets split'."),
    manifests: list[Path] = MANIFESTS,
    features: list[Path] = typer.Option(
        [], "--features", help="Compare clips by their features; one folder per manifest, in their order."
    ),
    root: list[Path] = typer.Option(
        [], "--root", help="Compare clips by their images; one folder of frames per manifest, in their order."
    ),
    classes: Label = typer.Option(None, "--classes", help="The classes that parts should have. Default: the split's."),
    select: list[str] = findings.SELECT,
    ignore: list[str] = findings.IGNORE,
    severity: findings.Severity = findings.SEVERITY,
    output: findings.Format = findings.FORMAT,
    out: Path = findings.OUT,
    force: bool = arguments.FORCE,
) -> None:
    """Look for leaks: subjects, frames or copies of clips on both sides of a fold; and for parts that lack something.

    Exit code 0: no errors among the findings reported. 1: there are errors. 2: could not run.
    """
    from datasets_me.core.artefact import may_write
    from datasets_me.core.errors import plural
    from datasets_me.findings.codes import matches
    from datasets_me.formats import manifest as manifest_files
    from datasets_me.formats import split as split_files
    from datasets_me.splits.check import SplitContext, check

    may_write(out, force)
    selected, ignored = arguments.codes(select), arguments.codes(ignore)
    for name, given in (("--features", features), ("--root", root)):
        if given and len(given) != len(manifests):
            raise MeDatasetsError(
                f"{plural(len(given), 'folder')} of {name} for {plural(len(manifests), 'manifest')}",
                fix=f"give {name} once per manifest, in the same order",
            )
    made = [manifest_files.read(folder) for folder in manifests]
    context = SplitContext(split_files.read(split), made, classes.value if classes else None)
    found = list(check(context))
    compared = []
    if features:
        more, count = _features(context, made, features)
        found += more
        _refuse_nothing(count, "clip", "--features", "they are of another dataset, or empty")
        compared.append(f"{plural(count, 'clip')} compared by features")
    if root:
        more, counts = _images(context, made, root)
        found += more
        count = sum(counts.values())
        _refuse_nothing(count, "image", "--root", "the folders are not there, or their pictures show nothing")
        layouts = f"layout{'s' if len(counts) > 1 else ''} {', '.join(counts)}"
        compared.append(f"{plural(count, 'image')} of {layouts} compared")
    found = [
        finding
        for finding in findings.of_severity(found, severity)
        if (not selected or matches(finding.code, selected)) and not matches(finding.code, ignored)
    ]
    found.sort(key=lambda finding: (finding.code, finding.subject or "", finding.video or "", finding.message))
    chosen = context.split
    raise findings.report(
        found,
        output,
        out,
        about={
            "split": str(split),
            "protocol": chosen.protocol,
            "folds": len(chosen.folds),
            "items": len(context.items),
            "datasets": ", ".join(manifest.spec.id for manifest in made),
        },
        title=f"Split by {chosen.protocol}: leaks",
        looked_at=", ".join(
            [f"{plural(len(chosen.folds), 'fold')} of {plural(len(context.items), chosen.unit)}", *compared]
        ),
    )


def _refuse_nothing(count: int, what: str, option: str, why: str) -> None:
    """A comparison of nothing must not look like one that found nothing."""
    if count == 0:
        raise MeDatasetsError(f"not one {what} of the split could be compared: {why}", fix=f"check {option}")


def _features(context: SplitContext, made: Sequence[Manifest], folders: list[Path]) -> tuple[list[Finding], int]:
    from datasets_me.formats import features as feature_files
    from datasets_me.splits.near_features import check_features

    read = [
        (manifest.spec.id, feature_files.read(folder, manifest)) for manifest, folder in zip(made, folders, strict=True)
    ]
    with show.progress("features") as update:
        return check_features(context, read, update)


def _images(context: SplitContext, made: Sequence[Manifest], roots: list[Path]) -> tuple[list[Finding], dict[str, int]]:
    from datasets_me.splits.near_images import check_images

    with show.progress("images") as update:
        return check_images(context, list(zip(made, roots, strict=True)), update)
