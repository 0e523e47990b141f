"""The README of a card: the Hub's own library reads it, its numbers are the manifest's, no text breaks out of it."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import DatasetCard, DatasetCardData
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from datasets_me.cards import card as cards
from datasets_me.cards.readme import code, escape, front_matter, to_markdown, web_address
from datasets_me.formats.manifest import Manifest
from datasets_me.schema import schema_files
from tests.cards.conftest import HOSTILE

TAGS = "h1 h2 p em strong code table thead tbody tr th td ul li img"


def loaded(card: cards.Card, folder: Path) -> DatasetCard:
    (folder / "README.md").write_text(to_markdown(card), encoding="utf-8")
    return DatasetCard.load(folder / "README.md")


def test_the_hub_reads_the_front_matter(made: Any, tmp_path: Path) -> None:
    card = loaded(made["two_types"].card, tmp_path)
    assert isinstance(card.data, DatasetCardData)
    assert card.data.to_dict() == front_matter(made["two_types"].card)
    assert card.data.pretty_name == "CAS(ME)²"
    assert (card.data.license, card.data.license_name) == ("other", "casme-sq-licence")
    assert card.data.size_categories == ["n<1K"]
    assert card.data.task_categories == ["video-classification"]


def test_the_numbers_are_the_manifests(made: Any, two_types: Manifest, tmp_path: Path) -> None:
    card = loaded(made["two_types"].card, tmp_path)
    lines = card.text.splitlines()
    assert "| annotated expressions | 4 |" in lines
    assert "| without offset | 1 |" in lines
    assert "| annotations | 357 | **4** |" in lines
    assert "| micro | 2 | 2 | 9 | 12 | 12 | 15 | 0.4 | 0.4 | 2 |" in lines
    assert "| negative | 1 | 1 | 2 |" in lines
    assert "| 12 | 1 | 1 | 2 |" in lines
    assert "![Expressions per subject.](plots/subjects.png)" in lines
    counts = two_types.counts()["findings"]
    for group in made["two_types"].card.facts.found:
        assert f"| {group.code} | {group.severity} | {counts[group.code]} | {group.name} | " in card.text
    assert two_types.sources[0]["sha256"] in card.text
    assert two_types.schema.sha256 in card.text
    assert "s19/23\\_0502funnyerrors" not in card.text
    assert "s19/23_0502funnyerrors of rawpic belongs at s23/23_0502funnyerrors" in card.text


def test_the_prose_is_that_of_the_dataset_and_of_no_other(casme_sq: Any) -> None:
    prose = cards.prose(casme_sq)
    assert prose is not None
    assert prose.startswith("CAS(ME)² holds 357 expressions")
    renamed = schema_files.parse(casme_sq.text.replace("title: CAS(ME)²", "title: mine"), "mine.yaml")
    assert cards.prose(renamed) is None


@pytest.mark.parametrize("schema", schema_files.shipped(), ids=lambda schema: schema.spec.id)
def test_every_dataset_has_prose(schema: schema_files.Schema) -> None:
    prose = cards.prose(schema)
    assert prose is not None
    assert max(map(len, prose.splitlines())) <= 120


def test_hostile_text_stays_text(made: Any, tmp_path: Path) -> None:
    card = loaded(made["hostile"].card, tmp_path)
    assert card.data.pretty_name == 'Own <b>&</b> $x$ 微: "---" #1'
    assert "license_link" not in card.data.to_dict()
    page = MarkdownIt("commonmark").enable("table").render(card.text)  # with HTML let through
    tags = set(re.findall(r"<([a-z0-9]+)", page))
    assert tags <= set(TAGS.split())
    assert "javascript:" not in re.sub(r">[^<]*<", "><", page)
    for name in HOSTILE:
        line = html.escape(" ".join(name.split()), quote=False)
        assert f"<td>{line}</td>\n" in page  # as an emotion
        assert f"<code>{line}, sheet '{line}', cell A1; {line}</code>: {line}</li>" in page  # as a finding


def test_no_rows(made: Any, tmp_path: Path) -> None:
    card = loaded(made["empty"].card, tmp_path)
    assert "| annotated expressions | 0 |" in card.text
    assert "*No plot of timeline: the manifest has no videos.*" in card.text
    assert "Nothing was found." in card.text


def test_a_damaged_title_cannot_break_the_front_matter(made: Any, two_types: Manifest, tmp_path: Path) -> None:
    text = two_types.schema.text.replace("title: CAS(ME)²", 'title: "a\\n---\\nlicense: mit"')
    manifest = replace(two_types, schema=schema_files.parse(text, "x.yaml"))
    card = loaded(replace(made["two_types"].card, manifest=manifest), tmp_path)
    assert card.data.pretty_name == "a --- license: mit"
    assert card.data.license == "other"


@pytest.mark.parametrize(
    ("text", "linked"),
    [
        ("http://casme.psych.ac.cn/casme/e3", True),
        ("https://mea-lab-421.github.io", True),
        ("javascript:alert(1)", False),
        ("https://x.y/a b", False),
        ("https://x.y/>", False),
        ("ask Professor Fu", False),
    ],
)
def test_only_addresses_are_linked(text: str, linked: bool) -> None:
    assert (web_address(text) == text) is linked


@given(st.one_of(st.text(), st.sampled_from(HOSTILE)))
def test_escaped_text_is_one_line_that_comes_back(text: str) -> None:
    escaped = escape(text)
    assert len(escaped.splitlines()) <= 1
    assert re.sub(r"\\([\\`*\[\]<>|~&#$_])", r"\1", escaped) == " ".join(text.split())


@given(st.text(alphabet="`a |\\", min_size=1))
def test_a_fence_is_longer_than_what_it_holds(text: str) -> None:
    made = code(text)
    line = " ".join(text.split())
    if line:
        fence = made[: len(made) - len(made.lstrip("`"))]
        assert fence not in line
        assert made.startswith(fence) and made.endswith(fence)
        assert made[len(fence) : -len(fence)].strip() == line
