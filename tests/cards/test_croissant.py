"""Croissant: the reference reader finds neither errors nor warnings, and reads the rows of the manifest."""

from __future__ import annotations

import hashlib
import json
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from datasets_me.cards import card as cards
from datasets_me.cards.croissant import described_columns, to_croissant
from datasets_me.core.tables import arrow_schema
from datasets_me.findings.finding import Finding
from datasets_me.formats.manifest import Manifest
from datasets_me.formats.records import Annotation, Video
from tests.cards.conftest import written

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of its dependencies, on import
    import mlcroissant

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")  # likewise, on use


@pytest.mark.parametrize("name", ["two_types", "hostile", "empty"])
def test_the_reference_reader_has_no_objection(made: Any, name: str, caplog: pytest.LogCaptureFixture) -> None:
    dataset = mlcroissant.Dataset(jsonld=json.loads(to_croissant(made[name].card)))
    issues = dataset.metadata.ctx.issues
    assert (set(issues.errors), set(issues.warnings)) == (set(), set())
    assert caplog.messages == []
    assert {record_set.id for record_set in dataset.metadata.record_sets} == {"annotations", "videos", "findings"}


def test_the_records_are_the_rows_of_the_manifest(two_types: Manifest, tmp_path: Path) -> None:
    rows = [*two_types.annotations, two_types.annotations[0].model_copy(update={"corrected": {"apex": "9"}})]
    place = written(replace(two_types, annotations=rows), tmp_path / "manifest")
    (tmp_path / "card").mkdir()
    (tmp_path / "card" / "croissant.json").write_text(to_croissant(cards.make(place)))
    files = {path.name: path for path in place.iterdir()}
    dataset = mlcroissant.Dataset(jsonld=tmp_path / "card" / "croissant.json", mapping=files)
    records = list(dataset.records("annotations"))
    assert len(records) == len(rows)
    for record, row in zip(records, rows, strict=True):
        plain = {name.partition("/")[2]: value for name, value in record.items()}
        assert plain["id"].decode() == row.id
        assert [plain[name] for name in ("onset", "apex", "offset")] == [row.onset, row.apex, row.offset]
        assert [unit["annotations/aus/au"] for unit in plain["aus"]] == [unit.au for unit in row.aus]
        assert [unit["annotations/aus/side"].decode() for unit in plain["aus"]] == [unit.side for unit in row.aus]
        assert [text.decode() for text in plain["aus_unread"]] == row.aus_unread
        for name in ("corrected", "extra", "source_cells"):
            pairs = {
                pair[f"annotations/{name}/key"].decode(): pair[f"annotations/{name}/value"].decode()
                for pair in plain[name]
            }
            assert pairs == getattr(row, name)
    assert len(list(dataset.records("findings"))) == len(two_types.findings)


def test_files_are_described_by_their_content(made: Any) -> None:
    about, place = json.loads(to_croissant(made["two_types"].card)), made["two_types"].folder
    for entry in about["distribution"]:
        content = (place / entry["contentUrl"]).read_bytes()
        assert entry["sha256"] == hashlib.sha256(content).hexdigest()
        assert entry["contentSize"] == f"{len(content)} B"
    assert str(place.parent) not in json.dumps(about)
    assert (about["datePublished"], about["version"], about["license"]) == (
        "2018",
        "2.0.0",
        "http://casme.psych.ac.cn/casme/e3",
    )


def test_columns_have_the_types_of_their_values(made: Any) -> None:
    about = json.loads(to_croissant(made["two_types"].card))
    fields = [field for table in about["recordSet"] for field in table["field"]]
    types = {f["@id"]: f["dataType"] for field in fields for f in field.get("subField", [field])}
    assert {name.rpartition("/")[2]: types[name] for name in types if name.startswith("annotations/aus/")} == {
        "au": "sc:Integer",
        "side": "sc:Text",
        "intensity": "sc:Text",
        "uncertain": "sc:Boolean",
        "reflex": "sc:Boolean",
        "alternative": "sc:Integer",
        "option": "sc:Integer",
    }
    assert [types[f"annotations/{name}"] for name in ("id", "onset", "fps")] == ["sc:Text", "sc:Integer", "sc:Float"]
    assert [types[f"videos/{name}"] for name in ("path", "frames", "fps")] == ["sc:Text", "sc:Integer", "sc:Float"]


def test_every_column_is_described_and_nothing_else() -> None:
    tables = described_columns()
    for table, model in (("annotations", Annotation), ("videos", Video), ("findings", Finding)):
        columns = arrow_schema(model)
        parts = (
            {f"aus.{part.name}" for part in columns.field("aus").type.value_type} if table == "annotations" else set()
        )
        assert set(tables[table]["columns"]) == {*columns.names, *parts}
