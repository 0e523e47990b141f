"""Defects of folders and frames, each planted so that it gives one known finding and, where it must, known others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from datasets_me.schema.template import Template
from datasets_me.synthetic.draft import Draft, Folder, Row, folder_path, frame_name, identity_of, naming_cells
from datasets_me.synthetic.row_defects import NoRoomError, Plant


def take_folder(made: Draft, fits: Callable[[Folder], bool] = lambda folder: True) -> Folder:
    """A folder that nothing was done to, nor to its rows; both are now taken."""
    folders = [folder for folder in made.folders if id(folder) not in made.used]
    made.random.shuffle(folders)
    for folder in folders:
        if {id(row) for row in folder.rows}.isdisjoint(made.used) and fits(folder):
            made.used.add(id(folder))
            made.claim(*folder.rows)
            return folder
    raise NoRoomError


def is_whole(folder: Folder) -> bool:
    return folder.layout.holds == "video"


def has_whole(made: Draft) -> bool:
    return any(map(is_whole, made.folders))


def expect_at(made: Draft, code: str, folder: Folder, row: Row | None = None, **place: Any) -> None:
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
    folder = take_folder(made, lambda folder: folder in candidates)
    right = folder.path
    folder.path = _two_places(made, folder) or ""
    if declared:
        depth = folder.layout.folder.count("/") + 1
        found, belongs = ("/".join(path.split("/")[-depth:]) for path in (folder.path, right))
        entry = {"layout": folder.layout.id, "found": found, "belongs": belongs, "why": "planted"}
        made.schema_changes.setdefault("relocations", []).append(entry)
    expect_at(made, code, folder)
    return True


def relocated(made: Draft) -> bool:
    return _mislocate(made, "ME201", declared=True)


def mislocated(made: Draft) -> bool:
    return _mislocate(made, "ME202", declared=False)


def folder_unknown(made: Draft) -> bool:
    folder = take_folder(made)
    extra = replace(folder, path=f"{folder.path} copy", rows=[], files=dict(folder.files))
    made.used.add(id(extra))
    made.folders.append(extra)
    made.schema_changes.setdefault("folders", {}).setdefault(folder.layout.id, 0)
    made.schema_changes["folders"][folder.layout.id] -= 1  # the copy fits no layout and is not counted
    expect_at(made, "ME203", extra, video=None)
    return True


def folder_missing(made: Draft) -> bool:
    folder = take_folder(made)
    made.folders.remove(folder)
    expect_at(made, "ME204", folder, path=None)
    return True


def folder_unannotated(made: Draft) -> bool:
    layout = next((layout for layout in made.spec.layouts if layout.holds == "video"), made.spec.layouts[0])
    clip = made.synthetic.clips[-1]
    identity, names = identity_of(made, naming_cells(made, 1, clip, 1))
    files = {frame_name(layout, names, layout.base + number): "frame" for number in range(12)}
    extra = Folder(folder_path(layout, names), layout, [], identity.video, files)
    made.used.add(id(extra))
    made.folders.append(extra)
    expect_at(made, "ME205", extra)
    return True


def folder_twice(made: Draft) -> bool:
    folder = take_folder(made)
    depth = folder.layout.folder.count("/") + 1
    parts = folder.path.split("/")
    path = "/".join([*parts[:-depth], "z_second_copy", *parts[-depth:]])
    extra = replace(folder, path=path, files=dict(folder.files))
    made.used.add(id(extra))
    made.folders.append(extra)
    expect_at(made, "ME206", extra)
    return True


def folder_absent_as_known(made: Draft) -> bool:
    folder = take_folder(made)
    made.folders.remove(folder)
    entry = {"layout": folder.layout.id, "video": folder.video, "why": "planted"}
    if folder.layout.holds == "expression":
        entry["expression"] = folder.rows[0].identity.expression or ""
    made.schema_changes.setdefault("absent", []).append(entry)
    expect_at(made, "ME207", folder, path=None)
    return True


def folder_name_differs(made: Draft) -> bool:
    if not any(map(_has_letters, made.folders)):
        return False
    above, slash, name = (folder := take_folder(made, _has_letters)).path.rpartition("/")
    folder.path = above + slash + name.swapcase()
    expect_at(made, "ME208", folder)
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
    folder = take_folder(made)
    folder.files["Thumbs.db"] = "text"
    expect_at(made, "ME211", folder)
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
}
"""Defects by code. ME210 needs permissions that not every system has; ME212 needs a manifest from before a move."""
