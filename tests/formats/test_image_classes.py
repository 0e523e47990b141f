"""Words of a recogniser in the words of a set: what the user says comes first, then the set, then the form."""

from __future__ import annotations

import pytest

from datasets_me.formats.image_classes import Classes
from datasets_me.schema import image_schemas, predictions
from datasets_me.schema.images import ImageSpec
from datasets_me.schema.predictions import PredictionSpec

PLAIN = predictions.load("plain")


def spec(**labels: list[str]) -> ImageSpec:
    """A folder per class with these labels and their spellings."""
    return ImageSpec.model_validate({**image_schemas.load("folder-per-class").spec.model_dump(), "labels": labels})


@pytest.mark.parametrize("word", ["none", "None", "unknown", "no face", "-1", ""])
def test_words_for_nothing(word: str) -> None:
    classes = Classes(spec(anger=["1"]), PLAIN)
    assert classes.nothing(word)
    assert classes.findings() == []


def test_a_class_of_the_set_is_no_word_for_nothing() -> None:
    classes = Classes(spec(none=["nobody"], anger=[]), PLAIN)
    assert not classes.nothing("None")
    assert classes.of("None") == "none"
    assert classes.nothing("failed")
    (found,) = classes.findings()
    assert (found.code, found.severity, found.found) == ("ME738", "warning", "None")
    assert found.message == (
        "'None' is the set's label none, and taken as that; by the form plain it says that nothing was recognised"
    )


@pytest.mark.parametrize(("target", "label"), [("none", "none"), ("", None), ("angry", "anger")])
def test_the_user_decides_and_nothing_is_in_doubt(target: str, label: str | None) -> None:
    classes = Classes(spec(none=[], anger=["angry"]), PLAIN, {"none": target})
    assert not classes.nothing("None")
    assert classes.of("None") == label
    assert classes.findings() == []


def test_a_code_of_the_set_is_not_its_negative() -> None:
    classes = Classes(spec(disgust=["1"], fear=["2"]), PLAIN)
    assert not classes.nothing("1")
    assert [classes.of(text) for text in ("1", "1.0", "02")] == ["disgust", "disgust", "fear"]
    assert classes.findings() == []


def test_where_set_and_form_differ_the_set_is_right() -> None:
    labels = {"contempt": ["disgust", "scorn"], "joy": ["happy"]}
    form = PredictionSpec.model_validate({**PLAIN.model_dump(), "id": "mine", "labels": labels})
    classes = Classes(spec(disgust=[], happiness=["happy", "joy"]), form)
    assert [classes.of(text) for text in ("disgust", "scorn", "happy", "joy")] == [
        "disgust",
        "contempt",
        "happiness",
        "happiness",
    ]
    assert [found.message for found in classes.findings()] == [
        "'disgust' is the set's label disgust, and taken as that; by the form mine it means contempt"
    ]


def test_a_form_that_contradicts_itself() -> None:
    def form(**labels: list[str]) -> PredictionSpec:
        return PredictionSpec.model_validate({**PLAIN.model_dump(), "labels": labels})

    with pytest.raises(ValueError, match=r"labels\.nobody: 'none' is also among the words for unrecognised"):
        form(nobody=["none"])
    with pytest.raises(ValueError, match=r"labels\.b: 'A' also stands for a"):
        form(a=[], b=["A"])
    assert form(a=["1"]).label_of("-1") is None
