"""Lengths of expressions: the known truth, and what is not counted."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets_me.convert.convert import convert_any
from datasets_me.core.errors import MeDatasetsError
from datasets_me.export.statistics import auwgcn_section
from datasets_me.export.statistics.lengths import by_group, lengths
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
    made = auwgcn_section.section(convert_any(reference / "samm_new_25.csv").manifest())
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


def test_the_section_of_casme_sq_is_that_of_its_annotations(reference: Path) -> None:
    made = auwgcn_section.section(convert_any(reference / "cas(me)_new.csv").manifest())
    assert (made["micro_average_len"], made["micro_min"], made["micro_max"]) == (13, 8, 16)
    assert (made["macro_average_len"], made["macro_min"], made["macro_max"]) == (39, 3, 117)
    assert (made["macro_left_min_dis"], made["macro_right_max_dis"]) == (1, 19)
    assert made["subject_list"][:2] == ["casme_015", "casme_016"]


def test_scripts_that_need_both_types(manifest_of: Rows) -> None:
    with pytest.raises(MeDatasetsError, match="no macro-expression of casme-sq has a length"):
        auwgcn_section.section(manifest_of(expression("s", "v", 1, 2, 3)))


@pytest.mark.parametrize("fps", ["1e30", "nan"])
def test_a_frame_rate_that_is_none(fps: str, me_datasets: Run, tmp_path: Path) -> None:
    done = me_datasets("stats", "manifest", "--fps", fps)
    assert (done.returncode, done.stderr) == (2, f"error: --fps must be 1 to 100000, not {float(fps):g}\n")
