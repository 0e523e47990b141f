"""Ensembles: the grid, the choice on validation only, and files that do not fit together."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets_me.core.errors import MeDatasetsError
from datasets_me.formats.predictions import Predictions, read
from datasets_me.scores.ensemble import _grid_size, _standard_error, ensemble, simplex
from datasets_me.scores.truth import Truth, annotated
from tests.scores.conftest import annotation, manifest

CLASSES = ("a", "b")


def model(path: Path, b: list[float], parts: list[str], **fields: object) -> Predictions:
    """A model by its probability of class b for v1:0, v1:1, …"""
    values = np.array(b)
    arrays: dict[str, object] = {
        "annotation": np.array([f"v1:{i}" for i in range(len(b))]),
        "scores": np.stack([1 - values, values], axis=1),
        "classes": np.array(CLASSES),
        "part": np.array(parts),
    }
    np.savez(path, **{**arrays, **fields})  # type: ignore[arg-type]
    return read(path)


def truth(labels: str) -> Truth:
    return annotated([manifest(*(annotation(i, emotion=label) for i, label in enumerate(labels)))])


@given(st.integers(1, 4), st.integers(1, 8))
def test_the_grid_is_the_whole_simplex(models: int, parts: int) -> None:
    points = list(simplex(models, parts))
    assert len(points) == len(set(points)) == math.comb(parts + models - 1, models - 1)
    assert all(sum(point) == parts and min(point) >= 0 for point in points)


def test_every_whole_number_of_steps_is_a_grid() -> None:
    assert [_grid_size(2, 1 / parts)[1] for parts in range(1, 200)] == list(range(1, 200))


def test_the_error_of_a_share_is_that_of_the_binomial_distribution() -> None:
    assert _standard_error(0.5, 100) == 0.05
    assert _standard_error(0.9, 9) == pytest.approx(0.1)
    assert _standard_error(1.0, 7) == 0


def test_only_validation_chooses(tmp_path: Path) -> None:
    parts = ["validation"] * 4 + ["test"] * 2
    # the first model is right on validation, the second on test
    one = model(tmp_path / "one.npz", [0.1, 0.2, 0.8, 0.9, 0.9, 0.1], parts)
    other = model(tmp_path / "other.npz", [0.9, 0.9, 0.1, 0.1, 0.1, 0.9], parts)
    found = ensemble(truth("aabbab"), [one, other], step=0.1)
    assert found.tried == 11
    assert found.best.validation.accuracy == 1.0
    assert found.best.test.accuracy == 0.0
    assert [(made.validation.accuracy, made.test.accuracy) for made in found.alone] == [(1.0, 0.0), (0.0, 1.0)]
    assert found.findings == []


def test_of_equals_the_most_even_is_taken(tmp_path: Path) -> None:
    parts = ["validation", "validation", "test"]
    same = [model(tmp_path / f"{name}.npz", [0.1, 0.9, 0.9], parts) for name in "xyz"]
    found = ensemble(truth("abb"), same, step=0.25)
    assert sorted(found.best.weights) == [0.25, 0.25, 0.5]
    assert found.equal.weights == (1 / 3, 1 / 3, 1 / 3)


def test_two_weak_models_help_each_other(tmp_path: Path) -> None:
    parts = ["validation"] * 4 + ["test"] * 4
    one = model(tmp_path / "one.npz", [0.1, 0.6, 0.9, 0.9] * 2, parts)
    other = model(tmp_path / "other.npz", [0.6, 0.1, 0.9, 0.9] * 2, parts)
    found = ensemble(truth("aabbaabb"), [one, other])
    assert [made.validation.accuracy for made in found.alone] == [0.75, 0.75]
    assert found.best.weights == (0.5, 0.5)
    assert found.best.test.uf1 == 1.0


def test_scores_are_probabilities_up_to_rounding(tmp_path: Path) -> None:
    parts = ["validation", "test"]
    one = model(tmp_path / "one.npz", [0.1, 0.9], parts)
    near = model(tmp_path / "near.npz", [0.1, 0.9], parts, scores=np.array([[0.9009, 0.1], [0.0991, 0.9]]))
    assert ensemble(truth("ab"), [one, near]).best.test.accuracy == 1.0
    for row in ([0.89, 0.1], [1.1, -0.1], [np.nan, 1.0]):
        off = model(tmp_path / "off.npz", [0.1, 0.9], parts, scores=np.array([[0.5, 0.5], row]))
        with pytest.raises(MeDatasetsError, match="the scores are not probabilities") as raised:
            ensemble(truth("ab"), [one, off])
        assert raised.value.where == "off.npz, row 1"


def test_the_metric_that_was_asked_for_chooses(tmp_path: Path) -> None:
    """One model is right on the four of the large class, the other on one of them and the one of the small class."""
    parts = ["validation"] * 5 + ["test"]
    one = model(tmp_path / "one.npz", [0.1, 0.1, 0.1, 0.1, 0.45, 0.9], parts)
    other = model(tmp_path / "other.npz", [0.1, 0.1, 0.58, 0.58, 0.9, 0.9], parts)
    for metric, least in (("accuracy", 1.0), ("uf1", 1.0), ("uar", 1.0)):
        found = ensemble(truth("aaaabb"), [one, other], metric=metric)  # type: ignore[arg-type]
        assert getattr(found.best.validation, metric) == least
        assert (found.metric, found.models) == (metric, ("one.npz", "other.npz"))
        assert found.alone[0].weights == (1.0, 0.0)
        assert found.alone[1].weights == (0.0, 1.0)


def test_what_is_left_out_is_said(tmp_path: Path) -> None:
    parts = ["validation", "test", "test"]
    rows = [annotation(i, emotion=label) for i, label in enumerate(["a", "b", None, "b"])]
    one = model(tmp_path / "one.npz", [0.1, 0.9, 0.9], parts, annotation=np.array(["v1:0", "v1:1", "v1:2"]))
    other = model(tmp_path / "other.npz", [0.1, 0.9, 0.9], parts, annotation=np.array(["v1:0", "v1:1", "v1:2"]))
    third = model(tmp_path / "third.npz", [0.1] * 4, ["validation", *["test"] * 3])
    found = ensemble(annotated([manifest(*rows)]), [one, other, third], step=0.5)
    assert [(one.code, one.message) for one in found.findings] == [
        ("ME543", "v1:3 has no prediction in one.npz, other.npz; it is left out"),
        ("ME545", "v1:2 has no emotion; it is not scored"),
    ]
    assert (found.best.validation.total, found.best.test.total) == (1, 1)


def test_progress_is_told_now_and_then(tmp_path: Path) -> None:
    parts = ["validation", "test"]
    three = [model(tmp_path / f"{name}.npz", [0.1, 0.9], parts) for name in "xyz"]
    told: list[tuple[int, int]] = []
    ensemble(truth("ab"), three, step=0.025, progress=lambda done, total: told.append((done, total)))
    assert told == [(done, 861) for done in (0, 256, 512, 768)]


def test_classes_may_stand_in_another_order(tmp_path: Path) -> None:
    parts = ["validation", "test"]
    one = model(tmp_path / "one.npz", [0.1, 0.9], parts)
    turned = model(tmp_path / "two.npz", [0.9, 0.1], parts, classes=np.array(["b", "a"]))
    assert ensemble(truth("ab"), [one, turned]).best.test.accuracy == 1.0


def test_files_that_do_not_fit(tmp_path: Path) -> None:
    parts = ["validation", "test"]
    one = model(tmp_path / "one.npz", [0.1, 0.9], parts)
    bad = {
        "the classes are x, y, those of one.npz a, b": {"classes": np.array(["x", "y"])},
        "the class A is given twice": {
            "classes": np.array(["a", "b", "A"]),
            "scores": np.array([[0.2, 0.3, 0.5], [1, 0, 0]]),
        },
        "part must be validation or test, not 'train'": {"part": np.array(["train", "test"])},
        r"the scores are not probabilities: \[2.0, 3.0\]": {"scores": np.array([[2.0, 3.0], [0, 1]])},
        r"the scores are not probabilities: \[1e\+308, 1e\+308\]": {"scores": np.full((2, 2), 1e308)},
        r"the scores are not probabilities: \[nan, 0\.5\]": {"scores": np.array([[np.nan, 0.5], [0, 1]])},
        "v1:0 is validation in one.npz and test in bad.npz": {"part": np.array(["test", "validation"])},
        "no annotation is predicted by all models in the part 'test'": {"annotation": np.array(["v1:0", "v1:7"])},
    }
    for message, fields in bad.items():
        with pytest.raises(MeDatasetsError, match=message):
            ensemble(truth("ab"), [one, model(tmp_path / "bad.npz", [0.1, 0.9], parts, **fields)])
    with pytest.raises(MeDatasetsError) as caught:
        ensemble(truth("ab"), [one, model(tmp_path / "two.npz", [0.1, 0.9], parts, annotation=["v1:0", "v1:7"])])
    assert caught.value.where == "one.npz, two.npz"
    np.savez(tmp_path / "labels.npz", annotation=np.array(["v1:0", "v1:1"]), label=np.array(["a", "b"]), part=parts)
    with pytest.raises(MeDatasetsError, match="an ensemble needs the scores and the classes of every model"):
        ensemble(truth("ab"), [one, read(tmp_path / "labels.npz")])
    with pytest.raises(MeDatasetsError, match="an ensemble needs at least two models"):
        ensemble(truth("ab"), [one])
    with pytest.raises(MeDatasetsError, match=r"1 is not a multiple of the step 0\.3"):
        ensemble(truth("ab"), [one, one], step=0.3)
    with pytest.raises(MeDatasetsError, match="weightings of 6 models are too many"):
        ensemble(truth("ab"), [one] * 6, step=0.01)


def test_a_model_without_parts_is_named(tmp_path: Path) -> None:
    one = model(tmp_path / "one.npz", [0.1, 0.9], ["validation", "test"])
    fields = {"annotation": np.array(["v1:0", "v1:1"]), "scores": np.eye(2), "classes": np.array(CLASSES)}
    np.savez(tmp_path / "bare.npz", **fields)
    with pytest.raises(MeDatasetsError, match="it is not known whether v1:0 is validation or test") as raised:
        ensemble(truth("ab"), [one, read(tmp_path / "bare.npz")])
    assert raised.value.where == "bare.npz"
    assert "casme2" not in str(raised.value)
