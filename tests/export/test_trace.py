"""From an exported file back to the cells of the workbook."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from datasets_me.convert.convert import convert
from datasets_me.core.errors import MeDatasetsError
from datasets_me.export import auwgcn
from datasets_me.export.clips import ClipOptions, write_clips
from datasets_me.export.options import Format, Options
from datasets_me.export.segments import write_segments
from datasets_me.export.trace import trace
from datasets_me.folders.check import with_folders
from datasets_me.schema import schema_files
from datasets_me.synthetic.write import make
from tests.conftest import Workbook
from tests.export.builders import annotation, arrays, manifest, noise


def test_a_segment_of_a_real_workbook(workbook: Workbook, tmp_path: Path) -> None:
    rows = [
        [1, "anger1_1", 11, 15, 0, 4, "negative", "macro-expression", "anger"],
        [1, "anger1_2", 41, 45, 50, "4+7", "negative", "micro-expression", "anger"],
    ]
    book = workbook(rows, [[15, "s15", 1]], [["0401", "anger1"]], name="CAS(ME)^2code_final.xlsx")
    made = convert(schema_files.load("casme-sq"), book).manifest()
    features = arrays(tmp_path / "f", made, {"casme_015_0401": noise(60)})
    write_segments(made, features, tmp_path / "out", Options(length=32, context=4))
    path = tmp_path / "out" / "segments" / "train" / "casme_015" / "casme_015_0401_0000.npz"
    found = trace(path)
    assert found.intact
    assert found.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert found.features_sha256 == hashlib.sha256(noise(60)).hexdigest()
    (row,) = found.rows
    assert (row.file, row.sheet, row.row) == (book.name, "Sheet1", 1)
    assert row.sha256 == hashlib.sha256(book.read_bytes()).hexdigest()
    cells = {cell.field: (cell.cell, cell.raw, cell.value, cell.labelled) for cell in row.cells}
    assert cells == {
        "onset": ("C1", "11", "10", 10),
        "apex": ("D1", "15", "14", 14),
        "offset": ("E1", "0", None, 18),
        "type": ("H1", "macro-expression", "macro", None),
        "aus": ("F1", "4", "4", None),
        "emotion": ("G1", "negative", "negative", None),
    }
    assert row.offset_from == "mirror"
    second = trace(path.with_name("casme_015_0401_0032.npz"))
    assert [row.row for row in second.rows] == [2]
    assert (second.start, second.length) == (32, 28)


def test_a_clip(tmp_path: Path) -> None:
    made = make(schema_files.load("casme2"), tmp_path / "set", subjects=2)
    converted = with_folders(convert(schema_files.load_file(made.schema), made.workbook).manifest(), made.root)
    write_clips(converted, made.root, tmp_path / "out", ClipOptions(frames="key", size=8))
    wanted = converted.annotations[3]
    path = tmp_path / "out" / "clips" / wanted.subject / f"{wanted.id.replace(':', '_')}.npz"
    found = trace(path)
    (row,) = found.rows
    assert (found.kind, row.annotation, row.row) == ("clips", wanted.id, wanted.source_row)
    assert row.sha256 == hashlib.sha256(made.workbook.read_bytes()).hexdigest()


def test_the_array_of_a_whole_video(tmp_path: Path) -> None:
    made = manifest(annotation(), annotation(2, onset=40, apex=44, offset=50))
    write_segments(
        made, arrays(tmp_path / "f", made, {"casme_015_0401": noise(60)}), tmp_path / "out", Options(length=16)
    )
    path = tmp_path / "out" / "segments" / "test" / "casme_015" / "casme_015_0401.npy"
    found = trace(path)
    assert (found.intact, found.start, found.length) == (True, 0, 60)
    assert [row.row for row in found.rows] == [1, 2]
    np.save(path, noise(60, seed=1))
    assert not trace(path).intact


@pytest.mark.parametrize(
    ("form", "name"), [("webdataset", "segments/train-000000.tar"), ("parquet", "segments/train.parquet")]
)
def test_an_item_among_others(form: Format, name: str, tmp_path: Path) -> None:
    made = manifest(annotation(), annotation(2, onset=40, apex=44, offset=50))
    features = arrays(tmp_path / "f", made, {"casme_015_0401": noise(60)})
    write_segments(made, features, tmp_path / "out", Options(length=32, context=0, format=form))
    path = tmp_path / "out" / name
    found = trace(path, "casme_015/casme_015_0401_0032")
    assert (found.intact, found.start, found.length) == (True, 32, 28)
    assert [row.row for row in found.rows] == [2]
    with pytest.raises(MeDatasetsError) as said:
        trace(path)
    assert (said.value.what, said.value.fix) == (
        "the file holds 2 items",
        "say which: --item casme_015/casme_015_0401_0000",
    )
    with pytest.raises(MeDatasetsError, match="the file holds 2 items, and none is 'x'"):
        trace(path, "x")


def test_a_file_that_was_changed_is_named_so(tmp_path: Path) -> None:
    made = manifest(annotation())
    features = arrays(tmp_path / "f", made, {"casme_015_0401": noise(30)})
    write_segments(made, features, tmp_path / "out")
    path = next((tmp_path / "out").glob("segments/train/*/*.npz"))
    with np.load(path) as file:
        held = dict(file)
    np.savez(path, **{**held, "feature": held["feature"] * 2})
    found = trace(path)
    assert not found.intact
    assert [row.annotation for row in found.rows] == ["casme_015_0401:1"]
    path.write_bytes(b"PK nothing")
    with pytest.raises(MeDatasetsError, match="the file is damaged"):
        trace(path)


def test_files_of_no_export(tmp_path: Path) -> None:
    with pytest.raises(MeDatasetsError, match="there is no such file"):
        trace(tmp_path / "x.npz")
    np.savez(tmp_path / "x.npz", a=1)
    with pytest.raises(MeDatasetsError, match=r"the file lies in no export: there is no export\.json above it"):
        trace(tmp_path / "x.npz")
    made = manifest(annotation())
    write_segments(made, arrays(tmp_path / "f", made, {"casme_015_0401": noise(30)}), tmp_path / "out")
    np.savez(tmp_path / "out" / "x.npz", a=1)
    with pytest.raises(MeDatasetsError, match="the export knows no such item"):
        trace(tmp_path / "out" / "x.npz")


def test_a_segment_of_the_folder_of_auwgcn(tmp_path: Path) -> None:
    made = manifest(annotation(), annotation(2, onset=40, apex=44, offset=71, type="macro"))
    features = arrays(tmp_path / "f", made, {"casme_015_0401": noise(90)})
    auwgcn.write(made, features, tmp_path / "out")
    place = tmp_path / "out" / "segments"
    found = trace(place / "train" / "casme_015" / "casme_015_0401_0000.npz")
    assert (found.kind, found.intact, found.length) == ("auwgcn", True, 90)
    assert [(row.row, row.cells[0].labelled) for row in found.rows] == [(1, 10), (2, 40)]
    assert found.features_sha256 == hashlib.sha256(noise(90)).hexdigest()
    whole = place / "test" / "casme_015" / "casme_015_0401.npy"
    assert trace(whole).intact
    np.save(whole, noise(90, seed=1))
    assert not trace(whole).intact


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ({"manifest": {}}, r"export\.json is damaged: manifest\.dataset: field required"),
        ({"sources": [{}]}, r"export\.json is damaged: manifest\.sources\.0\.name: field required"),
        ({"sources": "book.xlsx"}, r"export\.json is damaged: manifest\.sources: input should be a valid list"),
        ({"kind": "pictures"}, "this is a folder of the kind 'pictures', not an export of segments"),
        (
            {"format": "one"},
            r"segments is damaged: export\.json: its format is one of me-datasets",
        ),
        ({"tool": {"version": "1"}}, r"the export of segments is damaged: export\.json: 'name' is missing"),
    ],
)
def test_an_export_that_says_nonsense_of_itself(damage: dict[str, Any], said: str, tmp_path: Path) -> None:
    made = manifest(annotation())
    write_segments(made, arrays(tmp_path / "f", made, {"casme_015_0401": noise(30)}), tmp_path / "out")
    about = json.loads((tmp_path / "out" / "export.json").read_text())
    if "sources" in damage:
        damage = {"manifest": {**about["manifest"], **damage}}
    (tmp_path / "out" / "export.json").write_text(json.dumps({**about, **damage}))
    with pytest.raises(MeDatasetsError, match=said):
        trace(next((tmp_path / "out").glob("segments/train/*/*.npz")))
