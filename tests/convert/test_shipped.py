"""Workbooks in the shapes of datasets of which public facts are few."""

from __future__ import annotations

from pathlib import Path

import pytest

from datasets_me.convert.convert import Conversion, convert, convert_any
from datasets_me.schema import schema_files
from tests.conftest import Workbook

CAS3 = ["Subject", "Filename", "Onset", "Apex", "Offset", "AU"]


def read(dataset: str, path: Path) -> Conversion:
    """The conversion, if the workbook is known without naming the dataset, too."""
    conversion = convert(schema_files.load(dataset), path)
    assert convert_any(path).schema.spec.id == dataset
    return conversion


@pytest.mark.parametrize(
    ("dataset", "rows", "expected"),
    [
        (
            "casme",
            [
                ["Subject", "Filename", None, "OnsetF", "ApexF1", "ApexF2", "OffsetF", None, "AUs", "Emotion"],
                [1, "EP03_1", None, 30, 35, 36, 41, None, "4", "tense"],
            ],
            ("casme1_01", "casme1_01_EP03_1", "micro", 29, 34, 40, "tense", [4]),
        ),
        (
            "mmew",
            [
                [
                    "Subject",
                    "Filename",
                    "OnsetFrame",
                    "ApexFrame",
                    "OffsetFrame",
                    "Action Units",
                    "Estimated Emotion",
                    "remarks",
                ],
                [13, "S13-07-001", 1, 20, 41, "1+2", "surprise", None],
            ],
            ("mmew_13", "mmew_S13-07-001", "micro", 0, 19, 40, "surprise", [1, 2]),
        ),
        (
            "4dme",
            [
                ["sub_ID", "fold_name", "Onset", "Apex", "Offset", "AUs", "Emotion"],
                ["s1", "f1_1", 100, 110, 121, "AU4+AU7(k)", "Negative"],
            ],
            ("4dme_s1", "4dme_s1_f1_1", "micro", 99, 109, 120, "negative", [4, 7]),
        ),
        (
            "meview",
            [
                ["Subject", "Filename", "Onset", "Offset", "AU", "Emotion"],
                [4, "04_02.avi", 10, 16, "L14", "contempt"],
            ],
            ("meview_04", "meview_04_02", "micro", 9, None, 15, "contempt", [14]),
        ),
        (
            "casme3-c",
            [["sub", "count", "onset", "offset", "au", "emotion"], [1, 1, 373, 385, "R4,5", "negative"]],
            ("casme3c_01", "casme3c_01", "micro", 372, None, 384, "negative", [4, 5]),
        ),
        (
            "casme3-c",
            [["Subject", "Onset", "Offset", "diff", "Exp_type", "risk"], [4, 520, 925, 405, 0, 1]],
            ("casme3c_04", "casme3c_04", "macro", 519, None, 924, None, []),
        ),
        (
            "casme3-a",
            [
                [*CAS3, "Expression type", "Objective class"],
                ["spNO.1", "a", "37", "63", "65", "4+R10", "Macro-expression", "VII"],
            ],
            ("casme3_001", "casme3_001_a", "macro", 36, 62, 64, None, [4, 10]),
        ),
        (
            "casme3-a",
            [[*CAS3, "Objective class", "emotion"], ["spNO.1", "a", "355", "359", "360", "5", "II", "Others"]],
            ("casme3_001", "casme3_001_a", "micro", 354, 358, 359, "others", [5]),
        ),
    ],
)
def test_the_first_row(
    workbook: Workbook, dataset: str, rows: list[list[object]], expected: tuple[object, ...]
) -> None:
    (row,) = read(dataset, workbook(rows)).annotations
    units = [unit.au for unit in row.aus]
    assert (row.subject, row.video, row.type, row.onset, row.apex, row.offset, row.emotion, units) == expected


def test_counts_are_those_of_the_variant(workbook: Workbook) -> None:
    whole = [[*CAS3, "Expression type", "Objective class"], ["spNO.1", "a", 37, 63, 65, "4", "Macro-expression", "VII"]]
    micro = [[*CAS3, "Objective class", "emotion"], ["spNO.1", "a", 355, 359, 360, "5", "II", "others"]]
    published = {
        name: {
            finding.message.rpartition(" ")[2]
            for finding in read("casme3-a", workbook(rows)).findings
            if finding.code == "ME110"
        }
        for name, rows in (("whole", whole), ("micro", micro))
    }
    assert published == {"whole": {"4206", "860", "3346"}, "micro": {"860"}}


def test_a_micro_expression_of_minutes_is_doubted(workbook: Workbook) -> None:
    head = [*CAS3, "Expression type", "Objective class"]
    rows = [
        ["spNO.1", "a", 1, 30, 60, "4", "Micro-expression", "VII"],  # 2 s at 30 frames a second
        ["spNO.1", "b", 1, 30, 3456, "4", "Micro-expression", "VII"],
        ["spNO.1", "c", 1, 30, 3456, "4", "Macro-expression", "VII"],
    ]
    findings = [finding for finding in read("casme3-a", workbook([head, *rows])).findings if finding.code == "ME136"]
    assert [(finding.row, finding.message) for finding in findings] == [
        (3, "a micro-expression of 3,456 frames, 115.2 s")
    ]
