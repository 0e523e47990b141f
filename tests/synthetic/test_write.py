"""A synthetic dataset of a stranger's schema stays in its folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from datasets_me.core.errors import PathError
from datasets_me.schema import schema_files
from datasets_me.schema.schema_files import Schema
from datasets_me.synthetic.write import make


def test_values_of_a_schema_lead_nowhere_else(casme_sq: Schema, tmp_path: Path) -> None:
    text = casme_sq.text.replace('"0401": girlcrashing', '"0401": /../../../../../evil')
    text = text.replace('"CAS(ME)^2code_final*"', '"../../evil*"')
    with pytest.raises(
        PathError, match=r"'rawpic/s15/15_0401/.*evil' is not a path under the folder: it leads upwards"
    ):
        make(schema_files.parse(text, "own.yaml"), tmp_path / "a" / "b" / "c" / "out", subjects=1)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
