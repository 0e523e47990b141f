"""A set sorted into folders by what an audit says of each image. The originals are only read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from datasets_me.core import artefact
from datasets_me.core.paths import safe_name
from datasets_me.findings.finding import Finding
from datasets_me.formats.image_records import UNLABELLED, AuditRow, ExportRow, ImageRow, State
from datasets_me.formats.image_set import ImageSet
from datasets_me.formats.image_tables import read_table
from datasets_me.formats.kinds import IMAGE_EXPORT
from datasets_me.images.export.plan import export_row
from datasets_me.images.export.write import finish, put
from datasets_me.images.unread import nothing_read


def sort_by_audit(
    images: ImageSet,
    out: Path,
    *,
    root: Path | None = None,
    link: bool = False,
    progress: Callable[[int, int], None] = lambda done, total: None,
    force: bool = False,
) -> tuple[dict[State, Counter[str]], list[Finding]]:
    """Copy every image of a set into a new folder, by what ``audit.parquet`` says of it.

    ::

        unsubmitted/<label>/…  unrecognised/<label>/…  agree/<label>/…  disagree/<label>-<predicted>/…

    Decisions are not applied: this is for looking at the set as it is. The tables are those of every export.

    Args:
        images: the set, with an audit beside it.
        out: the new folder.
        root: the folder the files lie under.
        link: symbolic links to the originals instead of copies, where there are files.
        progress: called with the number of images written, and of all.
        force: replace an earlier export.

    Returns:
        How many images of each label have which state, which is the audit's own table less what cannot be read; and
        findings: ME737 a file has changed since the import, ME740 it cannot be read any more.

    Raises:
        ImagesError: there is no audit, it is of another set, or no image can be read.
        OutputError: ``out`` exists and may not be replaced.
        WriteError: it cannot be written.
    """
    files = images.root(root)
    findings: list[Finding] = []
    counts: dict[State, Counter[str]] = {}
    with artefact.new_folder(out, IMAGE_EXPORT, force=force) as new:
        place = partial(put, new.path, root=files, link=link, findings=findings)
        rows: list[ExportRow] = []
        for number, (row, audit) in enumerate(_audited(images)):
            label = row.label or UNLABELLED
            written = place(export_row(number, row, label), row, folder_of(audit, label))
            if written is not None:
                rows.append(written)
                counts.setdefault(audit.state, Counter())[label] += 1
            progress(number + 1, len(images))
        if len(images) and not rows:
            first = f"{findings[0].where}: {findings[0].message}"
            raise nothing_read(images.folder if files is None else files, first)
        finish(new, images, rows, [], findings)
        new.about.update(layout="audit", states={state: dict(sorted(each.items())) for state, each in counts.items()})
    return counts, findings


def folder_of(audit: AuditRow, label: str) -> str:
    """The folder that an image goes to."""
    if audit.state == "disagree":
        return f"disagree/{safe_name(f'{label}-{audit.predicted}')}"
    return f"{audit.state}/{safe_name(label)}"


def _audited(images: ImageSet) -> Iterator[tuple[ImageRow, AuditRow]]:
    yield from zip(images.rows(), read_table(images, "audit", AuditRow), strict=True)
