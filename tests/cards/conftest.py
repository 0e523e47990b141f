"""Manifests to make cards of: one of two types with doubts, one of names that are up to no good, one with no rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from datasets_me.cards.card import Card, make
from datasets_me.convert.convert import convert
from datasets_me.core.errors import Place
from datasets_me.findings.finding import finding
from datasets_me.formats import manifest as manifests
from datasets_me.formats.manifest import Manifest
from datasets_me.formats.records import ActionUnit, Annotation, Video
from datasets_me.schema import schema_files

HOSTILE = [
    "<script>alert(1)</script>",
    "a|b`c*d_e_",
    "$x^2$",
    "微表情",
    "🦊 smile",
    "\u202eright",
    "x" * 300,
    "line\nbreak",
]


ROWS = """\
1,anger1_1,1,8,15,4,negative,micro-expression,anger
1,anger1_2,31,36,39,4+12,positive,micro-expression,anger
2,anger1_1,61,70,76,L1+glare,negative,macro-expression,anger
3,anger1_1,91,99,0,12,surprised?,macro-expression,anger
"""


@pytest.fixture(scope="session")
def two_types(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    """Three people; lengths 15 and 9 (micro), 16 and none (macro); a label and an action unit that are not known."""
    path = tmp_path_factory.mktemp("workbook") / "book.csv"
    path.write_text(ROWS)
    return convert(schema_files.load("casme-sq"), path).manifest()


@pytest.fixture(scope="session")
def hostile() -> Manifest:
    """Names, labels and messages that would break out of HTML, Markdown, YAML, mathematics or a font."""
    schema = schema_files.load("dfme")
    text = schema.text.replace("id: dfme", "id: own").replace("title: DFME", "title: 'Own <b>&</b> $x$ 微: \"---\" #1'")
    text = text.replace("page: https://mea-lab-421.github.io", "page: 'javascript:alert(1)'")
    rows = [
        Annotation(
            id=f"{name}:1",
            dataset="own",
            subject=name,
            video=f"{name}_video",
            type="micro" if index % 2 else "macro",
            onset=index,
            apex=index + 2,
            offset=index + 9,
            fps=200 + index,
            emotion=name,
            emotion_raw=name,
            au_raw=name,
            aus=[ActionUnit(au=index, side="left", intensity="B/C", uncertain=True, reflex=True)],
            source_file=name,
            source_row=index,
        )
        for index, name in enumerate(HOSTILE)
    ]
    videos = [Video(dataset="own", subject=None, video=name, fps=200) for name in HOSTILE]
    doubts = [finding("ME203", name, place=Place(name, name, 1, "A"), path=name) for name in HOSTILE]
    return Manifest(
        schema=schema_files.parse(text, "own.yaml"),
        annotations=rows,
        videos=videos,
        findings=doubts,
        variant="<i>train",
        sources=[{"name": HOSTILE[0], "sha256": "0" * 64, "bytes": 1}],
        options={"corrections": False},
    )


@pytest.fixture(scope="session")
def empty(two_types: Manifest) -> Manifest:
    return replace(two_types, annotations=[], videos=[], findings=[])


@dataclass(frozen=True)
class Made:
    """A card and the folder of its manifest."""

    card: Card
    folder: Path


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory, two_types: Manifest, hostile: Manifest, empty: Manifest) -> Any:
    """The cards of the three manifests by their names."""
    folder = tmp_path_factory.mktemp("manifests")
    manifests_by_name = {"two_types": two_types, "hostile": hostile, "empty": empty}
    return {
        name: Made(make(written(manifest, folder / name)), folder / name)
        for name, manifest in manifests_by_name.items()
    }


def written(manifest: Manifest, folder: Path) -> Path:
    """The manifest in a folder."""
    manifests.write(manifest, folder)
    return folder
