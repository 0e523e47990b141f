"""Images that cannot be read when a set is looked at, though its import could: files moved, or a root mistaken."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeVar

from datasets_me.core.errors import ImagesError
from datasets_me.findings.finding import Finding, finding
from datasets_me.formats import image_set
from datasets_me.formats.image_set import ImageSet

Result = TypeVar("Result")


def watched(
    images: ImageSet,
    root: Path | None,
    results: Iterable[Result],
    was_read: Callable[[Result], bool],
    findings: list[Finding],
) -> Iterator[Result]:
    """The same results, of which there is one per image, in order.

    Findings: ME702 an image cannot be read or decoded. What the import found damaged already is not said again.

    Raises:
        ImagesError: after the last one, if there are images and none can be read.
    """
    first: str | None = None
    some = False
    for row, result in zip(images.rows(pixels=False), results, strict=True):
        if was_read(result):
            some = True
        else:
            why = row.damage or _reason(image_set.load_image(row, root))
            if row.damage is None:
                findings.append(finding("ME702", f"the image cannot be decoded: {why}", path=row.id))
            first = first or f"{row.id}: {why}"
        yield result
    if first is not None and not some:
        raise nothing_read(images.folder if root is None else root, first)


def nothing_read(where: Path, first: str) -> ImagesError:
    """What is wrong where not one image can be read; ``first`` says which one could not, and why."""
    return ImagesError(
        f"no image of the set can be read; the first, {first}",
        where=str(where),
        fix="give the --root that was imported; or import the images again",
    )


def _reason(loaded: image_set.Image | str) -> str:
    return loaded if isinstance(loaded, str) else "it could not be read before"
