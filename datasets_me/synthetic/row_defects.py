"""Defects of workbooks, each planted so that it leads to one known finding and, where unavoidable, to known others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from datasets_me.schema.spec import FRAME_FIELDS, FrameField, Layout
from datasets_me.synthetic.draft import Draft, Row, folder_path, identity_of

Plant = Callable[[Draft], bool]
"""Plants one defect and notes the findings it must lead to; False where the dataset cannot have it."""


def _row(draft: Draft, fits: Callable[[Row], bool] = lambda row: True) -> Row:
    """An untouched row that no other defect will touch.

    Raises:
        NoRoomError: there is none left.
    """
    for row in draft.fresh_rows():
        if fits(row):
            draft.claim(row)
            return row
    raise NoRoomError


class NoRoomError(Exception):
    """Every row or folder that could take this defect is taken."""


def _has(draft: Draft, column: str) -> bool:
    return column in draft.columns


def _clip_layouts(draft: Draft) -> list[Layout]:
    return [layout for layout in draft.spec.layouts if layout.holds == "expression"]


def _has_company(draft: Draft, row: Row) -> bool:
    """Whether the row's video has another row that stays, so that its folder stays annotated."""
    return any(o is not row and o.identity.video == row.identity.video and not o.lost for o in draft.rows)


def _sentinel(draft: Draft, field: str) -> str | None:
    return next(iter(draft.spec.workbook.sentinels.get(field, [])), None)


def _row_unreadable(draft: Draft) -> bool:
    row = _row(draft)
    column = [name for name in draft.synthetic.columns if name in draft.columns and name != "self_report"][-1]
    if column == "inducement":
        column = "clip"
    row.cells[column] = None
    row.lost = True
    draft.expect("ME101", "convert", row, video=None)
    return True


def _prose_row(draft: Draft) -> bool:
    draft.after_table.append("These codes are for research only.")
    draft.truth.append({"code": "ME102", "stage": "convert", "row": draft.first_row + len(draft.rows)})
    return True


def _frame_not_annotated(draft: Draft) -> bool:
    field = next((name for name in reversed(FRAME_FIELDS) if _has(draft, name) and _sentinel(draft, name)), None)
    if field is None:
        return False
    row = _row(draft)
    sentinel = _sentinel(draft, field) or ""
    row.cells[field] = int(sentinel) if sentinel.lstrip("-").isdigit() else sentinel
    draft.expect("ME103", "convert", row, field)
    return True


def _frame_unreadable(draft: Draft) -> bool:
    row = _row(draft)
    row.cells["offset"] = datetime(2014, 5, 8)
    draft.expect("ME104", "convert", row, "offset")
    return True


def _frame_rounded(draft: Draft) -> bool:
    row = _row(draft)
    row.cells["onset"] = row.frames["onset"] + draft.spec.workbook.frames.base + 0.25
    draft.expect("ME105", "convert", row, "onset")
    return True


def _frame_before_first(draft: Draft) -> bool:
    frames = draft.spec.workbook.frames
    if frames.before_first != "clamp" or frames.base == 0:
        return False
    first_of_video = {row.identity.video: row for row in reversed(draft.rows)}
    row = _row(draft, lambda row: first_of_video[row.identity.video] is row)
    row.frames["onset"] = 0
    row.cells["onset"] = 0
    row.cells["duration"] = row.frames["offset"] + 2  # counted from the number 0 the cell says
    draft.expect("ME106", "convert", row, "onset")
    return True


def _frames_out_of_order(draft: Draft) -> bool:
    if not _has(draft, "apex"):
        return False
    row = _row(draft)
    row.frames["apex"] = row.frames["offset"] + 2
    row.cells["apex"] = row.frames["apex"] + draft.spec.workbook.frames.base
    draft.expect("ME107", "convert", row, "offset")
    for layout in _clip_layouts(draft):
        if layout.numbers == "video" or row.frames["apex"] > row.frames["offset"]:
            draft.expect("ME404", "check", row, "apex", path=folder_path(layout, row.names))
    return True


