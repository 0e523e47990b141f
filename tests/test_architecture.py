"""Imports go downwards only, stages know nothing of each other, and light things stay light."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

PACKAGE = REPOSITORY / "datasets_me"

FLOORS = ("core", "schema", "findings", "formats", "features")
"""What stages stand on, the lowest first; each imports only those before it."""

SIDEWAYS = {
    ("synthetic", "convert"): "a synthetic workbook is written in the words that the reader of workbooks knows",
    ("convert", "folders"): "the row of a video without a folder is made where the rows of folders are",
    ("cards", "extract"): "a contact sheet shows an extraction",
    ("cards", "scores"): "a plot of a confusion matrix shows a score",
    ("torch_data", "export"): "a dataset of PyTorch reads the files of one export",
    ("torch_data", "images"): "a dataset of PyTorch reads the images of one export",
}
"""Imports from one stage by another, each with its reason; there are no others."""


def modules() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py") if path.parent != PACKAGE)


def name_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(path: Path) -> Iterator[str]:
    """The modules of the package that one imports, wherever in it the import stands."""
    known = {name_of(module) for module in PACKAGE.rglob("*.py")}
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "datasets_me":
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                yield full if full in known else node.module or ""
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] == "datasets_me")


def rooms(path: Path) -> set[str]:
    return {(*name.split("."), "")[1] for name in imported(path)}


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_downwards(path: Path) -> None:
    room = path.relative_to(PACKAGE).parts[0]
    below = FLOORS[: FLOORS.index(room)] if room in FLOORS else FLOORS
    others = {other for other in rooms(path) - {room, *below} if room != "cli" and (room, other) not in SIDEWAYS}
    assert not others, f"{path.relative_to(PACKAGE)} imports from {', '.join(sorted(others))}"


def test_each_exception_is_needed() -> None:
    needed = {(path.relative_to(PACKAGE).parts[0], other) for path in modules() for other in rooms(path)}
    assert set(SIDEWAYS) <= needed


def test_there_is_no_circle() -> None:
    TopologicalSorter({name_of(path): set(imported(path)) for path in modules()}).prepare()


@pytest.mark.parametrize(
    ("command", "heavy"),
    [
        ("import datasets_me; dir(datasets_me)", "pandas pyarrow torch cv2 openpyxl pydantic yaml numpy typer"),
        (
            "sys.argv = ['me-datasets', '--help']; from datasets_me.cli import main; main()",
            "pandas pyarrow torch cv2",
        ),
    ],
)
def test_light_things_stay_light(command: str, heavy: str) -> None:
    program = f"""
import atexit, sys
atexit.register(lambda: print("LOADED", *(name for name in {heavy.split()!r} if name in sys.modules)))
{command}
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=REPOSITORY, timeout=60)
    assert done.stdout.splitlines()[-1].strip() == "LOADED", done.stdout + done.stderr


def test_the_public_names_are_there() -> None:
    import datasets_me

    for name in datasets_me.__all__:
        assert getattr(datasets_me, name) is not None
    assert set(datasets_me.__all__) <= set(dir(datasets_me))
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = datasets_me.nothing


@pytest.mark.parametrize("first", ["import datasets_me.convert.convert, datasets_me.extract.extract", "pass"])
def test_functions_are_not_hidden_by_the_rooms_of_their_names(first: str) -> None:
    program = f"{first}\nimport datasets_me as me\nfor _ in range(2): print(callable(me.convert), callable(me.extract))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=REPOSITORY, timeout=60)
    assert done.stdout.split() == ["True"] * 4, done.stderr
