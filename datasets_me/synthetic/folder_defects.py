"""Defects of folders and frames, each planted so that it gives one known finding and, where it must, known others."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from datasets_me.naming import Template
from datasets_me.synthetic.draft import (
    Draft,
    Folder,
    Row,
    folder_path,
    frame_name,
    identity_of,
    naming_cells,
)
from datasets_me.synthetic.row_defects import NoRoomError, Plant


def _folder(made: Draft, fits: Callable[[Folder], bool] = lambda folder: True) -> Folder:
    """A folder that nothing was done to, nor to its rows; both are now taken."""
    folders = [folder for folder in made.folders if id(folder) not in made.used]
    made.random.shuffle(folders)
    for folder in folders:
        if {id(row) for row in folder.rows}.isdisjoint(made.used) and fits(folder):
            made.used.add(id(folder))
            made.claim(*folder.rows)
            return folder
    raise NoRoomError


def _whole(folder: Folder) -> bool:
    return folder.layout.holds == "video"


def _has_whole(made: Draft) -> bool:
    return any(map(_whole, made.folders))


def _last_row(folder: Folder) -> Row:
    return max(folder.rows, key=lambda row: row.frames["onset"])


def _expect(made: Draft, code: str, folder: Folder, row: Row | None = None, **place: Any) -> None:
    stage = "check --deep" if code in ("ME305", "ME306", "ME307", "ME308") else "check"
    entry: dict[str, Any] = {"code": code, "stage": stage, "video": folder.video, "path": folder.path}
    if row is not None:
        entry |= {"row": row.number}
    made.truth.append(entry | place)


def _two_places(made: Draft, folder: Folder) -> str | None:
    """The path of the folder under another subject, where the layout names the subject twice."""
    template = Template(folder.layout.folder)
    twice = [name for name in dict.fromkeys(template.fields) if template.fields.count(name) > 1]
    others = [
        f
        for f in made.folders
        if f.layout is folder.layout and f.rows[0].identity.subject != folder.rows[0].identity.subject
    ]
    if not twice or not others:
        return None
    above = others[0].path.rpartition("/")[0]
    return f"{above}/{folder.path.rpartition('/')[2]}"


def _mislocate(made: Draft, code: str, *, declared: bool) -> bool:
    candidates = [folder for folder in made.folders if _two_places(made, folder)]
    if not candidates:
        return False
    folder = _folder(made, lambda folder: folder in candidates)
    right = folder.path
    folder.path = _two_places(made, folder) or ""
    if declared:
        depth = folder.layout.folder.count("/") + 1
        found, belongs = ("/".join(path.split("/")[-depth:]) for path in (folder.path, right))
        entry = {"layout": folder.layout.id, "found": found, "belongs": belongs, "why": "planted"}
        made.schema_changes.setdefault("relocations", []).append(entry)
    _expect(made, code, folder)
    return True


def relocated(made: Draft) -> bool:
    return _mislocate(made, "ME201", declared=True)


def mislocated(made: Draft) -> bool:
    return _mislocate(made, "ME202", declared=False)


def folder_unknown(made: Draft) -> bool:
    folder = _folder(made)
    extra = replace(folder, path=f"{folder.path} copy", rows=[], files=dict(folder.files))
    made.used.add(id(extra))
    made.folders.append(extra)
    made.schema_changes.setdefault("folders", {}).setdefault(folder.layout.id, 0)
    made.schema_changes["folders"][folder.layout.id] -= 1  # the copy fits no layout and is not counted
    _expect(made, "ME203", extra, video=None)
    return True


def folder_missing(made: Draft) -> bool:
    folder = _folder(made)
    made.folders.remove(folder)
    _expect(made, "ME204", folder, path=None)
    return True


def folder_unannotated(made: Draft) -> bool:
    layout = next((layout for layout in made.spec.layouts if layout.holds == "video"), made.spec.layouts[0])
    clip = made.synthetic.clips[-1]
    identity, names = identity_of(made, naming_cells(made, 1, clip, 1))
    files = {frame_name(layout, names, layout.base + number): "frame" for number in range(12)}
    extra = Folder(folder_path(layout, names), layout, [], identity.video, files)
    made.used.add(id(extra))
    made.folders.append(extra)
    _expect(made, "ME205", extra)
    return True


def folder_twice(made: Draft) -> bool:
    folder = _folder(made)
    depth = folder.layout.folder.count("/") + 1
    parts = folder.path.split("/")
    path = "/".join([*parts[:-depth], "z_second_copy", *parts[-depth:]])
    extra = replace(folder, path=path, files=dict(folder.files))
    made.used.add(id(extra))
    made.folders.append(extra)
    _expect(made, "ME206", extra)
    return True


def folder_absent_as_known(made: Draft) -> bool:
    folder = _folder(made)
    made.folders.remove(folder)
    entry = {"layout": folder.layout.id, "video": folder.video, "why": "planted"}
    if folder.layout.holds == "expression":
        entry["expression"] = folder.rows[0].identity.expression or ""
    made.schema_changes.setdefault("absent", []).append(entry)
    _expect(made, "ME207", folder, path=None)
    return True


def folder_name_differs(made: Draft) -> bool:
    if not any(map(_has_letters, made.folders)):
        return False
    above, slash, name = (folder := _folder(made, _has_letters)).path.rpartition("/")
    folder.path = above + slash + name.swapcase()
    _expect(made, "ME208", folder)
    return True


def _has_letters(folder: Folder) -> bool:
    name = folder.path.rpartition("/")[2]
    return bool(folder.rows) and name.swapcase() != name


def folder_count_differs(made: Draft) -> bool:
    layout = made.spec.layouts[0].id
    changes = made.schema_changes.setdefault("folders", {})
    changes[layout] = changes.get(layout, 0) + 1
    made.truth.append({"code": "ME209", "stage": "check"})
    return True


def stray_files(made: Draft) -> bool:
    folder = _folder(made)
    folder.files["Thumbs.db"] = "text"
    _expect(made, "ME211", folder)
    return True


def _middle(folder: Folder) -> str:
    names = sorted(folder.files)
    return names[len(names) // 2]


def frame_gap(made: Draft) -> bool:
    folder = _folder(made, _whole) if _has_whole(made) else _folder(made)
    row = folder.rows[0]
    if _whole(folder):
        del folder.files[frame_name(folder.layout, row.names, folder.layout.base + 2)]  # before any expression
    else:
        del folder.files[_inside(folder, row, 2)]
        _expect(made, "ME403", folder, row)
        _expect(made, "ME405", folder, row)
    _expect(made, "ME301", folder)
    return True


def _inside(folder: Folder, row: Row, after_onset: int) -> str:
    """The name of a frame inside an expression."""
    first = 0 if folder.layout.numbers == "clip" else row.frames["onset"]
    return frame_name(folder.layout, row.names, folder.layout.base + first + after_onset)


def frame_twice(made: Draft) -> bool:
    folder = _folder(made)
    stem, _, suffix = _middle(folder).rpartition(".")
    folder.files[f"{stem}.{'png' if suffix != 'png' else 'tif'}"] = "png" if suffix != "png" else "tif"
    _expect(made, "ME302", folder)
    _expect(made, "ME304", folder)
    return True


def text_order(made: Draft) -> bool:
    """Unpadded names. What must be found is written down by :func:`note_text_order`, planted or not."""
    if not any(map(_differs_unpadded, made.folders)):
        return False
    folder = _folder(made, _differs_unpadded)
    folder.files = dict.fromkeys(_unpadded(folder), "frame")
    return True


def _differs_unpadded(folder: Folder) -> bool:
    names = _unpadded(folder) if folder.rows else []
    return names != sorted(names)


def _unpadded(folder: Folder) -> list[str]:
    """The names of the frames without zeros before their numbers, in the order of the numbers."""
    template = re.sub(r"\{frame[^}]*\}", "{frame:0}", folder.layout.frame)
    numbers = sorted(map(_number, _frames(folder)))
    return [Template(template).render({**folder.rows[0].names, "frame": str(number)}) for number in numbers]


def _frames(folder: Folder) -> list[str]:
    return [name for name, kind in folder.files.items() if kind != "text"]


def _number(name: str) -> int:
    digits = ""
    for character in reversed(name.rpartition(".")[0]):
        if not character.isdigit():
            break
        digits = character + digits
    return int(digits)


def frame_name_differs(made: Draft) -> bool:
    folder = _folder(made)
    stem, _, suffix = (name := _middle(folder)).rpartition(".")
    folder.files[f"{stem}.{suffix.upper()}"] = folder.files.pop(name)
    _expect(made, "ME304", folder)
    return True


def _spoil(made: Draft, code: str, kind: str) -> bool:
    folder = _folder(made)
    name = _middle(folder)
    folder.files[name] = kind
    _expect(made, code, folder, path=f"{folder.path}/{name}")
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
    folder = _folder(made)
    folder.files.clear()
    _expect(made, "ME309", folder)
    return True


def start_differs(made: Draft) -> bool:
    if not _has_whole(made):
        return False
    folder = _folder(made, _whole)
    for number in (0, 1):
        del folder.files[frame_name(folder.layout, folder.rows[0].names, folder.layout.base + number)]
    _expect(made, "ME310", folder)
    return True


def _cut(made: Draft, after: str) -> tuple[Folder, Row]:
    """A folder that ends one frame behind the given frame of its last expression."""
    folder = _folder(made, _whole) if _has_whole(made) else _folder(made)
    row = _last_row(folder)
    first = 0 if folder.layout.numbers == "video" else row.frames["onset"]
    last = row.frames[after] - first + folder.layout.base
    folder.files = {name: kind for name, kind in folder.files.items() if _number(name) <= last}
    if not _whole(folder):
        _expect(made, "ME403", folder, row)
    return folder, row


def starts_outside(made: Draft) -> bool:
    if not _has_whole(made):
        return False
    folder, row = _cut(made, "onset")
    last = max(folder.files, key=_number)
    del folder.files[last]
    _expect(made, "ME401", folder, row)
    return True


def ends_outside(made: Draft) -> bool:
    folder, row = _cut(made, "apex")
    _expect(made, "ME402", folder, row)
    return True


def length_differs(made: Draft) -> bool:
    clips = [folder for folder in made.folders if not _whole(folder)]
    if not clips:
        return False
    folder = _folder(made, lambda folder: folder in clips)
    last = max(map(_number, folder.files))
    folder.files[frame_name(folder.layout, folder.rows[0].names, last + 1)] = "frame"
    _expect(made, "ME403", folder, folder.rows[0])
    return True


def apex_outside(made: Draft) -> bool:
    if "apex" not in made.columns:
        return False
    folder, row = _cut(made, "onset")
    _expect(made, "ME402", folder, row)
    _expect(made, "ME404", folder, row)
    return True


def gap_inside(made: Draft) -> bool:
    if not _has_whole(made):
        return False
    folder = _folder(made, _whole)
    row = folder.rows[0]
    del folder.files[_inside(folder, row, 1)]
    _expect(made, "ME301", folder)
    _expect(made, "ME405", folder, row)
    return True


FOLDER_DEFECTS: dict[str, Plant] = {
    "ME201": relocated,
    "ME202": mislocated,
    "ME203": folder_unknown,
    "ME204": folder_missing,
    "ME205": folder_unannotated,
    "ME206": folder_twice,
    "ME207": folder_absent_as_known,
    "ME208": folder_name_differs,
    "ME209": folder_count_differs,
    "ME211": stray_files,
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
    "ME401": starts_outside,
    "ME402": ends_outside,
    "ME403": length_differs,
    "ME404": apex_outside,
    "ME405": gap_inside,
}
"""Defects by code. ME210 needs permissions that not every system has; ME212 needs a manifest from before a move."""


def note_text_order(made: Draft) -> None:
    """Write down every folder whose names sort differently as text, planted or in the nature of the layout."""
    for folder in made.folders:
        names = _frames(folder)
        if sorted(names) != sorted(names, key=lambda name: (_number(name), name)) and not folder.path.endswith(" copy"):
            _expect(made, "ME303", folder)
