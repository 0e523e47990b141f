"""Defects of workbooks, each planted so that it gives one known finding and, where it must, known others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from datasets_me.schema.spec import FRAME_FIELDS, FrameField, Layout
from datasets_me.synthetic.draft import Draft, Row, folder_path, identity_of

Plant = Callable[[Draft], bool]
"""Plants one defect and writes down what must be found; False where the dataset cannot have it."""


def _row(made: Draft, fits: Callable[[Row], bool] = lambda row: True) -> Row:
    """A row that nothing was done to, and that now is taken."""
    for row in made.fresh_rows():
        if fits(row):
            made.claim(row)
            return row
    raise NoRoomError


class NoRoomError(Exception):
    """Every row or folder that could take a defect has one."""


def _has(made: Draft, column: str) -> bool:
    return column in made.columns


def _clip_layouts(made: Draft) -> list[Layout]:
    return [layout for layout in made.spec.layouts if layout.holds == "expression"]


def _has_company(made: Draft, row: Row) -> bool:
    """Whether the row's video has another row that stays, so that its folder stays annotated."""
    return any(o is not row and o.identity.video == row.identity.video and not o.lost for o in made.rows)


def _sentinel(made: Draft, field: str) -> str | None:
    return next(iter(made.spec.workbook.sentinels.get(field, [])), None)


def row_unreadable(made: Draft) -> bool:
    row = _row(made)
    column = [name for name in made.synthetic.columns if name in made.columns and name != "self_report"][-1]
    if column == "inducement":
        column = "clip"
    row.cells[column] = None
    row.lost = True
    made.expect("ME101", "convert", row, video=None)
    return True


def prose_row(made: Draft) -> bool:
    made.after_table.append("These codes are for research only.")
    made.truth.append({"code": "ME102", "stage": "convert", "row": made.first_row + len(made.rows)})
    return True


def frame_not_annotated(made: Draft) -> bool:
    field = next((name for name in reversed(FRAME_FIELDS) if _has(made, name) and _sentinel(made, name)), None)
    if field is None:
        return False
    row = _row(made)
    sentinel = _sentinel(made, field) or ""
    row.cells[field] = int(sentinel) if sentinel.lstrip("-").isdigit() else sentinel
    made.expect("ME103", "convert", row, field)
    return True


def frame_unreadable(made: Draft) -> bool:
    row = _row(made)
    row.cells["offset"] = datetime(2014, 5, 8)
    made.expect("ME104", "convert", row, "offset")
    return True


def frame_rounded(made: Draft) -> bool:
    row = _row(made)
    row.cells["onset"] = row.frames["onset"] + made.spec.workbook.frames.base + 0.25
    made.expect("ME105", "convert", row, "onset")
    return True


def frame_before_first(made: Draft) -> bool:
    frames = made.spec.workbook.frames
    if frames.before_first != "clamp" or frames.base == 0:
        return False
    first_of_video = {row.identity.video: row for row in reversed(made.rows)}
    row = _row(made, lambda row: first_of_video[row.identity.video] is row)
    row.frames["onset"] = 0
    row.cells["onset"] = 0
    row.cells["duration"] = row.frames["offset"] + 2  # counted from the number 0 the cell says
    made.expect("ME106", "convert", row, "onset")
    return True


def frames_out_of_order(made: Draft) -> bool:
    if not _has(made, "apex"):
        return False
    row = _row(made)
    row.frames["apex"] = row.frames["offset"] + 2
    row.cells["apex"] = row.frames["apex"] + made.spec.workbook.frames.base
    made.expect("ME107", "convert", row, "offset")
    for layout in _clip_layouts(made):
        if layout.numbers == "video" or row.frames["apex"] > row.frames["offset"]:
            made.expect("ME404", "check", row, "apex", path=folder_path(layout, row.names))
    return True


def overlap(made: Draft) -> bool:
    pairs = zip(made.rows, made.rows[1:], strict=False)
    for first, second in pairs:
        fresh = {id(first), id(second)}.isdisjoint(made.used) and not first.lost and not second.lost
        if fresh and first.identity.video == second.identity.video:
            made.claim(first, second)
            _set_frames(made, second, onset=first.frames["offset"])
            made.expect("ME108", "convert", second, "onset")
            return True
    return False


def _set_frames(made: Draft, row: Row, **frames: int) -> None:
    row.frames |= frames
    for name in FRAME_FIELDS:
        row.cells[name] = row.frames[name] + made.spec.workbook.frames.base
    row.cells["duration"] = row.frames["offset"] - row.frames["onset"] + (made.spec.workbook.duration == "inclusive")


def duplicate_annotation(made: Draft) -> bool:
    row = _row(made)
    copy = replace(row, cells=dict(row.cells), frames=dict(row.frames), number=made.first_row + len(made.rows))
    made.rows.append(copy)
    made.claim(copy)
    made.expect("ME109", "convert", copy)
    return True


def count_differs(made: Draft) -> bool:
    made.schema_changes.setdefault("expected", {})["annotations"] = 1
    made.truth.append({"code": "ME110", "stage": "convert"})
    return True


def _with_aus(made: Draft, code: str, text: str) -> bool:
    if not _has(made, "aus"):
        return False
    row = _row(made)
    row.cells["aus"] = text
    made.expect(code, "convert", row, "aus")
    return True


def au_unread(made: Draft) -> bool:
    return _with_aus(made, "ME111", "4+glare")


def au_unknown(made: Draft) -> bool:
    return _with_aus(made, "ME112", "3+25")


