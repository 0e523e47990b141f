"""Imports go downwards only, stages know nothing of each other, and light things stay light."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
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
    ("viewer", "convert"): "a correction is shown with what is found when the corrected row is read",
    ("viewer", "images"): "the viewer shows a review of images, too",
    ("viewer", "scores"): "predictions are shown as they are scored",
}
"""Imports from one stage by another, each with its reason; there are no others."""


@cache
def modules() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py") if path.parent != PACKAGE)


def name_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def parsed(path: Path) -> list[ast.AST]:
    return list(ast.walk(ast.parse(path.read_text())))


@cache
def names() -> set[str]:
    return {name_of(module) for module in PACKAGE.rglob("*.py")}


def imported(path: Path) -> Iterator[str]:
    """The modules of the package that one imports, wherever in it the import stands."""
    known = names()
    for node in parsed(path):
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


DOORS = {
    "puts an output in its place": (
        r"os\.(replace|rename|renames|link)|shutil\.move|\.(rename|replace)",
        {
            "core/artefact.py": "the one writer",
            "folders/relocate.py": "it moves the user's own folders, and puts them back",
        },
    ),
    "decodes an image or a video": (
        r"cv2\.(imdecode|imread|VideoCapture)|PIL\.Image\.open",
        {
            "core/pictures.py": "the one decoder",
            "features/flow.py": "it decodes the 8-bit files it has just coded in memory, as the published scripts do",
            "synthetic/face_video.py": "it decodes the portrait of the package, and frames it has just coded",
        },
    ),
    "starts processes": (
        r"subprocess\..*|multiprocessing\.(Pool|Process|get_context)|.*ProcessPoolExecutor|os\.(fork|system|popen|spawn.*)",
        {"core/engine/processes.py": "the one engine"},
    ),
    "opens Parquet": (
        r"pyarrow\.parquet\..*",
        {
            "core/tables.py": "the one reader and writer",
            "export/sinks.py": "it writes an export row group by row group, in columns that are not those of a record",
        },
    ),
    "loads YAML": (
        r"yaml\.(safe_)?(load|compose)(_all)?|yaml\.(C?SafeLoader|C?Loader)",
        {"schema/yaml_files.py": "the one loader"},
    ),
}
"""What is done in one module only, how calls of it look, and which modules do it, with reasons."""


@cache
def used(path: Path) -> set[str]:
    """The full names of what a module uses of others; a method of an object that is no module begins with a dot.

    ``text.replace(old, new)`` is not a move, so methods called ``replace`` count with one argument only.
    """
    imports: dict[str, str] = {}
    for node in parsed(path):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.split(".")[0]
                imports[alias.asname or top] = alias.name if alias.asname else top
        elif isinstance(node, ast.ImportFrom):
            imports |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    dotted = (dotted_name(node) for node in parsed(path) if isinstance(node, ast.Attribute | ast.Name))
    parts = (name.partition(".") for name in dotted if name is not None)
    methods = {
        f".{node.func.attr}"
        for node in parsed(path)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and (node.func.attr != "replace" or len(node.args) == 1)
    }
    return methods | {f"{imports[first]}{dot}{rest}" for first, dot, rest in parts if first in imports}


def dotted_name(node: ast.expr) -> str | None:
    """``os.path.join`` of such an expression; None for any other."""
    if isinstance(node, ast.Attribute):
        before = dotted_name(node.value)
        return None if before is None else f"{before}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else None


@pytest.mark.parametrize("deed", DOORS)
def test_what_is_done_in_one_place_only(deed: str) -> None:
    pattern, doors = DOORS[deed]
    there = {
        path.relative_to(PACKAGE).as_posix()
        for path in modules()
        if any(re.fullmatch(pattern, name) for name in used(path))
    }
    assert there == set(doors), deed


def test_there_is_no_circle() -> None:
    TopologicalSorter({name_of(path): set(imported(path)) for path in modules()}).prepare()


@pytest.mark.parametrize(
    ("command", "heavy"),
    [
        ("import datasets_me; dir(datasets_me)", "pandas pyarrow torch cv2 openpyxl pydantic yaml numpy typer"),
        (
            "sys.argv = ['me-datasets', '--help']; from datasets_me.cli import main; main()",
            "pandas pyarrow torch cv2 numpy pydantic yaml rich.progress rich.table",
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
