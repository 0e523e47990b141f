"""The checks of one row against itself."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from datasets_me.convert.convert import convert
from datasets_me.schema import schema_files
from datasets_me.schema.schema_files import Schema
from tests.conftest import CASME2_HEADER, Workbook, casme2_row

HEADER = [
    "Subject",
    "Filename",
    "Inducement Code",
    "Onset",
    "Apex",
    "Offset",
    "Duration",
    "Type",
    "Action Units",
    "Notes",
]


@pytest.mark.parametrize(
    ("onset", "offset", "duration", "said"),
    [
        (11, 20, 10, None),
        (11, 20, 9, "duration is 9, onset to offset is 10"),
        (11, 20, 11, "duration is 11, onset to offset is 10"),
        (11, 20, 100, "duration is 100, onset to offset is 10"),
        (11, 20, "-", None),
        (11.4, 20, 9, None),  # off by less than a frame, as where numbers were computed from other rates
        (11.4, 20, 8.6, "duration is 8.6, onset to offset is 9.6"),
    ],
)
def test_a_duration_that_is_not_that_of_its_frames(
    workbook: Workbook, samm_lv: Schema, onset: Any, offset: Any, duration: Any, said: str | None
) -> None:
    row = ["006", "006_1_2", 1, onset, 15, offset, duration, "Micro - 1/2", "4+7"]
    findings = convert(samm_lv, workbook([HEADER, row])).findings
    assert [(f.where, f.message) for f in findings if f.code == "ME124"] == (
        [("book.xlsx, sheet 'Sheet1', cell G2", said)] if said else []
    )


@pytest.mark.parametrize("clip", ["EP02/01f", "..\\EP02_01f", "/"])
def test_a_name_that_would_lead_to_another_folder_is_no_name(
    workbook: Workbook, casme2: Schema, tmp_path: Path, clip: str
) -> None:
    own = tmp_path / "own.yaml"
    own.write_text(re.sub(r"clip: 'EP[^']*'", "clip: '.+'", casme2.text), encoding="utf-8")
    book = workbook([CASME2_HEADER, casme2_row(), casme2_row(clip=clip)])
    conversion = convert(schema_files.load_file(own), book)
    assert [row.video for row in conversion.annotations] == ["casme2_01_EP02_01f"]
    assert [(f.code, f.where) for f in conversion.findings if f.severity == "error"] == [
        ("ME101", "book.xlsx, sheet 'Sheet1', row 3")
    ]
