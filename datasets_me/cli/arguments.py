"""Arguments that several verbs share."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from datasets_me.core.errors import MeDatasetsError

if TYPE_CHECKING:
    from datasets_me.schema.schema_files import Schema

DATASET = typer.Argument(
    help="A dataset: its id, an alias, or the path of a schema (.yaml). See 'me-datasets datasets'."
)
MANIFEST = typer.Argument(help="A manifest folder, made by 'me-datasets convert'.")
ROOT = typer.Option(..., "--root", help="The folder under which the frames lie.")
SCHEMA = typer.Option(None, "--schema", help="A schema of your own (.yaml), in place of DATASET.")
JSON = typer.Option(False, "--json", help="Print JSON.")
INTERRUPTED = 130
"""The exit code that shells expect of a program that Ctrl-C ended."""

COPIES = typer.Option(
    [], "--copies", help="A folder made of the set by images unify, crop or export, whose files the predictions name."
)


class Distances(StrEnum):
    """How far from an apex AUW-GCN and ABPN look for start and end."""

    mean = "mean"
    observed = "observed"
    q95 = "q95"


DISTANCES = typer.Option(
    None,
    "--distances",
    help="How far from an apex start and end are looked for: mean (half the mean length, as published), observed (all "
    "distances that occur; the default), q95 (the 5 % to the 95 % quantile).",
)

FORCE = typer.Option(False, "--force", help="Replace an existing output.")


def schema_and_rest(schema: Path | None, dataset: str, rest: str | None, name: str) -> tuple[Schema, str]:
    """The schema, and the argument after DATASET, which comes first when ``--schema`` is given.

    Raises:
        MeDatasetsError: an argument is missing, or one too many.
    """
    from datasets_me.schema import schema_files

    if schema is not None:
        if rest is not None:
            raise MeDatasetsError("both DATASET and --schema are given", fix=f"give --schema and {name} only")
        return schema_files.load_file(schema), dataset
    if rest is None:
        raise MeDatasetsError(f"{name} is missing", fix=f"give DATASET and {name}, or --schema FILE and {name}")
    return schema_files.load(dataset), rest


def codes(texts: list[str]) -> list[str]:
    """Codes separated by commas or given several times; each must select something."""
    from datasets_me.findings.codes import check_selectors

    chosen = [code.strip().upper() for text in texts for code in text.split(",") if code.strip()]
    check_selectors(chosen)
    return chosen
