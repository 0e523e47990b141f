"""Images that are left out because of their findings."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence

from datasets_me.findings.codes import all_codes, check_selectors, matches
from datasets_me.findings.finding import Finding
from datasets_me.formats import image_tables
from datasets_me.formats.image_records import DuplicateRow
from datasets_me.formats.image_set import ImageSet

COPIES = frozenset(("ME712", "ME713", "ME714"))
"""Findings about copies: one of each cluster may stay."""

CLUSTERS = COPIES | {"ME715"}
"""Findings about clusters, which hold for every image in one."""

UNKNOWN = "ME703"
"""A finding about a text that is no label, which holds for every image that has this text and no label."""


def selected(codes: Sequence[str]) -> frozenset[str]:
    """The codes that these, or codes that begin with these, name.

    Raises:
        MeDatasetsError: one selects nothing.
    """
    check_selectors(list(codes))
    return frozenset(code for code in all_codes() if matches(code, list(codes)))


def excluded_by(images: ImageSet, codes: Collection[str]) -> dict[str, str]:
    """The images that have one of these findings, by id, with its code; without those of which a copy may stay.

    Raises:
        MeDatasetsError: a table is damaged.
    """
    return {name: named.code for name, named in named_by(images, set(codes) - COPIES).items()}


def named_by(images: ImageSet, codes: Collection[str]) -> dict[str, Finding]:
    """The first finding of these codes about each image, by id; one about a cluster or a text is about all it holds."""
    if not codes:
        return {}
    members: dict[str, list[str]] = defaultdict(list)
    if (images.folder / "duplicates.parquet").is_file():
        rows = [row for row in image_tables.read_table(images, "duplicates", DuplicateRow) if row.cluster is not None]
        by_cluster: dict[int | None, list[str]] = defaultdict(list)
        for row in rows:
            if row.dataset == images.dataset:
                by_cluster[row.cluster].append(row.id)
        members.update({row.id: by_cluster[row.cluster] for row in rows if row.dataset == images.dataset})
    unlabelled = _unlabelled(images) if UNKNOWN in codes else {}
    named: dict[str, Finding] = {}
    for each in image_tables.read_findings(images):
        if each.path is None or each.code not in codes:
            continue
        about = members[each.path] if each.code in CLUSTERS else []
        for name in unlabelled.get(each.found or "", []) if each.code == UNKNOWN else about or [each.path]:
            named.setdefault(name, each)
    return named


def _unlabelled(images: ImageSet) -> dict[str, list[str]]:
    """The images without a label by the text that they have in its place."""
    by_text: dict[str, list[str]] = defaultdict(list)
    for row in images.rows(pixels=False):
        if row.label is None and row.label_raw is not None:
            by_text[row.label_raw].append(row.id)
    return by_text
