"""Finding the workbook a user means."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import pytest

from datasets_me.convert.source import find_source
from datasets_me.core.errors import FolderError, WorkbookError
from datasets_me.schema.schema_files import Schema
from tests.conftest import CASME2_HEADER, Workbook, casme2_row


@pytest.fixture
def tree(workbook: Workbook, tmp_path: Path) -> Path:
    """A folder with a fitting workbook, another one, and an Excel lock file."""
    root = tmp_path / "CASME II"
    (root / "docs").mkdir(parents=True)
    shutil.move(workbook([CASME2_HEADER, casme2_row()]), root / "docs" / "CASME2-coding-20140508.xlsx")
    shutil.move(workbook([["something", "else"]]), root / "other.xlsx")
    (root / "docs" / "~$CASME2-coding-20140508.xlsx").write_bytes(b"lock")
    return root


@pytest.mark.parametrize("given_as", ["folder", "bare word", "name under root"])
def test_ways_to_name_it(tree: Path, casme2: Schema, given_as: str) -> None:
    source, root = {
        "folder": (str(tree), None),
        "bare word": ("xlsx", tree),
        "name under root": ("docs/CASME2-coding-20140508.xlsx", tree),
    }[given_as]
    assert find_source(casme2.spec, source, root) == tree / "docs" / "CASME2-coding-20140508.xlsx"


def test_a_file_is_taken_as_it_is(tree: Path, casme2: Schema) -> None:
    assert find_source(casme2.spec, str(tree / "other.xlsx"), None) == tree / "other.xlsx"


def test_two_that_fit(tree: Path, casme2: Schema) -> None:
    shutil.copy(tree / "docs" / "CASME2-coding-20140508.xlsx", tree / "CASME2-coding-copy.xlsx")
    with pytest.raises(WorkbookError, match="there are several workbooks of casme2 under the folder"):
        find_source(casme2.spec, str(tree), None)


def test_none_that_fits(tree: Path, casme_sq: Schema) -> None:
    with pytest.raises(WorkbookError) as caught:
        find_source(casme_sq.spec, "xls", tree)
    what = "no .xls file under the folder is a workbook of casme-sq"
    assert caught.value.what == f"{what} (files seen: other.xlsx, CASME2-coding-20140508.xlsx)"


def test_a_workbook_with_macros_is_found(tree: Path, casme2: Schema) -> None:
    named = tree / "docs" / "CASME2-coding-20140508.xlsx"
    renamed = named.rename(named.with_suffix(".xlsm"))
    assert find_source(casme2.spec, str(tree), None) == renamed


def test_why_files_could_not_be_read_is_said(tree: Path, casme2: Schema) -> None:
    with zipfile.ZipFile(tree / "a.ods", "w") as archive:
        archive.writestr("content.xml", "")
    for name in ("docs/CASME2-coding-20140508.xlsx", "empty.csv"):
        (tree / name).write_bytes(b"" if name == "empty.csv" else b"PK")
    with pytest.raises(WorkbookError) as caught:
        find_source(casme2.spec, str(tree), None)
    assert caught.value.details == (
        "a.ods: the file is an OpenDocument table (.ods); save it as .xlsx or .csv",
        "empty.csv: the file is empty",
        "CASME2-coding-20140508.xlsx: the file is a zip archive, but not a workbook; "
        "give the .xlsx, .xls or .csv inside it",
    )


def test_a_bare_word_without_a_root_looks_here(tree: Path, casme2: Schema, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tree)
    assert find_source(casme2.spec, "xlsx", None) == Path("docs/CASME2-coding-20140508.xlsx")


def test_a_root_that_is_none(casme2: Schema, tmp_path: Path) -> None:
    with pytest.raises(FolderError, match="the root is not a folder"):
        find_source(casme2.spec, "xlsx", tmp_path / "none")
