"""Questions about expressions, as in MEGC 2025."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from datasets_me.core.errors import MeDatasetsError
from datasets_me.export.vqa import questions, write
from datasets_me.formats.records import ActionUnit, Annotation
from tests.scores.conftest import annotation, manifest


def row(number: int, emotion: str | None, *units: ActionUnit) -> Annotation:
    clip = f"EP0{number}_01f"
    return annotation(
        number,
        id=f"casme2_01_{clip}",
        subject="casme2_01",
        video=f"casme2_01_{clip}",
        expression=clip,
        emotion=emotion,
        aus=list(units),
        extra={"subject": "1", "clip": clip},
    )


def test_the_lines_of_an_expression(tmp_path: Path) -> None:
    rows = [
        row(1, "disgust", ActionUnit(au=4), ActionUnit(au=10, side="left")),
        row(2, "happiness", ActionUnit(au=12), ActionUnit(au=14, uncertain=True), ActionUnit(au=12)),
        row(3, "fear", ActionUnit(au=4)),
        row(4, None, ActionUnit(au=4)),
        row(5, "disgust"),
    ]
    asked = questions([manifest(*rows)])
    assert asked.expressions == 2
    assert [(found.code, found.message) for found in asked.findings] == [
        ("ME518", "there are no questions about casme2_01_EP03_01f: 'fear' is in none of its classes"),
        ("ME518", "there are no questions about casme2_01_EP04_01f: the emotion is unknown"),
        ("ME518", "there are no questions about casme2_01_EP05_01f: no action unit is certain"),
    ]
    write(asked.lines, tmp_path / "q.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "q.jsonl").read_text().splitlines()]
    first = [line for line in lines if line["filename"] == "EP01_01f"]
    assert first[0] == {
        "id": "casme2_sub01_EP01_01f_1",
        "dataset": "casme2",
        "image_id": "sub01_EP01_01f",
        "subject": "sub01",
        "filename": "EP01_01f",
        "question": "What is the coarse expression class?",
        "answer": "negative",
    }
    texts = [(line["question"], line["answer"]) for line in first]
    assert texts[1:4] == [
        ("What is the fine-grained expression class?", "disgust"),
        ("What are the action units?", "brow lowerer, upper lip raiser"),
        ("Is the action unit upper lip raiser located on the left or right face?", "left"),
    ]
    assert texts[4][0] in {
        f"Is the action unit {name} shown on the face?" for name in ("brow lowerer", "upper lip raiser")
    }
    assert texts[5] == ("Is the action unit lip corner puller shown on the face?", "no")
    assert [answer for _, answer in texts[4:6]] == ["yes", "no"]
    assert texts[6] == (
        "What are the action units present, and based on them, what is the fine-grained expression and the coarse "
        "expression class?",
        "The action units present are: brow lowerer, upper lip raiser. Therefore, the fine-grained expression class is "
        "disgust, and the coarse expression class is negative.",
    )
    second = [(line["question"], line["answer"]) for line in lines if line["filename"] == "EP02_01f"]
    assert second[2] == ("What is the action unit?", "lip corner puller")
    assert second[-1][1].startswith("The action unit present is: lip corner puller. Therefore,")
    assert len(second) == 6


def test_what_is_drawn_follows_the_seed() -> None:
    rows = [row(1, "disgust", *(ActionUnit(au=au) for au in (1, 2, 4, 7))), row(2, "disgust", ActionUnit(au=9))]
    same = questions([manifest(*rows)], seed=3).lines
    assert same == questions([manifest(*rows)], seed=3).lines
    assert len({questions([manifest(*rows)], seed=seed).lines[3].question for seed in range(12)}) > 1


def test_a_dataset_is_asked_about_once() -> None:
    with pytest.raises(MeDatasetsError, match=r"^casme2 is given twice\n"):
        questions([manifest(row(1, "disgust", ActionUnit(au=9)))] * 2)


def test_a_dataset_without_names_of_its_own() -> None:
    made = manifest(annotation(1, dataset="smic-hs", emotion="positive", class_3="positive", aus=[ActionUnit(au=80)]))
    line = questions([manifest(*made.annotations, dataset="casme-sq")]).lines[2]
    assert (line.dataset, line.image_id, line.answer) == ("casme-sq", "v1:1", "action unit 80")
