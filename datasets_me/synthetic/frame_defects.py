"""Defects of frames, and of annotations against them, each planted so that it leads to known findings."""

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


def _frame_gap(draft: Draft) -> bool:
    folder = take_folder(draft, is_whole) if has_whole(draft) else take_folder(draft)
    row = folder.rows[0]
    if is_whole(folder):
        del folder.files[frame_name(folder.layout, row.names, folder.layout.base + 2)]  # before any expression
    else:
        del folder.files[_inside(folder, row, 2)]
        expect_at(draft, "ME403", folder, row)
        expect_at(draft, "ME405", folder, row)
    expect_at(draft, "ME301", folder)
    return True


def _inside(folder: Folder, row: Row, after_onset: int) -> str:
    """The name of a frame inside an expression."""
    first = 0 if folder.layout.numbers == "clip" else row.frames["onset"]
    return frame_name(folder.layout, row.names, folder.layout.base + first + after_onset)


def _frame_twice(draft: Draft) -> bool:
    folder = take_folder(draft)
    stem, _, suffix = _middle(folder).rpartition(".")
    folder.files[f"{stem}.{'png' if suffix != 'png' else 'tif'}"] = "png" if suffix != "png" else "tif"
    expect_at(draft, "ME302", folder)
    expect_at(draft, "ME304", folder)
    return True


def _text_order(draft: Draft) -> bool:
    """Unpadded names. What must be found is written down by :func:`note_text_order`, planted or not."""
    if not any(map(_differs_unpadded, draft.folders)):
        return False
    folder = take_folder(draft, _differs_unpadded)
    folder.files = dict.fromkeys(_unpadded(folder), "frame")
    return True


def _differs_unpadded(folder: Folder) -> bool:
    names = _unpadded(folder) if folder.rows else []
    return names != sorted(names)


def _unpadded(folder: Folder) -> list[str]:
    """The names of the frames without zeros before their numbers, in the order of the numbers."""
    template = re.sub(r"\{frame[^}]*\}", "{frame:0}", folder.layout.frame)
    numbers = sorted(map(_number_of, _frames_of(folder)))
    return [Template(template).render({**folder.rows[0].names, "frame": str(number)}) for number in numbers]


def _frame_name_differs(draft: Draft) -> bool:
    folder = take_folder(draft)
    stem, _, suffix = (name := _middle(folder)).rpartition(".")
    folder.files[f"{stem}.{suffix.upper()}"] = folder.files.pop(name)
    expect_at(draft, "ME304", folder)
    return True


def _spoil(draft: Draft, code: str, kind: str) -> bool:
    folder = take_folder(draft)
    name = _middle(folder)
    folder.files[name] = kind
    expect_at(draft, code, folder, path=f"{folder.path}/{name}")
    return True


def _frame_empty(draft: Draft) -> bool:
    return _spoil(draft, "ME305", "empty")


def _frame_damaged(draft: Draft) -> bool:
    return _spoil(draft, "ME306", "truncated")


def _frame_size_differs(draft: Draft) -> bool:
    return _spoil(draft, "ME307", "larger")


def _format_differs(draft: Draft) -> bool:
    return _spoil(draft, "ME308", "other format")


def _folder_empty(draft: Draft) -> bool:
    folder = take_folder(draft)
    folder.files.clear()
    expect_at(draft, "ME309", folder)
    return True


def _start_differs(draft: Draft) -> bool:
    if not has_whole(draft):
        return False
    folder = take_folder(draft, is_whole)
    for number in (0, 1):
        del folder.files[frame_name(folder.layout, folder.rows[0].names, folder.layout.base + number)]
    expect_at(draft, "ME310", folder)
    return True


