"""The manifest folder: round trip, same bytes, atomic, never overwritten by accident."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from datasets_me.convert.convert import convert
from datasets_me.core.artefact import header
from datasets_me.core.errors import ManifestError, MeDatasetsError, OutputError, PathError, WriteError
from datasets_me.formats import manifest as manifests
from datasets_me.formats.kinds import MANIFEST
from datasets_me.formats.manifest import Manifest
from datasets_me.schema.schema_files import Schema
from tests.conftest import CASME2_HEADER, Workbook, casme2_row


@pytest.fixture
def made(workbook: Workbook, casme2: Schema) -> Manifest:
    rows = [casme2_row(aus="(L/A)12(B/A)+glare"), casme2_row(clip="EP03_02", apex="/", emotion="hapiness")]
    return convert(casme2, workbook([CASME2_HEADER, *rows])).manifest()


def test_everything_comes_back(made: Manifest, tmp_path: Path) -> None:
    manifests.write(made, tmp_path / "m")
    assert manifests.read(tmp_path / "m") == made


def test_the_same_input_gives_the_same_bytes(made: Manifest, tmp_path: Path) -> None:
    for name in ("a", "b"):
        manifests.write(made, tmp_path / name)
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()


def test_frames_are_nullable_int32(made: Manifest, tmp_path: Path) -> None:
    manifests.write(made, tmp_path / "m")
    schema = pq.read_schema(tmp_path / "m" / "annotations.parquet")
    for name in ("onset", "apex", "offset"):
        assert (str(schema.field(name).type), schema.field(name).nullable) == ("int32", True)
    assert "struct<au: int32" in str(schema.field("aus").type)


def test_manifest_json_tells_where_it_came_from(made: Manifest, tmp_path: Path) -> None:
    manifests.write(made, tmp_path / "m")
    about = json.loads((tmp_path / "m" / "manifest.json").read_text())
    assert about["dataset"] == "casme2"
    assert about["sources"][0]["name"] == "book.xlsx"
    assert len(about["sources"][0]["sha256"]) == len(about["schema"]["sha256"]) == 64
    assert about["counts"]["annotations"] == 2
    assert about["options"] == {"corrections": True}


def test_to_pandas(made: Manifest) -> None:
    frame = made.to_pandas()
    assert list(frame["onset"]) == [45, 45]
    assert frame["apex"].isna().tolist() == [False, True]


def test_an_existing_manifest_needs_force(made: Manifest, tmp_path: Path) -> None:
    manifests.write(made, tmp_path / "m")
    with pytest.raises(OutputError, match="the manifest exists already"):
        manifests.write(made, tmp_path / "m")
    manifests.write(made, tmp_path / "m", force=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["book.xlsx", "m"]


def test_a_folder_of_something_else_is_never_replaced(made: Manifest, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "me.jpg").write_bytes(b"precious")
    with pytest.raises(OutputError, match="the output exists and is not a manifest"):
        manifests.write(made, tmp_path / "photos", force=True)
    assert (tmp_path / "photos" / "me.jpg").read_bytes() == b"precious"


def test_a_folder_that_merely_holds_a_manifest_json_is_not_replaced(made: Manifest, tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "manifest.json").write_text("{}")
    (tmp_path / "app" / "data.bin").write_bytes(b"precious")
    with pytest.raises(OutputError, match="the output exists and is not a manifest"):
        manifests.write(made, tmp_path / "app", force=True)
    assert (tmp_path / "app" / "data.bin").read_bytes() == b"precious"


def test_a_manifest_with_other_files_in_it_is_not_replaced(made: Manifest, tmp_path: Path) -> None:
    manifests.write(made, tmp_path / "m")
    (tmp_path / "m" / "notes.txt").write_text("precious")
    with pytest.raises(OutputError, match=r"contains other files, which would be lost: notes\.txt"):
        manifests.write(made, tmp_path / "m", force=True)
    assert (tmp_path / "m" / "notes.txt").read_text() == "precious"


def test_a_folder_under_the_name_of_a_table_is_not_replaced(made: Manifest, tmp_path: Path) -> None:
    manifests.write(made, tmp_path / "m")
    (tmp_path / "m" / "findings.parquet").unlink()
    (tmp_path / "m" / "findings.parquet").mkdir()
    (tmp_path / "m" / "findings.parquet" / "mine.txt").touch()
    with pytest.raises(OutputError, match=r"would be lost: findings\.parquet/mine\.txt"):
        manifests.write(made, tmp_path / "m", force=True)


def test_a_link_to_a_manifest_stays_a_link(made: Manifest, tmp_path: Path) -> None:
    manifests.write(made, tmp_path / "m")
    (tmp_path / "link").symlink_to("m")
    manifests.write(made, tmp_path / "link", force=True)
    assert (tmp_path / "link").is_symlink()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["book.xlsx", "link", "m"]


def test_a_failed_write_leaves_nothing(made: Manifest, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(WriteError, match="the manifest cannot be written: "):
        manifests.write(made, tmp_path / "file" / "m")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["book.xlsx", "file"]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda folder: (folder / "manifest.json").unlink(), "not a manifest: there is no manifest.json in it"),
        (lambda folder: (folder / "manifest.json").write_text("{"), "the manifest is damaged"),
        (lambda folder: (folder / "annotations.parquet").write_bytes(b"PAR1"), "the manifest is damaged"),
        (lambda folder: (folder / "videos.parquet").unlink(), "the manifest is damaged"),
        (
            lambda folder: (folder / "manifest.json").write_text(json.dumps({**header(MANIFEST), "format": 99})),
            "the manifest has format 99",
        ),
        (
            lambda folder: (folder / "manifest.json").write_text(
                '{"format": 1, "variant": "coding", "sources": [], "options": null}'
            ),
            "the manifest is damaged",
        ),
    ],
)
def test_damage_is_named(made: Manifest, tmp_path: Path, spoil: object, message: str) -> None:
    manifests.write(made, tmp_path / "m")
    spoil(tmp_path / "m")  # type: ignore[operator]
    with pytest.raises(ManifestError, match=message):
        manifests.read(tmp_path / "m")


@pytest.mark.parametrize(
    ("path", "fault"),
    [
        ("../../p", "it leads upwards"),
        ("/p", "it is absolute"),
        ("a/./b", "it is not in its shortest form"),
    ],
)
def test_a_video_outside_the_root_is_refused(made: Manifest, tmp_path: Path, path: str, fault: str) -> None:
    videos = [made.videos[0], made.videos[1].model_copy(update={"path": path})]
    manifests.write(replace(made, videos=videos), tmp_path / "m")
    with pytest.raises(PathError) as caught:
        manifests.read(tmp_path / "m")
    assert (caught.value.what, caught.value.where) == (
        f"the path '{path}' cannot be used: {fault}",
        f"{tmp_path / 'm' / 'videos.parquet'}, row 2",
    )


def spoil_table(folder: Path, name: str, **values: object) -> None:
    """Put values into the first row of a table, whatever its columns are made for."""
    rows = pq.read_table(folder / f"{name}.parquet").to_pylist()
    for row in rows:
        for column, value in row.items():
            row[column] = dict(value) if column in ("corrected", "extra", "source_cells") else value
    kept = pq.read_schema(folder / f"{name}.parquet")
    wide = {"onset": pa.int64(), "offset": pa.int64(), "frames": pa.int64()}
    schema = pa.schema(field.with_type(wide.get(field.name, field.type)) for field in kept)
    rows[0] |= values
    columns = [
        pa.array([list(row[f.name].items()) if pa.types.is_map(f.type) else row[f.name] for row in rows], f.type)
        for f in schema
    ]
    pq.write_table(pa.table(columns, schema=schema), folder / f"{name}.parquet")


@pytest.mark.parametrize(
    ("table", "values", "message"),
    [
        ("annotations", {"fps": float("nan")}, "fps: input should be a finite number, not nan"),
        ("annotations", {"fps": float("inf")}, "fps: input should be a finite number, not inf"),
        ("annotations", {"fps": 0.0}, "fps: input should be greater than or equal to 0.01, not 0.0"),
        ("videos", {"fps": -25.0}, "fps: input should be greater than or equal to 0.01, not -25.0"),
        ("videos", {"fps": 1e308}, "fps: input should be less than or equal to 20000, not 1e+308"),
        ("annotations", {"onset": -1}, "onset: input should be greater than or equal to 0, not -1"),
        ("annotations", {"offset": 10**12}, "offset: input should be less than 2147483647, not 1000000000000"),
        ("videos", {"frames": 2**31}, "frames: input should be less than 2147483648, not 2147483648"),
    ],
)
def test_numbers_that_no_video_has(
    made: Manifest, tmp_path: Path, table: str, values: dict[str, object], message: str
) -> None:
    manifests.write(made, tmp_path / "m")
    spoil_table(tmp_path / "m", table, **values)
    with pytest.raises(ManifestError) as said:
        manifests.read(tmp_path / "m")
    assert said.value.what == f"the manifest is damaged: {table}.parquet, row 1: {message}"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("manifest.json", b"[" * 100_000, "the manifest is damaged: manifest.json: it is nested too deeply"),
        ("schema.yaml", b"- " * 20_000, "the schema is nested more than 32 deep"),
    ],
)
def test_nesting_without_end(made: Manifest, tmp_path: Path, name: str, content: bytes, message: str) -> None:
    manifests.write(made, tmp_path / "m")
    (tmp_path / "m" / name).write_bytes(content)
    with pytest.raises(MeDatasetsError) as said:
        manifests.read(tmp_path / "m")
    assert said.value.what == message


@pytest.mark.parametrize("name", ["manifest.json", "schema.yaml", "annotations.parquet"])
def test_a_pipe_in_the_place_of_a_file(made: Manifest, tmp_path: Path, name: str) -> None:
    manifests.write(made, tmp_path / "m")
    (tmp_path / "m" / name).unlink()
    os.mkfifo(tmp_path / "m" / name)
    with pytest.raises(ManifestError, match=r"not a (manifest: there is no manifest\.json in it|regular file)"):
        manifests.read(tmp_path / "m")
