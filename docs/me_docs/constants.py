"""The constants that decide numbers, with the reason that stands beside each in the code."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import datasets_me
from me_docs.markdown import code, page, table, text

FOLDER = "reference/constants"
ROOMS = ("features", "core", "extract", "export", "splits", "scores", "images")
"""Where constants that decide numbers stand."""

PACKAGE = Path(datasets_me.__file__).parent


def pages() -> dict[str, str]:
    """The one page of constants."""
    lines = [
        "# Constants",
        "",
        "The numbers that were chosen, with the reason that stands beside each in the code.",
        "",
    ]
    for room in ROOMS:
        for path in sorted((PACKAGE / room).rglob("*.py")):
            rows = [[code(name), code(value), text(why)] for name, value, why in constants(path)]
            if rows:
                lines += [f"## {path.relative_to(PACKAGE).as_posix()}", ""]
                lines += table(["constant", "value", "what and why"], rows)
    return {f"{FOLDER}/index.md": page(lines)}


def constants(path: Path) -> Iterator[tuple[str, str, str]]:
    """The public constants of a module that have a number in them and a docstring: name, value, docstring."""
    body = ast.parse(path.read_text(encoding="utf-8")).body
    for node, after in pairwise(body):
        target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0] if _assigns(node) else None
        if not isinstance(target, ast.Name) or not target.id.isupper() or target.id.startswith("_"):
            continue
        value = getattr(node, "value", None)
        is_text = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
        if is_text and isinstance(after.value.value, str) and value is not None and _is_number(value):
            yield target.id, ast.unparse(value), inspect.cleandoc(after.value.value)


def _assigns(node: ast.stmt) -> bool:
    return isinstance(node, ast.Assign) and len(node.targets) == 1


def _is_number(value: ast.expr) -> bool:
    """Whether a value is a number or several, written out."""
    leaves = [each for each in ast.walk(value) if isinstance(each, ast.Constant | ast.Name | ast.Call | ast.Attribute)]
    return bool(leaves) and all(isinstance(each, ast.Constant) and type(each.value) in (int, float) for each in leaves)
