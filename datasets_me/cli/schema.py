"""``me-datasets schema``: checking and completing schemas of one's own."""

from __future__ import annotations

from pathlib import Path

import typer

from datasets_me.cli import arguments, show

app = typer.Typer(help="Check a dataset schema of your own, or print the JSON Schema of schemas.", no_args_is_help=True)


@app.command("check")
def check(path: Path = typer.Argument(help="The schema (.yaml).")) -> None:
    """Say what is wrong with a schema, by line and YAML path."""
    from datasets_me.schema import image_schemas, schema_files
    from datasets_me.schema.yaml_files import read_text

    if image_schemas.is_image_schema(read_text(path), str(path)):
        images = image_schemas.load_file(path).spec
        show.echo(f"{path}: {images.id} is a valid schema of a set of images: {len(images.labels)} labels")
        return
    spec = schema_files.load_file(path).spec
    parts = f"{len(spec.workbook.variants)} workbook variants, {len(spec.layouts)} layouts"
    show.echo(f"{path}: {spec.id} is a valid schema: {parts}")


@app.command("copy")
def copy(
    name: str = typer.Argument(help="The id of a schema that comes with the program: casme2, folder-per-class."),
    path: Path = typer.Argument(help="The new file (.yaml)."),
    force: bool = arguments.FORCE,
) -> None:
    """Copy a schema that comes with the program, to change it into one of your own."""
    from datasets_me.core import artefact
    from datasets_me.schema import image_schemas, schema_files

    images = {schema.spec.id: schema.text for schema in image_schemas.shipped()}
    text = images[name] if name in images else schema_files.load(name).text
    artefact.may_write(path, force)
    artefact.write_file(path, text.encode())
    show.echo(f"written to {path}; check it with me-datasets schema check {path}")


@app.command("json")
def print_json() -> None:
    """Print the JSON Schema of dataset schemas, so that editors complete and check them."""
    from datasets_me.schema.spec import Spec

    show.echo_json(Spec.model_json_schema())
