"""A copy of a schema means what the schema means, and says what its keys are for."""

from __future__ import annotations

from pathlib import Path

import pytest

from datasets_me.core.errors import OutputError
from datasets_me.schema import image_schemas, schema_files
from datasets_me.schema.copies import commented, load_any, write_copy
from datasets_me.schema.image_schemas import ImageSchema
from datasets_me.schema.schema_files import Schema


@pytest.mark.parametrize("schema", schema_files.shipped(), ids=lambda schema: schema.spec.id)
def test_a_copy_means_what_the_schema_means(schema: Schema) -> None:
    text = commented(schema)
    assert schema_files.parse(text, "copy.yaml").spec == schema.spec
    lines = text.splitlines()
    assert [line for line in schema.text.splitlines() if line not in lines] == []
    keys = [line for line in lines if line and line[0].isalpha()]
    assert all(lines[lines.index(line) - 1].startswith("# ") for line in keys)


def test_each_key_is_explained_once_and_the_others_are_named(casme3: Schema) -> None:
    lines = commented(casme3).splitlines()
    assert lines[lines.index("    holds: video") - 1] == (
        "    # the frames of a whole video, or of one expression (required)"
    )
    assert lines[lines.index("  frames: {base: 1, before_first: clamp}") - 1] == (
        "  # How frame numbers of the workbook become 0-based frames (optional)"
    )
    further = lines[lines.index("# Further keys:") + 1 :]
    assert (
        "# corrections: A cell known to be wrong, identified by subject, video and old value, never by row number alone"
        in (line.removesuffix(" (optional)") for line in further)
    )
    text = commented(schema_files.load("casme-sq"))
    assert text.count("# the frames of a whole video, or of one expression") == 1


def test_a_file_that_exists_is_not_replaced(tmp_path: Path, casme3: Schema) -> None:
    path = tmp_path / "mine.yaml"
    write_copy(casme3, path)
    assert schema_files.load_file(path).spec == casme3.spec
    with pytest.raises(OutputError, match="the file exists already"):
        write_copy(casme3, path)
    write_copy(casme3, path, force=True)


@pytest.mark.parametrize("schema", image_schemas.shipped(), ids=lambda schema: schema.spec.id)
def test_a_copy_of_a_schema_of_images(schema: ImageSchema) -> None:
    text = commented(schema)
    assert image_schemas.parse(text, "copy.yaml").spec == schema.spec
    lines = text.splitlines()
    assert lines[lines.index("labels:") - 1] == "# each label with its other spellings and codes (required)"


def test_schemas_of_both_kinds_are_found(tmp_path: Path) -> None:
    for name, spec in {"casme3-a": "casme3-a", "CK+": "ckplus", "raf-db": "raf-db"}.items():
        schema = load_any(name)
        assert schema.spec.id == spec
        path = tmp_path / f"{spec}.yaml"
        path.write_text(schema.text)
        assert load_any(str(path)) == schema


@pytest.fixture
def casme3() -> Schema:
    return schema_files.load("casme3-a")
