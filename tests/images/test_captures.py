"""What a set of captures lacks."""

from __future__ import annotations

from pathlib import Path

import pytest

from datasets_me.core.errors import ImagesError
from datasets_me.images.captures import completeness
from tests.conftest import Run
from tests.images.made import image_set

NAMES = [
    *(
        f"s01_{label}_{light}_front_{number}.png"
        for number in (1, 2)
        for label in ("happy", "fear")
        for light in ("dim", "day")
    ),
    "s02_happy_dim_front_1.png",
    "s02_fear_day_front_1.png",
]


def test_every_subject_is_held_against_all_combinations(tmp_path: Path) -> None:
    found = completeness(image_set(tmp_path, NAMES, "captures"))
    assert found.by == ("label", "light", "view")
    assert found.wanted == [(label, light, "front") for label in ("fear", "happiness") for light in ("day", "dim")]
    assert {name: counts.total() for name, counts in found.counts.items()} == {"s01": 8, "s02": 2}
    assert [(each.code, each.message) for each in found.findings] == [
        ("ME746", "s02 lacks fear (dim, front), happiness (day, front)")
    ]
    assert completeness(image_set(tmp_path / "by", NAMES, "captures"), ["label"]).findings == []


def test_a_set_without_subjects(tmp_path: Path) -> None:
    with pytest.raises(ImagesError, match=r"^no image names its subject"):
        completeness(image_set(tmp_path, ["happy/1.png"]))


def test_the_command(me_datasets: Run, tmp_path: Path) -> None:
    image_set(tmp_path, NAMES, "captures")
    done = me_datasets("images", "plan", "set")
    assert (done.returncode, done.stderr) == (0, "")
    assert "s02 lacks fear (dim, front), happiness (day, front)" in done.stdout