def _frames_of_another(draft: Draft) -> bool:
    if not any(map(_repeated_fields, draft.folders)):
        return False
    folder = take_folder(draft, lambda folder: bool(_repeated_fields(folder)))
    field = _repeated_fields(folder)[0]
    wrong = {**folder.rows[0].names, field: "9" * len(folder.rows[0].names[field])}
    folder.files = {frame_name(folder.layout, wrong, _number_of(name)): kind for name, kind in folder.files.items()}
    expect_at(draft, "ME311", folder)
    return True


def _repeated_fields(folder: Folder) -> list[str]:
    """Fields that a frame's name shares with its folder."""
    names = folder.rows[0].names if folder.rows else {}
    return [field for field in Template(folder.layout.frame).fields if field in names]


def _cut(draft: Draft, after: str) -> tuple[Folder, Row]:
    """A folder that ends one frame behind the given frame of its last expression."""
    folder = take_folder(draft, is_whole) if has_whole(draft) else take_folder(draft)
    row = _last_row(folder)
    first = 0 if folder.layout.numbers == "video" else row.frames["onset"]
    last = row.frames[after] - first + folder.layout.base
    folder.files = {name: kind for name, kind in folder.files.items() if _number_of(name) <= last}
    if not is_whole(folder):
        expect_at(draft, "ME403", folder, row)
    return folder, row


def _starts_outside(draft: Draft) -> bool:
    if not has_whole(draft):
        return False
    folder, row = _cut(draft, "onset")
    last = max(folder.files, key=_number_of)
    del folder.files[last]
    expect_at(draft, "ME401", folder, row)
    return True


def _ends_outside(draft: Draft) -> bool:
    folder, row = _cut(draft, "apex")
    expect_at(draft, "ME402", folder, row)
    return True


def _length_differs(draft: Draft) -> bool:
    clips = [folder for folder in draft.folders if not is_whole(folder)]
    if not clips:
        return False
    folder = take_folder(draft, lambda folder: folder in clips)
    last = max(map(_number_of, folder.files))
    folder.files[frame_name(folder.layout, folder.rows[0].names, last + 1)] = "frame"
    expect_at(draft, "ME403", folder, folder.rows[0])
    return True


def _apex_outside(draft: Draft) -> bool:
    if "apex" not in draft.columns:
        return False
    folder, row = _cut(draft, "onset")
    expect_at(draft, "ME402", folder, row)
    expect_at(draft, "ME404", folder, row)
    return True


def _gap_inside(draft: Draft) -> bool:
    if not has_whole(draft):
        return False
    folder = take_folder(draft, is_whole)
    row = folder.rows[0]
    del folder.files[_inside(folder, row, 1)]
    expect_at(draft, "ME301", folder)
    expect_at(draft, "ME405", folder, row)
    return True


def _frames_of(folder: Folder) -> list[str]:
    return [name for name, kind in folder.files.items() if kind != "text"]


def _number_of(name: str) -> int:
    digits = ""
    for character in reversed(name.rpartition(".")[0]):
        if not character.isdigit():
            break
        digits = character + digits
    return int(digits)


FRAME_DEFECTS: dict[str, Plant] = {
    "ME301": _frame_gap,
    "ME302": _frame_twice,
    "ME303": _text_order,
    "ME304": _frame_name_differs,
    "ME305": _frame_empty,
    "ME306": _frame_damaged,
    "ME307": _frame_size_differs,
    "ME308": _format_differs,
    "ME309": _folder_empty,
    "ME310": _start_differs,
    "ME311": _frames_of_another,
    "ME401": _starts_outside,
    "ME402": _ends_outside,
    "ME403": _length_differs,
    "ME404": _apex_outside,
    "ME405": _gap_inside,
}
"""Defects by code."""


def note_text_order(draft: Draft) -> None:
    """Write down every folder whose names sort differently as text, planted or in the nature of the layout."""
    for folder in draft.folders:
        names = _frames_of(folder)
        if sorted(names) != sorted(names, key=lambda name: (_number_of(name), name)) and not folder.path.endswith(
            " copy"
        ):
            expect_at(draft, "ME303", folder)
