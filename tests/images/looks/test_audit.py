"""The audit: four states, tables that add up, maps, and the command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets_me.core.errors import MeDatasetsError
from datasets_me.formats import image_tables
from datasets_me.formats.image_classes import Classes
from datasets_me.formats.image_entries import Entry
from datasets_me.formats.image_records import AuditRow
from datasets_me.images.importing import import_images
from datasets_me.images.looks.audit import UNLABELLED, audit, check_sums
from datasets_me.schema import image_schemas, predictions
from tests.conftest import Run
from tests.images.conftest import row
from tests.images.made import image_set, write_pictures

SET = image_schemas.load("folder-per-class").spec
LABELS = st.sampled_from(["anger", "happiness", "surprise", None])
WORDS = st.sampled_from(["angry", "happy", "surprise", "contempt", "bliss", None])


def classes(**maps: str) -> Classes:
    return Classes(SET, predictions.load("plain"), maps)


@given(
    st.lists(LABELS, max_size=25),
    st.lists(
        st.tuples(st.integers(0, 30), WORDS, st.dictionaries(WORDS.filter(bool), st.floats(0, 1), max_size=3)),
        max_size=40,
    ),
)
def test_every_image_has_one_state_and_the_tables_add_up(labels, said) -> None:  # type: ignore[no-untyped-def]
    images = [row(f"{i}.png", label=label) for i, label in enumerate(labels)]
    entries = [Entry(f"{i}.png", n, word, scores) for n, (i, word, scores) in enumerate(said)]
    made = audit(images, entries, classes(contempt=""), "p.csv")
    check_sums(made)
    assert [row.id for row in made.rows] == [image.id for image in images]
    by_class = made.by_class()
    for label in {*labels}:
        assert sum(by_class[label or UNLABELLED].values()) == labels.count(label)
    names, columns, counts = made.confusion()
    agree = sum(counts[names.index(name)][columns.index(name)] for name in columns if name in names)
    assert agree == sum(states["agree"] for states in by_class.values())
    assert sum(map(sum, counts)) - agree == sum(states["disagree"] for states in by_class.values())
    sent = {i for i, _, _ in said if i < len(labels)}
    assert sum(states["unsubmitted"] for states in by_class.values()) == len(labels) - len(sent)
    unused = sum(finding.code in ("ME720", "ME722") for finding in made.findings)
    assert unused == len(said) - len(sent)


def test_states_and_words() -> None:
    images = [row(f"{i}.png", label="happiness") for i in range(6)] + [row("6.png")]
    entries = [
        Entry("0.png", 1, "Happy"),
        Entry("1.png", 2, "contempt"),
        Entry("2.png", 3, None),
        Entry("3.png", 4, None, {"happy": 40.0, "joy": 20.0, "sad": 40.0}),
        Entry("4.png", 5, None, {"happy": 0.0}),
        Entry("6.png", 6, "sad"),
        Entry("7.png", 7, "sad"),
    ]
    made = audit(images, entries, classes(), "p.csv")
    assert [(row.state, row.predicted) for row in made.rows] == [
        ("agree", "happiness"),
        ("disagree", "contempt"),
        ("unrecognised", None),
        ("agree", "happiness"),
        ("unrecognised", None),
        ("unsubmitted", None),
        ("disagree", "sadness"),
    ]
    assert made.rows[3].label_score == pytest.approx(0.6)
    assert made.rows[3].margin == pytest.approx(0.2)
    assert [(finding.code, finding.message) for finding in made.findings] == [
        ("ME720", "no image is called '7.png'"),
        ("ME726", "'contempt' was predicted for 1 image, and no image has that label"),
        ("ME726", "'sadness' was predicted for 1 image, and no image has that label"),
    ]


def test_a_class_none_of_the_set_is_recognised(me_datasets: Run, tmp_path: Path) -> None:
    root = write_pictures(tmp_path / "raw", [f"{label}/{i}.png" for label in ("none", "happy") for i in range(2)])
    text = image_schemas.load("folder-per-class").text.replace("labels:", "labels:\n  none: []", 1)
    import_images(image_schemas.parse(text, "schema"), root, tmp_path / "set", workers=0)
    rows = ["image,label", "none/0.png,none", "none/1.png,happy", "happy/0.png,happy", "happy/1.png,no face"]
    (tmp_path / "p.csv").write_text("\n".join(rows) + "\n")
    about = json.loads(me_datasets("images", "audit", "set", "-p", "p.csv", "--json").stdout)
    assert about["classes"] == {
        "happiness": {"agree": 1, "unrecognised": 1},
        "none": {"agree": 1, "disagree": 1},
    }
    assert [(found["code"], found["found"]) for found in about["findings"]] == [("ME738", "none")]
    said = json.loads(
        me_datasets("images", "audit", "set", "-p", "p.csv", "--json", "--force", "--map", "none=").stdout
    )
    assert said["classes"]["none"] == {"unrecognised": 1, "disagree": 1}
    assert said["findings"] == []


def test_maps() -> None:
    entry = Entry("0.png", 1, None, {"contempt": 0.5, "sad": 0.3, "bliss": 0.2})
    images = [row("0.png", label="sadness")]
    assert audit(images, [entry], classes(), "p").rows[0].predicted == "contempt"
    assert audit(images, [entry], classes(contempt="disgust"), "p").rows[0].predicted == "disgust"
    dropped = audit(images, [entry], classes(contempt="", bliss="happy"), "p").rows[0]
    assert (dropped.predicted, dropped.state, dropped.label_score) == ("sadness", "agree", pytest.approx(0.6))
    assert audit(images, [Entry("0.png", 1, "contempt")], classes(contempt=""), "p").rows[0].state == "unrecognised"
    with pytest.raises(MeDatasetsError, match="'disgusst', to which contempt is mapped, is no label of the set"):
        classes(contempt="disgusst")


def test_the_command(me_datasets: Run, tmp_path: Path) -> None:
    made = image_set(tmp_path, [f"{label}/{i}.png" for label in ("happy", "sad") for i in range(4)])
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    rows = ["image,happy,sad"]
    rows += [f"happy/{i}.png,0.9,0.1" for i in range(4)] + [
        f"sad/{i}.png,{0.95 if i == 2 else 0.2},{0.05 if i == 2 else 0.8}" for i in range(3)
    ]
    (tmp_path / "p.csv").write_text("\n".join(rows) + "\n")
    done = me_datasets("images", "audit", "set", "-p", "p.csv", "--json")
    assert done.returncode == 0, done.stderr
    about = json.loads(done.stdout)
    assert about["classes"] == {"happiness": {"agree": 4}, "sadness": {"agree": 2, "disagree": 1, "unsubmitted": 1}}
    assert [finding["code"] for finding in about["findings"]] == ["ME723"]
    wrong_label = next(row for row in image_tables.read_table(made, "audit", AuditRow) if row.likely_error)
    assert (wrong_label.id, wrong_label.suggested, wrong_label.rank) == ("sad/2.png", "happiness", 1)
    assert {path: path.read_bytes() for path in before} == before
    again = me_datasets("images", "audit", "set", "-p", "p.csv")
    assert again.returncode == 2
    assert "the file exists already" in again.stderr
    wrong = me_datasets("images", "audit", "set", "-p", "p.csv", "--force", "--map", "contempt")
    assert wrong.stderr.startswith("error: --map 'contempt' does not map a class")
