"""Imports go downwards only, and light things stay light."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

PACKAGE = REPOSITORY / "datasets_me"

# What each folder may import from the package, beside its own modules and the single modules at the top.
ALLOWED = {
    "inventory": set(),
    "convert": {"inventory"},
    "validate": {"inventory"},
    "features": set(),
    "run": {"features", "inventory"},
    "splits": {"inventory"},
    "statistics": {"splits"},
    "export": {"features", "inventory", "splits", "statistics"},
    "torch_data": {"export", "images", "splits"},
    "cards": set(),
    "images": {"features"},
    "scores": set(),
    "synthetic": {"convert", "inventory"},
    "pipeline": {"cards", "convert", "export", "run", "splits", "statistics", "validate"},
    "commands": {
        *("cards", "convert", "export", "features", "images", "inventory", "run", "scores", "splits", "statistics"),
        *("pipeline", "synthetic", "torch_data", "validate"),
    },
}
# The single modules at the top, lowest first; each may import only those before it.
BASE = [
    "errors",
    "text",
    "resources",
    "codes",
    "records",
    "naming",
    "spec",
    "schema_files",
    "files",
    "parquet",
    "manifest",
    "feature_files",
]


def imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("datasets_me"):
            parts = (node.module or "").split(".")
            found |= {parts[1]} if len(parts) > 1 else {alias.name for alias in node.names}
    return found - {"__version__"}


def modules() -> list[Path]:
    return [path for path in PACKAGE.rglob("*.py") if path.parent != PACKAGE]


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_stages_import_downwards(path: Path) -> None:
    folder = path.relative_to(PACKAGE).parts[0]
    assert imports(path) <= {folder, *ALLOWED[folder], *BASE}


@pytest.mark.parametrize("name", BASE)
def test_base_modules_import_lower_ones(name: str) -> None:
    # naming knows the type of a schema's names, and only the type.
    allowed = set(BASE[: BASE.index(name)]) | ({"spec"} if name == "naming" else set())
    assert imports(PACKAGE / f"{name}.py") <= allowed


@pytest.mark.parametrize(
    ("command", "heavy"),
    [
        ("import datasets_me", "pandas pyarrow torch cv2 openpyxl pydantic yaml numpy typer"),
        (
            "sys.argv = ['me-datasets', '--help']; from datasets_me.commands import main; main()",
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
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = datasets_me.nothing


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_files_fit_in_the_head(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 400
