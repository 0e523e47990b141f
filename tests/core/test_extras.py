"""Missing libraries: the extra that is named has them, and no smaller one does."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions

import pytest

from datasets_me.core.extras import EXTRAS, missing
from tests.conftest import REPOSITORY

KNOWN = {**packages_distributions(), "dlib": ["dlib-bin"]}  # whose wheel does not list its module
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]


def distributions(requirements: list[str]) -> set[str]:
    """The names of distributions, with those of extras of the package itself."""
    names: set[str] = set()
    for requirement in requirements:
        name, extras = re.match(r"([\w.-]+)(?:\[(.*?)\])?", requirement).groups()  # type: ignore[union-attr]
        if name == PROJECT["name"]:
            names |= distributions(
                [line for extra in extras.split(",") for line in PROJECT["optional-dependencies"][extra]]
            )
        else:
            names.add(normal(name))
    return names


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize("library", EXTRAS)
def test_the_extra_is_the_smallest_that_has_the_library(library: str) -> None:
    brought_by = {normal(name) for name in KNOWN[library]}
    extras = {name: distributions(lines) for name, lines in PROJECT["optional-dependencies"].items()}
    having = {name: extra for name, extra in extras.items() if brought_by & extra}
    assert EXTRAS[library] == min(having, key=lambda name: len(having[name]))


def test_every_optional_library_is_in_the_table() -> None:
    core = distributions(PROJECT["dependencies"])
    imported = {
        name.split(".")[0]
        for path in (REPOSITORY / "datasets_me").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    optional = {
        name
        for name in imported - sys.stdlib_module_names - {"datasets_me"}
        if not core & {normal(distribution) for distribution in KNOWN[name]}
    }
    with_others = {"pydantic_core", "markupsafe"}  # come with pydantic and jinja2
    # face_recognition_models is only looked for, never imported
    assert optional - with_others == set(EXTRAS) - {"face_recognition_models"}


def test_what_to_do_works_in_a_checkout() -> None:
    assert str(missing("matplotlib")) == (
        "the library 'matplotlib' is not installed\n  to do: in the checkout of me-datasets: pip install '.[plots]'"
    )
    assert missing("scipy.sparse").fix == "in the checkout of me-datasets: pip install '.[splits]'"
    assert missing("yaml").fix == "in the checkout of me-datasets: pip install ."
