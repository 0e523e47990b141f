"""F1 of action units over annotated expressions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from datasets_me.core.errors import MeDatasetsError
from datasets_me.extract.join import join
from datasets_me.formats.records import ActionUnit
from datasets_me.scores.action_units import action_units
from datasets_me.scores.spotting import Counts
from tests.scores.conftest import annotation, manifest


def units(*numbers: int, **fields: object) -> list[ActionUnit]:
    return [ActionUnit(au=number, **fields) for number in numbers]  # type: ignore[arg-type]


def test_by_hand(tmp_path: Path) -> None:
    rows = [
        annotation(1, aus=units(4)),
        annotation(2, aus=units(4, 12)),
        annotation(3, aus=[*units(4, uncertain=True), *units(12)]),  # a doubt is neither right nor wrong
        annotation(4, aus=[]),
        annotation(5, aus=units(12)),
        annotation(6, aus=units(4), dataset="samm", id="w:1", video="w"),
    ]
    (tmp_path / "p.csv").write_text(
        "annotation,AU04,au12_c,AU17,other\nv1:1,0.9,0.2,1,x\nv1:2,0.4,0.5,0,x\nv1:3,1,0,0,x\nv1:4,1,1,1,x\nw:1,1,0,0,x\n"
    )
    scores = action_units([manifest(*rows[:5]), manifest(rows[5], dataset="samm")], [tmp_path / "p.csv"])
    assert scores.units == (4, 12)
    assert scores.counts == {
        ("casme2", 4): Counts(tp=1, fp=0, fn=1),
        ("casme2", 12): Counts(tp=1, fp=0, fn=2),
        ("samm", 4): Counts(tp=1),
        ("samm", 12): Counts(),
    }
    assert scores.mean("casme2") == pytest.approx((2 / 3 + 1 / 2) / 2)
    assert scores.mean("samm") == 1  # of the unit that is annotated there
    assert [(found.code, found.message) for found in scores.findings] == [
        ("ME545", "v1:4 has no action units; it is not scored"),
        ("ME543", "v1:5 has no prediction; all of its units count as missed"),
    ]


def test_from_frames_of_another_tool(tmp_path: Path) -> None:
    rows = [
        annotation(1, aus=units(4), onset=2, apex=3, offset=4),
        annotation(2, aus=units(12), onset=6, apex=6, offset=7),
    ]
    au = np.zeros((10, 2), np.float32)
    au[3, 0] = au[5, 1] = 0.8  # the second is over before its expression begins
    au[4] = np.nan
    np.savez(tmp_path / "v1.npz", au=au, au_names=np.array(["AU04", "AU12"]))
    made = manifest(*rows)
    join(made, tmp_path, tmp_path / "joined")
    scores = action_units([made], [tmp_path / "joined"])
    assert scores.counts == {("casme2", 4): Counts(tp=1), ("casme2", 12): Counts(fn=1)}


def test_expressions_without_an_end_or_of_which_no_frame_is_known(tmp_path: Path) -> None:
    """The apex stands for an offset that is missing; before the first frame of a table there is nothing."""
    rows = [
        annotation(1, aus=units(4), onset=2, apex=4, offset=None),
        annotation(2, aus=units(4), onset=2, apex=None, offset=None),
        annotation(3, aus=units(4), onset=None, apex=4, offset=4),
        annotation(4, aus=units(4), onset=0, apex=None, offset=1),
        annotation(5, aus=units(4), onset=5, apex=6, offset=7),
    ]
    au = np.zeros((8, 1), np.float32)
    au[[4, 7]] = 1
    np.savez(tmp_path / "v1.npz", au=au, au_names=np.array(["AU04"]))
    expressions = manifest(*rows)
    join(expressions, tmp_path, tmp_path / "joined")
    scores = action_units([expressions], [tmp_path / "joined"])
    assert scores.counts == {("casme2", 4): Counts(tp=2, fn=3)}
    unpredicted = {finding.message.split()[0] for finding in scores.findings if finding.code == "ME543"}
    assert unpredicted == {"v1:2", "v1:3"}


def test_nothing_to_score(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("annotation,label\nv1:1,x\n")
    with pytest.raises(MeDatasetsError, match="there is no column of an action unit"):
        action_units([manifest(annotation(1, aus=units(4)))], [tmp_path / "p.csv"])
    (tmp_path / "p.csv").write_text("annotation,AU1\nv1:1,1\n")
    with pytest.raises(MeDatasetsError, match="no action unit is both annotated and predicted"):
        action_units([manifest(annotation(1, aus=units(4)))], [tmp_path / "p.csv"])


def test_units_that_nothing_predicts_and_cells_that_are_no_numbers(tmp_path: Path) -> None:
    rows = [annotation(1, aus=units(4, 24)), annotation(2, aus=units(4))]
    (tmp_path / "p.csv").write_text("annotation,AU4\nv1:1,yes\nv1:2,1\n")
    scores = action_units([manifest(*rows)], [tmp_path / "p.csv"])
    assert scores.counts == {("casme2", 4): Counts(tp=1, fn=1), ("casme2", 24): Counts(fn=1)}
    assert scores.mean("casme2") == pytest.approx((2 / 3 + 0) / 2)
    assert [(found.code, found.message) for found in scores.findings] == [
        ("ME546", "not numbers: AU4 'yes'; taken as not there"),
        ("ME543", "AU24 is annotated in 1 expression, and nothing predicts it; it counts as missed"),
    ]
