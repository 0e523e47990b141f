"""Files of third-party predictions in the forms they come in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from datasets_me.core.errors import MeDatasetsError, SchemaError
from datasets_me.formats.image_classes import Classes
from datasets_me.formats.image_entries import read
from datasets_me.schema import image_schemas, predictions

FACES = {
    "microsoft": {"faceRectangle": {"top": 1}, "faceAttributes": {"emotion": {"anger": 0.1, "happiness": 0.9}}},
    "face-plus-plus": {"face_token": "x", "attributes": {"emotion": {"anger": 10.0, "happiness": 90}}},
}


def taken(path: Path, content: Any, form: str = "plain") -> tuple[list[Any], list[str]]:
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return of_file(path, form)


def of_file(path: Path, form: str = "plain") -> tuple[list[Any], list[str]]:
    spec = predictions.load(form)
    entries, found = read(path, spec, Classes(image_schemas.load("folder-per-class").spec, spec))
    return [(entry.image, entry.label, entry.scores) for entry in entries], [finding.code for finding in found]


@pytest.mark.parametrize(
    "content",
    [
        "image,emotion\na.jpg,happy\nb.jpg,no face\n",
        {"a.jpg": "happy", "b.jpg": None},
        {"a.jpg": {"label": "happy"}, "b.jpg": {}},
        [{"file": "a.jpg", "prediction": "happy"}, {"file": "b.jpg", "faces": []}],
        {"results": [{"file": "a.jpg", "prediction": "happy"}, {"file": "b.jpg", "label": ""}]},
        '{"image": "a.jpg", "label": "happy"}\n{"image": "b.jpg", "label": "unknown"}\n',
    ],
)
def test_labels(tmp_path: Path, content: Any) -> None:
    assert taken(tmp_path / "p", content) == ([("a.jpg", "happy", {}), ("b.jpg", None, {})], [])


@pytest.mark.parametrize(
    "content",
    [
        "image,width,score_happy,anger\na.jpg,480,0.9,0.1\n",
        {"a.jpg": {"scores": {"happy": 0.9, "anger": 0.1}}},
        {"a.jpg": {"happy": 0.9, "anger": 0.1, "ms": 12}},
    ],
)
def test_scores(tmp_path: Path, content: Any) -> None:
    assert taken(tmp_path / "p", content) == ([("a.jpg", None, {"happy": 0.9, "anger": 0.1})], [])


@pytest.mark.parametrize(("form", "face"), FACES.items())
def test_services(tmp_path: Path, form: str, face: Any) -> None:
    whole = (
        {"a.jpg": {"faces": [face, face]}, "b.jpg": {"faces": []}}
        if "plus" in form
        else {"a.jpg": [face, face], "b.jpg": []}
    )
    (one, other), codes = taken(tmp_path / "p", whole, form)
    assert one[0] == "a.jpg"
    assert one[2]["happiness"] in (0.9, 90)
    assert other == ("b.jpg", None, {})
    assert codes == ["ME724"]


def test_an_npz(tmp_path: Path) -> None:
    scores = np.array([[0.9, 0.1], [0.2, 0.8], [np.nan, 1], [-1, 2]])
    arrays = {"image": np.array(["a.jpg", "b.jpg", "c.jpg", "d.jpg"]), "classes": np.array(["happy", "contempt"])}
    np.savez(tmp_path / "p.npz", **arrays, scores=scores)
    entries, codes = of_file(tmp_path / "p.npz")
    assert entries == [
        ("a.jpg", None, {"happy": 0.9, "contempt": 0.1}),
        ("b.jpg", None, {"happy": 0.2, "contempt": 0.8}),
        ("c.jpg", None, {}),
        ("d.jpg", None, {}),
    ]
    assert codes == ["ME725", "ME725"]
    np.savez(tmp_path / "p.npz", **arrays, label=np.array([1, 0, -1, 1]))
    entries, codes = of_file(tmp_path / "p.npz")
    assert [label for _, label, _ in entries] == ["contempt", "happy", None, "contempt"]
    np.savez(tmp_path / "p.npz", image=arrays["image"], scores=scores)
    with pytest.raises(MeDatasetsError, match="nothing names the 2 classes of the scores"):
        of_file(tmp_path / "p.npz")


def test_a_flattened_export(tmp_path: Path) -> None:
    content = "image,faceAttributes.emotion.anger,faceAttributes.emotion.happiness\na.jpg,0.1,0.9\nb.jpg,,\n"
    entries, codes = taken(tmp_path / "p.csv", content, "microsoft")
    assert entries == [("a.jpg", None, {"anger": 0.1, "happiness": 0.9}), ("b.jpg", None, {})]
    assert codes == []


def test_what_cannot_be_read_is_a_finding(tmp_path: Path) -> None:
    content = "image,score_a\na.jpg,nan\nb.jpg,-1\n,0.5\nc.jpg,0.5\n"
    entries, codes = taken(tmp_path / "p.csv", content)
    assert entries == [("a.jpg", None, {}), ("b.jpg", None, {}), ("c.jpg", None, {"a": 0.5})]
    assert codes == ["ME725", "ME725", "ME725"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "the file is empty"),
        ("image,label\n", "the file holds no predictions"),
        ("title\nx\n", "no entry names an image"),
        ('{"a": 1,}', "not JSON: .*"),
        ("image,label\na,b,c\n", "the row has 3 cells, the header 2"),
    ],
)
def test_bad_files(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(MeDatasetsError, match=message):
        taken(tmp_path / "p", content)


def test_forms() -> None:
    assert predictions.load("Face++").id == "face-plus-plus"
    with pytest.raises(
        SchemaError, match=r"there is no form of predictions 'microsft'\n  to do: did you mean 'microsoft'"
    ):
        predictions.load("microsft")


@pytest.mark.parametrize(
    "content",
    [
        '[{"image": "a.jpg", "scores": [0.1, 0.2]}]',
        '[{"image": "a.jpg", "label": ["happy"]}]',
        '[{"image": "a.jpg", "error_message": "busy"}]',
        'image,score_a\na.jpg,"0,5"\n',
    ],
)
def test_what_is_not_understood_is_no_silence(content: str, tmp_path: Path) -> None:
    entries, codes = taken(tmp_path / "p", content)
    assert entries == [("a.jpg", None, {})]
    assert codes == ["ME725"]


@pytest.mark.parametrize(
    "content",
    [
        "image,happy,anger\na.jpg,0.9,x\n",
        'image,happy,anger\na.jpg,0.9,"0,5"\n',
        {"a.jpg": {"scores": {"happy": 0.9, "anger": "a"}}},
        {"a.jpg": {"scores": {"happy": 0.9, "contempt": "a"}}},
        {"a.jpg": {"happy": 0.9, "anger": True}},
        {"a.jpg": {"scores": {"happy": 0.9, "anger": False}}},
    ],
)
def test_scores_that_are_no_numbers(tmp_path: Path, content: Any) -> None:
    assert taken(tmp_path / "p", content) == ([("a.jpg", None, {})], ["ME725"])


def test_cells_without_a_score_say_nothing(tmp_path: Path) -> None:
    content = {"a.jpg": {"scores": {"happy": 0.9, "anger": None}}, "b.jpg": {"happy": 0.9, "anger": " "}}
    assert taken(tmp_path / "p", content) == (
        [("a.jpg", None, {"happy": 0.9}), ("b.jpg", None, {"happy": 0.9})],
        [],
    )


def test_halves_of_characters_are_marked(tmp_path: Path) -> None:
    content = '[{"image": "a\\ud83d.jpg", "label": "\\udfff"}, {"image": "b.jpg", "scores": {"\\ud800": 1}}]'
    assert taken(tmp_path / "p", content) == ([("a\ufffd.jpg", "\ufffd", {}), ("b.jpg", None, {"\ufffd": 1.0})], [])


def test_the_lines_of_a_file_that_was_cut_off_are_kept(tmp_path: Path) -> None:
    lines = [json.dumps({"image": f"{number}.png", "label": "happy"}) for number in range(3)]
    path = tmp_path / "cut.jsonl"
    cut = '{"image": "gr\u00fc'.encode()[:-1]  # within a letter
    path.write_bytes("\n".join([lines[0], "", "garbage", lines[1], ""]).encode() + cut)
    spec = predictions.load("plain")
    entries, found = read(path, spec, Classes(image_schemas.load("folder-per-class").spec, spec))
    assert [(entry.image, entry.number, entry.label) for entry in entries] == [
        ("0.png", 1, "happy"),
        ("1.png", 4, "happy"),
    ]
    assert [(each.code, each.where) for each in found] == [("ME725", "cut.jsonl, row 3"), ("ME725", "cut.jsonl, row 5")]
    assert found[0].message == "the line is no JSON: Expecting value: line 1 column 1 (char 0)"
