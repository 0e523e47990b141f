"""Two sources of one dataset, compared by what rows are about."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from datasets_me.convert.convert import convert, convert_any
from datasets_me.convert.diff import Comparison, compare
from datasets_me.formats.records import Annotation
from datasets_me.schema.schema_files import Schema
from tests.conftest import CASME2_HEADER, Workbook, casme2_row


def rows(workbook: Workbook, schema: Schema, *cells: list[Any], name: str = "book.xlsx") -> list[Annotation]:
    return convert(schema, workbook([CASME2_HEADER, *cells], name=name)).annotations


def fields(comparison: Comparison) -> list[tuple[str | None, str | None, str | None]]:
    return [(found.field, found.a, found.b) for found in comparison.differences]


def test_a_source_equals_itself_in_any_order(workbook: Workbook, casme2: Schema) -> None:
    cells = [casme2_row(clip=f"EP{n:02}_01") for n in range(1, 9)]
    a, b = rows(workbook, casme2, *cells), rows(workbook, casme2, *reversed(cells))
    assert compare(a, b) == Comparison([], 8, 8)


def test_fields_that_differ_with_their_cells(workbook: Workbook, casme2: Schema) -> None:
    a = rows(workbook, casme2, casme2_row(), name="a.xlsx")
    b = rows(workbook, casme2, casme2_row(offset=90, aus="4+9", emotion="others"), name="b.xlsx")
    comparison = compare(a, b)
    assert fields(comparison) == [("offset", "85", "89"), ("aus", "4+7", "4+9"), ("emotion", "disgust", "others")]
    assert comparison.differences[0].where_a == "a.xlsx, sheet 'Sheet1', cell F2"
    assert comparison.differences[0].where_b == "b.xlsx, sheet 'Sheet1', cell F2"


def test_units_in_another_order_are_the_same(workbook: Workbook, casme2: Schema) -> None:
    a, b = rows(workbook, casme2, casme2_row(aus="4+7")), rows(workbook, casme2, casme2_row(aus="7, 4"))
    assert compare(a, b).differences == []


def test_labels_that_are_unknown_are_compared_as_they_stand(workbook: Workbook, casme2: Schema) -> None:
    a, b = rows(workbook, casme2, casme2_row(emotion="zzz")), rows(workbook, casme2, casme2_row(emotion="yyy"))
    assert fields(compare(a, b)) == [("emotion", "zzz", "yyy")]


def test_what_only_one_source_has_is_not_compared_and_said(workbook: Workbook, casme2: Schema) -> None:
    a, b = rows(workbook, casme2, casme2_row()), rows(workbook, casme2, casme2_row(aus=None))
    assert compare(a, b) == Comparison([], 1, 1, ("aus",))


def test_two_rows_of_one_name_in_another_order(workbook: Workbook, casme2: Schema) -> None:
    cells = [casme2_row(), casme2_row(onset=146, apex=159, offset=186)]
    assert compare(rows(workbook, casme2, *cells), rows(workbook, casme2, *cells[::-1])).equal == 2


def test_rows_that_only_one_has(workbook: Workbook, casme2: Schema) -> None:
    a = rows(workbook, casme2, casme2_row(), casme2_row(clip="EP03_02"))
    b = rows(workbook, casme2, casme2_row(), casme2_row(clip="EP04_02"))
    comparison = compare(a, b)
    assert [(found.status, found.video, found.a or found.b) for found in comparison.differences] == [
        ("only in A", "casme2_01_EP03_02", "micro 45 58 85"),
        ("only in B", "casme2_01_EP04_02", "micro 45 58 85"),
    ]
    assert (comparison.only("only in A"), comparison.only("only in B")) == (1, 1)


def test_rows_without_names_are_matched_by_overlap(reference: Path) -> None:
    published = convert_any(reference / "cas(me)_new.csv").annotations
    shifted = [
        row.model_copy(update={"onset": (row.onset or 0) + 1, "offset": row.offset and row.offset + 1})
        for row in reversed(published)
    ]
    comparison = compare(published, shifted)
    assert comparison.matched == 357
    assert {found.field for found in comparison.differences} == {"onset", "offset"}


def test_sources_at_two_frame_rates_meet_at_the_lower(workbook: Workbook, samm_lv: Schema, tmp_path: Path) -> None:
    header = ["Subject", "Filename", "Onset", "Apex", "Offset", "Type", "Action Units"]
    at_200 = convert(samm_lv, workbook([header, ["006", "006_1_1", 566.4, 647.6, 743.2, "Macro", "4(B/C)+7B"]]))
    path = tmp_path / "25.csv"
    path.write_text(
        "subject,video_name,start_frame,apex_frame,end_frame,type_idx,au\nsamm_006,samm_006_1,70,80,92,1,4(B/C)+7B\n"
    )
    assert compare(at_200.annotations, convert_any(path).annotations) == Comparison([], 1, 1)
