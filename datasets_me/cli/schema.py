"""``me-datasets schema``: checking and completing schemas of one's own."""

from __future__ import annotations

from pathlib import Path

import typer

from datasets_me.cli import show

app = typer.Typer(help="Check a dataset schema of your own, or print the JSON Schema of schemas.", no_args_is_help=True)


@app.command("check")
def check(path: Path = typer.Argument(help="The schema (.yaml).")) -> None:
    """Say what is wrong with a schema, by line and YAML path."""
    from datasets_me.schema import schema_files

    spec = schema_files.load_file(path).spec
    parts = f"{len(spec.workbook.variants)} workbook variants, {len(spec.layouts)} layouts"
    show.echo(f"{path}: {spec.id} is a valid schema: {parts}")


@app.command("json")
def print_json() -> None:
    """Print the JSON Schema of dataset schemas, so that editors complete and check them."""
    from datasets_me.schema.spec import Spec

    show.echo_json(Spec.model_json_schema())
