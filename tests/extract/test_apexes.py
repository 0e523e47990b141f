"""Apexes for annotations without one, and reading them again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from datasets_me.core.errors import FeaturesError, MeDatasetsError
from datasets_me.extract.apexes import estimate
from datasets_me.formats import apexes
from datasets_me.formats import manifest as manifests
from tests.conftest import Run
from tests.export.builders import annotation, extraction, manifest


def feature(apex: int, frames: int = 60) -> np.ndarray:
    """Motion of a face that is furthest from where it was at frame 10 in the frame ``apex``, and back at 30."""
    place = np.interp(np.arange(frames + 1), [10, apex, 30], [0, 3, 0])
    out = np.zeros((frames, 12, 2), np.float32)
    out[:, 3, 0] = np.diff(place)
    return out


def test_only_rows_without_an_apex_are_estimated(tmp_path: Path) -> None:
    rows = [annotation(1, 10, None, 30), annotation(2, 10, 12, 30), annotation(3, None, None, 30), annotation(4, 10)]
    features = extraction(tmp_path / "f", feature(17))
    (found,) = estimate(manifest(*rows), features)
    assert (found.annotation, found.onset, found.offset) == (rows[0].id, 10, 30)
    assert abs(found.apex - 17) <= 1
    assert found.confidence > 0.9


def test_the_apex_is_at_the_rate_of_the_annotation(tmp_path: Path) -> None:
    row = annotation(1, 5, None, 15, fps=15.0)
    (found,) = estimate(manifest(row), extraction(tmp_path / "f", feature(18), fps=30.0, start=0))
    assert found.apex == pytest.approx(9, abs=1)
    (later,) = estimate(manifest(row), extraction(tmp_path / "g", feature(18)[4:], fps=30.0, start=4))
    assert later.apex == found.apex


def test_features_that_do_not_fit(tmp_path: Path) -> None:
    row = annotation(1, 10, None, 30)
    assert list(estimate(manifest(row), extraction(tmp_path / "f", feature(17), start=20))) == []
    with pytest.raises(FeaturesError, match="motion over 2 frames cannot be added up from frame to frame"):
        list(estimate(manifest(row), extraction(tmp_path / "g", feature(17), step=2)))


def test_a_table_is_written_and_read(me_datasets: Run, tmp_path: Path) -> None:
    rows = manifest(annotation(1, 10, None, 30), annotation(2, 10, 12, 30))
    manifests.write(rows, tmp_path / "manifest")
    extraction(tmp_path / "f", feature(17))
    (tmp_path / "f" / "extraction.json").write_text(
        '{"kind": "extraction", "format": 1, "tool": {"name": "me-datasets", "version": "0"}}'
    )
    done = me_datasets("apex", "manifest", "f", "-o", "apexes.csv")
    assert (done.returncode, done.stdout) == (0, "apexes of 1 of 1 expression without one written to apexes.csv\n")
    (found,) = apexes.read(tmp_path / "apexes.csv").items()
    assert found[0] == rows.annotations[0].id
    assert abs(found[1] - 17) <= 1
    (tmp_path / "other.csv").write_text("video,apex\na,3\n")
    for name, reason in (("other.csv", "there is no column 'annotation'"), ("gone.csv", "No such file or directory")):
        with pytest.raises(MeDatasetsError, match=f"the table of apexes cannot be read: {reason}"):
            apexes.read(tmp_path / name)
