"""The command line: one module per verb, no logic. Stages are imported when their verb runs, so --help stays light."""

from __future__ import annotations

import sys

import typer

from datasets_me import __version__
from datasets_me.commands import check, convert, datasets, diff, explain, export, images, relocate, schema, score, synth
from datasets_me.commands.images_audit import audit
from datasets_me.commands.images_export import export as export_images
from datasets_me.commands.images_groups import groups
from datasets_me.commands.images_review import review
from datasets_me.errors import FindingsError, MeDatasetsError

app = typer.Typer(
    name="me-datasets",
    help="Turn micro-expression datasets as they are delivered into datasets that train.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("datasets")(datasets.datasets)
app.command("convert")(convert.convert)
app.command("check")(check.check)
app.command("explain")(explain.explain)
app.command("relocate")(relocate.relocate)
app.command("diff")(diff.diff)
app.add_typer(export.app, name="export")
images.app.command("audit")(audit)
images.app.command("review")(review)
images.app.command("groups")(groups)
images.app.command("export")(export_images)
app.add_typer(images.app, name="images")
app.add_typer(schema.app, name="schema")
app.add_typer(score.app, name="score")
app.command("synth")(synth.synth)


def _show_version(value: bool) -> None:
    if value:
        typer.echo(f"me-datasets {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: bool = typer.Option(False, "--version", callback=_show_version, is_eager=True, help="Show the version."),
) -> None:
    """Options of the program itself."""


def main() -> None:
    """Run the command line. Exit codes: 0 done, 1 findings, 2 could not run."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal that cannot show "²" is no reason to stop
    try:
        app()
    except FindingsError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(1)
    except MeDatasetsError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(2)
    except BrokenPipeError:
        sys.stderr.close()  # the reader of our output went away; there is nobody to tell
        sys.exit(0)
    except OSError as error:
        typer.echo(
            f"error: {error.strerror or error}" + (f"\n  where: {error.filename}" if error.filename else ""), err=True
        )
        sys.exit(2)
