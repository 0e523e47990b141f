"""Which one of several copies of a picture stays."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from datasets_me.core.choices import KeepOne
from datasets_me.formats import image_tables
from datasets_me.formats.image_records import AuditRow, DuplicateRow, ExportRow, QualityRow
from datasets_me.formats.image_set import ImageSet
from datasets_me.images.export.exclude import COPIES, named_by
from datasets_me.schema.images import SPLITS


def clusters_of(images: ImageSet) -> dict[str, int] | None:
    """The cluster of near-duplicates of each image that is in one; None where nobody has looked for them."""
    if not (images.folder / "duplicates.parquet").is_file():
        return None
    rows = image_tables.read_table(images, "duplicates", DuplicateRow)
    return {row.id: row.cluster for row in rows if row.cluster is not None and row.dataset == images.dataset}


def kept_of(
    images: ImageSet, rows: Sequence[ExportRow], codes: Collection[str], keep_one: KeepOne | None
) -> dict[str, str]:
    """For every row of a cluster of which only one is to stay, that one's id.

    Args:
        images: the set.
        rows: what would be exported.
        codes: findings to leave out; where one is about copies, one of each cluster that it names stays.
        keep_one: which one; given, it holds for every cluster.

    Raises:
        MeDatasetsError: a table that says which one is missing or damaged.
    """
    if keep_one is None and not COPIES & set(codes):
        return {}
    list(image_tables.read_table(images, "duplicates", DuplicateRow))  # an error where there is none
    named = None if keep_one else set(named_by(images, COPIES & set(codes)))
    members: dict[int, list[ExportRow]] = defaultdict(list)
    for row in rows:
        if row.cluster is not None:
            members[row.cluster].append(row)
    worth = _worth(images, keep_one or "largest")
    kept: dict[str, str] = {}
    for group in members.values():
        if named is None or any(row.id in named for row in group):
            # a copy in the test part stays before one in the training part, so that the test stays what it was
            best = max(group, key=lambda row: (_place(row), *worth.get(row.id, (0.0,)), -row.number))
            kept.update({row.id: best.id for row in group})
    return kept


def _place(row: ExportRow) -> int:
    return -1 if row.split is None else SPLITS.index(row.split)


def _worth(images: ImageSet, keep_one: KeepOne) -> Mapping[str, tuple[float, ...]]:
    """What makes each image the one to keep: the largest of these stays."""
    size = {
        row.id: (float((row.width or 0) * (row.height or 0)), float(row.size or 0)) for row in images.rows(pixels=False)
    }
    if keep_one == "largest":
        return size
    if keep_one == "sharpest":
        sharp = {row.id: row.sharpness or 0.0 for row in image_tables.read_table(images, "quality", QualityRow)}
        return {name: (sharp.get(name, 0.0), *rest) for name, rest in size.items()}
    agrees = {row.id for row in image_tables.read_table(images, "audit", AuditRow) if row.state == "agree"}
    return {name: (float(name in agrees), *rest) for name, rest in size.items()}
