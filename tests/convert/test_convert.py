"""From workbooks in the datasets' shapes to annotations and findings, with exact places and messages."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.comments import Comment
from openpyxl.styles import Font

from datasets_me.convert.convert import Conversion, convert, convert_any
from datasets_me.convert.summary import lengths, summarise
from datasets_me.core.errors import WorkbookError
from datasets_me.schema import schema_files
from datasets_me.schema.schema_files import Schema
from tests.conftest import CASME2_HEADER, Workbook, casme2_row


def found(conversion: Conversion, code: str) -> list[tuple[str, str]]:
    return [(finding.where, finding.message) for finding in conversion.findings if finding.code == code]


def casme2_book(workbook: Workbook, *rows: list[Any]) -> Path:
    return workbook([CASME2_HEADER, *rows])


def test_a_row_of_casme2(workbook: Workbook, casme2: Schema) -> None:
    conversion = convert(casme2, casme2_book(workbook, casme2_row()))
    (row,) = conversion.annotations
    assert (row.id, row.subject, row.video, row.expression) == (
        "casme2_01_EP02_01f:1",
        "casme2_01",
        "casme2_01_EP02_01f",
        "EP02_01f",
    )
    assert (row.type, row.onset, row.apex, row.offset, row.length, row.fps) == ("micro", 45, 58, 85, 41, 200)
    assert (row.onset_raw, row.au_raw, row.emotion_raw) == ("46", "4+7", "disgust")
    assert (row.emotion, row.class_3, row.class_5) == ("disgust", "negative", "disgust")
    assert (row.source_file, row.source_sheet, row.source_row) == ("book.xlsx", "Sheet1", 2)
    assert row.source_cells["onset"] == "D2"
    assert row.extra == {"subject": "01", "clip": "EP02_01f"}


def test_casme2_without_blank_columns(workbook: Workbook, casme2: Schema) -> None:
    header = [title for title in CASME2_HEADER if title]
    row = [cell for cell in casme2_row() if cell is not None]
    (annotation,) = convert(casme2, workbook([header, row])).annotations
    assert (annotation.onset, annotation.source_cells["onset"]) == (45, "C2")


@pytest.mark.parametrize("subject", ["01", 1, 1.0, "1", "０１"])
@pytest.mark.parametrize("aus", ["4", 4, 4.0, " 4 "])
def test_text_and_numbers_mean_the_same(workbook: Workbook, casme2: Schema, subject: Any, aus: Any) -> None:
    (row,) = convert(casme2, casme2_book(workbook, casme2_row(subject=subject, aus=aus))).annotations
    assert row.subject == "casme2_01"
    assert [unit.au for unit in row.aus] == [4]


def casme_sq_sheets(rows: list[list[Any]], *, repeated: bool) -> tuple[list[list[Any]], ...]:
    people = [[15, "s15", 1]] * (len(rows) if repeated else 1) + [[16, "s16", 2]]
    films = [["0101", "disgust1"], ["0401", "anger1"], ["0502", "happy1"]]
    return rows, people, films


CASME_SQ_ROW = [1, "anger1_1", 557, 572, 608, "4+10+14", "negative", "macro-expression", "anger"]


@pytest.mark.parametrize("repeated", [True, False])
def test_the_headerless_sheets_of_casme_sq(workbook: Workbook, casme_sq: Schema, repeated: bool) -> None:
    rows = [CASME_SQ_ROW, [2, "happy1_2", 10, 20, 0, 12, "positive", "micro-expression", "happyiness"]]
    conversion = convert(casme_sq, workbook(*casme_sq_sheets(rows, repeated=repeated)))
    first, second = conversion.annotations
    assert (first.subject, first.video, first.expression) == ("casme_015", "casme_015_0401", "anger1_1")
    assert (first.type, first.onset, first.offset) == ("macro", 556, 607)
    assert (second.video, second.type, second.offset, second.offset_raw) == ("casme_016_0502", "micro", None, "0")
    assert found(conversion, "ME103") == [("book.xlsx, sheet 'Sheet1', cell E2", "offset: 0 means not annotated")]
    assert found(conversion, "ME115") == [
        ("book.xlsx, sheet 'Sheet1', cell I2", "self_report 'happyiness' is not known; did you mean 'happiness'?")
    ]


def test_a_naming_sheet_that_says_something_else_is_followed_and_reported(workbook: Workbook, casme_sq: Schema) -> None:
    conversion = convert(casme_sq, workbook([CASME_SQ_ROW], [[18, "s18", 1]], [["0401", "anger1"]]))
    assert conversion.annotations[0].subject == "casme_018"
    assert ("book.xlsx, sheet 'Sheet2'", "folder of '1' is 18, 15 in the schema") in found(conversion, "ME119")


def test_the_table_itself_is_no_naming_sheet(workbook: Workbook, casme_sq: Schema) -> None:
    """A sheet put in front moves the table to where the naming sheet was: an onset of 1 is not participant 1."""
    rows = [CASME_SQ_ROW, [2, "anger1_1", 1, 5, 9, 4, "negative", "macro-expression", "anger"]]
    conversion = convert(casme_sq, workbook([["notes"]], *casme_sq_sheets(rows, repeated=False)))
    assert [row.subject for row in conversion.annotations] == ["casme_015", "casme_016"]
    assert found(conversion, "ME119") == []
    assert len(found(conversion, "ME126")) == 3


def test_the_csv_copy_of_casme_sq_needs_no_naming_sheets(tmp_path: Path, casme_sq: Schema) -> None:
    path = tmp_path / "copy.csv"
    cells = [*map(str, CASME_SQ_ROW), "52", "s15/15_0401girlcrashing"]
    path.write_text(",".join(cells) + "\n")
    conversion = convert(casme_sq, path)
    (row,) = conversion.annotations
    assert (row.video, row.onset, row.extra["copied_folder"]) == ("casme_015_0401", 556, "s15/15_0401girlcrashing")
    assert found(conversion, "ME124") == []


SAMM_LV_HEADER = ["Subject", "Filename", "Inducement Code", "Onset", "Apex", "Offset", "Duration", "Type"]
SAMM_LV_HEADER += ["Action Units", "Notes"]


def test_samm_lv_finds_its_header_below_prose(workbook: Workbook, samm_lv: Schema) -> None:
    rows = [
        ["SAMM Long Videos Dataset - FACS Codes"],
        [],
        ['"/" = or'],
        SAMM_LV_HEADER,
        [6, "006_1_1", 1, 566.4000000000001, 647.6, 743.2, 177.8, "Macro", "4(B/C)+7B"],
        ["006", "006_1_2", 1, 0, -1, 3632, 3633, "Micro - 1/2", "4+7", "Blinks"],
    ]
    conversion = convert(samm_lv, workbook(rows))
    first, second = conversion.annotations
    assert (first.video, first.type, first.onset, first.apex, first.offset) == ("samm_006_1", "macro", 565, 647, 742)
    assert (second.onset, second.apex, second.offset) == (0, None, 3631)
    assert second.extra["notes"] == "Blinks"
    assert [where for where, _ in found(conversion, "ME102")] == [
        "book.xlsx, sheet 'Sheet1', row 1",
        "book.xlsx, sheet 'Sheet1', row 3",
    ]
    assert found(conversion, "ME106") == [
        ("book.xlsx, sheet 'Sheet1', cell D6", "onset: 0 lies before the first frame, 1; read as that")
    ]
    assert len(found(conversion, "ME105")) == 3
    assert found(conversion, "ME124") == []


def test_one_clip_that_is_both_micro_and_macro(workbook: Workbook, samm_lv: Schema) -> None:
    rows = [
        SAMM_LV_HEADER,
        ["037", "037_4_1", 4, 10, 15, 20, 11, "Micro - 1/2", 24],
        ["037", "037_4_1", 4, 30, 35, 60, 31, "Macro", 24],
    ]
    conversion = convert(samm_lv, workbook(rows))
    assert [(row.id, row.type) for row in conversion.annotations] == [
        ("samm_037_4:1", "micro"),
        ("samm_037_4:2", "macro"),
    ]
    assert found(conversion, "ME109") == []


def test_subject_and_clip_that_contradict_each_other(workbook: Workbook, samm_lv: Schema) -> None:
    rows = [SAMM_LV_HEADER, ["007", "006_1_1", 1, 10, 15, 20, 11, "Macro", 4]]
    conversion = convert(samm_lv, workbook(rows))
    assert conversion.annotations[0].subject == "samm_007"
    assert found(conversion, "ME120") == [
        ("book.xlsx, sheet 'Sheet1', cell B2", "clip says subject 006, the column subject says 007")
    ]


def test_trailing_prose_and_empty_rows(workbook: Workbook) -> None:
    rows = [
        ["Subject", "Filename", "FirstF", "OnsetF", "OffsetF", "Emotion"],
        [1, "s1_ne_01", 100, 110, 120, "negative"],
        [],
        ["Note: frames count from the beginning of the recording."],
    ]
    conversion = convert(schema_files.load("smic-hs"), workbook(rows))
    (row,) = conversion.annotations
    assert (row.video, row.onset, row.apex, row.offset) == ("smic_s1_ne_01", 109, None, 119)
    assert [where for where, _ in found(conversion, "ME102")] == ["book.xlsx, sheet 'Sheet1', row 4"]
    assert found(conversion, "ME103") == []  # a dataset without apexes misses none


@pytest.mark.parametrize(
    ("dataset", "length", "doubted"), [("smic-hs", 10, True), ("smic-hs", 34, False), ("smic-vis", 34, True)]
)
def test_a_renamed_workbook_of_another_camera_is_known_by_its_lengths(
    workbook: Workbook, dataset: str, length: int, doubted: bool
) -> None:
    header = ["Subject", "Filename", "FirstF", "OnsetF", "OffsetF", "Emotion"]
    rows = [[1, f"s1_ne_{n:02}", 100, 110, 109 + length, "negative"] for n in range(1, 12)]
    conversion = convert(schema_files.load(dataset), workbook([header, *rows], name="annotation.xlsx"))
    messages = [finding.message for finding in conversion.findings if finding.code == "ME137"]
    assert bool(messages) is doubted
    if dataset == "smic-hs" and doubted:
        assert messages == [
            "half of the micro-expressions have at most 10 frames, 0.10 s at 100 frames a second; "
            "expected are 18 to 70 frames"
        ]


@pytest.mark.parametrize(("name", "camera"), [("SMIC-VIS-E_annotation.xlsx", "VIS"), ("smic_nir.xlsx", "NIR")])
def test_other_cameras_of_smic_are_not_taken_for_the_fast_one(workbook: Workbook, name: str, camera: str) -> None:
    rows = [["Subject", "Filename", "FirstF", "OnsetF", "OffsetF", "Emotion"], [1, "s1_ne_01", 1, 5, 15, "negative"]]
    path = workbook(rows, name=name)
    with pytest.raises(WorkbookError) as caught:
        convert(schema_files.load("smic-hs"), path)
    assert caught.value.what == f"by its name this is the workbook of SMIC-{camera}, 25 frames a second, not of smic-hs"
    conversion = convert_any(path)
    assert (conversion.schema.spec.id, conversion.annotations[0].fps) == (f"smic-{camera.lower()}", 25)


def test_dfme_counts_from_zero_at_a_rate_per_row(workbook: Workbook) -> None:
    rows = [
        ["Subject", "Filename", "OnsetFrame", "ApexFrame", "OffsetFrame", "Emotion", "EmotionId", "Fps", "AU"],
        ["001", "001_0001", 0, 12, 30, "Happiness", 1, 500, "12"],
        ["001", "001_0002", 3, 12, 30, "anger", 2, "fast", "4"],
    ]
    conversion = convert(schema_files.load("dfme"), workbook(rows))
    assert [(row.onset, row.fps, row.emotion) for row in conversion.annotations] == [
        (0, 500, "happiness"),
        (3, 200, "anger"),
    ]
    assert found(conversion, "ME104") == [
        ("book.xlsx, sheet 'Sheet1', cell H3", "fps: 'fast' is not a frame rate; 200 was used")
    ]


@pytest.mark.parametrize(
    ("row", "code", "where", "message"),
    [
        (casme2_row(apex="/"), "ME103", "cell E3", "apex: / means not annotated"),
        (
            casme2_row(offset=datetime(2014, 5, 8)),
            "ME104",
            "cell F3",
            "offset: 2014-05-08 00:00:00 is a date, not a frame number",
        ),
        (
            casme2_row(onset=86, offset=46),
            "ME107",
            "cell E3",
            "frames are out of order: onset 86, apex 59, offset 46",
        ),
        (
            casme2_row(offset=1_500_000_000),
            "ME104",
            "cell F3",
            "offset: 1500000000 lies beyond a day of video at 200 frames a second",
        ),
        (casme2_row(apex="9" * 5000), "ME104", "cell E3", f"apex: '{'9' * 79}…' is not a frame number"),
        (casme2_row(aus="(" * 400 + "4"), "ME111", "cell H3", f"'{'(' * 79}…' in '{'(' * 79}…' was not understood"),
        (casme2_row(apex=46), "ME127", "cell E3", "apex 46 is the onset itself"),
        (casme2_row(aus="4+glare"), "ME111", "cell H3", "'glare' in '4+glare' was not understood"),
        (casme2_row(aus="3+25"), "ME112", "cell H3", "FACS has no action unit 3, in '3+25'"),
        (casme2_row(aus="?"), "ME114", "cell H3", "action units: ? means not annotated"),
        (
            casme2_row(emotion="hapiness"),
            "ME115",
            "cell I3",
            "emotion 'hapiness' is not known; did you mean 'happiness'?",
        ),
        (casme2_row(clip=None), "ME101", "row 3", "the row cannot be tied to a video: clip empty"),
        (casme2_row(onset=None, apex="/", offset=""), "ME101", "row 3", "none of its frames can be read"),
    ],
)
def test_every_doubt_has_its_cell(
    workbook: Workbook, casme2: Schema, row: list[Any], code: str, where: str, message: str
) -> None:
    conversion = convert(casme2, casme2_book(workbook, casme2_row(clip="EP01_01"), row))
    assert found(conversion, code) == [(f"book.xlsx, sheet 'Sheet1', {where}", message)]


def test_a_mistyped_frame_is_null_and_what_the_cell_said_stays(workbook: Workbook, casme2: Schema) -> None:
    (row,) = convert(casme2, casme2_book(workbook, casme2_row(offset=1_500_000_000))).annotations
    assert (row.onset, row.apex, row.offset, row.offset_raw) == (45, 58, None, "1500000000")


def test_many_pieces_that_are_no_units_make_few_findings(workbook: Workbook, casme2: Schema) -> None:
    text = "+".join(f"word{number}" for number in range(25)) + "+4"
    conversion = convert(casme2, casme2_book(workbook, casme2_row(aus=text)))
    messages = [message for _, message in found(conversion, "ME111")]
    shown = text[:79] + "…"
    assert messages[0] == f"'word0' in '{shown}' was not understood"
    assert (len(messages), messages[-1]) == (11, f"15 more pieces of '{shown}' were not understood")
    assert len(conversion.annotations[0].aus_unread) == 25


@pytest.mark.parametrize("fps", ["0", "-1", "nan", "inf", "20001", "0.001", "9" * 5000])
def test_a_frame_rate_of_a_row_that_is_none(workbook: Workbook, fps: str) -> None:
    header = ["Subject", "Filename", "OnsetFrame", "ApexFrame", "OffsetFrame", "Emotion", "EmotionId", "Fps", "AU"]
    rows = [header, [1, "1_1", 1, 2, 3, "happiness", 0, fps, "12"]]
    conversion = convert(schema_files.load("dfme"), workbook(rows))
    assert conversion.annotations[0].fps == 200
    (message,) = [message for _, message in found(conversion, "ME104")]
    assert message == f"fps: '{fps if len(fps) < 80 else '9' * 79 + '…'}' is not a frame rate; 200 was used"


@pytest.mark.parametrize("subject", ["sub01", "1?", "../../x", "1/2", "²"])
def test_a_subject_that_does_not_look_like_one(workbook: Workbook, casme2: Schema, subject: str) -> None:
    conversion = convert(casme2, casme2_book(workbook, casme2_row(clip="EP01_01"), casme2_row(subject=subject)))
    assert len(conversion.annotations) == 1
    (message,) = [message for _, message in found(conversion, "ME101")]
    assert message == f"the row cannot be tied to a video: no name follows from subject '{subject}', clip 'EP02_01f'"


def test_a_csv_written_from_a_table_of_floats(tmp_path: Path, casme2: Schema) -> None:
    path = tmp_path / "a.csv"
    header = "Subject,Filename,OnsetFrame,ApexFrame,OffsetFrame,Action Units,Estimated Emotion\n"
    path.write_text(header + "1.0,EP02_01f,46.0,59.0,86.0,4.0,disgust\n")
    (row,) = convert(casme2, path).annotations
    assert (row.subject, row.onset, [unit.au for unit in row.aus]) == ("casme2_01", 45, [4])


def test_one_clip_in_two_spellings_of_case(workbook: Workbook, casme2: Schema) -> None:
    conversion = convert(casme2, casme2_book(workbook, casme2_row(), casme2_row(clip="ep02_01F")))
    assert [where for where, _ in found(conversion, "ME109")] == ["book.xlsx, sheet 'Sheet1', row 3"]


def test_a_duplicate_does_not_hide_an_overlap(workbook: Workbook, casme2: Schema) -> None:
    rows = [casme2_row(), casme2_row(), casme2_row(onset=80, apex=85, offset=100)]
    conversion = convert(casme2, casme2_book(workbook, *rows))
    assert len(found(conversion, "ME109")) == 1
    assert [message for _, message in found(conversion, "ME108")] == [
        "row 4 shares 7 frames with row 2 of casme2_01_EP02_01f"
    ]


def test_empty_labels_and_units_are_said(workbook: Workbook, casme2: Schema) -> None:
    conversion = convert(casme2, casme2_book(workbook, casme2_row(aus=None, emotion=None)))
    assert [message for _, message in found(conversion, "ME114")] == ["action units: the cell is empty"]
    assert [message for _, message in found(conversion, "ME130")] == ["emotion: the cell is empty"]


def test_a_correction_of_a_name_moves_the_row(workbook: Workbook, casme2: Schema) -> None:
    schema = with_corrections(casme2, **{**CORRECTION, "column": "subject", "old": "01", "new": "02"})
    (row,) = convert(schema, casme2_book(workbook, casme2_row())).annotations
    assert (row.subject, row.video, row.extra["subject"]) == ("casme2_02", "casme2_02_EP02_01f", "01")


def test_an_unknown_type_is_never_guessed(workbook: Workbook, casme_sq: Schema) -> None:
    wrong = [1, "anger1_2", 700, 710, 720, 4, "negative", "mico-expression", "anger"]
    conversion = convert(casme_sq, workbook(*casme_sq_sheets([CASME_SQ_ROW, CASME_SQ_ROW, wrong], repeated=True)))
    assert len(conversion.annotations) == 2
    assert found(conversion, "ME116") == [
        (
            "book.xlsx, sheet 'Sheet1', cell H3",
            "type 'mico-expression' is not known; did you mean 'micro-expression'?",
        )
    ]


def test_unknown_columns_are_kept(workbook: Workbook, casme2: Schema) -> None:
    conversion = convert(casme2, workbook([[*CASME2_HEADER, "Coder 2"], [*casme2_row(), "4+9"]]))
    assert conversion.annotations[0].extra["Coder 2"] == "4+9"
    assert found(conversion, "ME125") == [
        ("book.xlsx, sheet 'Sheet1', cell J1", "the schema does not name the column 'Coder 2'")
    ]


def test_sheets_that_were_not_read_are_named(workbook: Workbook, casme2: Schema) -> None:
    conversion = convert(casme2, workbook([CASME2_HEADER, casme2_row()], [["other", 1]], []))
    assert found(conversion, "ME126") == [("book.xlsx, sheet 'Sheet2'", "the sheet 'Sheet2' was not read")]


def test_what_is_hidden_is_read_and_named(workbook: Workbook, casme2: Schema) -> None:
    rows = [casme2_row(onset=onset, apex=onset + 5, offset=onset + 9) for onset in (100, 200, 300, 400)]
    path = workbook([["an older version"]], [CASME2_HEADER, casme2_row()], [CASME2_HEADER, *rows])
    book = openpyxl.load_workbook(path)
    book["Sheet1"].sheet_state = "hidden"
    book["Sheet2"].sheet_state = "veryHidden"
    for number in (2, 3, 5, 90):
        book["Sheet3"].row_dimensions[number].hidden = True
    book["Sheet3"]["D4"].font, book["Sheet3"]["D3"].font = Font(strike=True), Font(bold=True, strike=False)
    for letter in "EHZ":
        book["Sheet3"].column_dimensions[letter].hidden = True
    book.save(path)
    conversion = convert(casme2, path)
    assert [row.onset for row in conversion.annotations] == [99, 199, 299, 399]
    assert found(conversion, "ME139") == [
        (
            "book.xlsx, sheet 'Sheet3'",
            "read like the rest: 3 hidden rows (2-3, 5); 2 hidden columns (E, H); 1 row with text struck through (4)",
        )
    ]
    assert [message for _, message in found(conversion, "ME126")] == ["the hidden sheet 'Sheet1' was not read"]
    assert [message for _, message in found(conversion, "ME140")] == [
        "the hidden sheet 'Sheet2' was not read, though it is a table of annotations, too"
    ]


def test_a_hidden_sheet_is_read_where_no_other_fits(workbook: Workbook, casme2: Schema) -> None:
    path = workbook([["notes"]], [CASME2_HEADER, casme2_row()])
    book = openpyxl.load_workbook(path)
    book["Sheet2"].sheet_state = "hidden"
    book.save(path)
    conversion = convert(casme2, path)
    assert len(conversion.annotations) == 1
    assert found(conversion, "ME139") == [
        ("book.xlsx, sheet 'Sheet2'", "read like the rest: the whole sheet is hidden")
    ]


def test_another_table_of_annotations_is_a_warning(workbook: Workbook, casme2: Schema) -> None:
    path = workbook([CASME2_HEADER, casme2_row()], [CASME2_HEADER, casme2_row(onset=20)], [["notes"]])
    conversion = convert(casme2, path)
    assert len(conversion.annotations) == 1
    message = "the sheet 'Sheet2' was not read, though it is a table of annotations, too"
    assert found(conversion, "ME140") == [("book.xlsx, sheet 'Sheet2'", message)]
    assert found(conversion, "ME126") == [("book.xlsx, sheet 'Sheet3'", "the sheet 'Sheet3' was not read")]


def test_a_visible_sheet_of_any_form_comes_before_a_hidden_one(workbook: Workbook, casme_sq: Schema) -> None:
    titles = ["subject", "video_name", "start_frame", "apex_frame", "end_frame", "type_idx", "au"]
    path = workbook(
        *casme_sq_sheets([CASME_SQ_ROW], repeated=True), [titles, [15, "casme_015_0401", 9, 12, 20, 1, "4"]]
    )
    message = "sheet 'Sheet4' was not read, though it is a table of annotations, too"
    assert found(convert(casme_sq, path), "ME140") == [("book.xlsx, sheet 'Sheet4'", f"the {message}")]
    book = openpyxl.load_workbook(path)
    book["Sheet1"].sheet_state = "hidden"
    book.save(path)
    conversion = convert(casme_sq, path)
    assert [row.onset for row in conversion.annotations] == [8]
    hidden = message.replace("sheet 'Sheet4'", "the hidden sheet 'Sheet1'")
    assert found(conversion, "ME140") == [("book.xlsx, sheet 'Sheet1'", hidden)]


def test_comments_of_cells_are_named(workbook: Workbook, casme2: Schema) -> None:
    path = workbook([CASME2_HEADER, casme2_row()], [["notes"]])
    book = openpyxl.load_workbook(path)
    book["Sheet1"]["D2"].comment = Comment("Anna:\nshould be 47, " + "not 46 " * 20, "Anna")
    threaded = "[Threaded comment]\n\nYour version of Excel allows you to read it.\n\nComment:\n    not sure"
    book["Sheet1"]["E2"].comment = Comment(threaded, "Anna")
    book["Sheet2"]["A1"].comment = Comment("of a sheet that is not read", "Anna")
    book.save(path)
    conversion = convert(casme2, path)
    assert [row.onset for row in conversion.annotations] == [45]
    (where, message), threaded = found(conversion, "ME141")
    assert threaded == ("book.xlsx, sheet 'Sheet1', cell E2", "a comment: not sure")
    assert where == "book.xlsx, sheet 'Sheet1', cell D2"
    assert message.startswith("a comment: Anna: should be 47, not 46 not 46 ") and message.endswith("…")


def test_counts_against_the_published_ones(workbook: Workbook, casme2: Schema) -> None:
    messages = [message for _, message in found(convert(casme2, casme2_book(workbook, casme2_row())), "ME110")]
    assert {"1 annotations, published are 255", "1 micro-expressions, published are 255"} <= set(messages)
    assert "1 rows labelled disgust, published are 63" in messages


def test_overlap_and_duplicates(workbook: Workbook, casme_sq: Schema) -> None:
    rows = [
        CASME_SQ_ROW,
        [1, "anger1_2", 600, 610, 640, 4, "negative", "macro-expression", "anger"],
        [2, "anger1_1", 10, 15, 20, 4, "negative", "macro-expression", "anger"],
        [2, "anger1_1", 10, 15, 20, 4, "negative", "macro-expression", "anger"],
    ]
    conversion = convert(casme_sq, workbook(*casme_sq_sheets(rows, repeated=True)))
    assert found(conversion, "ME108") == [
        ("book.xlsx, sheet 'Sheet1', cell C2", "row 2 shares 9 frames with row 1 of casme_015_0401")
    ]
    assert found(conversion, "ME109") == [("book.xlsx, sheet 'Sheet1', row 4", "row 4 repeats row 3 of casme_016_0401")]


def with_corrections(schema: Schema, **correction: str) -> Schema:
    entry = "".join(f"    {name}: {value!r}\n" for name, value in correction.items())
    assert "corrections: []\n" in schema.text
    return schema_files.parse(schema.text.replace("corrections: []\n", f"corrections:\n  -\n{entry}"), "test.yaml")


CORRECTION = {
    "subject": "casme2_01",
    "video": "casme2_01_EP02_01f",
    "column": "offset",
    "old": "86",
    "new": "88",
    "why": "said the authors",
}


def test_a_correction_is_applied_and_recorded(workbook: Workbook, casme2: Schema) -> None:
    book = casme2_book(workbook, casme2_row())
    schema = with_corrections(casme2, **CORRECTION)
    conversion = convert(schema, book)
    (row,) = conversion.annotations
    assert (row.offset, row.offset_raw, row.corrected) == (87, "86", {"offset": "88"})
    assert found(conversion, "ME117") == [
        ("book.xlsx, sheet 'Sheet1', cell F2", "offset 86 became 88: said the authors")
    ]
    without = convert(schema, book, corrections=False)
    assert (without.annotations[0].offset, found(without, "ME117"), found(without, "ME118")) == (85, [], [])


def test_a_correction_that_fits_no_row_is_an_error(workbook: Workbook, casme2: Schema) -> None:
    schema = with_corrections(casme2, **{**CORRECTION, "old": "90"})
    conversion = convert(schema, casme2_book(workbook, casme2_row()))
    assert conversion.annotations[0].offset == 85
    assert [message for _, message in found(conversion, "ME118")] == [
        "the correction of offset of casme2_01_EP02_01f fits no row"
    ]


def test_a_sheet_that_fits_nothing_says_what_was_expected_and_found(workbook: Workbook, casme2: Schema) -> None:
    header = ["Subject", "Filename", "OnsetFrame", "Action Units", "Emotion"]
    path = workbook([header, ["01", "EP02_01f", 46, 4, "disgust"]], [])
    with pytest.raises(WorkbookError) as caught:
        convert(casme2, path)
    assert str(caught.value) == (
        "no sheet is an annotation table of casme2\n"
        "  sheet 'Sheet1', variant 'coding': expected columns ApexFrame or ApexFrame1 or Apex, OffsetFrame or Offset; "
        "the nearest row has: Subject, Filename, OnsetFrame, Action Units, Emotion\n"
        "  sheet 'Sheet2', variant 'coding': the sheet is empty\n"
        f"  where: {path}\n"
        "  to do: name the dataset this workbook belongs to, or add a variant to a schema of your own"
    )


def test_a_table_without_a_readable_row(workbook: Workbook, casme2: Schema) -> None:
    with pytest.raises(WorkbookError, match="no row of sheet 'Sheet1' is an annotation"):
        convert(casme2, casme2_book(workbook, casme2_row(onset="x", apex="y", offset="z9")))


def test_the_dataset_is_told_by_content(workbook: Workbook) -> None:
    assert convert_any(casme2_book(workbook, casme2_row())).schema.spec.id == "casme2"
    with pytest.raises(WorkbookError, match="fits none of the datasets"):
        convert_any(workbook([["a", "b"], [1, 2]]))


def test_published_casme_sq(reference: Path) -> None:
    conversion = convert_any(reference / "cas(me)_new.csv")
    assert conversion.schema.spec.id == "casme-sq"
    assert (len(conversion.annotations), len({row.subject for row in conversion.annotations})) == (357, 22)
    micro = lengths([row for row in conversion.annotations if row.type == "micro"])
    macro = lengths([row for row in conversion.annotations if row.type == "macro"])
    assert (micro["rows"], micro["mean"], micro["min"], micro["max"]) == (57, pytest.approx(13.578947, abs=1e-6), 9, 17)
    assert (macro["rows"], macro["mean"], macro["min"], macro["max"]) == (300, 40.10546875, 4, 118)
    codes = [finding.code for finding in conversion.findings]
    assert (codes.count("ME103"), codes.count("ME107"), codes.count("ME108")) == (45, 3, 17)


def test_published_samm_lv(reference: Path) -> None:
    conversion = convert_any(reference / "samm_new_25.csv")
    assert conversion.schema.spec.id == "samm-lv"
    types = [row.type for row in conversion.annotations]
    assert (len(types), types.count("macro"), types.count("micro")) == (502, 343, 159)
    assert {row.fps for row in conversion.annotations} == {25}
    assert sum(row.apex is None for row in conversion.annotations) == 6


def test_a_summary_of_several_rates_is_in_seconds(tmp_path: Path) -> None:
    path = tmp_path / "DFME.csv"
    header = "Subject,Filename,OnsetFrame,ApexFrame,OffsetFrame,Emotion,EmotionId,Fps,AU\n"
    path.write_text(header + "1,a,0,40,99,fear,1,500,4\n1,b,0,40,99,fear,1,200,4\n")
    made = convert(schema_files.load("dfme"), path).manifest()
    summary = summarise(made)
    assert summary["unit"] == "seconds"
    assert summary["types"]["micro"] == {"rows": 2, "with_length": 2, "min": 0.2, "mean": 0.35, "max": 0.5}
    summary = summarise(replace(made, annotations=made.annotations[:1]))
    assert (summary["unit"], summary["types"]["micro"]["mean"]) == ("frames", 100)