def _overlap(draft: Draft) -> bool:
    pairs = zip(draft.rows, draft.rows[1:], strict=False)
    for first, second in pairs:
        fresh = {id(first), id(second)}.isdisjoint(draft.used) and not first.lost and not second.lost
        if fresh and first.identity.video == second.identity.video:
            draft.claim(first, second)
            _set_frames(draft, second, onset=first.frames["offset"])
            draft.expect("ME108", "convert", second, "onset")
            return True
    return False


def _set_frames(draft: Draft, row: Row, **frames: int) -> None:
    row.frames |= frames
    for name in FRAME_FIELDS:
        row.cells[name] = row.frames[name] + draft.spec.workbook.frames.base
    row.cells["duration"] = row.frames["offset"] - row.frames["onset"] + (draft.spec.workbook.duration == "inclusive")


def _duplicate_annotation(draft: Draft) -> bool:
    row = _row(draft)
    copy = replace(row, cells=dict(row.cells), frames=dict(row.frames), number=draft.first_row + len(draft.rows))
    draft.rows.append(copy)
    draft.claim(copy)
    draft.expect("ME109", "convert", copy)
    return True


def _count_differs(draft: Draft) -> bool:
    draft.schema_changes.setdefault("expected", {})["annotations"] = 1
    draft.truth.append({"code": "ME110", "stage": "convert"})
    return True


def _with_aus(draft: Draft, code: str, text: str) -> bool:
    if not _has(draft, "aus"):
        return False
    row = _row(draft)
    row.cells["aus"] = text
    draft.expect(code, "convert", row, "aus")
    return True


def _au_unread(draft: Draft) -> bool:
    return _with_aus(draft, "ME111", "4+glare")


def _au_unknown(draft: Draft) -> bool:
    return _with_aus(draft, "ME112", "3+25")


def _au_ambiguous(draft: Draft) -> bool:
    return _with_aus(draft, "ME113", "4+12 or 14")


def _au_not_annotated(draft: Draft) -> bool:
    sentinel = _sentinel(draft, "aus")
    return sentinel is not None and _with_aus(draft, "ME114", sentinel)


def _label_unknown(draft: Draft) -> bool:
    column = next((name for name in ("emotion", *draft.spec.emotions.vocabularies) if _has(draft, name)), None)
    if column is None:
        return False
    row = _row(draft)
    text = str(row.cells[column])
    row.cells[column] = text[:-1] + "y" + text[-1]
    draft.expect("ME115", "convert", row, column)
    return True


def _type_unknown(draft: Draft) -> bool:
    if not draft.spec.expression_type.values:
        return False
    row = _row(draft, lambda row: _has_company(draft, row))
    row.cells["type"] = f"x{row.cells['type']}"
    row.lost = True
    draft.expect("ME116", "convert", row, "type")
    return True


def _correct(draft: Draft, row: Row, field: FrameField, old: str, new: int) -> None:
    draft.schema_changes.setdefault("corrections", []).append(
        {
            "subject": row.identity.subject,
            "video": row.identity.video,
            "expression": row.identity.expression,
            "column": field,
            "old": old,
            "new": str(new),
            "why": "planted",
        }
    )


def _corrected(draft: Draft) -> bool:
    row = _row(draft)
    right = row.frames["offset"] + draft.spec.workbook.frames.base
    row.cells["offset"] = right + 1000
    _correct(draft, row, "offset", str(right + 1000), right)
    draft.expect("ME117", "convert", row, "offset")
    return True


def _correction_unmatched(draft: Draft) -> bool:
    row = _row(draft)
    _correct(draft, row, "offset", "99999", 1)
    draft.truth.append({"code": "ME118", "stage": "convert", "video": row.identity.video})
    return True


def _lookup_differs(draft: Draft) -> bool:
    for name in draft.variant.lookups:
        lookup = draft.spec.names.lookups[name]
        needed = {str(row.names[lookup.by]) for row in draft.rows}
        unneeded = [key for key in lookup.values if key not in needed]
        if unneeded:
            draft.dropped_lookups.add((name, unneeded[-1]))
            draft.truth.append({"code": "ME119", "stage": "convert"})
            return True
    return False


