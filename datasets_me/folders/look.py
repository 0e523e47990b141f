"""Findings from inside image files: the first of every folder, or all of them."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from datasets_me.core.look import ImageFacts, look, suffix_fits
from datasets_me.findings.finding import Finding
from datasets_me.folders.context import Context, about_folder
from datasets_me.folders.layouts import Folder

CODES = ("ME305", "ME306", "ME307", "ME308")

_SHOWN = 20  # findings of one code in one folder; 10,000 broken frames are one message more, not 9,980

_Shape = tuple[int | None, int | None, int | None]


def check_images(context: Context, *, deep: bool, progress: Callable[[int], None] | None = None) -> Iterator[Finding]:
    """Look into the first image of every folder; with ``deep`` decode every image, on all cores.

    ``progress`` is called with the number of images looked at since the last call.
    """
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:  # decoders release the interpreter lock
        for folder in context.inventory.folders:
            names = folder.frames.names if deep else folder.frames.names[:1]
            place = context.inventory.tree.root / folder.path
            facts = list(pool.map(partial(look, decode=deep), [place / name for name in names]))
            yield from _of_folder(folder, dict(zip(names, facts, strict=True)))
            if progress:
                progress(len(names))


def _of_folder(folder: Folder, facts: dict[str, ImageFacts]) -> Iterator[Finding]:
    shapes = Counter(_shape(image) for image in facts.values() if image.width is not None)
    usual = shapes.most_common(1)[0][0] if shapes else None
    raised: Counter[str] = Counter()
    for name, image in facts.items():
        for code, message, found in _of_image(name, image, usual):
            raised[code] += 1
            if raised[code] <= _SHOWN:
                yield about_folder(code, message, folder, path=f"{folder.path}/{name}", found=found)
    for code, count in raised.items():
        if count > _SHOWN:
            message = f"{count - _SHOWN} more images like this in the folder"
            yield about_folder(code, message, folder, found=str(count))


def _of_image(name: str, image: ImageFacts, usual: _Shape | None) -> Iterator[tuple[str, str, str]]:
    """Code, message and what was found, for each thing wrong with one image."""
    if image.empty:
        yield "ME305", f"{name} has no content", "0 bytes"
    if image.damage is not None:
        yield "ME306", f"{name} cannot be decoded: {image.damage}", image.damage
    if image.format is not None and not suffix_fits(name, image.format):
        yield "ME308", f"{name} is a {image.format.upper()}", image.format
    if image.width is not None and usual is not None and _shape(image) != usual:
        yield (
            "ME307",
            f"{name} is {_said(_shape(image))}, the others are {_said(usual)}",
            _said(_shape(image)),
        )


def _shape(image: ImageFacts) -> _Shape:
    return (image.width, image.height, image.channels)


def _said(shape: _Shape) -> str:
    width, height, channels = shape
    return f"{width}x{height} with {channels} channel{'' if channels == 1 else 's'}"
