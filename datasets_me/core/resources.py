"""The one place that finds the files shipped with the package: schemas, cards, templates, finding texts."""

from __future__ import annotations

from pathlib import Path

from datasets_me.core.errors import SchemaError

_PACKAGE = Path(__file__).resolve().parent.parent
_HOLDS = {"schemas": "*.yaml", "cards": "*.md"}  # the stage cards/ of the package is no folder of prose in a checkout


def folder(name: str) -> Path:
    """The folder ``schemas`` or ``cards``: inside an installed package, beside it in a checkout.

    Raises:
        SchemaError: neither is there, which means a damaged installation.
    """
    for parent in (_PACKAGE, _PACKAGE.parent):
        if any((parent / name).glob(_HOLDS[name])):
            return parent / name
    raise SchemaError(
        f"the folder '{name}' of the package is missing",
        where=str(_PACKAGE),
        fix="install me-datasets again",
    )


def package_file(relative: str) -> Path:
    """A data file or folder that lies among the modules, such as ``findings/explanations``."""
    return _PACKAGE / relative


def schema_files() -> list[Path]:
    """Every dataset schema that ships with the package, sorted by name."""
    return sorted(folder("schemas").glob("*.yaml"))


def image_schema_files() -> list[Path]:
    """Every schema of a set of images that ships with the package, sorted by name."""
    return sorted((folder("schemas") / "images").glob("*.yaml"))