def _name_contradiction(draft: Draft) -> bool:
    # The column Subject is followed, so only the part of the clip's name that repeats it is changed.
    pattern = draft.spec.names.split.get("clip", "")
    if "(?P<subject>" not in pattern or "subject" not in draft.columns:
        return False
    row = _row(draft, lambda row: _has_company(draft, row))
    subject = str(row.cells["subject"])
    row.cells["clip"] = str(row.cells["clip"]).replace(subject, "9" * len(subject), 1)
    row.identity, row.names = identity_of(draft, {k: v for k, v in row.cells.items() if k in ("subject", "clip")})
    draft.expect("ME120", "convert", row, "clip")
    return True


def _file_kind_differs(draft: Draft) -> bool:
    draft.suffix = ".xls"
    draft.truth.append({"code": "ME121", "stage": "convert"})
    return True


def _formula_without_value(draft: Draft) -> bool:
    row = _row(draft)
    row.cells["offset"] = f"={draft.letter('onset')}{row.number}+9"
    draft.expect("ME122", "convert", row, "offset", video=None)
    draft.expect("ME103", "convert", row, "offset")
    return True


def _merged_cells(draft: Draft) -> bool:
    column = next(iter(draft.synthetic.columns))
    for first, second in zip(draft.rows, draft.rows[1:], strict=False):
        fresh = {id(first), id(second)}.isdisjoint(draft.used) and not first.lost and not second.lost
        if fresh and first.cells[column] == second.cells[column]:
            draft.claim(first, second)
            draft.merged.append(f"{draft.letter(column)}{first.number}:{draft.letter(column)}{second.number}")
            draft.truth.append({"code": "ME123", "stage": "convert"})
            return True
    return False


def _duration_differs(draft: Draft) -> bool:
    if not _has(draft, "duration") or not draft.spec.workbook.duration:
        return False
    row = _row(draft)
    row.cells["duration"] = row.frames["offset"]
    draft.expect("ME124", "convert", row, "duration")
    return True


def _column_unused(draft: Draft) -> bool:
    draft.extra_column = "Coder 2"
    draft.truth.append({"code": "ME125", "stage": "convert"})
    return True


def _sheet_unused(draft: Draft) -> bool:
    draft.extra_sheet = "Draft"
    draft.truth.append({"code": "ME126", "stage": "convert"})
    return True


def _apex_at_end(draft: Draft) -> bool:
    if not _has(draft, "apex"):
        return False
    row = _row(draft)
    _set_frames(draft, row, apex=row.frames["onset"])
    draft.expect("ME127", "convert", row, "apex")
    return True


ROW_DEFECTS: dict[str, Plant] = {
    "ME101": _row_unreadable,
    "ME103": _frame_not_annotated,
    "ME104": _frame_unreadable,
    "ME105": _frame_rounded,
    "ME106": _frame_before_first,
    "ME107": _frames_out_of_order,
    "ME108": _overlap,
    "ME109": _duplicate_annotation,
    "ME110": _count_differs,
    "ME111": _au_unread,
    "ME112": _au_unknown,
    "ME113": _au_ambiguous,
    "ME114": _au_not_annotated,
    "ME115": _label_unknown,
    "ME116": _type_unknown,
    "ME117": _corrected,
    "ME118": _correction_unmatched,
    "ME119": _lookup_differs,
    "ME120": _name_contradiction,
    "ME121": _file_kind_differs,
    "ME122": _formula_without_value,
    "ME123": _merged_cells,
    "ME124": _duration_differs,
    "ME125": _column_unused,
    "ME126": _sheet_unused,
    "ME127": _apex_at_end,
    "ME102": _prose_row,  # below the last row, so after all defects that add rows
}
"""Defects by code. ME128 concerns text files, which a synthetic workbook is not."""
