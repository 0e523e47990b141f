"""Scores of images by one model or several, named or in order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from datasets_me.core.errors import MeDatasetsError
from datasets_me.formats.image_scores import read, softmax

IDS, LABELS = ["a.png", "b.png", "c.png"], ["fear", None, "anger"]
LOGITS = np.array([[1.0, 0], [0, 2], [3, 3]])


def taken(tmp_path: Path, **arrays: Any) -> list[Any]:
    np.savez(tmp_path / "m.npz", classes=["anger", "fear"], **arrays)
    return read(tmp_path / "m.npz", ["image", "id"], IDS, LABELS)


def test_logits_become_probabilities(tmp_path: Path) -> None:
    (model,) = taken(tmp_path, id=IDS, logits=LOGITS)
    assert model.scores.sum(axis=1) == pytest.approx(1)
    assert model.scores[0] == pytest.approx([np.e / (1 + np.e), 1 / (1 + np.e)])
    assert softmax(np.array([[1000.0, 0]]))[0].tolist() == [1, 0]


def test_several_models_in_one_file(tmp_path: Path) -> None:
    scores = np.stack([softmax(LOGITS), softmax(-LOGITS)])
    one, two = taken(tmp_path, id=IDS, scores=scores, models=["small", "large"])
    assert (one.name, two.name, one.rows) == ("small", "large", ({"id": "a.png"}, {"id": "b.png"}, {"id": "c.png"}))
    assert (two.scores == scores[1]).all()
    assert [each.name for each in taken(tmp_path, id=IDS, scores=scores)] == ["m.npz (1)", "m.npz (2)"]


@pytest.mark.parametrize("labels", [["fear", "anger", "anger"], [1, 0, 0]])
def test_the_order_of_the_set_is_believed_if_the_labels_agree(tmp_path: Path, labels: list[Any]) -> None:
    (model,) = taken(tmp_path, scores=softmax(LOGITS), labels=labels)
    assert [row["image"] for row in model.rows] == IDS


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({}, "nothing says which images the predictions are about"),
        (
            {"labels": [0, 0, 0]},
            "the predictions do not stand in the order of the set: entry 0 is labelled anger, a.png fear",
        ),
        ({"id": IDS[:2]}, "id has 2 entries, the scores 3"),
        ({"id": IDS, "models": ["x", "y"]}, "1 models have scores, and 2 names"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path: Path, arrays: dict[str, Any], message: str) -> None:
    with pytest.raises(MeDatasetsError) as caught:
        taken(tmp_path, scores=softmax(LOGITS), **arrays)
    assert caught.value.what == message


def test_scores_that_are_texts_and_classes_given_twice(tmp_path: Path) -> None:
    with pytest.raises(MeDatasetsError, match=r"not <U\d+ \(3, 2\)"):
        taken(tmp_path, id=IDS, scores=LOGITS.astype(str))
    np.savez(tmp_path / "m.npz", classes=["fear", "fear"], id=IDS, scores=LOGITS)
    with pytest.raises(MeDatasetsError, match=r"^the class fear is given twice"):
        read(tmp_path / "m.npz", ["id"], IDS, LABELS)
