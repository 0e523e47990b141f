"""What an export says of the manifest that it was made from."""

from __future__ import annotations

from typing import Any

import pytest

from datasets_me.formats.items import describe
from datasets_me.formats.records import ActionUnit
from tests.export.builders import annotation, manifest


@pytest.mark.parametrize(
    "changed",
    [
        {"onset": 11},
        {"apex": 15},
        {"offset": None},
        {"type": "macro"},
        {"emotion": "positive"},
        {"class_3": "positive"},
        {"aus": [ActionUnit(au=4, side="left")]},
        {"fps": 25.0},
        {"extra": {"notes": "blinks"}},
    ],
)
def test_the_hash_of_the_annotations_is_of_all_they_say(changed: dict[str, Any]) -> None:
    rows = [annotation(1), annotation(2, 40, 44, 50)]
    before = describe(manifest(*rows))["annotations_sha256"]
    assert describe(manifest(*rows))["annotations_sha256"] == before
    assert describe(manifest(rows[0], rows[1].model_copy(update=changed)))["annotations_sha256"] != before
    assert describe(manifest(*reversed(rows)))["annotations_sha256"] != before


def test_what_else_is_recorded() -> None:
    about = describe(manifest(annotation()))
    assert (about["dataset"], about["variant"]) == ("casme-sq", "three-sheets")
    assert about["classes"] == {"class_3": ["negative", "positive", "surprise"], "class_5": []}
    assert about["sources"] == [{"name": "book.xlsx", "sha256": "a" * 64, "bytes": 1}]
