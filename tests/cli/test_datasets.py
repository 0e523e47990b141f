"""Schemas as a user sees them."""

from __future__ import annotations

import json
from pathlib import Path

from datasets_me.schema import schema_files
from tests.conftest import Run


def test_datasets_and_schemas(me_datasets: Run, tmp_path: Path) -> None:
    listed = me_datasets("datasets")
    assert all(schema.spec.id in listed.stdout for schema in schema_files.shipped())
    assert len(json.loads(me_datasets("datasets", "--json").stdout)) == 7
    assert "s19/23_0502funnyerrors belongs at s23/23_0502funnyerrors" in me_datasets("datasets", "CASME_sq").stdout
    own = tmp_path / "lab.yaml"
    own.write_text(schema_files.load("casme2").text.replace("id: casme2", "id: lab"))
    assert me_datasets("schema", "check", own).stdout == (
        f"{own}: lab is a valid schema: 1 workbook variant, 3 layouts\n"
    )
    own.write_text(own.read_text().replace("holds: video", "holds: film"))
    done = me_datasets("schema", "check", own)
    assert done.returncode == 2
    assert "layouts.2.holds: Input should be 'video' or 'expression' (found 'film')" in done.stderr
    assert json.loads(me_datasets("schema", "json").stdout)["title"] == "Spec"
