"""What a run keeps in parts, and what is left of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from datasets_me.core.errors import StoppedError
from datasets_me.core.tables import Record
from datasets_me.formats.parts import Parts


class Row(Record):
    """A row of these tests."""

    number: int


def parts(folder: Path, key: str, *, folders: Sequence[str] = ()) -> Parts[Row]:
    return Parts(folder / "out", Row, {"key": key}, folders=folders, size=2, noun="row")


def test_what_is_kept_is_what_was_made_up_to_a_whole_part(tmp_path: Path) -> None:
    kept = parts(tmp_path, "one").keep((Row(number=number) for number in range(5)), [])
    assert [next(kept).number for _ in range(3)] == [0, 1, 2]
    again = parts(tmp_path, "one")
    assert [row.number for row in again.kept()[0]] == [0, 1, 2, 3]
    assert [row.number for row in again.keep([Row(number=4)], [])] == [4]
    assert [row.number for row in parts(tmp_path, "one").kept()[0]] == [0, 1, 2, 3, 4]
    assert parts(tmp_path, "two").kept() == ([], [])
    assert not (tmp_path / "out.parts").exists()


def test_files_that_a_killed_run_did_not_finish_are_removed_with_the_parts(tmp_path: Path) -> None:
    assert list(parts(tmp_path, "one").keep([Row(number=0)], []))
    (tmp_path / "out.parts/.000002.parquet.abcd1234.unfinished").write_bytes(b"half")
    other = parts(tmp_path, "two")
    with other.held():
        assert other.kept() == ([], [])
        assert list(other.keep([Row(number=0)], []))
    assert not (tmp_path / "out.parts").exists()


def test_a_run_that_was_killed_before_it_said_whose_the_parts_are(tmp_path: Path) -> None:
    (tmp_path / "out.parts").mkdir()
    (tmp_path / "out.parts/.about.json.abcd1234.unfinished").write_bytes(b"{")
    with parts(tmp_path, "one").held():
        pass
    assert not (tmp_path / "out.parts").exists()


def test_what_others_put_among_the_parts_stays(tmp_path: Path) -> None:
    kept = parts(tmp_path, "one", folders=["files"])
    assert list(kept.keep([Row(number=0)], []))
    for name in ("files/0.png", "files/0.txt", "plots/2026/1.png", "2.png"):
        (tmp_path / "out.parts" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "out.parts" / name).write_bytes(b"x")
    with parts(tmp_path, "two", folders=["flow"]).held():  # as another verb would come upon them
        pass
    left = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert left == {"out.parts/files/0.txt", "out.parts/plots/2026/1.png", "out.parts/2.png"}


@pytest.mark.parametrize(
    ("before", "message", "stays"),
    [(1, "stopped; nothing is kept", False), (5, "stopped: 4 rows done; run the same again to go on", True)],
)
def test_a_stopped_run_says_what_is_kept(tmp_path: Path, before: int, message: str, stays: bool) -> None:
    def rows() -> Iterator[Row]:
        yield from (Row(number=number) for number in range(before))
        raise KeyboardInterrupt

    kept = parts(tmp_path, "one")
    with pytest.raises(StoppedError) as stopped, kept.held():
        kept.begin()
        list(kept.keep(rows(), []))
    assert str(stopped.value) == message
    assert (tmp_path / "out.parts").exists() == stays
