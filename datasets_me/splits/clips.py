"""The clips that are compared between the parts of a fold: each expression of an item, and whole videos."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from datasets_me.findings.finding import Finding, finding
from datasets_me.formats.records import Annotation
from datasets_me.splits.check import SplitContext
from datasets_me.splits.items import SplitItem

_BLOCK = 2048  # clips at a time: their products are 16 MB


@dataclass(frozen=True)
class Clip:
    """One expression of an item, or (``annotation`` is None) a whole video; ``name`` is the id or the video's name."""

    item: SplitItem
    name: str
    annotation: Annotation | None = field(compare=False)


def clips(context: SplitContext, dataset: str) -> Iterator[Clip]:
    """The clips of one dataset in a split: expressions; for splits of videos, each video and its expressions."""
    for item in context.known:
        if item.dataset == dataset:
            if item.annotation is None:
                yield Clip(item, item.video, None)
            for annotation in context.annotations[item]:
                yield Clip(item, annotation.id, annotation)


def alike(
    prints: NDArray[np.float32], least: float, others: NDArray[np.float32] | None = None
) -> Iterator[tuple[int, int, float]]:
    """Pairs i < j of rows of an array (n, d) whose product is at least this, and the product; in bounded memory.

    With ``others`` (n, d) row j is taken from there.
    """
    seconds = prints if others is None else others
    for start in range(0, len(prints), _BLOCK):
        first = prints[start : start + _BLOCK]
        for other in range(start, len(prints), _BLOCK):
            products = first @ seconds[other : other + _BLOCK].T
            for i, j in np.argwhere(products >= least):
                if start + i < other + j:
                    yield int(start + i), int(other + j), float(products[i, j])


def leaks(
    context: SplitContext,
    code: str,
    pairs: Iterator[tuple[Clip, Clip, str]],
    reported: set[tuple[SplitItem, SplitItem]],
) -> Iterator[Finding]:
    """A finding for each item that has copies in another part of a fold: the first of them, and how many there are.

    Pairs of items in ``reported`` are skipped; those that are found are added to it.
    """
    copies_of: dict[SplitItem, list[tuple[Clip, Clip, str, str]]] = {}
    for first, second, why in pairs:
        key = (first.item, second.item)
        if first.item != second.item and key not in reported:
            folds, where = context.apart(*key)
            if folds:
                reported.add(key)
                copies_of.setdefault(first.item, []).append((first, second, where, why))
    for item, copies in copies_of.items():
        first, second, where, why = copies[0]
        message = f"{first.name} and {second.name} are {where}: {why}"
        if len(copies) > 1:
            message += f"; {len(copies) - 1} more like it"
        yield finding(code, message, subject=item.subject, video=item.video, found=second.name)
