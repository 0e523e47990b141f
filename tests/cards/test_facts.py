"""The numbers of a card are those of the manifest."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from datasets_me.cards.card import Card
from datasets_me.cards.facts import CodeFindings, Published, Share, compute, natural
from datasets_me.cards.readme import to_markdown
from datasets_me.cards.timeline import timeline
from datasets_me.convert.convert import convert
from datasets_me.findings.finding import finding
from datasets_me.formats.manifest import Manifest
from datasets_me.formats.records import Video
from datasets_me.schema.schema_files import Schema
from tests.conftest import CASME2_HEADER, Workbook, casme2_row


def test_counts_lengths_and_labels(two_types: Manifest) -> None:
    facts = compute(two_types)
    assert (facts.annotations, facts.videos, facts.types, facts.fps) == (4, 3, ["micro", "macro"], [30.0])
    assert facts.subjects == [Share("casme_015", 2, 0), Share("casme_016", 0, 1), Share("casme_019", 0, 1)]
    micro, macro = facts.lengths
    assert (micro.rows, micro.known, micro.least, micro.median, micro.mean, micro.greatest) == (2, 2, 9, 12.0, 12.0, 15)
    assert (micro.median_s, micro.within) == (0.4, 2)
    assert (macro.rows, macro.known, macro.mean, macro.within) == (2, 1, 16.0, 0)
    assert facts.missing == {"onset": 0, "apex": 0, "offset": 1}
    assert facts.emotions == [Share("negative", 1, 1), Share("positive", 1, 0)]
    assert facts.unlabelled == 1
    assert facts.aus == [Share("4", 2, 0), Share("12", 1, 1), Share("1", 0, 1)]
    assert (facts.with_aus, facts.unread_aus, facts.corrected) == (4, 1, 0)
    assert Published("annotations", 357, 4) in facts.published
    assert {group.code: group.count for group in facts.found} == two_types.counts()["findings"]
    assert facts.of_severity("error") + facts.of_severity("warning") + facts.of_severity("info") == len(
        two_types.findings
    )
    assert [defect.kind for defect in facts.defects] == ["relocation"] + 4 * ["absence"]


def test_frames_of_several_rates_are_not_averaged(two_types: Manifest) -> None:
    first, *rest = two_types.annotations
    mixed = replace(two_types, annotations=[first.model_copy(update={"fps": 200}), *rest])
    micro, macro = compute(mixed).lengths
    assert (micro.known, micro.least, micro.median, micro.mean, micro.greatest) == (2, None, None, None, None)
    assert micro.mean_s == (15 / 200 + 9 / 30) / 2
    assert (macro.mean, macro.mean_s) == (None, 16 / 30)
    card = Card(mixed, compute(mixed), timeline(mixed), {}, [], "1", None, None)
    assert "| micro | 2 | 2 | – | – | – | – | 0.1875 | 0.1875 | 2 |" in to_markdown(card)


def test_a_unit_that_stands_twice_in_a_row_counts_once(workbook: Workbook, casme2: Schema) -> None:
    made = convert(casme2, workbook([CASME2_HEADER, casme2_row(aus="L4+R4+7")])).manifest()
    assert compute(made).aus == [Share("4", 1, 0), Share("7", 1, 0)]


def test_no_rows(empty: Manifest) -> None:
    facts = compute(empty)
    assert (facts.annotations, facts.subjects, facts.lengths, facts.durations) == (0, [], [], None)
    assert facts.fps == [30.0]


def test_folders(two_types: Manifest) -> None:
    def video(layout: str | None, frames: int, width: int) -> Video:
        return Video(
            **{"dataset": "casme-sq", "subject": None, "video": "v", "fps": 30, "layout": layout, "path": layout},
            **{"frames": frames, "missing": 1, "width": width, "height": 480},
        )

    videos = [video("rawpic", 10, 640), video("rawpic", 20, 640), video("rawpic", 1, 320), video(None, 99, 1)]
    (folders,) = compute(replace(two_types, videos=videos)).folders
    assert (folders.layout, folders.folders, folders.frames, folders.missing) == ("rawpic", 3, 31, 3)
    assert folders.sizes == ["640 × 480", "320 × 480"]
    assert Published("folders in rawpic", 98, 3) in compute(replace(two_types, videos=videos)).published


def test_findings_by_severity_and_a_code_of_another_version(two_types: Manifest) -> None:
    later = finding("ME205", "new").model_copy(update={"code": "ME999"})
    made = replace(two_types, findings=[later, finding("ME203", "w"), finding("ME107", "e"), finding("ME203", "w")])
    found: list[CodeFindings] = compute(made).found
    assert [(group.code, group.severity, group.count) for group in found] == [
        ("ME107", "error", 1),
        ("ME203", "warning", 2),
        ("ME999", "info", 1),
    ]
    assert (found[2].name, found[0].name) == ("", "frames-out-of-order")


def test_natural_order() -> None:
    assert sorted(["s10", "s2", "s02a", "s1", "a", "10", "9"], key=natural) == [
        "9",
        "10",
        "a",
        "s1",
        "s2",
        "s02a",
        "s10",
    ]


@given(st.lists(st.text(max_size=20), max_size=8))
def test_any_names_can_be_ordered(names: list[str]) -> None:
    assert len(sorted(names, key=natural)) == len(names)
