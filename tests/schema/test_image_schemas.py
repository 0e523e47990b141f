"""Schemas of image sets: those that are shipped, and what is said of wrong ones."""

from __future__ import annotations

import pytest

from datasets_me.core.errors import SchemaError
from datasets_me.formats.image_records import EMOTIONS
from datasets_me.schema import image_schemas

GOOD = "id: a\nversion: 1\ntitle: A\nlabels: {fear: [afraid]}\n"
FILES = "files: {layouts: [{id: x, path: '{label}/{name}'}]}\n"


def test_every_shipped_schema_is_valid_and_found_by_its_aliases() -> None:
    ids = [schema.spec.id for schema in image_schemas.shipped()]
    assert ids == ["captures", "ck48", "ckplus", "fer2013", "folder-per-class", "gaf3", "raf-db"]
    for schema in image_schemas.shipped():
        for name in (schema.spec.id, *schema.spec.aliases):
            assert image_schemas.load(name.upper()).spec.id == schema.spec.id


def test_the_seven_classes_go_by_their_synonyms() -> None:
    for name in ("fer2013", "raf-db", "ckplus", "folder-per-class", "captures"):
        spec = image_schemas.load(name).spec
        assert set(EMOTIONS) <= set(spec.labels) <= {*EMOTIONS, "contempt"}
        for text, label in {"Happy": "happiness", "ANGRY": "anger", "sad": "sadness", "surprised": "surprise"}.items():
            assert spec.label_of(text) == label
    assert (
        image_schemas.load("fer2013").spec.label_of("3")
        == image_schemas.load("raf-db").spec.label_of("4")
        == "happiness"
    )
    assert image_schemas.load("ckplus").spec.label_of("2") == "contempt"
    assert image_schemas.load("gaf3").spec.split_of("Val") == "validation"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (GOOD, "line 1: table: give either table or files"),
        (GOOD + FILES + "fils: 1\n", "line 6: fils: unknown key; did you mean 'files'?"),
        (
            GOOD.replace("afraid", "fear, afraid], anger: [Afraid") + FILES,
            "labels.anger: 'Afraid' stands for fear, too",
        ),
        (GOOD + FILES.replace("{name}", "{Name}"), "files.layouts.0: a path has fields in braces"),
        (
            GOOD + "files:\n  layouts: [{id: x, path: '{n}', patterns: {m: x}}]\n",
            "line 6: files.layouts.0: patterns for fields that the path does not have: m",
        ),
        (
            GOOD + FILES.replace("]}", "], label_list: {files: [l.txt], line: '(?P<key>.*)', key: '{name}'}}"),
            "files.label_list: line lacks the group (?P<label>",
        ),
        (
            GOOD + FILES.replace("]}", "], label_files: {path: '{name}', by: [name], first_label: joy}}"),
            "files.label_files.first_label: 'joy' is not one of the labels",
        ),
        (
            GOOD + FILES + "subsets: {two: {folders: [b], title: B, labels: {joy: ['1'], fear: ['1']}}}\n",
            "line 6: subsets.two.labels.fear: '1' stands for joy, too",
        ),
        ("id: A B\n", "line 1: id: String should match pattern"),
        ("[1]", "a schema must be a mapping with keys such as id, version, title"),
    ],
)
def test_faults_are_named_with_their_place(text: str, message: str) -> None:
    with pytest.raises(SchemaError) as caught:
        image_schemas.parse(text, "mine.yaml")
    assert message in str(caught.value)
    assert "mine.yaml" in str(caught.value)


def test_an_unknown_name() -> None:
    with pytest.raises(SchemaError) as caught:
        image_schemas.load("fer2031")
    assert str(caught.value) == (
        "there is no schema of images 'fer2031'\n  to do: did you mean 'fer2013'? Known: captures, ck48, ckplus,"
        " fer2013, folder-per-class, gaf3, raf-db; or give a file (.yaml)"
    )


def test_a_subset_has_labels_of_its_own() -> None:
    spec = image_schemas.load("raf-db").spec
    assert spec.label_of("1") == "surprise"
    compound = spec.of_subset("compound")
    assert (compound.label_of("1"), compound.label_of("11"), compound.label_of("surprise")) == (
        "happily surprised",
        "disgustedly surprised",
        None,
    )
    assert (spec.of_subset("basic").label_of("1"), compound.expected.images) == ("surprise", 3954)


def test_folders_that_differ_in_case_alone_are_one_label() -> None:
    spec = image_schemas.of_folders(["smile", "Smile", "2", "no face"]).spec
    assert spec.labels == {"2": [], "Smile": ["smile"], "no face": []}
    assert image_schemas.of_folders(["a"]).spec.split_of("val") == "validation"
