"""Defects of frames, and of annotations against them, each planted so that it gives known findings."""

from __future__ import annotations

import re

from datasets_me.schema.template import Template
from datasets_me.synthetic.draft import Draft, Folder, Row, frame_name
from datasets_me.synthetic.folder_defects import expect_at, has_whole, is_whole, take_folder
from datasets_me.synthetic.row_defects import Plant


def _last_row(folder: Folder) -> Row:
    return max(folder.rows, key=lambda row: row.frames["onset"])


def _middle(folder: Folder) -> str:
    names = sorted(folder.files)
    return names[len(names) // 2]


def frame_gap(made: Draft) -> bool:
    folder = take_folder(made, is_whole) if has_whole(made) else take_folder(made)
    row = folder.rows[0]
    if is_whole(folder):
        del folder.files[frame_name(folder.layout, row.names, folder.layout.base + 2)]  # before any expression
    else:
        del folder.files[_inside(folder, row, 2)]
        expect_at(made, "ME403", folder, row)
        expect_at(made, "ME405", folder, row)
    expect_at(made, "ME301", folder)
    return True


def _inside(folder: Folder, row: Row, after_onset: int) -> str:
    """The name of a frame inside an expression."""
    first = 0 if folder.layout.numbers == "clip" else row.frames["onset"]
    return frame_name(folder.layout, row.names, folder.layout.base + first + after_onset)


def frame_twice(made: Draft) -> bool:
    folder = take_folder(made)
    stem, _, suffix = _middle(folder).rpartition(".")
    folder.files[f"{stem}.{'png' if suffix != 'png' else 'tif'}"] = "png" if suffix != "png" else "tif"
    expect_at(made, "ME302", folder)
    expect_at(made, "ME304", folder)
    return True


def text_order(made: Draft) -> bool:
    """Unpadded names. What must be found is written down by :func:`note_text_order`, planted or not."""
    if not any(map(_differs_unpadded, made.folders)):
        return False
    folder = take_folder(made, _differs_unpadded)
    folder.files = dict.fromkeys(_unpadded(folder), "frame")
    return True


def _differs_unpadded(folder: Folder) -> bool:
    names = _unpadded(folder) if folder.rows else []
    return names != sorted(names)


def _unpadded(folder: Folder) -> list[str]:
    """The names of the frames without zeros before their numbers, in the order of the numbers."""
    template = re.sub(r"\{frame[^}]*\}", "{frame:0}", folder.layout.frame)
    numbers = sorted(map(number_of, frames_of(folder)))
    return [Template(template).render({**folder.rows[0].names, "frame": str(number)}) for number in numbers]


def frame_name_differs(made: Draft) -> bool:
    folder = take_folder(made)
    stem, _, suffix = (name := _middle(folder)).rpartition(".")
    folder.files[f"{stem}.{suffix.upper()}"] = folder.files.pop(name)
    expect_at(made, "ME304", folder)
    return True


def _spoil(made: Draft, code: str, kind: str) -> bool:
    folder = take_folder(made)
    name = _middle(folder)
    folder.files[name] = kind
    expect_at(made, code, folder, path=f"{folder.path}/{name}")
    return True


def frame_empty(made: Draft) -> bool:
    return _spoil(made, "ME305", "empty")


def frame_damaged(made: Draft) -> bool:
    return _spoil(made, "ME306", "truncated")


def frame_size_differs(made: Draft) -> bool:
    return _spoil(made, "ME307", "larger")


def format_differs(made: Draft) -> bool:
    return _spoil(made, "ME308", "other format")


def folder_empty(made: Draft) -> bool:
    folder = take_folder(made)
    folder.files.clear()
    expect_at(made, "ME309", folder)
    return True


def start_differs(made: Draft) -> bool:
    if not has_whole(made):
        return False
    folder = take_folder(made, is_whole)
    for number in (0, 1):
        del folder.files[frame_name(folder.layout, folder.rows[0].names, folder.layout.base + number)]
    expect_at(made, "ME310", folder)
    return True


def frames_of_another(made: Draft) -> bool:
    if not any(map(_repeated_fields, made.folders)):
        return False
    folder = take_folder(made, lambda folder: bool(_repeated_fields(folder)))
    field = _repeated_fields(folder)[0]
    wrong = {**folder.rows[0].names, field: "9" * len(folder.rows[0].names[field])}
    folder.files = {frame_name(folder.layout, wrong, number_of(name)): kind for name, kind in folder.files.items()}
    expect_at(made, "ME311", folder)
    return True


def _repeated_fields(folder: Folder) -> list[str]:
    """Fields that a frame's name shares with its folder."""
    names = folder.rows[0].names if folder.rows else {}
    return [field for field in Template(folder.layout.frame).fields if field in names]


def _cut(made: Draft, after: str) -> tuple[Folder, Row]:
    """A folder that ends one frame behind the given frame of its last expression."""
    folder = take_folder(made, is_whole) if has_whole(made) else take_folder(made)
    row = _last_row(folder)
    first = 0 if folder.layout.numbers == "video" else row.frames["onset"]
    last = row.frames[after] - first + folder.layout.base
    folder.files = {name: kind for name, kind in folder.files.items() if number_of(name) <= last}
    if not is_whole(folder):
        expect_at(made, "ME403", folder, row)
    return folder, row


def starts_outside(made: Draft) -> bool:
    if not has_whole(made):
        return False
    folder, row = _cut(made, "onset")
    last = max(folder.files, key=number_of)
    del folder.files[last]
    expect_at(made, "ME401", folder, row)
    return True


def ends_outside(made: Draft) -> bool:
    folder, row = _cut(made, "apex")
    expect_at(made, "ME402", folder, row)
    return True


def length_differs(made: Draft) -> bool:
    clips = [folder for folder in made.folders if not is_whole(folder)]
    if not clips:
        return False
    folder = take_folder(made, lambda folder: folder in clips)
    last = max(map(number_of, folder.files))
    folder.files[frame_name(folder.layout, folder.rows[0].names, last + 1)] = "frame"
    expect_at(made, "ME403", folder, folder.rows[0])
    return True


def apex_outside(made: Draft) -> bool:
    if "apex" not in made.columns:
        return False
    folder, row = _cut(made, "onset")
    expect_at(made, "ME402", folder, row)
    expect_at(made, "ME404", folder, row)
    return True


def gap_inside(made: Draft) -> bool:
    if not has_whole(made):
        return False
    folder = take_folder(made, is_whole)
    row = folder.rows[0]
    del folder.files[_inside(folder, row, 1)]
    expect_at(made, "ME301", folder)
    expect_at(made, "ME405", folder, row)
    return True


def frames_of(folder: Folder) -> list[str]:
    return [name for name, kind in folder.files.items() if kind != "text"]


def number_of(name: str) -> int:
    digits = ""
    for character in reversed(name.rpartition(".")[0]):
        if not character.isdigit():
            break
        digits = character + digits
    return int(digits)


FRAME_DEFECTS: dict[str, Plant] = {
    "ME301": frame_gap,
    "ME302": frame_twice,
    "ME303": text_order,
    "ME304": frame_name_differs,
    "ME305": frame_empty,
    "ME306": frame_damaged,
    "ME307": frame_size_differs,
    "ME308": format_differs,
    "ME309": folder_empty,
    "ME310": start_differs,
    "ME311": frames_of_another,
    "ME401": starts_outside,
    "ME402": ends_outside,
    "ME403": length_differs,
    "ME404": apex_outside,
    "ME405": gap_inside,
}
"""Defects by code."""


def note_text_order(made: Draft) -> None:
    """Write down every folder whose names sort differently as text, planted or in the nature of the layout."""
    for folder in made.folders:
        names = frames_of(folder)
        if sorted(names) != sorted(names, key=lambda name: (number_of(name), name)) and not folder.path.endswith(
            " copy"
        ):
            expect_at(made, "ME303", folder)
