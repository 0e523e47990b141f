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


@pytest.mark.parametrize(
    ("added", "wrong", "codes"),
    [
        ([0, 0, 0, 0], [], ["ME131"]),
        ([1, 1, 1, 1], [], []),
        ([0, 0, 0, 5], [5], ["ME124", "ME131"]),
        ([0, 0, 1, 1], [2, 3], ["ME124", "ME124"]),  # no convention: the schema's holds
        ([0, 0], [2, 3], ["ME124", "ME124"]),
        ([0, 0, 0, 7, 8, 9], [2, 3, 4, 5, 6, 7], ["ME124"] * 6),
    ],
)
def test_a_duration_that_is_off_by_one_on_every_row_is_a_convention(
    workbook: Workbook, samm_lv: Schema, added: list[int], wrong: list[int], codes: list[str]
) -> None:
    """``added`` is what each row's duration has beyond offset - onset; the schema says 1."""
    rows = [
        ["006", f"006_1_{number}", 1, 100 * number, None, 100 * number + 20, 20 + more, "Macro", "4"]
        for number, more in enumerate(added, start=1)
    ]
    findings = [f for f in convert(samm_lv, workbook([HEADER, *rows])).findings if f.code in ("ME124", "ME131")]
    assert [finding.code for finding in findings] == codes
    assert [finding.row for finding in findings if finding.code == "ME124"] == wrong
    for finding in findings:
        if finding.code == "ME131":
            right = added.count(0)
            assert finding.message == (
                f"duration is offset - onset on {right} of {len(added)} rows, the schema says offset - onset + 1"
            )
            assert (finding.where, finding.severity) == ("book.xlsx, sheet 'Sheet1', column G", "info")


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
