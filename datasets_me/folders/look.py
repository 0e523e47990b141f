"""Findings about image files: the first of every folder, or all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice

from datasets_me.core.engine import Failure, in_order, workers_for
from datasets_me.core.pictures import EMPTY, Facts, look_at, suffix_fits
from datasets_me.findings.finding import Finding
from datasets_me.folders.context import Context, about_folder
from datasets_me.folders.layouts import Folder

CODES = ("ME305", "ME306", "ME307", "ME308")

_SHOWN = 20  # findings of one code in one folder; 10,000 broken frames are one message more, not 9,980

_Looked = tuple[Facts | None, str | None]
_Shape = tuple[int, int, int]


def check_images(context: Context, *, deep: bool, progress: Callable[[int], None] | None = None) -> Iterator[Finding]:
    """Read the head of the first image of every folder; with ``deep`` decode every image, on all cores.

    ``progress`` is called with the number of images read since the last call.
    """
    most = None if deep else 1
    work = [(folder, folder.frames.names[:most]) for folder in context.inventory.folders]
    root = context.inventory.tree.root
    paths = (root / folder.path / name for folder, names in work for name in names)
    workers = workers_for(None, sum(len(names) for _, names in work) if deep else 1)
    outcomes = in_order(partial(look_at, whole=deep), paths, workers)
    for folder, names in work:
        looked = [
            (None, outcome.why) if isinstance(outcome, Failure) else outcome
            for _, outcome in islice(outcomes, len(names))
        ]
        yield from _of_folder(folder, dict(zip(names, looked, strict=True)))
        if progress:
            progress(len(names))


def _of_folder(folder: Folder, looked: dict[str, _Looked]) -> Iterator[Finding]:
    shapes = Counter(_shape(facts) for facts, _ in looked.values() if facts)
    usual = shapes.most_common(1)[0][0] if shapes else None
    counts: Counter[str] = Counter()
    for name, (facts, damage) in looked.items():
        for code, message, actual in _of_image(name, facts, damage, usual):
            counts[code] += 1
            if counts[code] <= _SHOWN:
                yield about_folder(code, message, folder, path=f"{folder.path}/{name}", found=actual)
    for code, count in counts.items():
        if count > _SHOWN:
            message = f"{count - _SHOWN} more images like this in the folder"
            yield about_folder(code, message, folder, found=str(count))


def _of_image(
    name: str, facts: Facts | None, damage: str | None, usual: _Shape | None
) -> Iterator[tuple[str, str, str]]:
    """Code, message and actual value, for each thing wrong with one image."""
    if damage == EMPTY:
        yield "ME305", f"{name} has no content", "0 bytes"
    elif damage is not None:
        yield "ME306", f"{name} cannot be decoded: {damage}", damage
    if facts is None:
        return
    if not suffix_fits(name, facts.format):
        yield "ME308", f"{name} is a {facts.format.upper()}", facts.format
    if usual is not None and _shape(facts) != usual:
        yield (
            "ME307",
            f"{name} is {_described(_shape(facts))}, the others are {_described(usual)}",
            _described(_shape(facts)),
        )


def _shape(facts: Facts) -> _Shape:
    return (facts.width, facts.height, facts.channels)


def _described(shape: _Shape) -> str:
    width, height, channels = shape
    return f"{width}x{height} with {channels} channel{'' if channels == 1 else 's'}"
