"""Videos by the names of the manifest, of the workbook and of folders."""

from __future__ import annotations

import pytest

from datasets_me.formats.records import Annotation, Video
from datasets_me.scores.video_names import VideoNames
from tests.scores.conftest import annotation, manifest

# Participant 1 is subject 15, and participant 15 subject 32: "15" means either.
ROWS = [
    annotation(
        number,
        id=f"{video}:1",
        dataset="casme-sq",
        subject=f"casme_{folder:03}",
        video=video,
        extra={"participant": str(participant), "clip": "anger1_1"},
    )
    for number, (participant, folder, video) in enumerate([(1, 15, "casme_015_0401"), (15, 32, "casme_032_0401")])
]
BARE = Video(
    dataset="samm-lv", subject="samm_006", video="samm_006_1", path="SAMM_longvideos/006_1", fps=200.0, frames=3
)
VIDEOS: list[Annotation | Video] = [*ROWS, BARE]
NAMES = VideoNames([manifest(*ROWS, dataset="casme-sq"), manifest(dataset="samm-lv", videos=[BARE])], VIDEOS)


@pytest.mark.parametrize(
    ("keys", "found"),
    [
        ({"video": "casme_015_0401"}, [0]),
        ({"subject": "casme_015", "video": "casme_032_0401"}, []),
        ({"subject": "15", "video": "anger1"}, [1]),  # as the workbook counts people
        ({"subject": "1", "video": "Anger1"}, [0]),
        ({"video": "anger1"}, [0, 1]),
        ({"subject": "2", "video": "anger1"}, []),
        ({"video": "15_0401girlcrashing"}, [0]),
        ({"subject": "15", "video": "15_0401girlcrashing"}, [0]),
        ({"video": "006_1"}, [2]),
        ({"subject": "6", "video": "006_1"}, [2]),
        ({"subject": "7", "video": "006_1"}, []),
        ({"dataset": "SAMM-LV", "video": "006_1"}, [2]),
        ({"dataset": "casme-sq", "video": "006_1"}, []),
        ({"video": "0061"}, []),
    ],
)
def test_a_video_has_several_names(keys: dict[str, str], found: list[int]) -> None:
    assert NAMES.find(keys) == found
