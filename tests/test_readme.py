"""The README says what the program says."""

from __future__ import annotations

from datasets_me.findings.codes import all_codes
from tests.conftest import REPOSITORY


def test_the_table_of_codes_is_up_to_date() -> None:
    readme = (REPOSITORY / "README.md").read_text()
    for entry in all_codes().values():
        line = f"| {entry.code} | {entry.name} | {entry.severity} | {entry.what} |"
        assert line in readme, f"run make readme: {entry.code} differs"


def test_every_verb_is_shown() -> None:
    from datasets_me.cli import app

    readme = (REPOSITORY / "README.md").read_text()
    for command in app.registered_commands:
        assert f"me-datasets {command.name}" in readme
