"""The graph of regions: the published matrix, and what a better reading of the units changes."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from datasets_me.cli import app
from datasets_me.convert.action_units import read_action_units
from datasets_me.convert.convert import convert, convert_any
from datasets_me.core.errors import MeDatasetsError
from datasets_me.export.statistics import region_tables
from datasets_me.export.statistics.graph import graph, write
from datasets_me.formats.manifest import write as write_manifest
from datasets_me.formats.records import Annotation
from datasets_me.schema.schema_files import Schema
from tests.conftest import CASME2_HEADER, Run, Workbook, casme2_row

TWELVE = region_tables.load("twelve")
UPPER = [0, 1, 4, 5]


def row(units: str) -> Annotation:
    return Annotation(
        id="v:1",
        dataset="d",
        subject="s",
        video="v",
        type="micro",
        fps=30,
        aus=list(read_action_units(units).units),
        au_raw=units,
        source_file="f",
        source_row=1,
    )


def counts(*units: str, compat: str | None = None) -> np.ndarray:
    """The matrix, not far from integers where one row was counted."""
    return graph([row(text) for text in units], TWELVE, compat=compat).matrix


def test_the_published_matrix_comes_out(reference: Path) -> None:
    manifest = convert_any(reference / "cas(me)_new.csv").manifest()
    made = graph(manifest.annotations, TWELVE, compat="auwgcn")
    published = np.load(reference / "cas(me)^2.npy")
    assert made.matrix.dtype == published.dtype
    np.testing.assert_allclose(made.matrix, published, rtol=0, atol=1e-6)
    assert (made.used, made.without) == (198, 159)


@pytest.mark.parametrize("compat", [None, "auwgcn"])
def test_one_unit_is_on_the_diagonal(compat: str | None) -> None:
    expected = np.zeros((12, 12))
    expected[UPPER, UPPER] = 1
    np.testing.assert_allclose(counts("1", "4", compat=compat), expected, atol=2e-6)


@pytest.mark.parametrize("compat", [None, "auwgcn"])
def test_a_pair_is_beside_the_diagonal_in_both_directions(compat: str | None) -> None:
    matrix = counts("1+2", compat=compat)
    np.testing.assert_allclose(matrix[np.ix_(UPPER, [2, 3])], 1 / 2, atol=1e-6)
    np.testing.assert_allclose(matrix[np.ix_([2, 3], UPPER)], 1 / 4, atol=1e-6)
    assert np.trace(matrix) == 0


def test_units_that_share_regions_count_twice_on_the_diagonal() -> None:
    assert graph([row("12+14")], TWELVE).matrix[np.ix_([8, 10], [8, 10])] == pytest.approx(0.5, abs=1e-6)


@pytest.mark.parametrize("units", ["L12", "12B", "12 ?", "(12)"])
def test_the_published_reading_sees_bare_numbers_only(units: str) -> None:
    assert not counts(units, compat="auwgcn").any()
    assert counts(units).any()


def test_a_unit_on_one_side_moves_that_side() -> None:
    matrix = counts("L12")
    assert np.argwhere(matrix).tolist() == [[10, 10]]
    assert np.array_equal(counts("L12+R12"), counts("12"))


def test_of_units_that_exclude_each_other_each_counts_half() -> None:
    # 12 on the corners or 25 on the lips, always with 1: never 12 with 25.
    matrix = counts("1+(12or25)")
    assert matrix[8, 9] == 0
    np.testing.assert_allclose(matrix[0, [8, 9, 10, 11]], 1 / 4, atol=1e-6)
    # Half an expression of 12 alone beside half of one of no unit of the table.
    assert graph([row("12or17")], TWELVE).matrix[8, 8] == pytest.approx(1, abs=1e-5)


def test_what_the_table_lacks_is_counted() -> None:
    made = graph([row("4+10"), row("4+12"), row("")], TWELVE)
    assert (made.used, made.without, made.left_out) == (1, 2, {"4": 2, "10": 1})


UNITS = st.lists(st.sampled_from(["1", "2", "4", "12", "14", "25", "26"]), unique=True).map("+".join)


@given(st.lists(UNITS, max_size=8))
def test_rows_sum_to_one_or_are_empty_and_both_readings_of_bare_numbers_agree(rows: list[str]) -> None:
    matrix = counts(*rows)
    sums = matrix.sum(axis=1)
    assert np.all((sums == 0) | (np.abs(sums - 1) < 1e-4))
    assert np.array_equal(matrix > 0, matrix.T > 0)
    np.testing.assert_allclose(matrix, counts(*rows, compat="auwgcn"), atol=1e-7)
    np.testing.assert_allclose(matrix, counts(*rows[::-1]), atol=1e-7)


def test_shipped_tables_keep_right_and_left_apart() -> None:
    for name in ("twelve", "twelve-facs", "eleven"):
        table = region_tables.load(name)
        for unit, regions in table.units.items():
            left, right = table.moved(unit, "left"), table.moved(unit, "right")
            assert left | right == frozenset(regions) == table.moved(unit, "bilateral")
            mirrored = {table.regions[i].replace("left", "right") for i in left}
            assert mirrored == {table.regions[i] for i in right}


def test_a_table_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "two.yaml"
    path.write_text("title: two\nregions: [brows, mouth]\nunits: {1: [0], 4: [0], 12: [1]}\n")
    table = region_tables.load(str(path))
    assert graph([row("4+12"), row("L1")], table).matrix == pytest.approx(np.array([[0.5, 0.5], [1, 0]]), abs=1e-5)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "title: x\nregions: [a]\nunits: {1: [1]}\n",
            "1: there is no region 1; they count from 0 to 0",
        ),
        ("title: x\nregions: [a]\n", r"wrong\.yaml, line 1: units: is missing"),
        ("regions: [a\n", r"not YAML: did not find expected ',' or '\]'"),
    ],
)
def test_tables_that_are_wrong(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(text)
    with pytest.raises(MeDatasetsError, match=message):
        region_tables.load(str(path))


def test_an_unknown_table() -> None:
    with pytest.raises(MeDatasetsError, match="there is no table of regions 'thirteen'"):
        region_tables.load("thirteen")


def test_the_same_bytes_twice(tmp_path: Path) -> None:
    made = graph([row("1+2")], TWELVE)
    for name in ("a.npy", "b.npy"):
        write(made, tmp_path / name)
    assert (tmp_path / "a.npy").read_bytes() == (tmp_path / "b.npy").read_bytes()
    assert np.array_equal(np.load(tmp_path / "a.npy", allow_pickle=False), made.matrix)


def test_the_command(me_datasets: Run, reference: Path, tmp_path: Path) -> None:
    me_datasets("convert", "auwgcn-csv", reference / "cas(me)_new.csv", "-o", "manifest")
    made = me_datasets("graph", "manifest", "-o", "graph.npy", "--compat", "auwgcn", "--picture", "graph.png")
    assert made.returncode == 0, made.stderr
    assert made.stdout.splitlines()[0].startswith("198 expressions counted, 159 without a unit of the table; units")
    np.testing.assert_allclose(np.load(tmp_path / "graph.npy"), np.load(reference / "cas(me)^2.npy"), atol=1e-6)
    assert (tmp_path / "graph.png").read_bytes().startswith(b"\x89PNG")
    again = me_datasets("graph", "manifest", "-o", "graph.npy")
    assert again.returncode == 2
    assert again.stderr == ("error: the file exists already\n  where: graph.npy\n  to do: add --force to replace it\n")


def test_nothing_is_written_where_nothing_can_draw(
    tmp_path: Path, workbook: Workbook, casme2: Schema, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = convert(casme2, workbook([CASME2_HEADER, casme2_row()])).manifest()
    write_manifest(manifest, tmp_path / "manifest")
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    words = [tmp_path / "manifest", "-o", tmp_path / "graph.npy", "--picture", tmp_path / "graph.png"]
    with pytest.raises(MeDatasetsError, match="plots need matplotlib"):
        CliRunner().invoke(app, ["graph", *map(str, words)], catch_exceptions=False)
    assert not list(tmp_path.glob("graph.*"))
