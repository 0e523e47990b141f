"""Defects of folders, each planted so that it leads to one known finding and, where unavoidable, to known others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from datasets_me.schema.template import Template
from datasets_me.synthetic.draft import Draft, Folder, Row, folder_path, frame_name, identity_of, naming_cells
from datasets_me.synthetic.row_defects import NoRoomError, Plant


def take_folder(draft: Draft, fits: Callable[[Folder], bool] = lambda folder: True) -> Folder:
    """A folder that is untouched, like its rows; no other defect will touch them.

    Raises:
        NoRoomError: there is none left.
    """
    folders = [folder for folder in draft.folders if id(folder) not in draft.used]
    draft.random.shuffle(folders)
    for folder in folders:
        if {id(row) for row in folder.rows}.isdisjoint(draft.used) and fits(folder):
            draft.used.add(id(folder))
            draft.claim(*folder.rows)
            return folder
    raise NoRoomError


def is_whole(folder: Folder) -> bool:
    """Whether a folder holds a whole video."""
    return folder.layout.holds == "video"


def has_whole(draft: Draft) -> bool:
    """Whether any folder holds a whole video."""
    return any(map(is_whole, draft.folders))


def expect_at(draft: Draft, code: str, folder: Folder, row: Row | None = None, **place: Any) -> None:
    """Note a finding that has to be reported about a folder."""
    stage = "check --deep" if code in ("ME305", "ME306", "ME307", "ME308") else "check"
    entry: dict[str, Any] = {"code": code, "stage": stage, "video": folder.video, "path": folder.path}
    if row is not None:
        entry |= {"row": row.number}
    draft.truth.append(entry | place)


def _two_places(draft: Draft, folder: Folder) -> str | None:
    """The path of the folder under another subject, where the layout names the subject twice."""
    template = Template(folder.layout.folder)
    twice = [name for name in dict.fromkeys(template.fields) if template.fields.count(name) > 1]
    others = [
        f
        for f in draft.folders
        if f.layout is folder.layout and f.rows[0].identity.subject != folder.rows[0].identity.subject
    ]
    if not twice or not others:
        return None
    above = others[0].path.rpartition("/")[0]
    return f"{above}/{folder.path.rpartition('/')[2]}"


def _mislocate(draft: Draft, code: str, *, declared: bool) -> bool:
    candidates = [folder for folder in draft.folders if _two_places(draft, folder)]
    if not candidates:
        return False
    folder = take_folder(draft, lambda folder: folder in candidates)
    right = folder.path
    folder.path = _two_places(draft, folder) or ""
    if declared:
        depth = folder.layout.folder.count("/") + 1
        found, belongs = ("/".join(path.split("/")[-depth:]) for path in (folder.path, right))
        entry = {"layout": folder.layout.id, "found": found, "belongs": belongs, "why": "planted"}
        draft.schema_changes.setdefault("relocations", []).append(entry)
    expect_at(draft, code, folder)
    return True


def _relocated(draft: Draft) -> bool:
    return _mislocate(draft, "ME201", declared=True)


def _mislocated(draft: Draft) -> bool:
    return _mislocate(draft, "ME202", declared=False)


def _folder_unknown(draft: Draft) -> bool:
    folder = take_folder(draft)
    extra = replace(folder, path=f"{folder.path} copy", rows=[], files=dict(folder.files))
    draft.used.add(id(extra))
    draft.folders.append(extra)
    draft.schema_changes.setdefault("folders", {}).setdefault(folder.layout.id, 0)
    draft.schema_changes["folders"][folder.layout.id] -= 1  # the copy fits no layout and is not counted
    expect_at(draft, "ME203", extra, video=None)
    return True


def _folder_missing(draft: Draft) -> bool:
    folder = take_folder(draft)
    draft.folders.remove(folder)
    expect_at(draft, "ME204", folder, path=None)
    return True


def _folder_unannotated(draft: Draft) -> bool:
    layout = next((layout for layout in draft.spec.layouts if layout.holds == "video"), draft.spec.layouts[0])
    clip = draft.synthetic.clips[-1]
    identity, names = identity_of(draft, naming_cells(draft, 1, clip, 1))
    files = {frame_name(layout, names, layout.base + number): "frame" for number in range(12)}
    extra = Folder(folder_path(layout, names), layout, [], identity.video, files)
    draft.used.add(id(extra))
    draft.folders.append(extra)
    expect_at(draft, "ME205", extra)
    return True


def _folder_twice(draft: Draft) -> bool:
    folder = take_folder(draft)
    depth = folder.layout.folder.count("/") + 1
    parts = folder.path.split("/")
    path = "/".join([*parts[:-depth], "z_second_copy", *parts[-depth:]])
    extra = replace(folder, path=path, files=dict(folder.files))
    draft.used.add(id(extra))
    draft.folders.append(extra)
    expect_at(draft, "ME206", extra)
    return True


def _folder_absent_as_known(draft: Draft) -> bool:
    folder = take_folder(draft)
    draft.folders.remove(folder)
    entry = {"layout": folder.layout.id, "video": folder.video, "why": "planted"}
    if folder.layout.holds == "expression":
        entry["expression"] = folder.rows[0].identity.expression or ""
    draft.schema_changes.setdefault("absent", []).append(entry)
    expect_at(draft, "ME207", folder, path=None)
    return True


def _folder_name_differs(draft: Draft) -> bool:
    if not any(map(_has_letters, draft.folders)):
        return False
    above, slash, name = (folder := take_folder(draft, _has_letters)).path.rpartition("/")
    folder.path = above + slash + name.swapcase()
    expect_at(draft, "ME208", folder)
    return True


def _has_letters(folder: Folder) -> bool:
    name = folder.path.rpartition("/")[2]
    return bool(folder.rows) and name.swapcase() != name


def _folder_count_differs(draft: Draft) -> bool:
    layout = draft.spec.layouts[0].id
    changes = draft.schema_changes.setdefault("folders", {})
    changes[layout] = changes.get(layout, 0) + 1
    draft.truth.append({"code": "ME209", "stage": "check"})
    return True


def _stray_files(draft: Draft) -> bool:
    folder = take_folder(draft)
    folder.files["Thumbs.db"] = "text"
    expect_at(draft, "ME211", folder)
    return True


FOLDER_DEFECTS: dict[str, Plant] = {
    "ME201": _relocated,
    "ME202": _mislocated,
    "ME203": _folder_unknown,
    "ME204": _folder_missing,
    "ME205": _folder_unannotated,
    "ME206": _folder_twice,
    "ME207": _folder_absent_as_known,
    "ME208": _folder_name_differs,
    "ME209": _folder_count_differs,
    "ME211": _stray_files,
}
"""Defects by code. ME210 needs permissions that not every system has; ME212 needs a manifest from before a move."""
