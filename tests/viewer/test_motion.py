"""Curves at any width hold the extremes of what they stand for."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets_me.viewer import motion
from datasets_me.viewer.dataset import Dataset
from datasets_me.viewer.motion import Motion
from datasets_me.viewer.session import Session
from datasets_me.viewer.web import RefusedError
from tests.viewer.conftest import HTML, World, entry


def of(feature: np.ndarray) -> Motion:
    names = tuple(map(str, range(feature.shape[1])))
    return Motion(motion.pyramid(feature), Fraction(1), 0, names, None, None, None, None)


@settings(max_examples=30)
@given(st.integers(1, 6000), st.data())
def test_each_bin_is_the_range_of_its_features(count: int, data: st.DataObject) -> None:
    feature = np.random.default_rng(count).normal(size=(count, 2, 2)).astype(np.float32)
    feature[:: max(2, count // 7)] = np.nan
    first = data.draw(st.integers(0, count - 1))
    last = data.draw(st.integers(first, count - 1))
    bins = data.draw(st.integers(1, 2000))
    about, values = of(feature).curves(first, last, bins)
    assert len(values) == about["bins"]
    assert about["first"] <= first
    assert about["first"] + about["per"] * about["bins"] > last
    assert about["per"] == 1 or about["bins"] >= min(bins, (last - first + 1) // about["per"])
    for index in range(0, about["bins"], 37):
        part = feature[about["first"] + index * about["per"] :][: about["per"]]
        known = np.isfinite(part).any(axis=0)
        assert np.isnan(values[index][~known]).all()
        assert np.array_equal(values[index][known][:, 0], np.nanmin(np.where(known, part, 0), axis=0)[known])
        assert np.array_equal(values[index][known][:, 1], np.nanmax(np.where(known, part, 0), axis=0)[known])


def test_the_scale_is_that_of_the_motion_that_is_believed() -> None:
    feature = np.zeros((6, 2, 2), np.float32)
    feature[1, 0, 0], feature[2, 1, 1], feature[3, 0], feature[5, 0, 0] = -0.5, 30, np.nan, 7
    valid = np.ones((6, 2), bool)
    valid[2, 1] = False

    def limit(first: int, last: int) -> float:
        return replace(of(feature), valid=valid).curves(first, last, 100)[0]["limit"]

    assert (limit(0, 4), limit(0, 9), limit(4, 4)) == (0.5, 7, 0)
    valid[:] = False
    assert limit(0, 4) == of(feature).curves(0, 4, 100)[0]["limit"] == 30
    assert of(np.full((2, 1, 2), np.nan, np.float32)).curves(0, 1, 9)[0]["limit"] == 0


def test_12_000_frames_are_few_numbers() -> None:
    about, values = of(np.zeros((12_000, 12, 2), np.float32)).curves(0, 11_999, 1000)
    assert about["bins"] <= 4000
    assert values.nbytes < 1 << 20


def test_the_flow_is_that_of_the_features(session: Session, world: World) -> None:
    assert session.flow_method == "lk"
    assert Session(Dataset(world.manifest, world.root), world.decisions).flow_method == "dis"


def test_arrows_and_doubts_of_frames(session: Session) -> None:
    shown = session.motion(entry(session, "casme_015_0101").number)
    before, peak = shown.overlay(9, 10)
    assert before is not None
    assert peak is not None
    assert peak["vectors"] == [[0.0, 1.0]] * 12
    assert before["vectors"] == [[0.0, 0.0]] * 12
    assert len(peak["points"]) == 68
    assert peak["centres"][7] == peak["points"][30]
    assert shown.doubtful() == {"missing": [], "no_face": [[20, 23]], "clipped": [], "invalid": [[20, 23]]}
    assert shown.overlay(-1, 500)[-1] is None
    with pytest.raises(RefusedError, match="there are no features of this video"):
        session.motion(entry(session, HTML).number)


def test_features_at_another_rate_lie_on_the_frames_of_the_video() -> None:
    quality = np.array([0, 1, 1, 0], np.uint8)
    shown = Motion([(np.zeros((3, 1, 2), np.float32),) * 2], Fraction(8), 2, ("a",), None, quality, None, None)
    assert shown.doubtful()["missing"] == [[24, 39]]
