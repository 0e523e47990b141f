"""Writing a synthetic dataset: workbook, folders of frames, schema, truth."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import openpyxl
from openpyxl.worksheet.worksheet import Worksheet
from PIL import Image

from datasets_me.convert.sheets import column_index
from datasets_me.core import artefact
from datasets_me.core.choices import Container
from datasets_me.core.errors import MeDatasetsError
from datasets_me.core.frame_names import number_of
from datasets_me.core.paths import safe_name, under
from datasets_me.core.text import clean
from datasets_me.core.workbooks import without_times
from datasets_me.formats.kinds import SYNTHETIC
from datasets_me.schema.schema_files import Schema
from datasets_me.synthetic.containers import check_container, write_video
from datasets_me.synthetic.draft import Draft, Folder, add_folders, new_draft, schema_text
from datasets_me.synthetic.folder_defects import FOLDER_DEFECTS
from datasets_me.synthetic.frame_defects import FRAME_DEFECTS, note_text_order
from datasets_me.synthetic.row_defects import ROW_DEFECTS, NoRoomError

if TYPE_CHECKING:
    from datasets_me.synthetic.film import Film

PLANTABLE = (*ROW_DEFECTS, *FOLDER_DEFECTS, *FRAME_DEFECTS)


@dataclass(frozen=True)
class SyntheticDataset:
    """Where a synthetic dataset lies, and the defects planted in it."""

    workbook: Path
    root: Path
    schema: Path
    truth: Path
    frames: int
    planted: tuple[str, ...]
    impossible: tuple[str, ...]


def make(  # noqa: PLR0913 - what a set can have, each by its own name; all but two have defaults
    schema: Schema,
    out: str | Path,
    *,
    seed: int = 0,
    subjects: int = 6,
    defects: Sequence[str] = (),
    as_fits: bool = False,
    real_lengths: bool = False,
    film: Film | None = None,
    container: Container | None = None,
    force: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> SyntheticDataset:
    """Write a synthetic dataset: ``<workbook>``, ``frames/``, ``schema.yaml`` and ``truth.json`` under ``out``.

    The same seed gives the same files. ``schema.yaml`` is the dataset's with the counts of this set. ``truth.json``
    lists every finding that ``convert`` and ``check`` have to report, and they report no others.

    Args:
        defects: codes to plant. Those the dataset cannot have (no apex column, say) are named in the result.
        as_fits: name there also those for which no row or folder is left, instead of raising an error.
        real_lengths: expressions and pauses last as long as real ones at the frame rate of the dataset, instead of a
            few frames; of datasets of several rates, videos have them in turn.
        film: show real faces that move as annotated; without it, frames are small pictures of rectangles. The truth of
            the motion is written to ``truth/``.
        container: write a video file for each whole video, in place of folders of frames. Where the schema has nothing
            but video files, that is done anyway, as ``avi``. Defects of folders and frames cannot be planted in them.
        force: replace an earlier synthetic dataset.
        progress: called with folders written and folders in all.

    Raises:
        OutputError: the folder exists and may not be replaced.
        WriteError: it cannot be written.
        MeDatasetsError: a code cannot be planted at all, or there are too few rows.
    """
    out = Path(out)
    artefact.may_replace(out, SYNTHETIC, force)
    for code in defects:
        if code not in PLANTABLE:
            raise MeDatasetsError(f"'{code}' cannot be planted", fix=f"choose from {', '.join(PLANTABLE)}")
    draft = new_draft(schema, seed, subjects, real_lengths=real_lengths, container=container)
    if draft.container is not None:
        check_container(draft.container)
    for number, line in enumerate(draft.synthetic.preamble, start=1):
        if line:
            draft.truth.append({"code": "ME102", "stage": "convert", "row": number})
    planted = _plant(draft, defects, as_fits)
    workbook = safe_name(clean(schema.spec.workbook.files[0].replace("*", ""))) + draft.suffix
    with artefact.new_folder(out, SYNTHETIC, force=force) as new:
        _write_workbook(draft, new.path / workbook)
        studio = None
        if film:
            from datasets_me.synthetic.film import Studio, write_truth

            studio = Studio(draft, seed, film)
            write_truth(studio, new.path / "truth")
        frames = _write_frames(draft, new.path / "frames", studio, progress)
        (new.path / "schema.yaml").write_text(schema_text(draft), encoding="utf-8")
        truth = {"dataset": schema.spec.id, "seed": seed, "planted": planted, "findings": draft.truth}
        text = json.dumps(truth, indent=1, ensure_ascii=False) + "\n"
        (new.path / "truth.json").write_text(text, encoding="utf-8")
        new.about.update(dataset=schema.spec.id, seed=seed)
    impossible = tuple(code for code in defects if code not in planted)
    return SyntheticDataset(
        out / workbook, out / "frames", out / "schema.yaml", out / "truth.json", frames, tuple(planted), impossible
    )


def _plant(draft: Draft, defects: Sequence[str], as_fits: bool) -> list[str]:
    """Plant the defects the dataset can have; those of rows first, because folders follow from the rows."""
    planted = []
    for catalogue in (ROW_DEFECTS, *(() if draft.container else (FOLDER_DEFECTS, FRAME_DEFECTS))):
        for code in (code for code in catalogue if code in defects):
            try:
                planted += [code] if catalogue[code](draft) else []
            except NoRoomError:
                if not as_fits:
                    raise MeDatasetsError(
                        f"there is no row or folder left to plant {code} in",
                        fix="give more --subjects or fewer --defects",
                    ) from None
        if catalogue is ROW_DEFECTS:
            add_folders(draft)
    if draft.container is None:
        note_text_order(draft)
    return planted


def _write_workbook(draft: Draft, path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    sheet.title = draft.synthetic.sheets[0]
    columns = draft.columns
    for line in draft.synthetic.preamble:
        sheet.append([line or None])
    if draft.variant.header == "find":
        titles = {**draft.variant.columns, **draft.variant.optional}
        sheet.append([titles[name][0] if name else None for name in columns])
    for row in draft.rows:
        sheet.append([row.cells.get(name) if name else None for name in columns])
    for line in draft.after_table:
        sheet.append([line])
    if draft.extra_column:
        header = draft.first_row - 1
        if header:
            sheet.cell(header, len(columns) + 4, draft.extra_column)
        sheet.cell(draft.first_row, len(columns) + 4, "agrees")
    for area in draft.merged:
        sheet.merge_cells(area)
    _write_lookups(draft, book)
    if draft.extra_sheet:
        book.create_sheet(draft.extra_sheet).append(["an older coding", 1])
    content = io.BytesIO()
    book.save(content)
    path.write_bytes(without_times(content.getvalue()))


def _write_lookups(draft: Draft, book: openpyxl.Workbook) -> None:
    by_sheet = sorted(draft.variant.lookups.items(), key=lambda item: item[1].sheet)
    for title, (name, place) in zip(draft.synthetic.sheets[1:], by_sheet, strict=True):
        sheet = book.create_sheet(title)
        values = draft.spec.names.lookups[name].values
        kept = {key: value for key, value in values.items() if (name, key) not in draft.dropped_lookups}
        for number, (key, value) in enumerate(kept.items(), start=1):
            sheet.cell(number, column_index(place.key) + 1, key)
            sheet.cell(number, column_index(place.value) + 1, value)


Pictures = Callable[[Folder, int], Image.Image]
"""The picture in a file of a folder, by the number in the file's name."""


