"""Where ``synth`` and ``images synth`` write: a folder that is named as elsewhere, with ``-o``, or as an argument."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from datasets_me.cli import app
from datasets_me.core.errors import MeDatasetsError
from datasets_me.core.resources import schema_files

SCHEMA = next(str(path) for path in schema_files() if path.stem == "casme2")


def run(*arguments: str) -> BaseException | None:
    return CliRunner().invoke(app, [*arguments, "--subjects" if arguments[0] == "synth" else "--images", "1"]).exception


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_folder_is_an_option_or_an_argument(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for folder, names in {
        "a": ["casme2", "a"],
        "b": ["casme2", "-o", "b"],
        "c": ["-o", "c", "--schema", SCHEMA],
        "d": ["d", "--schema", SCHEMA],
    }.items():
        assert run("synth", *names) is None
        assert contents(tmp_path / folder) == contents(tmp_path / "a")
    assert run("images", "synth", "ckplus", "e") is run("images", "synth", "ckplus", "-o", "f") is None
    assert contents(tmp_path / "e") == contents(tmp_path / "f")


@pytest.mark.parametrize(
    "names",
    [
        ["synth"],
        ["synth", "casme2"],
        ["synth", "-o", "a"],
        ["synth", "casme2", "a", "-o", "b"],
        ["synth", "casme2", "-o", "b", "--schema", SCHEMA],
        ["synth", "--schema", SCHEMA],
        ["images", "synth", "ckplus"],
        ["images", "synth", "ckplus", "a", "-o", "b"],
    ],
)
def test_one_folder_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, names: list[str]) -> None:
    monkeypatch.chdir(tmp_path)
    error = run(*names)
    assert isinstance(error, MeDatasetsError)
    assert "one folder to make" in error.what
    assert list(tmp_path.iterdir()) == []
