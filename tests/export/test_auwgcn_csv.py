"""The 7-column CSV: byte for byte what is published, and the field's index conventions from workbooks."""

from __future__ import annotations

from pathlib import Path

import pytest

from datasets_me.convert.convert import convert, convert_any
from datasets_me.core.errors import MeDatasetsError
from datasets_me.export import auwgcn_csv
from datasets_me.schema.schema_files import Schema
from tests.conftest import CASME2_HEADER, Workbook, casme2_row
from tests.export.builders import annotation, manifest


@pytest.mark.parametrize("name", ["cas(me)_new.csv", "samm_new_25.csv"])
def test_the_published_file_survives_the_round_trip(reference: Path, tmp_path: Path, name: str) -> None:
    auwgcn_csv.write(convert_any(reference / name).manifest(), tmp_path / name)
    assert (tmp_path / name).read_bytes() == (reference / name).read_bytes()


def test_casme_sq_is_written_as_the_workbook_says(workbook: Workbook, casme_sq: Schema) -> None:
    row = [1, "anger1_1", 2155, 2163, 0, 4, "negative", "macro-expression", "anger"]
    conversion = convert(casme_sq, workbook([row], [[15, "s15", 1]], [["0401", "anger1"]]))
    assert list(auwgcn_csv.rows(conversion.manifest())) == [
        ("casme_015", "casme_015_0401", "2155", "2163", "0", "1", "4")
    ]


def test_samm_lv_is_sampled_to_25_frames_a_second(workbook: Workbook, samm_lv: Schema) -> None:
    rows = [
        ["Subject", "Filename", "Onset", "Apex", "Offset", "Type", "Action Units"],
        ["006", "006_1_1", 566.4000000000001, 647.6, 743.2, "Macro", "4(B/C)+7B"],
        [7, "007_2_1", 0, -1, 9, "Micro - 1/2", "12+15 "],
    ]
    assert list(auwgcn_csv.rows(convert(samm_lv, workbook(rows)).manifest())) == [
        ("samm_006", "samm_006_1", "70", "80", "92", "1", "4(B/C)+7B"),
        ("samm_007", "samm_007_2", "0", "-1", "1", "2", "12+15 "),
    ]


def test_annotations_that_are_from_no_workbook_have_their_frames() -> None:
    row = annotation(1, 10, None, 20).model_copy(update={"onset_raw": None, "apex_raw": None, "offset_raw": None})
    (written,) = auwgcn_csv.rows(manifest(row))
    assert written[2:5] == ("11", "", "21")


def test_a_dataset_the_family_does_not_know(workbook: Workbook, casme2: Schema) -> None:
    made = convert(casme2, workbook([CASME2_HEADER, casme2_row()])).manifest()
    with pytest.raises(MeDatasetsError, match="there is no AUW-GCN CSV of casme2"):
        list(auwgcn_csv.rows(made))
