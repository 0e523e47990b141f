"""Why images are doubtful: what every command that looked at the set found."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from datasets_me.formats import image_tables
from datasets_me.formats.image_records import AuditRow, DuplicateRow, ImageRow
from datasets_me.formats.image_set import ImageSet

_OF_CLUSTERS = ("ME712", "ME713", "ME714", "ME715")
_OF_PREDICTIONS = ("agree", "disagree")


@dataclass
class Doubtful:
    """One image to look at: its row without pixels, its number in the set, and (code, text) of every doubt.

    ``suggested`` is the label that an audit suggests, ``rank`` and ``cluster`` order the images of a finding.
    """

    number: int
    row: ImageRow
    doubts: list[tuple[str, str]] = field(default_factory=list)
    predicted: str | None = None
    suggested: str | None = None
    rank: int | None = None
    cluster: int | None = None

    def order(self, code: str | None) -> tuple[float, float, int]:
        """Where it stands among the images of a finding: label errors by rank, near-duplicates together."""
        rank = float("inf") if self.rank is None or code not in (None, "ME723") else self.rank
        cluster = float("inf") if self.cluster is None or code not in _OF_CLUSTERS else self.cluster
        return rank, cluster, self.number


def doubtful(images: ImageSet, *, every: bool = False) -> list[Doubtful]:
    """The images with doubts, in order of the set; with ``every``, those without, too.

    Doubts are the findings of the import and of each table beside the set, and what an audit disagrees with. A finding
    about near-duplicates holds for every image of their cluster.

    Raises:
        MeDatasetsError: a table is damaged, or made from another set.
    """
    reasons: dict[str, list[tuple[str, str]]] = defaultdict(list)
    clusters = _clusters(images)
    members: dict[int, list[str]] = defaultdict(list)
    for name, cluster in clusters.items():
        members[cluster].append(name)
    for finding in image_tables.read_findings(images):
        if finding.path is None:
            continue
        together = members.get(clusters.get(finding.path, -1), []) if finding.code in _OF_CLUSTERS else []
        for name in together or [finding.path]:
            reasons[name].append((finding.code, finding.message))
    audits = _audits(images)
    doubtful_images = []
    for number, row in enumerate(images.rows(pixels=False)):
        audit = audits.get(row.id)
        doubts = list(dict.fromkeys(reasons.get(row.id, [])))
        known = {code for code, _ in doubts}
        if row.damage is not None and "ME702" not in known:
            doubts.append(("ME702", row.damage))
        if row.label is None and not known & {"ME703", "ME705"}:
            raw = row.label_raw
            doubts.append(("ME705", "no label") if raw is None else ("ME703", f"label '{raw}' is not known"))
        if doubts or every:
            doubtful_images.append(
                Doubtful(
                    number,
                    row,
                    doubts,
                    predicted=audit.predicted if audit else None,
                    suggested=audit.suggested if audit else None,
                    rank=audit.rank if audit else None,
                    cluster=clusters.get(row.id),
                )
            )
    return doubtful_images


def _clusters(images: ImageSet) -> dict[str, int]:
    if not (images.folder / "duplicates.parquet").is_file():
        return {}
    rows = image_tables.read_table(images, "duplicates", DuplicateRow)
    return {row.id: row.cluster for row in rows if row.cluster is not None and row.dataset == images.dataset}


def _audits(images: ImageSet) -> dict[str, AuditRow]:
    if not (images.folder / "audit.parquet").is_file():
        return {}
    return {row.id: row for row in image_tables.read_table(images, "audit", AuditRow) if row.state in _OF_PREDICTIONS}
