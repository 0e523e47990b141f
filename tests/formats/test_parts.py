"""What a run keeps in parts, and what is left of it."""

from __future__ import annotations

from pathlib import Path

from datasets_me.core.tables import Record
from datasets_me.formats.parts import Parts


class Row(Record):
    """A row of these tests."""

    number: int


def parts(folder: Path, key: str, *, size: int = 2) -> Parts[Row]:
    return Parts(folder / "out", Row, {"key": key}, size)


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
