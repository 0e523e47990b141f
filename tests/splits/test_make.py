"""Protocols: nobody is divided, everybody is tested, and the same seed gives the same folds."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets_me.core.errors import ManifestError, SplitError
from datasets_me.formats.manifest import Manifest
from datasets_me.formats.records import Video
from datasets_me.formats.split import Split
from datasets_me.splits.make import COMPOSITE, SplitOptions, make
from tests.splits.conftest import manifest_of, people, row

EMOTIONS = st.sampled_from([None, "disgust", "happiness", "surprise", "fear"])
# A dataset: for each subject the emotions of its expressions.
DATASETS = st.lists(st.lists(EMOTIONS, min_size=1, max_size=6), min_size=4, max_size=12)


def dataset_of(emotions: list[list[str | None]]) -> Manifest:
    rows = [
        row(f"casme2_{n:02}", f"casme2_{n:02}_v{v % 2}", v + 1, emotion=emotion)
        for n, of_subject in enumerate(emotions)
        for v, emotion in enumerate(of_subject)
    ]
    return manifest_of(*rows)


def subjects(split: Split, fold: str, part: str) -> set[tuple[str, str]]:
    return {(row.dataset, row.subject) for row in split.part(fold, part)}  # type: ignore[arg-type]


@given(
    DATASETS,
    st.sampled_from(["loso", "kfold", "holdout"]),
    st.sampled_from(["expression", "video"]),
    st.sampled_from([None, "emotion", "type"]),
    st.sampled_from([0.0, 0.3]),
    st.integers(0, 50),
)
def test_every_split_keeps_people_together(
    emotions: list[list[str | None]], protocol: str, unit: str, stratify: str | None, validation: float, seed: int
) -> None:
    manifest = dataset_of(emotions)
    options = SplitOptions(protocol, unit, folds=2, validation=validation, stratify=stratify, seed=seed)
    try:
        split = make([manifest], options)
    except SplitError as error:
        # Few people of few classes cannot always be stratified; that is said, not done badly.
        assert "not enough subjects" in str(error) or (stratify and "stratif" in str(error))
        return
    everybody = {("casme2", row.subject) for row in manifest.annotations}
    for fold in split.folds:
        train, aside, test = (subjects(split, fold, part) for part in ("train", "validation", "test"))
        assert train | aside | test == everybody
        assert not (train & aside or train & test or aside & test)
        assert train and test and bool(aside) == bool(validation)
    # Each item once per fold, and tested once over all folds, unless one part is held out.
    assert max(Counter((row.fold, row.video, row.annotation) for row in split.rows).values()) == 1
    if protocol != "holdout":
        tested = Counter((row.video, row.annotation) for row in split.rows if row.part == "test")
        assert set(tested.values()) == {1}
        wanted = {(a.video, a.id if unit == "expression" else None) for a in manifest.annotations}
        assert set(tested) == wanted
    assert make([manifest], options) == split
    shuffled = replace(manifest, annotations=manifest.annotations[::-1])
    assert {(r.fold, r.part, r.subject) for r in make([shuffled], options).rows} == {
        (r.fold, r.part, r.subject) for r in split.rows
    }


def test_folds_have_as_many_subjects_as_each_other() -> None:
    split = make([people(11)], SplitOptions("kfold", folds=4))
    assert split.folds == ["1", "2", "3", "4"]
    assert sorted(len(subjects(split, fold, "test")) for fold in split.folds) == [2, 3, 3, 3]
    assert make([people(11)], SplitOptions("kfold", folds=4, seed=1)).rows != split.rows


def test_a_stratified_split_spreads_classes() -> None:
    rows = [row(f"s{n:02}", f"v{n}", emotion="surprise" if n % 4 == 0 else "disgust") for n in range(16)]
    split = make([manifest_of(*rows)], SplitOptions("kfold", "expression", folds=4, stratify="emotion"))
    rare = {f"s{n:02}" for n in range(0, 16, 4)}
    assert [len({r.subject for r in split.part(fold, "test")} & rare) for fold in split.folds] == [1, 1, 1, 1]


def test_a_stratified_validation_part_is_found_for_every_subject_left_out() -> None:
    rows = [
        row(f"s{n:02}", f"v{n}_{k}", emotion=("fear", "disgust")[k % 2]) for n in range(26) for k in range(n % 5 + 1)
    ]
    split = make([manifest_of(*rows)], SplitOptions("loso", "expression", validation=0.2, stratify="emotion"))
    sizes = [len(subjects(split, fold, "validation")) for fold in split.folds]
    assert len(sizes) == 26 and min(sizes) >= 3 and max(sizes) <= 8


def test_a_stratified_validation_part_has_the_classes_of_the_rest() -> None:
    rows = [row(f"s{n:02}", f"v{n}", emotion=("fear", "disgust")[n % 2]) for n in range(16)]
    split = make([manifest_of(*rows)], SplitOptions("loso", "expression", validation=0.5, stratify="emotion"))
    for fold in split.folds:
        aside = Counter(int(r.subject[1:]) % 2 for r in split.part(fold, "validation"))
        assert abs(aside[0] - aside[1]) <= 1, fold


def test_holdout_tests_about_the_part_asked_for() -> None:
    for fraction, expected in ((0.2, 2), (0.5, 5), (0.01, 1), (0.99, 9)):
        split = make([people(10)], SplitOptions("holdout", test=fraction))
        assert len(subjects(split, "holdout", "test")) == expected


def test_cross_dataset_goes_in_every_direction() -> None:
    three = [people(2, dataset=name) for name in ("casme2", "samm", "casme-sq")]
    split = make(three, SplitOptions("cross-dataset"))
    assert len(split.folds) == 6
    assert {d for d, _ in subjects(split, "samm-to-casme2", "train")} == {"samm"}
    assert {d for d, _ in subjects(split, "samm-to-casme2", "test")} == {"casme2"}


PUBLISHED = {
    "smic-hs": (16, {"negative": 70, "positive": 51, "surprise": 43}),
    "casme2": (
        26,
        {"others": 99, "disgust": 63, "happiness": 32, "repression": 27, "surprise": 25, "sadness": 7, "fear": 2},
    ),
    "samm": (
        28,
        {
            "other": 26,
            "anger": 57,
            "contempt": 12,
            "disgust": 9,
            "fear": 8,
            "sadness": 6,
            "happiness": 26,
            "surprise": 15,
        },
    ),
}
"""Subjects and rows by emotion of the three databases, as their workbooks have them; of SAMM those in use."""


def database(name: str) -> Manifest:
    """Rows as many as published; the subjects of CASME II whose rows are all of other classes are the last two."""
    people_there, emotions = PUBLISHED[name]
    used = {"casme2": 24}.get(name, people_there)
    rows = []
    labels = [label for label, count in emotions.items() for _ in range(count)]
    for number, emotion in enumerate(labels):
        subject = number % used + 1 if emotion not in ("others", "other") else people_there - number % 2
        clip = {("casme2", 99): "EP12_01f", ("casme2", 100): "EP09_05f"}.get((name, number), f"c{number}")
        subject = {"EP12_01f": 4, "EP09_05f": 5}.get(clip, subject)
        video = f"{name}_{subject:02}_{number}"
        rows.append(row(f"{name}_{subject:02}", video, number, name, emotion=emotion, expression=clip))
    return manifest_of(*rows, dataset=name)


def test_the_composite_is_the_published_one() -> None:
    manifests = [database(name) for name in COMPOSITE]
    split = make(manifests, SplitOptions("megc2019"))
    tested = [row for row in split.rows if row.part == "test"]
    assert split.unit == "expression"
    assert (len(tested), len({(row.dataset, row.subject) for row in tested})) == (442, 68)
    assert Counter(row.dataset for row in tested) == {"casme2": 145, "samm": 133, "smic-hs": 164}
    assert {found.code for found in split.findings} == {"ME520"}
    left_out = Counter(found.message for found in split.findings)
    assert left_out == {
        "'others' is in none of its classes": 99,
        "'other' is in none of its classes": 26,
        "'sadness' is in none of its classes": 7,
        "'fear' is in none of its classes": 2,
        "its apex is not annotated": 1,
        "its apex lies on an end of the expression": 1,
    }


def test_a_composite_of_other_counts_says_so() -> None:
    manifests = [database(name) for name in COMPOSITE]
    manifests[1] = manifest_of(*manifests[1].annotations[:-1])
    differ = [found for found in make(manifests, SplitOptions("megc2019")).findings if found.code == "ME521"]
    assert [found.message for found in differ] == []  # the last is one of those that are left out anyway
    manifests[1] = manifest_of(*(row for row in manifests[1].annotations if row.emotion != "surprise"))
    (differs,) = [found for found in make(manifests, SplitOptions("megc2019")).findings if found.code == "ME521"]
    assert differs.message == "casme2 has 120 samples of 24 subjects; published are 145 samples of 24 subjects"


def test_another_composite_is_pointed_at() -> None:
    split = make([people(3, emotion="disgust")], SplitOptions("megc2019"))
    assert [f.code for f in split.findings] == ["ME521", "ME521"]
    assert split.findings[0].found == "casme2"
    assert split.findings[1].found == "6 samples of 3 subjects"


def test_a_dataset_without_a_published_composite_goes_by_its_classes() -> None:
    rows = [
        row("casme3-a_01", "v1", 1, "casme3-a", emotion="sad"),
        row("casme3-a_02", "v2", 2, "casme3-a", class_3="negative"),
    ]
    split = make([manifest_of(*rows, dataset="casme3-a"), people(2, emotion="disgust")], SplitOptions("megc2019"))
    assert [f.message for f in split.findings if f.code == "ME520"] == ["'sad' is in none of the three classes"]


def test_only_what_a_published_list_names(tmp_path: Path) -> None:
    manifests = [
        manifest_of(*(row(f"casme2_{n:02}", f"v{n}", n, expression=f"EP0{n}_01f") for n in (1, 2, 3))),
        manifest_of(row("smic_03", "v", 1, "smic-hs", expression="s3_ne_01"), dataset="smic-hs"),
    ]
    path = tmp_path / "list.csv"
    path.write_text(
        "CASME2,sub01,EP01_01f,1\ncasme2,sub1,ep3_01f,0\ncasme2,sub02,EP02_01f,2\nsmic,s03,s03_ne_01,0\nsamm,006,006_1_2,1\n"
        ",,,\n\ncasme2,sub02\n"
    )
    split = make(manifests, SplitOptions("loso", only=path))
    assert split.unit == "expression"
    assert {row.annotation for row in split.rows} == {"v1:1", "v2:2", "v:1"}
    assert [(found.code, found.where, found.message) for found in split.findings] == [
        ("ME535", "list.csv, row 2", "casme2, sub1, ep3_01f: no expression of its manifest has this name"),
        ("ME535", "list.csv, row 5", "samm, 006, 006_1_2: none of the manifests is of this dataset"),
        ("ME535", "list.csv, row 8", "casme2, sub02: no expression of its manifest has this name"),
    ]
    assert split.options["only"]["name"] == "list.csv"
    path.write_text("dataset,subject,clip\ncasme2,9,EP01_01f\n")
    with pytest.raises(SplitError, match="none of its 2 lines names an expression of the manifests"):
        make(manifests, SplitOptions("loso", only=path))
    with pytest.raises(SplitError, match="a list names expressions, not whole videos"):
        make(manifests, SplitOptions("loso", "video", only=path))
    with pytest.raises(SplitError, match="the list cannot be read: No such file or directory"):
        make(manifests, SplitOptions("loso", only=tmp_path / "gone.csv"))


def test_names_that_two_datasets_share() -> None:
    first, second = people(2, dataset="samm"), people(2, dataset="samm-lv")
    renamed = replace(second, annotations=[a.model_copy(update={"subject": "samm_01"}) for a in second.annotations])
    split = make([first, renamed], SplitOptions("loso"))
    assert split.folds == ["samm-samm_01", "samm_02", "samm-lv-samm_01"]
    assert [(finding.code, finding.message) for finding in split.findings] == [
        (
            "ME532",
            "samm_01 is a subject of samm and of samm-lv, in different parts of fold samm-samm_01 (and of 1 more fold)",
        )
    ]


def test_videos_without_expressions_are_dealt_out_as_well(five: Manifest) -> None:
    shown = [
        Video(dataset="casme2", subject="casme2_01", video="casme2_01_quiet", path="a", fps=200),
        Video(dataset="casme2", subject="casme2_09", video="casme2_09_quiet", path="b", fps=200),
        Video(dataset="casme2", subject=None, video="whose", path="c", fps=200),
    ]
    split = make([replace(five, videos=shown)], SplitOptions("loso"))
    assert [row.video for row in split.part("casme2_09", "test")] == ["casme2_09_quiet"]
    assert "casme2_01_quiet" in {row.video for row in split.part("casme2_01", "test")}
    assert [(f.code, f.video, f.path) for f in split.findings] == [("ME520", "whose", "c")]


@pytest.mark.parametrize(
    ("manifests", "options", "message"),
    [
        (
            [people(1)],
            SplitOptions("loso"),
            "not enough subjects to leave one subject out: there is 1, and 2 are needed",
        ),
        ([people(3)], SplitOptions("kfold"), "not enough subjects to make 5 folds: there are 3, and 5 are needed"),
        ([people(3)], SplitOptions("kfold", folds=1), "a split needs at least two folds, not 1"),
        ([people(3)], SplitOptions("holdout", test=1.5), "--test 1.5 is not a fraction of the subjects"),
        ([people(3)], SplitOptions("loso", validation=-1), "--validation -1 is not a fraction of the subjects"),
        (
            [people(2)],
            SplitOptions("loso", validation=0.5),
            "not enough subjects to set some of the training part of fold",
        ),
        ([people(2)], SplitOptions("cross-dataset"), "cross-dataset needs at least two datasets"),
        ([people(2)], SplitOptions("megc2019", "video"), "MEGC 2019 is defined on expressions, not whole videos"),
        ([people(2)], SplitOptions("megc2019"), "there is nothing to split"),
        ([manifest_of()], SplitOptions("loso"), "there is nothing to split"),
        ([people(3)], SplitOptions("leave-one-out"), "there is no protocol 'leave-one-out'"),
    ],
)
def test_what_cannot_be_split(manifests: list[Manifest], options: SplitOptions, message: str) -> None:
    with pytest.raises(SplitError, match=message):
        make(manifests, options)


def test_a_dataset_is_split_once() -> None:
    with pytest.raises(ManifestError, match=r"^casme2 is given twice\n"):
        make([people(2), people(2)], SplitOptions("loso"))
