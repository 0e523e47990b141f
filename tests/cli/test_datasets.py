"""Schemas as a user sees them."""

from __future__ import annotations

import json
from pathlib import Path

from datasets_me.schema import schema_files
from tests.conftest import Run


def test_datasets_and_schemas(me_datasets: Run, tmp_path: Path) -> None:
    listed = me_datasets("datasets")
    assert all(schema.spec.id in listed.stdout for schema in schema_files.shipped())
    assert len(json.loads(me_datasets("datasets", "--json").stdout)) == 14
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


def test_a_schema_of_ones_own_begins_as_a_copy(me_datasets: Run, tmp_path: Path) -> None:
    done = me_datasets("schema", "copy", "casme2", "mine.yaml")
    assert (done.returncode, done.stdout) == (
        0,
        "written to mine.yaml; me-datasets schema check mine.yaml says whether it is valid\n",
    )
    assert me_datasets("schema", "check", "mine.yaml").returncode == 0
    assert (tmp_path / "mine.yaml").read_text().count("#") > 20
    again = me_datasets("schema", "copy", "casme2", "mine.yaml")
    assert (again.returncode, again.stderr.splitlines()[0]) == (2, "error: the file exists already")
