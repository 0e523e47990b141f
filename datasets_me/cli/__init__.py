"""The command line: one module per group of verbs, no logic.

Stages are imported when their verb runs, so that ``--help`` stays light.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import warnings
from pathlib import Path

import typer

from datasets_me.cli import (
    check,
    convert,
    datasets,
    decisions,
    describe,
    export,
    extract,
    images,
    log,
    prepare,
    score,
    show,
    split,
    synth,
    view,
)
from datasets_me.cli.run import Verb, add, refused
from datasets_me.core.errors import MeDatasetsError
from datasets_me.core.version import __version__

app = typer.Typer(
    name="me-datasets",
    help="Turn micro-expression datasets as they are delivered into datasets that train.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # rich takes a third of the time of --help, and fills lines with spaces
    context_settings={"help_option_names": ["-h", "--help"]},
)
_VERBS: dict[typer.Typer, dict[str, Verb]] = {
    app: {
        "datasets": datasets.datasets,
        "prepare": prepare.prepare,
        "convert": convert.convert,
        "check": check.check,
        "explain": check.explain,
        "relocate": convert.relocate,
        "diff": convert.diff,
        "decide": decisions.decide,
        "extract": extract.extract,
        "frames": extract.frames,
        "apex": extract.apex,
        "show": extract.show_video,
        "view": view.view,
        "join": extract.join,
        "split": split.split,
        "check-split": check.check_split,
        "stats": describe.stats,
        "graph": describe.graph,
        "trace": export.trace,
        "card": describe.card,
        "synth": synth.synth,
    },
    export.export: {
        "segments": export.segments,
        "clips": export.clips,
        "flow": export.flow,
        "auwgcn": export.auwgcn,
        "auwgcn-csv": export.auwgcn_csv,
        "vqa": export.vqa,
    },
    decisions.decisions: {
        "list": decisions.list_,
        "diff": decisions.diff,
        "to-corrections": decisions.to_corrections,
    },
    images.images: {
        "import": images.import_,
        "unify": images.unify,
        "faces": images.faces,
        "duplicates": images.duplicates,
        "quality": images.quality,
        "crop": images.crop,
        "audit": images.audit,
        "review": images.review,
        "groups": images.groups,
        "plan": images.plan,
        "decide": images.decide,
        "export": images.export_,
        "synth": images.synth,
    },
    score.score: {
        "recognition": score.recognition,
        "spotting": score.spotting,
        "spot-then-recognise": score.spot_then_recognise,
        "action-units": score.action_units,
        "vqa": score.vqa,
        "ensemble": score.ensemble,
    },
    datasets.schema: {"check": datasets.check, "copy": datasets.copy, "json": datasets.print_json},
}
for _group, _verbs in _VERBS.items():
    for _name, _verb in _verbs.items():
        add(_group, _name, _verb)
app.add_typer(export.export, name="export")
app.add_typer(decisions.decisions, name="decisions")
app.add_typer(images.images, name="images")
app.add_typer(datasets.schema, name="schema")
app.add_typer(score.score, name="score")


def _show_version(value: bool) -> None:
    if value:
        show.echo(f"me-datasets {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: bool = typer.Option(False, "--version", callback=_show_version, is_eager=True, help="Show the version."),
    log_file: Path = typer.Option(
        None, "--log", help="Write to the end of this file what is done, when, where, and what fails."
    ),
    verbose: bool = typer.Option(False, "-v", "--verbose", help="Show the same on standard error."),
) -> None:
    """Turn micro-expression datasets as they are delivered into datasets that train.

    Options of the program stand before the verb: me-datasets --log night.log extract ...
    """
    if log_file is not None or verbose:
        log.start(log_file, verbose)


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
    show.prepare_streams()
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # what libraries remark on their way tells a user neither what nor where
    # Arrow's own keeps what was needed to read a table: a tenth of the memory of a second run over 100,000 videos
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    gc.set_threshold(20_000)  # rows and files come by the hundred thousand and are in no cycles; looking costs a tenth
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends the work as Ctrl-C does, which leaves nothing half
    try:
        _check_memory()
        app()
    except Exception as error:
        refused(error)
