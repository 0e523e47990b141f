"""Answers to questions: classes, BLEU and ROUGE."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from datasets_me.core.errors import MeDatasetsError
from datasets_me.scores.questions import score_questions

TRUTH = {
    "1": ("What is the coarse expression class?", "negative"),
    "2": ("What is the coarse expression class?", "positive"),
    "3": ("Is the action unit dimpler shown on the face?", "yes"),
    "4": ("What are the action units?", "brow lowerer, lid tightener"),
    "5": (
        "What are the action units present, and based on them, what is the coarse expression class?",
        "A. Therefore, b.",
    ),
}


def write(path: Path, lines: Mapping[str, object], key: str = "id") -> Path:
    rows = [
        {key: name, **({"question": value[0], "answer": value[1]} if isinstance(value, tuple) else {"answer": value})}
        for name, value in lines.items()
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_by_hand(tmp_path: Path) -> None:
    truth = write(tmp_path / "q.jsonl", TRUTH)
    replies = {"1": "Negative.", "2": "negative", "4": "brow lowerer, dimpler", "5": "a. therefore,  B", "9": "?"}
    scores = score_questions(truth, [write(tmp_path / "a.jsonl", replies, key="video_id")])
    by_kind = {each.kind: each for each in scores.kinds}
    assert list(by_kind) == ["all together", "coarse class", "shown", "action units", "all questions"]
    coarse = by_kind["coarse class"].classes
    assert coarse is not None
    assert (coarse.accuracy, coarse.uar) == (0.5, 0.5)
    assert coarse.uf1 == pytest.approx((2 / 3 + 0) / 2)
    assert by_kind["shown"].classes is not None
    assert by_kind["shown"].classes.uf1 == 0
    assert by_kind["coarse class"].bleu == pytest.approx(
        0.5
    )  # one of two words, which is 0 where n-grams of 4 are asked for
    assert by_kind["action units"].classes is None
    assert by_kind["action units"].rouge1 == pytest.approx(2 * (2 / 3) * (2 / 4) / (2 / 3 + 2 / 4))
    assert by_kind["all together"].rouge_l == 1
    assert [(found.code, found.message) for found in scores.findings] == [
        ("ME540", "no question has the id 9"),
        ("ME543", "3 has no answer; it counts as wrong"),
    ]


def test_right_answers_have_full_scores(tmp_path: Path) -> None:
    truth = write(tmp_path / "q.jsonl", TRUTH)
    every = score_questions(truth, [truth]).kinds[-1]
    assert (every.questions, every.rouge1, every.rouge_l) == (5, 1, 1)
    assert every.bleu == pytest.approx(1)


@pytest.mark.parametrize(
    "line", ['{"id": "1"}', '{"id": "1", "answer": null}', "[1]", "negative", '{"question": "?", "answer": "x"}']
)
def test_bad_lines(tmp_path: Path, line: str) -> None:
    (tmp_path / "a.jsonl").write_text(line + "\n")
    with pytest.raises(MeDatasetsError, match="not a question or an answer") as caught:
        score_questions(write(tmp_path / "q.jsonl", TRUTH), [tmp_path / "a.jsonl"])
    assert str(caught.value.where).endswith("a.jsonl, row 1")
