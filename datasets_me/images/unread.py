"""Images that cannot be read when a set is looked at, though its import could: files moved, or a root mistaken."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeVar

from datasets_me.core.engine import Failure
from datasets_me.core.errors import ImagesError
from datasets_me.findings.finding import Finding, finding
from datasets_me.formats.image_records import ImageRow
from datasets_me.formats.image_set import ImageSet

Result = TypeVar("Result")
Nothing = TypeVar("Nothing")


def watched(
    images: ImageSet,
    root: Path | None,
    outcomes: Iterable[tuple[ImageRow | tuple[ImageRow, object], Result | Failure]],
    without: Callable[[ImageRow], Nothing],
    findings: list[Finding],
    *,
    some: bool = False,
) -> Iterator[Result | Nothing]:
    """The results of looking at each image, in order; ``without`` makes that of one that cannot be read.

    Args:
        images: the set.
        root: the folder its files lie under.
        outcomes: of each image, or of each with what it is looked at with, in order.
        without: what stands for an image that cannot be read.
        findings: gets what is found.
        some: an earlier run could read images of the set.

    Findings: ME702 an image cannot be read or decoded. What the import found damaged already is not said again.

    Raises:
        ImagesError: after the last one, if there are images and none can be read.
    """
    unread: str | None = None
    for task, outcome in outcomes:
        if isinstance(outcome, Failure):
            row = task if isinstance(task, ImageRow) else task[0]
            why = row.damage or outcome.why
            if row.damage is None:
                findings.append(finding("ME702", f"the image cannot be decoded: {why}", path=row.id))
            unread = unread or f"{row.id}: {why}"
            yield without(row)
        else:
            some = True
            yield outcome
    if unread is not None and not some:
        raise nothing_read(images.folder if root is None else root, unread)


def nothing_read(where: Path, first: str) -> ImagesError:
    """What is wrong where not one image can be read; ``first`` says which one could not, and why."""
    return ImagesError(
        f"no image of the set can be read; the first, {first}",
        where=str(where),
        fix="give the --root that was imported; or import the images again",
    )
