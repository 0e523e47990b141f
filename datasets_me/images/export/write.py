"""Writing an export: copies or links in a folder per class, a CSV, or shards of WebDataset.

The originals are only read.
"""

from __future__ import annotations

import csv
import io
import json
import tarfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from datasets_me.core import artefact
from datasets_me.core.choices import ImageExport
from datasets_me.core.errors import ImagesError
from datasets_me.core.paths import name_fault, under
from datasets_me.core.pictures import DamageError
from datasets_me.core.tables import stream
from datasets_me.findings.finding import Finding, finding
from datasets_me.formats.image_names import EXPORTED, exported_name
from datasets_me.formats.image_records import ExportRow, ImageRow, LeftOut
from datasets_me.formats.image_set import ImageSet, changed, decode_row, load_bytes
from datasets_me.formats.kinds import IMAGE_EXPORT
from datasets_me.images.export.plan import Plan
from datasets_me.images.unread import nothing_read

PER_SHARD = 1000
"""Images per shard; a shard of 48x48 PNGs is about 2 MB, one of photographs about 200."""

_COLUMNS = ("id", "path", "split", "label", "label_was", "decision", "subject", "cluster", "sha256")


def write(  # noqa: PLR0913 - what is written, where and how, and what every verb takes
    images: ImageSet,
    plan: Plan,
    out: Path,
    kind: ImageExport,
    *,
    root: Path | None = None,
    link: bool = False,
    options: dict[str, object] | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
    force: bool = False,
) -> list[Finding]:
    """Write an export into a new folder: the images, tables and ``export.json``.

    ``folders``: ``<split>/<label>/<number>_<name>``, byte for byte the originals (PNG where pixels stood in a table).
    ``csv``: ``images.csv`` with paths relative to the root, or with the pixels where they stood in a table.
    ``webdataset``: ``<split>-<shard>.tar`` with ``<number>.<suffix>``, ``.cls`` (the class's number) and ``.json``.

    The tables are ``export.parquet``, ``findings.parquet``, and ``left_out.csv`` and ``remove.txt``, which name what is
    left out with the reason, and as bare paths for other tools.

    Args:
        images: the set.
        plan: what is exported.
        out: the new folder.
        kind: what is written.
        root: the folder the files lie under.
        link: of ``folders``: symbolic links to the originals instead of copies, where there are files.
        options: kept in ``export.json``.
        progress: called with the number of images written, and of all.
        force: replace an earlier export.

    Returns:
        What was found on the way, which ``findings.parquet`` holds, too: ME737 a file has changed since the import,
        ME740 a file cannot be read any more; the rest is written.

    Raises:
        ImagesError: no image can be read any more, or a label cannot be the name of a folder.
        WriteError: the folder cannot be written.
    """
    files = images.root(root)
    if kind == "folders":
        _refuse_labels(plan.classes, images)
    findings: list[Finding] = []
    total = len(plan.rows)

    def reported() -> Iterator[tuple[ExportRow, ImageRow]]:
        for done, pair in enumerate(_with_originals(images, plan.rows)):
            progress(done, total)
            yield pair

    with artefact.new_folder(out, IMAGE_EXPORT, force=force) as new:
        if kind == "csv":
            rows = _csv(new.path, reported(), files is None)
        elif kind == "folders":
            place = partial(put, new.path, root=files, link=link, findings=findings)
            rows = [each for row, original in reported() if (each := place(row, original, _folder(row))) is not None]
        else:
            rows = _shards(new.path, reported(), plan.classes, partial(content, root=files, findings=findings))
        if plan.rows and not rows:
            raise nothing_read(images.folder if files is None else files, f"{findings[0].where}: {findings[0].message}")
        finish(new, images, rows, plan.removed, [*plan.findings, *findings])
        new.about.update(layout=kind, classes=list(plan.classes), options=options or {})
    return findings


def finish(
    new: artefact.NewFolder,
    images: ImageSet,
    rows: Sequence[ExportRow],
    removed: Sequence[LeftOut],
    findings: Sequence[Finding],
) -> None:
    """Write the tables of an export, and what its JSON file says of them."""
    stream(new.path / EXPORTED, ExportRow, rows)
    stream(new.path / "findings.parquet", Finding, findings)
    with (new.path / "left_out.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(
            [("id", "path", "reason"), *((each.id, each.path or "", each.reason) for each in removed)]
        )
    paths = [f"{each.path}\n" for each in removed if each.path is not None]
    (new.path / "remove.txt").write_text("".join(paths), encoding="utf-8")
    counts: dict[str, Counter[str]] = {}
    for row in rows:
        counts.setdefault(row.split or "", Counter())[row.label] += 1
    new.about.update(
        dataset=images.dataset,
        images=len(rows),
        counts={part: dict(sorted(labels.items())) for part, labels in sorted(counts.items())},
        left_out=dict(Counter(each.reason for each in removed)),
        table=images.sha256,
    )


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


