"""Rows as Parquet: what comes back, and that nothing of pyarrow's is still at work afterwards."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from datasets_me.core.tables import open_parquet, read_parquet, write_parquet
from datasets_me.formats.records import SplitRow

ROW = SplitRow(fold="f", part="train", dataset="casme2", subject="sub01", video="EP02_01f", annotation=None)

READS = """
import os, sys
import pyarrow.parquet
from pathlib import Path
from datasets_me.core.tables import read_parquet
from datasets_me.formats.records import SplitRow

before = set(os.listdir("/proc/self/task"))
rows = read_parquet(SplitRow, Path(sys.argv[1]))
print(len(rows), len(set(os.listdir("/proc/self/task")) - before))
"""


def test_rows_come_back(tmp_path: Path) -> None:
    write_parquet(SplitRow, [ROW, ROW], tmp_path / "rows.parquet")
    assert read_parquet(SplitRow, tmp_path / "rows.parquet") == [ROW, ROW]


def test_a_file_that_is_no_parquet_is_refused(tmp_path: Path) -> None:
    (tmp_path / "rows.parquet").write_bytes(b"no table")
    with pytest.raises(ValueError, match="Parquet"), open_parquet(tmp_path / "rows.parquet"):
        pass


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="threads are listed under /proc on Linux only")
def test_reading_starts_no_thread(tmp_path: Path) -> None:
    # A thread that still holds a part of a Python file when the interpreter ends aborts the process.
    write_parquet(SplitRow, [ROW] * 9, tmp_path / "rows.parquet")
    done = subprocess.run(
        [sys.executable, "-c", READS, str(tmp_path / "rows.parquet")], capture_output=True, text=True, timeout=60
    )
    assert (done.stdout.split(), done.stderr) == (["9", "0"], "")
