"""Lengths of expressions: the known truth, and what is not counted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets_me.convert.convert import convert_any
from datasets_me.core.errors import MeDatasetsError
from datasets_me.export.statistics import auwgcn_section
from datasets_me.export.statistics.lengths import by_group, lengths
from datasets_me.export.statistics.report import statistics
from datasets_me.formats import manifest as manifests
from datasets_me.formats.frame_files import measurable
from datasets_me.formats.records import Video
from tests.conftest import Run
from tests.export.statistics.conftest import Rows, expression


def test_casme_sq_is_as_long_as_is_known(reference: Path) -> None:
    rows = convert_any(reference / "cas(me)_new.csv").manifest().annotations
    types = by_group(rows)["types"]
    micro, macro = (types[kind]["all"]["length"] for kind in ("micro", "macro"))
    assert (micro["count"], micro["min"], micro["max"]) == (57, 9, 17)
    assert micro["mean"] == pytest.approx(13.578947, abs=1e-6)
    assert (macro["count"], macro["min"], macro["max"], macro["mean"]) == (256, 4, 118, 40.10546875)
    assert types["macro"]["all"]["rows"] == 300
    assert types["macro"]["all"]["out_of_order"] == 3
    assert sum(entry["rows"] for entry in types["macro"]["subjects"].values()) == 300


def test_frames_that_are_missing_or_contradict_each_other() -> None:
    made = lengths(
        [
            expression("s", "v", 10, 14, 20),
            expression("s", "v", 30, None, 40),
            expression("s", "v", 50, 55, None),
            expression("s", "v", 60, 72, 70),
            expression("s", "v", 90, 85, 80),
        ]
    )
    assert (made.rows, made.out_of_order) == (5, 2)
    assert (made.length.count, made.length.mean) == (3, 11)
    assert (made.left.count, made.left.mean, made.right.mean) == (1, 4, 6)


def test_at_another_frame_rate_ends_move_and_then_lengths_are_taken() -> None:
    row = expression("s", "v", 7, 8, 24, fps=200)
    assert lengths([row], 25).length.mean == 4  # frames 0 and 3
    assert lengths([row], 25).left.mean == 1
    assert lengths([row]).length.mean == 18


@given(st.lists(st.tuples(st.integers(0, 500), st.integers(0, 90)), min_size=1, max_size=30))
def test_spreads_hold_what_they_say(pairs: list[tuple[int, int]]) -> None:
    rows = [expression("s", "v", onset, onset, onset + more) for onset, more in pairs]
    spread = lengths(rows).length
    values = sorted(more + 1 for _, more in pairs)
    assert (spread.count, spread.min, spread.max) == (len(pairs), values[0], values[-1])
    assert spread.mean == pytest.approx(sum(values) / len(values))
    assert list(spread.quantiles) == sorted(spread.quantiles)


def test_no_rows_at_all() -> None:
    assert lengths([]).length.mean is None
    assert by_group([]) == {"types": {}}


def test_the_section_follows_the_published_rule_for_samm(reference: Path) -> None:
    made = auwgcn_section.section(convert_any(reference / "samm_new_25.csv").manifest(), distances="mean")
    subjects = made.pop("subject_list")
    assert len(subjects) == 30
    published = {
        "micro_average_len": 9,
        "macro_average_len": 54,
        "macro_max": 646,
        "macro_min": 12,
        "micro_max": 13,
        "micro_min": 4,
        "micro_left_min_dis": 2,
        "micro_right_min_dis": 2,
        "macro_left_min_dis": 6,
        "macro_left_max_dis": 27,
        "macro_right_min_dis": 6,
        "macro_right_max_dis": 27,
    }
    # The published 7 is that of CAS(ME)²; the rule gives 9 // 2.
    assert made == {**published, "micro_left_max_dis": 4, "micro_right_max_dis": 4}


def sides(made: dict[str, object], kind: str) -> tuple[object, ...]:
    """The distances of a section: left from and to, right from and to."""
    return tuple(made[f"{kind}_{side}_{end}_dis"] for side in ("left", "right") for end in ("min", "max"))


def test_the_section_of_casme_sq_is_that_of_its_annotations(reference: Path) -> None:
    manifest = convert_any(reference / "cas(me)_new.csv").manifest()
    made = auwgcn_section.section(manifest)
    # From one frame to the other: with both ends, micro-expressions have 9 to 17 frames, macro-expressions 17 to 118.
    assert (made["micro_average_len"], made["micro_min"], made["micro_max"]) == (13, 8, 16)
    assert (made["macro_average_len"], made["macro_min"], made["macro_max"]) == (39, 16, 117)
    assert made["subject_list"][:2] == ["casme_015", "casme_016"]
    assert sides(made, "micro") == (3, 9, 3, 11)
    assert sides(made, "macro") == (3, 62, 4, 93)
    assert sides(auwgcn_section.section(manifest, distances="mean"), "macro") == (8, 19, 8, 19)
    assert sides(auwgcn_section.section(manifest, distances="q95"), "macro") == (6, 27, 8, 53)
    # A row that is out of order makes the published reading's least macro-expression.
    published = auwgcn_section.section(manifest, compat="auwgcn")
    assert (published["macro_min"], published["macro_max"]) == (3, 117)
    assert sides(published, "macro") == (1, 19, 1, 19)
    with pytest.raises(MeDatasetsError, match="with --compat, the only rule for the distances is 'mean'"):
        auwgcn_section.section(manifest, distances="q95", compat="auwgcn")


def test_the_distances_by_every_rule(reference: Path) -> None:
    manifest = convert_any(reference / "cas(me)_new.csv").manifest()
    found = auwgcn_section.searches(manifest)
    assert found["fps"] == 30
    macro = found["types"]["macro"]
    assert (macro["rows"], macro["apexes"], macro["average_len"], macro["length"]) == (253, 252, 39, [16, 117])
    assert macro["distances"] == {
        "mean": {"left": [8, 19], "right": [8, 19], "within": 74},
        "observed": {"left": [3, 62], "right": [4, 93], "within": 252},
        "q95": {"left": [6, 27], "right": [8, 53], "within": 215},
    }


def test_observed_distances_are_never_narrower_than_the_published_ones() -> None:
    rows = [expression("s", "v", start, start + 20, start + 40) for start in (0, 100, 200)]
    found = auwgcn_section.search(rows, 30)
    assert found is not None
    assert (found.left["mean"], found.left["observed"], found.left["q95"]) == ((20, 20), (20, 20), (20, 20))
    found = auwgcn_section.search([*rows, expression("s", "v", 300, None, 310)], 30)
    assert found is not None
    assert (found.average, found.left["observed"], found.apexes) == (32, (5, 20), 3)
    found = auwgcn_section.search([expression("s", "v", 300, None, 310)], 30)
    assert found is not None
    assert set(found.left.values()) == {(5, 5)}  # without an apex there is nothing but the mean


def test_what_is_longer_than_its_video_does_not_count(manifest_of: Rows) -> None:
    rows = [expression("s", "v", 10, 15, 30), expression("s", "v", 40, 50, 1_500_000_000)]
    made = manifest_of(*rows)
    video = Video(dataset="casme-sq", subject="s", video="v", layout="rawpic", path="p", last=100, fps=30)
    assert [row.offset for row in measurable(made)] == [30, 1_500_000_000]
    assert measurable(replace(made, videos=[video])) == rows[:1]
    clip = video.model_copy(update={"layout": "selectedpic", "expression": "anger1_1"})
    assert measurable(replace(made, videos=[clip])) == rows


def test_rows_of_several_rates_are_measured_in_seconds(manifest_of: Rows, me_datasets: Run, tmp_path: Path) -> None:
    rows = [expression("s", "v", 0, 40, 99, fps=200), expression("t", "w", 0, 100, 249, fps=500)]
    types = by_group(rows)["types"]["micro"]["all"]
    assert (types["length"]["mean"], types["left"]["mean"], types["right"]["mean"]) == pytest.approx((0.5, 0.2, 0.2965))
    assert by_group(rows, 100)["types"]["micro"]["all"]["length"]["mean"] == 50
    manifest = manifest_of(*rows)
    assert {key: statistics(manifest)[key] for key in ("unit", "fps", "rates")} == {
        "unit": "seconds",
        "fps": None,
        "rates": [200, 500],
    }
    manifests.write(manifest, tmp_path / "m")
    shown = me_datasets("stats", "m").stdout
    assert "lengths in seconds, as there are rows of 200, 500 frames a second, both ends included" in shown
    columns = shown.splitlines()[1].split()
    assert columns == [*("micro", "all", "2", "2", "0.500"), *["0.5"] * 5, "0.200", "0.296"]


def test_the_rate_that_is_named_is_that_of_the_annotations(reference: Path) -> None:
    found = statistics(convert_any(reference / "samm_new_25.csv").manifest())
    assert (found["fps"], found["unit"]) == (25, "frames")


def test_scripts_that_need_both_types(manifest_of: Rows) -> None:
    with pytest.raises(MeDatasetsError, match="no macro-expression of casme-sq has a length"):
        auwgcn_section.section(manifest_of(expression("s", "v", 1, 2, 3)))


@pytest.mark.parametrize("fps", ["1e30", "nan"])
def test_a_frame_rate_that_is_none(fps: str, manifest_of: Rows, me_datasets: Run, tmp_path: Path) -> None:
    manifests.write(manifest_of(expression("s", "v", 1, 2, 3)), tmp_path / "manifest")
    done = me_datasets("stats", "manifest", "--fps", fps)
    assert (done.returncode, done.stderr) == (2, f"error: --fps must be 1 to 100000, not {float(fps):g}\n")