def content(original: ImageRow, *, root: Path | None, findings: list[Finding]) -> bytes | None:
    """The bytes of an image as a file: the original's own, or a PNG of the pixels; None where it cannot be read.

    Findings: ME737 the file has changed since the import, ME740 it cannot be read.
    """
    try:
        data = load_bytes(original, root)
        if other := changed(original, data):
            findings += other
            decode_row(original, data)  # a file that can no longer be decoded is not copied
    except DamageError as error:
        findings.append(finding("ME740", str(error), path=original.id))
        return None
    if data is not None:
        return data
    from PIL import Image as Pillow

    picture = Pillow.frombytes("L", (original.width or 0, original.height or 0), original.pixels or b"")
    coded = io.BytesIO()
    picture.save(coded, "png")
    return coded.getvalue()


def put(
    folder: Path,
    row: ExportRow,
    original: ImageRow,
    inside: str,
    *,
    root: Path | None,
    link: bool,
    findings: list[Finding],
) -> ExportRow | None:
    """Copy or link one image into a folder of the export; its row, or None where it cannot be read.

    Args:
        folder: that of the export.
        row: the image.
        original: the same, as its set has it.
        inside: where in the folder it goes.
        root: the folder the originals lie under.
        link: make a symbolic link, where there is a file.
        findings: gets those of `content`.
    """
    data = content(original, root=root, findings=findings)
    if data is None:
        return None
    name = f"{inside}/{exported_name(row.number, row.path, row.format)}"
    path = under(folder, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    if link and root is not None and original.path is not None:
        path.symlink_to(under(root, original.path).resolve())
    else:
        path.write_bytes(data)
    return row.model_copy(update={"file": name})


def _folder(row: ExportRow) -> str:
    return "/".join([*([row.split] if row.split else []), row.label])


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


def _csv(folder: Path, pairs: Iterator[tuple[ExportRow, ImageRow]], pixels: bool) -> list[ExportRow]:
    """Write ``images.csv``.

    Training scripts open files by its paths and match its labels, so cells are as they are, even where a spreadsheet
    would take one for a formula.
    """
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
    read: Callable[[ImageRow], bytes | None],
) -> list[ExportRow]:
    """Shards per split; images in order of the set, so a reader has to shuffle, as WebDataset does."""
    numbers = {name: number for number, name in enumerate(classes)}
    rows: list[ExportRow] = []
    counts: Counter[str] = Counter()
    open_shards: dict[str, tarfile.TarFile] = {}
    try:
        for row, original in pairs:
            data = read(original)
            if data is None:
                continue
            part = row.split or "all"
            name = f"{part}-{counts[part] // PER_SHARD:06d}.tar"
            if counts[part] % PER_SHARD == 0:
                if part in open_shards:
                    open_shards[part].close()
                open_shards[part] = tarfile.open(folder / name, "w", format=tarfile.USTAR_FORMAT)  # noqa: SIM115 - closed below
            counts[part] += 1
            suffix = exported_name(row.number, row.path, row.format).rpartition(".")[2].casefold()
            _add(open_shards[part], row, {suffix: data, "cls": str(numbers[row.label]).encode(), "json": _about(row)})
            rows.append(row.model_copy(update={"file": f"{name}#{row.number:06d}.{suffix}"}))
    finally:
        for shard in open_shards.values():
            shard.close()
    return rows


def _add(shard: tarfile.TarFile, row: ExportRow, parts: Mapping[str, bytes]) -> None:
    """One image, each of its parts as a file; no time and no owner, so that the same input gives the same bytes."""
    for suffix, data in parts.items():
        entry = tarfile.TarInfo(f"{row.number:06d}.{suffix}")
        entry.size = len(data)
        shard.addfile(entry, io.BytesIO(data))


def _about(row: ExportRow) -> bytes:
    about = {key: value for key, value in row.model_dump().items() if key not in ("number", "file", "path")}
    return json.dumps(about, ensure_ascii=False).encode()
