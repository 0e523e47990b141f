"""Plots: the same bytes, any text, what is left out and why."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from PIL import Image

from datasets_me.cards.facts import compute
from datasets_me.cards.plot_style import drawable, own_style
from datasets_me.cards.plots import draw
from datasets_me.cards.timeline import timeline
from datasets_me.formats.manifest import Manifest


def drawn(manifest: Manifest) -> dict[str, bytes | str]:
    return draw(compute(manifest), timeline(manifest), manifest.spec.title)


def size(plot: bytes | str) -> tuple[int, int]:
    assert isinstance(plot, bytes)
    with Image.open(io.BytesIO(plot)) as image:
        image.load()
        assert image.format == "PNG"
        assert "Software" not in image.info
        return image.size


def test_the_same_manifest_gives_the_same_pictures(two_types: Manifest, monkeypatch: pytest.MonkeyPatch) -> None:
    first = drawn(two_types)
    import matplotlib

    monkeypatch.setitem(matplotlib.rcParams, "font.size", 31.0)  # a setting of the user's
    assert drawn(two_types) == first
    assert list(first) == ["durations", "subjects", "emotions", "action_units", "timeline"]
    for plot in first.values():
        assert min(size(plot)) > 150


def test_hostile_text_is_drawn_without_a_warning(hostile: Manifest) -> None:
    for plot in drawn(hostile).values():
        assert max(size(plot)) < 2500


def test_what_the_font_lacks_is_a_box() -> None:
    with own_style():
        assert drawable("微 a\n²🦊") == "□ a ²□"
        assert drawable("\u202eright") == "□right"
        assert drawable("x" * 40, 10) == "xxxxxxxxx…"


def test_what_cannot_be_plotted_is_said(two_types: Manifest, empty: Manifest) -> None:
    bare = [
        row.model_copy(update={"emotion": None, "aus": [], "apex": None, "offset": None})
        for row in two_types.annotations
    ]
    plots = drawn(replace(two_types, annotations=bare))
    assert {name: plot for name, plot in plots.items() if isinstance(plot, str)} == {
        "durations": "no annotation has both an onset and an offset",
        "emotions": "no annotation has an emotion that the schema knows",
        "action_units": "no annotation has action units that could be read",
    }
    assert all(isinstance(plot, str) for plot in drawn(empty).values())


@pytest.mark.parametrize(("videos", "tallest"), [(1, 300), (255, 2200), (2000, 4000)])
def test_the_timeline_has_a_size_one_can_look_at(two_types: Manifest, videos: int, tallest: int) -> None:
    rows = [
        two_types.annotations[0].model_copy(update={"video": f"v{number}", "subject": f"s{number // 11}"})
        for number in range(videos)
    ]
    many = replace(two_types, annotations=rows, videos=[])
    plot = draw(replace(compute(many), durations=None, subjects=[], emotions=[], aus=[]), timeline(many), "x")
    width, height = size(plot["timeline"])
    assert 1000 <= width <= 2000
    assert height <= tallest