def _write_frames(
    draft: Draft, root: Path, picture: Pictures | None, progress: Callable[[int, int], None] | None
) -> int:
    """Write all folders, or video files; returns the number of files."""
    written = 0
    for number, folder in enumerate(draft.folders, start=1):
        if draft.container is None:
            _write_folder(draft, root, folder, picture)
            written += len(folder.files)
        else:
            path = under(root, folder.path)
            path.parent.mkdir(parents=True, exist_ok=True)
            shown = (
                _rectangles(draft.synthetic.size, _shade(folder))
                if picture is None
                else picture(folder, number_of(name) or 0)
                for name in folder.files
            )
            write_video(path, shown, folder.rows[0].fps)
            written += 1
        if progress:
            progress(number, len(draft.folders))
    return written


def _write_folder(draft: Draft, root: Path, folder: Folder, picture: Pictures | None) -> None:
    under(root, folder.path).mkdir(parents=True, exist_ok=True)
    for name, kind in folder.files.items():
        suffix = name.rpartition(".")[2].casefold()
        if picture is None or kind in ("empty", "text"):
            content = _drawn(kind, suffix, draft.synthetic.size, _shade(folder))
        else:
            content = _encoded(kind, suffix, picture(folder, number_of(name) or 0))
        under(root, f"{folder.path}/{name}").write_bytes(content)


def _shade(folder: Folder) -> int:
    return 60 + sum(map(ord, folder.video)) % 150


def _rectangles(size: tuple[int, int], shade: int) -> Image.Image:
    image = Image.new("RGB", size, (shade, shade - 20, shade - 40))
    image.paste((shade - 50, shade - 50, shade - 50), (size[0] // 3, size[1] // 3, size[0] // 2, size[1] // 2))
    return image


@cache
def _drawn(kind: str, suffix: str, size: tuple[int, int], shade: int) -> bytes:
    """The bytes of a file of this kind that shows rectangles."""
    if kind == "empty":
        return b""
    if kind == "text":
        return b"not an image\n"
    return _encoded(kind, suffix, _rectangles(size, shade))


def _encoded(kind: str, suffix: str, image: Image.Image) -> bytes:
    """The bytes of an image as a file of this kind."""
    suffix = {"png": "png", "tif": "tif"}.get(kind, suffix)
    if kind == "other format":
        suffix = "png" if suffix != "png" else "jpg"
    if kind == "larger":
        image = image.resize((image.width + 8, image.height + 6))
    content = io.BytesIO()
    image.save(content, {"jpg": "JPEG", "jpeg": "JPEG", "tif": "TIFF"}.get(suffix, suffix.upper()), quality=95)
    data = content.getvalue()
    return data[: len(data) * 2 // 3] if kind == "truncated" else data