def au_ambiguous(made: Draft) -> bool:
    return _with_aus(made, "ME113", "4+12 or 14")


def au_not_annotated(made: Draft) -> bool:
    sentinel = _sentinel(made, "aus")
    return sentinel is not None and _with_aus(made, "ME114", sentinel)


def label_unknown(made: Draft) -> bool:
    column = next((name for name in ("emotion", *made.spec.emotions.vocabularies) if _has(made, name)), None)
    if column is None:
        return False
    row = _row(made)
    text = str(row.cells[column])
    row.cells[column] = text[:-1] + "y" + text[-1]
    made.expect("ME115", "convert", row, column)
    return True


def type_unknown(made: Draft) -> bool:
    if not made.spec.expression_type.values:
        return False
    row = _row(made, lambda row: _has_company(made, row))
    row.cells["type"] = f"x{row.cells['type']}"
    row.lost = True
    made.expect("ME116", "convert", row, "type")
    return True


def _correct(made: Draft, row: Row, field: FrameField, old: str, new: int) -> None:
    made.schema_changes.setdefault("corrections", []).append(
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


def corrected(made: Draft) -> bool:
    row = _row(made)
    right = row.frames["offset"] + made.spec.workbook.frames.base
    row.cells["offset"] = right + 1000
    _correct(made, row, "offset", str(right + 1000), right)
    made.expect("ME117", "convert", row, "offset")
    return True


def correction_unmatched(made: Draft) -> bool:
    row = _row(made)
    _correct(made, row, "offset", "99999", 1)
    made.truth.append({"code": "ME118", "stage": "convert", "video": row.identity.video})
    return True


def lookup_differs(made: Draft) -> bool:
    for name in made.variant.lookups:
        lookup = made.spec.names.lookups[name]
        needed = {str(row.names[lookup.by]) for row in made.rows}
        unneeded = [key for key in lookup.values if key not in needed]
        if unneeded:
            made.dropped_lookups.add((name, unneeded[-1]))
            made.truth.append({"code": "ME119", "stage": "convert"})
            return True
    return False


def name_contradiction(made: Draft) -> bool:
    # The column Subject is followed, so only the part of the clip's name that repeats it is changed.
    pattern = made.spec.names.split.get("clip", "")
    if "(?P<subject>" not in pattern or "subject" not in made.columns:
        return False
    row = _row(made, lambda row: _has_company(made, row))
    subject = str(row.cells["subject"])
    row.cells["clip"] = str(row.cells["clip"]).replace(subject, "9" * len(subject), 1)
    row.identity, row.names = identity_of(made, {k: v for k, v in row.cells.items() if k in ("subject", "clip")})
    made.expect("ME120", "convert", row, "clip")
    return True


def file_kind_differs(made: Draft) -> bool:
    made.suffix = ".xls"
    made.truth.append({"code": "ME121", "stage": "convert"})
    return True


def formula_without_value(made: Draft) -> bool:
    row = _row(made)
    row.cells["offset"] = f"={made.letter('onset')}{row.number}+9"
    made.expect("ME122", "convert", row, "offset", video=None)
    made.expect("ME103", "convert", row, "offset")
    return True


def merged_cells(made: Draft) -> bool:
    column = next(iter(made.synthetic.columns))
    for first, second in zip(made.rows, made.rows[1:], strict=False):
        fresh = {id(first), id(second)}.isdisjoint(made.used) and not first.lost and not second.lost
        if fresh and first.cells[column] == second.cells[column]:
            made.claim(first, second)
            made.merged.append(f"{made.letter(column)}{first.number}:{made.letter(column)}{second.number}")
            made.truth.append({"code": "ME123", "stage": "convert"})
            return True
    return False


def duration_differs(made: Draft) -> bool:
    if not _has(made, "duration") or not made.spec.workbook.duration:
        return False
    row = _row(made)
    row.cells["duration"] = row.frames["offset"]
    made.expect("ME124", "convert", row, "duration")
    return True


def column_unused(made: Draft) -> bool:
    made.extra_column = "Coder 2"
    made.truth.append({"code": "ME125", "stage": "convert"})
    return True


def sheet_unused(made: Draft) -> bool:
    made.extra_sheet = "Draft"
    made.truth.append({"code": "ME126", "stage": "convert"})
    return True


def apex_at_end(made: Draft) -> bool:
    if not _has(made, "apex"):
        return False
    row = _row(made)
    _set_frames(made, row, apex=row.frames["onset"])
    made.expect("ME127", "convert", row, "apex")
    return True


ROW_DEFECTS: dict[str, Plant] = {
    "ME101": row_unreadable,
    "ME103": frame_not_annotated,
    "ME104": frame_unreadable,
    "ME105": frame_rounded,
    "ME106": frame_before_first,
    "ME107": frames_out_of_order,
    "ME108": overlap,
    "ME109": duplicate_annotation,
    "ME110": count_differs,
    "ME111": au_unread,
    "ME112": au_unknown,
    "ME113": au_ambiguous,
    "ME114": au_not_annotated,
    "ME115": label_unknown,
    "ME116": type_unknown,
    "ME117": corrected,
    "ME118": correction_unmatched,
    "ME119": lookup_differs,
    "ME120": name_contradiction,
    "ME121": file_kind_differs,
    "ME122": formula_without_value,
    "ME123": merged_cells,
    "ME124": duration_differs,
    "ME125": column_unused,
    "ME126": sheet_unused,
    "ME127": apex_at_end,
    "ME102": prose_row,  # below the last row, so after all that add one
}
"""Defects by code. ME128 concerns text files, which a synthetic workbook is not."""
