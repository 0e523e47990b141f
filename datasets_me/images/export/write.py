"""Writing an export: copies in a folder per class, a CSV, or shards of WebDataset. The originals are only read."""

from __future__ import annotations

import csv
import io
import json
import tarfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from datasets_me.core import artefact
from datasets_me.core.choices import ImageExport
from datasets_me.core.errors import ImagesError
from datasets_me.core.paths import name_fault, under
from datasets_me.core.pictures import DamageError
from datasets_me.core.tables import stream
from datasets_me.findings.finding import Finding
from datasets_me.formats.image_names import EXPORTED, exported_name
from datasets_me.formats.image_records import ExportRow, ImageRow
from datasets_me.formats.image_set import ImageSet, changed, load_bytes
from datasets_me.formats.kinds import IMAGE_EXPORT
from datasets_me.images.export.plan import Plan

PER_SHARD = 1000
"""Images per shard; a shard of 48x48 PNGs is about 2 MB, one of photographs about 200."""

_COLUMNS = ("id", "path", "split", "label", "label_was", "decision", "subject", "cluster", "sha256")


def write(
    images: ImageSet,
    made: Plan,
    out: Path,
    kind: ImageExport,
    *,
    root: Path | None = None,
    options: dict[str, object] | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
    force: bool = False,
) -> list[Finding]:
    """Write an export into a new folder: the images, ``export.parquet``, ``findings.parquet`` and ``export.json``.

    ``folders``: ``<split>/<label>/<number>_<name>``, byte for byte the originals (PNG where pixels stood in a table).
    ``csv``: ``images.csv`` with paths relative to the root, or with the pixels where they stood in a table.
    ``webdataset``: ``<split>-<shard>.tar`` with ``<number>.<suffix>``, ``.cls`` (the class's number) and ``.json``.

    Returns what was found on the way, which ``findings.parquet`` holds, too: ME737 a file that has changed since the
    import, where files are copied.

    Raises:
        ImagesError: an image cannot be read any more, a label cannot be the name of a folder, or the folder cannot be
            written.
    """
    files = images.root(root)
    if kind == "folders":
        _refuse_labels(made.classes, images)
    total = len(made.rows)
    found: list[Finding] = []

    def reported() -> Iterator[tuple[ExportRow, ImageRow]]:
        for done, pair in enumerate(_with_originals(images, made.rows)):
            progress(done, total)
            yield pair

    with artefact.new_folder(out, IMAGE_EXPORT, force=force) as new:
        folder = new.path
        if kind == "csv":
            rows = _csv(folder, reported(), images.root(root) is None)
        elif kind == "folders":
            rows = [_copy(folder, row, content(original, files, found)) for row, original in reported()]
        else:
            rows = _shards(folder, reported(), made.classes, lambda original: content(original, files, found))
        stream(folder / EXPORTED, ExportRow, rows)
        stream(folder / "findings.parquet", Finding, [*made.findings, *found])
        splits = Counter((row.split or "", row.label) for row in rows)
        new.about.update(
            dataset=images.dataset,
            layout=kind,
            classes=list(made.classes),
            images=total,
            counts={
                part: {name: splits[part, name] for name in made.classes} for part in sorted({s for s, _ in splits})
            },
            left_out=made.left_out,
            options=options or {},
            table=images.sha256,
        )
    return found


def _with_originals(images: ImageSet, rows: Sequence[ExportRow]) -> Iterator[tuple[ExportRow, ImageRow]]:
    """Each row with its image, whose pixels are held only as long as its batch."""
    wanted = iter(rows)
    row = next(wanted, None)
    for number, original in enumerate(images.rows()):
        if row is None:
            return
        if number == row.number:
            yield row, original
            row = next(wanted, None)


def content(original: ImageRow, root: Path | None, findings: list[Finding]) -> bytes:
    """The bytes of an image as a file: the original's own, or a PNG of the pixels.

    Findings: ME737 the file has changed since the import.

    Raises:
        ImagesError: it cannot be read.
    """
    try:
        found = load_bytes(original, root)
    except DamageError as error:
        raise ImagesError(
            str(error), where=original.where, fix="give the --root that was imported; or import the images again"
        ) from error
    if found is not None:
        findings += changed(original, found)
        return found
    from PIL import Image as Pillow

    picture = Pillow.frombytes("L", (original.width or 0, original.height or 0), original.pixels or b"")
    made = io.BytesIO()
    picture.save(made, "png")
    return made.getvalue()


def _refuse_labels(labels: Sequence[str], images: ImageSet) -> None:
    """Only labels that are names of folders everywhere; changed ones could be equal to others.

    Raises:
        ImagesError: one is not.
    """
    for label in labels:
        fault = name_fault(label)
        if fault is not None:
            raise ImagesError(
                f"the label {label!r} cannot be the name of a folder: {fault}",
                where=str(images.folder / "schema.yaml"),
                fix="give it another name in the schema and import again; or export with --format csv",
            )


def _name(row: ExportRow) -> str:
    return exported_name(row.number, row.path, row.format)


def _copy(folder: Path, row: ExportRow, data: bytes) -> ExportRow:
    name = "/".join([*([row.split] if row.split else []), row.label, _name(row)])
    path = under(folder, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return row.model_copy(update={"file": name})


def _csv(folder: Path, pairs: Iterator[tuple[ExportRow, ImageRow]], pixels: bool) -> list[ExportRow]:
    """``images.csv``. Training scripts open files by its paths and match its labels, so cells are as they are, even
    where a spreadsheet would take one for a formula."""
    rows = []
    with (folder / "images.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*_COLUMNS, *(["width", "height", "pixels"] if pixels else [])])
        for row, original in pairs:
            cells = ["" if (value := getattr(row, name)) is None else value for name in _COLUMNS]
            grey = [original.width, original.height, " ".join(map(str, original.pixels or b""))]
            writer.writerow([*cells, *(grey if pixels else [])])
            rows.append(row)
    return rows


def _shards(
    folder: Path,
    pairs: Iterator[tuple[ExportRow, ImageRow]],
    classes: Sequence[str],
    read: Callable[[ImageRow], bytes],
) -> list[ExportRow]:
    """Shards per split; images in order of the set, so a reader has to shuffle, as WebDataset does."""
    numbers = {name: number for number, name in enumerate(classes)}
    rows: list[ExportRow] = []
    counts: Counter[str] = Counter()
    open_shards: dict[str, tarfile.TarFile] = {}
    try:
        for row, original in pairs:
            part = row.split or "all"
            name = f"{part}-{counts[part] // PER_SHARD:06d}.tar"
            if counts[part] % PER_SHARD == 0:
                if part in open_shards:
                    open_shards[part].close()
                open_shards[part] = tarfile.open(folder / name, "w", format=tarfile.USTAR_FORMAT)  # noqa: SIM115
            counts[part] += 1
            about = {key: value for key, value in row.model_dump().items() if key not in ("number", "file", "path")}
            suffix = _name(row).rpartition(".")[2].casefold()
            for end, data in (
                (suffix, read(original)),
                ("cls", str(numbers[row.label]).encode()),
                ("json", json.dumps(about, ensure_ascii=False).encode()),
            ):
                entry = tarfile.TarInfo(f"{row.number:06d}.{end}")  # no time, no owner: the same input, the same bytes
                entry.size = len(data)
                open_shards[part].addfile(entry, io.BytesIO(data))
            rows.append(row.model_copy(update={"file": f"{name}#{row.number:06d}.{suffix}"}))
    finally:
        for shard in open_shards.values():
            shard.close()
    return rows
