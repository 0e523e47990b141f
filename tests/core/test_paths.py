"""Which names and paths of strangers a file may be opened by."""

from __future__ import annotations

from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets_me.core.errors import PathError
from datasets_me.core.paths import HERE, check_table, name_fault, path_fault, safe_name, under
from datasets_me.formats.records import SplitRow, Video

TEXT = st.text(max_size=12) | st.text("./\\:aC \x1b", max_size=8)


@pytest.mark.parametrize(
    ("path", "fault"),
    [
        ("s15/15_0401/img 1.jpg", None),
        ("..a/b..", None),
        ("CAS(ME)²/微表情", None),
        ("", "it is empty"),
        (".", "it is not in its shortest form"),
        ("a/./b", "it is not in its shortest form"),
        ("a//b", "it is not in its shortest form"),
        ("a/", "it is not in its shortest form"),
        ("../a", "it leads upwards"),
        ("a/..", "it leads upwards"),
        ("/etc/passwd", "it is absolute"),
        ("C:/a", "it is absolute"),
        ("c:a", "it is absolute"),
        ("a\\..\\b", "it contains a backslash"),
        ("a\0b", "it contains the control character U+0000"),
        ("a\nb", "it contains the control character U+000A"),
        ("a\x9bb", "it contains the control character U+009B"),
        ("a\udcff", "it is not UTF-8"),
    ],
)
def test_paths(path: str, fault: str | None) -> None:
    assert path_fault(path) == fault


@given(TEXT)
def test_a_path_without_fault_stays_under_its_root_on_every_system(text: str) -> None:
    if path_fault(text) is None:
        assert ".." not in PureWindowsPath(text).parts and not PureWindowsPath(text).drive
        assert str(PurePosixPath("/root") / text) == f"/root/{text}"


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("casme_015_0401", None),
        ("spNO.1", None),
        ("cas(me)^2", None),
        ("it's [1], 100%", None),
        ("", "it is empty"),
        ("..", "it begins or ends with a space or a full stop"),
        ("a/b", "it contains '/'"),
        ("a\x1bb", "it contains '\\x1b'"),
        ("a\u202eb", "it contains '\\u202e'"),
        (".hidden", "it begins or ends with a space or a full stop"),
        ("a ", "it begins or ends with a space or a full stop"),
        ("nul.npz", "it is the name of a device on Windows"),
        ("COM1", "it is the name of a device on Windows"),
        ("nullable", None),
        ("é" * 81, "it is longer than 160 bytes"),
    ],
)
def test_names(name: str, fault: str | None) -> None:
    assert name_fault(name) == fault


@given(TEXT)
def test_a_safe_name_is_one_part_of_a_path_and_stays_what_it_is(text: str) -> None:
    made = safe_name(text)
    assert name_fault(made) is None
    assert path_fault(made) is None
    assert safe_name(made) == made
    assert (made == text) == (name_fault(text) is None)


def test_names_that_are_made_safe_stay_apart() -> None:
    texts = ["../../etc", "a/b", "a:b", "a_b", "", "..", "nul", "x" * 500, "x" * 501, "a\udcff", "a\udcfe"]
    assert len({safe_name(text) for text in texts}) == len(texts)
    assert safe_name("a/b") == "a_b-c14cdd"


def test_a_table_names_row_field_and_value(tmp_path: Path) -> None:
    video = Video(dataset="d", subject="s", video="v", fps=30.0)
    rows = [video, video.model_copy(update={"path": HERE}), video.model_copy(update={"path": "../../private\x1b]0;"})]
    check_table(tmp_path / "videos.parquet", rows[:2], paths=["path"])
    with pytest.raises(PathError) as caught:
        check_table(tmp_path / "videos.parquet", rows, paths=["path"])
    assert str(caught.value) == (
        "the path '../../private\\x1b]0;' cannot be used: it contains the control character U+001B\n"
        f"  where: {tmp_path / 'videos.parquet'}, row 3\n"
        "  to do: write the table again with me-datasets; do not trust the files that came with it"
    )
    split = SplitRow(fold="..", part="train", dataset="d", subject="s", video="v")
    with pytest.raises(PathError, match=r"^the fold '\.\.' cannot be used: .*\n  where: t, row 1025\n"):
        check_table(Path("t"), [split], names=["fold"], first=1025)


def test_links_may_stay_under_the_root_but_not_leave_it(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "a").mkdir(parents=True)
    (tmp_path / "private").mkdir()
    (root / "inside").symlink_to(root / "a")
    (root / "out").symlink_to("../private")
    (root / "a" / "up.jpg").symlink_to(tmp_path / "private" / "me.jpg")
    (root / "loop").symlink_to("loop")
    (tmp_path / "alias").symlink_to(root)
    for place in (root, tmp_path / "alias"):
        assert under(place, HERE) == place
        assert under(place, "inside/new.npy") == place / "inside/new.npy"
        assert under(place, "loop") == place / "loop"
        for path in ("out", "out/me.jpg", "a/up.jpg", "inside/up.jpg"):
            with pytest.raises(PathError, match=f"'{path}' goes through a link that leads out of the folder") as caught:
                under(place, path)
            assert caught.value.where == str(place)
    with pytest.raises(PathError, match=r"^'\.\./private' is not a path under the folder: it leads upwards\n"):
        under(root, "../private")
