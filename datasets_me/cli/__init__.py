"""The command line: one module per verb, no logic. Stages are imported when their verb runs, so --help stays light."""

from __future__ import annotations

import os
import signal
import sys
import warnings
from pathlib import Path

import typer

from datasets_me.cli import (
    apex,
    card,
    check,
    check_split,
    convert,
    datasets,
    diff,
    explain,
    export,
    extract,
    frames,
    graph,
    images,
    images_audit,
    images_export,
    images_groups,
    images_review,
    prepare,
    relocate,
    schema,
    score,
    show,
    show_video,
    split,
    stats,
    synth,
    trace,
)
from datasets_me.core.errors import FindingsError, MeDatasetsError
from datasets_me.core.version import __version__

app = typer.Typer(
    name="me-datasets",
    help="Turn micro-expression datasets as they are delivered into datasets that train.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("datasets")(datasets.datasets)
app.command("prepare")(prepare.prepare)
app.command("convert")(convert.convert)
app.command("check")(check.check)
app.command("explain")(explain.explain)
app.command("relocate")(relocate.relocate)
app.command("diff")(diff.diff)
app.command("extract")(extract.extract)
app.command("frames")(frames.frames)
app.command("apex")(apex.apex)
app.command("show")(show_video.show_video)
app.command("split")(split.split)
app.command("check-split")(check_split.check_split)
app.command("stats")(stats.stats)
app.command("graph")(graph.graph)
app.add_typer(export.app, name="export")
app.command("trace")(trace.trace)
app.add_typer(images.app, name="images")
app.add_typer(schema.app, name="schema")
app.command("card")(card.card)
images.app.command("audit")(images_audit.audit)
images.app.command("review")(images_review.review)
images.app.command("groups")(images_groups.groups)
images.app.command("export")(images_export.export)
app.add_typer(score.app, name="score")
app.command("synth")(synth.synth)


def _show_version(value: bool) -> None:
    if value:
        show.echo(f"me-datasets {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: bool = typer.Option(False, "--version", callback=_show_version, is_eager=True, help="Show the version."),
) -> None:
    """Options of the program itself."""


_LEAST_MEMORY = 400 << 20  # bytes; with less, the libraries' own code ends the process while it is loaded


def _check_memory() -> None:
    """Refuse to begin under a limit (``ulimit -v``) that would end the process without a word of ours.

    Raises:
        MeDatasetsError: the limit is too low.
    """
    try:
        import resource
    except ImportError:
        return  # Windows has no such limits
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    if limit not in (resource.RLIM_INFINITY, -1) and limit < _LEAST_MEMORY:
        raise MeDatasetsError(
            f"this process may use {limit >> 20} MiB of memory, and needs {_LEAST_MEMORY >> 20} to begin with",
            fix="raise the limit: ulimit -v unlimited",
        )


def main() -> None:
    """Run the command line. Exit codes: 0 done, 1 findings, 2 could not run, 130 stopped."""
    # closed by the shell (>&-)
    sys.stdout = sys.stdout or Path(os.devnull).open("w")  # noqa: SIM115 - as long as the program runs
    sys.stderr = sys.stderr or Path(os.devnull).open("w")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal that cannot show "²" is no reason to stop
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # what libraries remark on their way tells a user neither what nor where
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends the work as Ctrl-C does, which leaves nothing half
    try:
        _check_memory()
        app()
    except FindingsError as error:
        show.error(error)
        sys.exit(1)
    except MeDatasetsError as error:
        show.error(error)
        sys.exit(2)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("datasets_me"):
            raise
        show.error(
            MeDatasetsError(f"the library '{error.name}' is not installed", fix="pip install 'me-datasets[all]'")
        )
        sys.exit(2)
    except ImportError as error:
        show.error(MeDatasetsError(f"a library cannot be loaded: {error}"))
        sys.exit(2)
    except MemoryError:
        show.error(MeDatasetsError("there is not enough memory", fix="raise the limit, or use fewer --workers"))
        sys.exit(2)
    except RecursionError:
        show.error(MeDatasetsError("something in the input is nested too deeply"))
        sys.exit(2)
    except BrokenPipeError:
        sys.stderr.close()  # the reader of our output went away; there is nobody to tell
        sys.exit(0)
    except OSError as error:
        show.error(MeDatasetsError(error.strerror or str(error), where=str(error.filename or "")))
        sys.exit(2)
