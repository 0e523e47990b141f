"""Images that are equal or nearly so: within a set, across its splits, and across sets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from datasets_me.core.errors import ImagesError, plural
from datasets_me.findings.finding import Finding, finding
from datasets_me.formats import image_set
from datasets_me.formats.image_records import DuplicateRow, ImageRow
from datasets_me.formats.image_set import ImageSet
from datasets_me.images.looks import embeddings, hashes
from datasets_me.images.looks.clusters import NEAR, Alike, HashRow, apart, clusters, difference
from datasets_me.images.looks.look import Look, write_look

LONGEST = 96
"""px of the longer side that large pictures are shrunk to while they are decoded; the hash looks at 32."""

_NAMED = 4  # images that a message names


def hash_row(row: ImageRow, *, root: Path | None) -> HashRow:
    """What the search needs of an image.

    Raises:
        DamageError: the image cannot be read or decoded.
    """
    return _without(row, **hashes.hashes(image_set.load_grey(row, root, LONGEST))._asdict())


def _without(row: ImageRow, **of_picture: bytes) -> HashRow:
    return HashRow(
        id=row.id,
        dataset=row.dataset,
        split=row.split,
        label=row.label,
        sequence=row.sequence,
        sha256=row.sha256 if row.size != 0 else None,  # empty files are equal, but no copies
        pixels=(row.width or 0) * (row.height or 0),
        size=row.size or 0,
        **of_picture,
    )


def duplicate_rows(
    rows: Sequence[HashRow],
    most: int,
    findings: list[Finding],
    *,
    transformed: bool = True,
    alike: Alike | None = None,
) -> Iterator[DuplicateRow]:
    """One row per image, in order; findings, one per cluster and kind, are added as they are met."""
    root = clusters(rows, most, transformed=transformed, alike=alike)
    members: dict[int, list[int]] = {}
    for at, first in enumerate(root.tolist()):
        members.setdefault(first, []).append(at)
    order = {name: place for place, name in enumerate(dict.fromkeys(row.dataset for row in rows))}
    number = 0
    by_place: dict[int, DuplicateRow] = {}
    for places in members.values():
        group = [rows[at] for at in places]
        cluster = _cluster(group, number, order, most)
        if alike is not None:
            keeper = places[next(at for at, row in enumerate(cluster) if row.keeper)]
            cluster = [
                row.model_copy(update={"cosine": embeddings.cosine(alike.vectors, at, keeper)})
                for at, row in zip(places, cluster, strict=True)
            ]
        number += len(group) > 1
        by_place.update(zip(places, cluster, strict=True))
        if len(group) > 1:
            findings += _doubts(group, cluster, most)
    for at in range(len(rows)):
        yield by_place[at]


def _cluster(group: list[HashRow], number: int, order: dict[str, int], most: int) -> list[DuplicateRow]:
    keeper = min(group, key=lambda row: (-row.pixels, -row.size, order[row.dataset], row.id))
    times = Counter(row.sha256 for row in group)
    splits = {(row.dataset, row.split) for row in group if row.split}
    datasets = {row.dataset for row in group}
    within = [{split for name, split in splits if name == dataset} for dataset in datasets]
    across_splits = any(len(each) > 1 for each in within)
    labels = {row.label for row in group if row.label}
    return [
        DuplicateRow(
            id=row.id,
            dataset=row.dataset,
            sha256=row.sha256,
            phash=row.phash.hex() or None,
            cluster=number if len(group) > 1 else None,
            cluster_size=len(group),
            exact=row.sha256 is not None and times[row.sha256] > 1,
            keeper=row is keeper,
            keeper_id=keeper.id,
            keeper_dataset=keeper.dataset,
            distance=apart(row.phash, keeper.phash),
            transformed=None if row is keeper else difference(row, keeper, most),
            across_splits=across_splits,
            across_datasets=len(datasets) > 1,
            labels_differ=len(labels) > 1,
        )
        for row in group
    ]


def _doubts(group: list[HashRow], rows: list[DuplicateRow], most: int) -> Iterator[Finding]:
    """What is wrong with a cluster: the worst place its images are in, and labels that differ."""
    row, keeper = rows[0], next(row for row in rows if row.keeper)
    # two sets may use one name
    several = row.across_datasets
    names = [f"{each.dataset}: {each.id}" if several else each.id for each in group]
    listed = ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else "")
    kind = _kind(group, rows, most)
    fix = f"keep {keeper.dataset + ': ' if several else ''}{keeper.id}"
    splits = sorted({each.split for each in group if each.split})
    if row.across_splits:
        yield finding(
            "ME713", f"{plural(len(group), 'image')} of {' and '.join(splits)} {kind}: {listed}", path=group[0].id
        )
    if row.across_datasets:
        yield finding("ME714", f"{plural(len(group), 'image')} {kind}: {listed}", path=group[0].id, fix=fix)
    if not row.across_splits and not row.across_datasets:
        yield finding("ME712", f"{plural(len(group), 'image')} {kind}: {listed}", path=group[0].id, fix=fix)
    if row.labels_differ:
        pairs = ", ".join(f"{name} {each.label}" for name, each in list(zip(names, group, strict=True))[:_NAMED])
        yield finding(
            "ME715", f"{plural(len(group), 'image')} {kind}, but have different labels: {pairs}", path=group[0].id
        )


def _kind(group: list[HashRow], rows: list[DuplicateRow], most: int) -> str:
    """In which way the images of a cluster are alike."""
    if len({row.sha256 for row in group}) == 1:
        return "are equal byte for byte"
    ways = sorted({row.transformed for row in rows if row.transformed is not None})
    if ways:
        return f"are near once {' or '.join(ways)}"
    farthest = max((row.distance for row in rows if row.distance is not None), default=0)
    cosines = [row.cosine for row in rows if row.cosine is not None]
    if cosines and farthest > most:
        return f"have near embeddings (cosine {min(cosines):.3f})"
    apart = f"up to {plural(farthest, 'bit')} apart" if farthest else "equal"
    return f"are near (hashes {apart})"


def write_duplicates(  # noqa: PLR0913 - each is an option of the verb
    sets: Sequence[tuple[ImageSet, Path | None]],
    *,
    most: int = NEAR,
    transformed: bool = True,
    near: tuple[Path, float] | None = None,
    out: Path | None = None,
    workers: int | None = None,
    progress: Callable[[int, int], None],
    force: bool = False,
) -> tuple[Path, list[Finding], list[DuplicateRow]]:
    """``duplicates.parquet``: what each image is like. Returns its path, the findings, and the rows.

    Args:
        sets: each with the folder its files lie under; all images are compared with each other.
        most: bits in which hashes of near duplicates differ at most.
        transformed: find copies that were mirrored, turned or cropped, too.
        near: an npz of embeddings, and the least cosine of near ones.
        out: the folder of the table; that of the first set by default.
        workers: processes.
        progress: called with the number of images done, and of all.
        force: replace an earlier table.

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
        raise ImagesError("the table of several sets belongs to none of them", fix="give -o, a folder")
    alike = None
    if near is not None:
        named = [(row.dataset, row.id) for images, _ in sets for row in images.rows(pixels=False)]
        alike = Alike(embeddings.read(near[0], named), near[1])
    rows: list[DuplicateRow] = []

    def judge(hashed: Iterator[HashRow], findings: list[Finding]) -> Iterator[DuplicateRow]:
        rows.extend(duplicate_rows(list(hashed), most, findings, transformed=transformed, alike=alike))
        yield from rows

    look = Look(
        "duplicates",
        DuplicateRow,
        HashRow,
        hash_row,
        _without,
        judge,
        {"distance": most, "hash": "phash", "transformed": transformed, "cosine": near[1] if near else None},
        ("hash",),
    )
    path, findings = write_look(look, sets, out=out, workers=workers, progress=progress, force=force)
    return path, findings, rows
