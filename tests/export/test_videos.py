"""Arrays beside the manifest they are of."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from datasets_me.export.options import SegmentOptions
from datasets_me.export.segments import write_segments
from datasets_me.formats.records import Video
from tests.export.builders import annotation, arrays, manifest, noise

FILMED = Video(dataset="casme-sq", subject="casme_015", video="casme_015_0401", path="p", frames=300, fps=30)


@pytest.mark.parametrize(
    ("count", "fps", "said"),
    [
        (299, None, []),
        (285, None, []),
        (250, 25.0, []),
        (
            250,
            None,
            [("ME515", "250 features taken to be at 30 frames a second; the video has 300 frames at that rate")],
        ),
        (
            2399,
            25.0,
            [("ME515", "2,399 features taken to be at 25 frames a second; the video has 250 frames at that rate")],
        ),
    ],
)
def test_an_array_that_is_not_as_long_as_its_video(
    count: int, fps: float | None, said: list[tuple[str, str]], tmp_path: Path
) -> None:
    made = replace(manifest(annotation()), videos=[FILMED])
    features = arrays(tmp_path / "f", made, {"casme_015_0401": noise(count)})
    exported = write_segments(made, features, tmp_path / "out", SegmentOptions(features_fps=fps))
    assert [(finding.code, finding.message) for finding in exported.findings] == said
