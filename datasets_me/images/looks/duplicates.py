"""Images that are equal or nearly so: within a set, across its splits, and across sets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from datasets_me.core.errors import ImagesError, plural
from datasets_me.core.near import components, distance, near_pairs
from datasets_me.findings.finding import Finding, finding
from datasets_me.formats import image_set
from datasets_me.formats.image_records import DuplicateRow, ImageRow
from datasets_me.formats.image_set import ImageSet
from datasets_me.images.looks.look import Look, write_look

NEAR = 4
"""Bits in which hashes of near duplicates differ at most, of 64. Copies that were made smaller or compressed again
differ in 0 to 2; different pictures of aligned faces are alike enough to differ in 8."""

_NAMED = 4  # images that a message names


@dataclass(frozen=True, slots=True)
class Known:
    """What is kept of an image for the search."""

    id: str
    dataset: str
    split: str | None
    label: str | None
    sequence: str | None
    sha256: str | None
    pixels: int
    size: int
    phash: int | None


def perceptual_hash(row: ImageRow, *, root: Path | None) -> int:
    """The perceptual hash of an image, 64 bits (``imagehash.phash``).

    Raises:
        DamageError: the image cannot be read or decoded.
    """
    import imagehash
    from PIL import Image

    picture = image_set.load(row, root).image
    return int(str(imagehash.phash(Image.fromarray(picture[:, :, ::-1]))), 16)


def known_image(row: ImageRow, *, root: Path | None) -> Known:
    """What the search needs of an image.

    Raises:
        DamageError: the image cannot be read or decoded.
    """
    return _known(row, perceptual_hash(row, root=root))


def _without(row: ImageRow) -> Known:
    return _known(row, None)


def _known(row: ImageRow, phash: int | None) -> Known:
    return Known(
        row.id,
        row.dataset,
        row.split,
        row.label,
        row.sequence,
        row.sha256,
        (row.width or 0) * (row.height or 0),
        row.size or 0,
        phash,
    )


def clusters(known: Sequence[Known], most: int = NEAR) -> NDArray[np.int64]:
    """Which cluster each image is in, (n,): the position of its first image.

    Images are joined that are equal byte for byte, or whose hashes differ in at most ``most`` bits, unless they are of
    one sequence: neighbouring frames of a film are always near.
    """
    return components(len(known), _joined(known, most))


def _joined(known: Sequence[Known], most: int) -> Iterator[tuple[int, int]]:
    """Pairs of images that belong together, enough of them to chain all that do."""
    firsts: dict[str, int] = {}
    # images of one hash stand for each other, but for sequences: these are told apart
    groups: dict[tuple[int, str], int] = {}
    by_hash: dict[int, list[int]] = {}
    for at, each in enumerate(known):
        if each.sha256 is not None:
            yield firsts.setdefault(each.sha256, at), at
        if each.phash is None:
            continue
        film = f"{each.dataset}/{each.sequence}" if each.sequence else ""
        first = groups.setdefault((each.phash, film), at)
        if first == at:
            by_hash.setdefault(each.phash, []).append(at)
        elif not film:
            yield first, at
    for members in by_hash.values():
        yield from ((members[0], other) for other in members[1:])
    hashes = np.array(sorted(by_hash), np.uint64)
    members_of = [by_hash[int(value)] for value in hashes]
    for first_at, second_at, _ in near_pairs(hashes, most):
        for i, j in zip(first_at.tolist(), second_at.tolist(), strict=True):
            yield from _other_films(known, members_of[i], members_of[j])


def _other_films(known: Sequence[Known], left: list[int], right: list[int]) -> Iterator[tuple[int, int]]:
    for a in left:
        for b in right:
            one, two = known[a], known[b]
            if one.sequence is None or (one.dataset, one.sequence) != (two.dataset, two.sequence):
                yield a, b


def duplicate_rows(known: Sequence[Known], most: int, findings: list[Finding]) -> Iterator[DuplicateRow]:
    """One row per image, in order; findings, one per cluster and kind, are added as they are met."""
    root = clusters(known, most)
    members: dict[int, list[int]] = {}
    for at, first in enumerate(root.tolist()):
        members.setdefault(first, []).append(at)
    order = {name: place for place, name in enumerate(dict.fromkeys(each.dataset for each in known))}
    number = 0
    of: dict[int, DuplicateRow] = {}
    for group in members.values():
        made = _cluster([known[at] for at in group], number, order)
        number += len(group) > 1
        of.update(zip(group, made, strict=True))
        if len(group) > 1:
            findings += _doubts([known[at] for at in group], made)
    for at in range(len(known)):
        yield of[at]


def _cluster(group: list[Known], number: int, order: dict[str, int]) -> list[DuplicateRow]:
    keeper = min(group, key=lambda each: (-each.pixels, -each.size, order[each.dataset], each.id))
    times = Counter(each.sha256 for each in group)
    splits = {(each.dataset, each.split) for each in group if each.split}
    within = [{split for name, split in splits if name == dataset} for dataset in {each.dataset for each in group}]
    labels = {each.label for each in group if each.label}
    return [
        DuplicateRow(
            id=each.id,
            dataset=each.dataset,
            sha256=each.sha256,
            phash=None if each.phash is None else f"{each.phash:016x}",
            cluster=number if len(group) > 1 else None,
            cluster_size=len(group),
            exact=each.sha256 is not None and times[each.sha256] > 1,
            keeper=each is keeper,
            keeper_id=keeper.id,
            keeper_dataset=keeper.dataset,
            distance=_apart(each.phash, keeper.phash),
            across_splits=any(len(found) > 1 for found in within),
            across_datasets=len({member.dataset for member in group}) > 1,
            labels_differ=len(labels) > 1,
        )
        for each in group
    ]


def _apart(first: int | None, second: int | None) -> int | None:
    if first is None or second is None:
        return None
    return int(distance(np.array([first], np.uint64), np.array([second], np.uint64))[0])


def _doubts(group: list[Known], rows: list[DuplicateRow]) -> Iterator[Finding]:
    """What is wrong with a cluster: the worst place its images are in, and labels that differ."""
    row, keeper = rows[0], next(row for row in rows if row.keeper)
    # two sets may use one name
    several = row.across_datasets
    names = [f"{each.dataset}: {each.id}" if several else each.id for each in group]
    said = ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else "")
    farthest = max((each.distance for each in rows if each.distance is not None), default=0)
    equal = len({each.sha256 for each in group}) == 1
    apart = f"up to {plural(farthest, 'bit')} apart" if farthest else "equal"
    kind = "are equal byte for byte" if equal else f"are near (hashes {apart})"
    fix = f"keep {keeper.dataset + ': ' if several else ''}{keeper.id}"
    splits = sorted({each.split for each in group if each.split})
    if row.across_splits:
        yield finding(
            "ME713", f"{plural(len(group), 'image')} of {' and '.join(splits)} {kind}: {said}", path=group[0].id
        )
    if row.across_datasets:
        yield finding("ME714", f"{plural(len(group), 'image')} {kind}: {said}", path=group[0].id, fix=fix)
    if not row.across_splits and not row.across_datasets:
        yield finding("ME712", f"{plural(len(group), 'image')} {kind}: {said}", path=group[0].id, fix=fix)
    if row.labels_differ:
        pairs = ", ".join(f"{name} {each.label}" for name, each in list(zip(names, group, strict=True))[:_NAMED])
        yield finding(
            "ME715", f"{plural(len(group), 'image')} {kind}, but have different labels: {pairs}", path=group[0].id
        )


def write_duplicates(
    sets: Sequence[tuple[ImageSet, Path | None]],
    *,
    most: int = NEAR,
    out: Path | None = None,
    workers: int | None = None,
    progress: Callable[[int, int], None],
    force: bool = False,
) -> tuple[Path, list[Finding], list[DuplicateRow]]:
    """``duplicates.parquet``: what each image is like. Returns its path, the findings, and the rows.

    Raises:
        ImagesError: two sets have one name, there are several and no ``out``, no image of a set can be read, or the
            table cannot be written.
    """
    names = [images.dataset for images, _ in sets]
    if len(set(names)) < len(names):
        raise ImagesError(
            f"two sets are called {next(name for name in names if names.count(name) > 1)}",
            fix="import one of them again with --name",
        )
    if len(sets) > 1 and out is None:
        raise ImagesError("of several sets, no one is the place for the table", fix="give -o, a folder")
    rows: list[DuplicateRow] = []

    def judge(known: Iterator[Known], findings: list[Finding]) -> Iterator[DuplicateRow]:
        rows.extend(duplicate_rows(list(known), most, findings))
        yield from rows

    look = Look(
        "duplicates",
        DuplicateRow,
        known_image,
        _without,
        judge,
        {"distance": most, "hash": "phash"},
    )
    path, findings = write_look(look, sets, out=out, workers=workers, progress=progress, force=force)
    return path, findings, rows
