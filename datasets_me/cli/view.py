"""The verb that starts the web application."""

from __future__ import annotations

import threading
import webbrowser
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from datasets_me.cli import show
from datasets_me.cli.run import Answer, verb
from datasets_me.core.errors import MeDatasetsError, plural

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from datasets_me.core.engine import Report
    from datasets_me.findings.finding import Finding
    from datasets_me.images.review.session import Review

REACHABLE = (
    "warning: this server can be reached from other machines. Whoever has the address below, with this machine's own "
    "in place of 127.0.0.1, can see the faces and, unless it is read-only, take decisions. The connection is not "
    "encrypted."
)


@verb("me-datasets view casme-sq-manifest --root CASME2SQ --features casme-sq-features", formats=None)
def view(
    manifest: Path = typer.Argument(help="A manifest, or a set of images."),
    root: Path = typer.Option(..., "--root", help="The folder under which the frames, or the images, lie."),
    features: Path = typer.Option(None, "--features", help="A folder that 'me-datasets extract' wrote."),
    predictions: list[Path] = typer.Option(
        [], "--predictions", help="Predictions of a model, CSV or npz: intervals (onset, offset), or labels."
    ),
    decisions: Path = typer.Option(
        None, "--decisions", help="The folder of decisions; decisions/ beside the manifest by default."
    ),
    read_only: bool = typer.Option(False, "--read-only", help="Show everything, save nothing."),
    host: str = typer.Option(
        "127.0.0.1", "--host", help="Listen on this address; others than 127.0.0.1 can be reached from elsewhere."
    ),
    port: int = typer.Option(0, "--port", min=0, max=65535, help="The port; a free one by default."),
    browser: bool = typer.Option(True, "--open/--no-open", help="Open the page in the browser."),
) -> Answer:
    """Serve pages on this machine: every video with its annotations and doubts, to look at and to decide.

    Every decision is saved at once, to a folder of decisions, never to the workbook or the frames. Of a set of images,
    the doubtful ones are shown, as by 'me-datasets images review'. Ends with Ctrl-C.
    """
    from datasets_me.formats.kinds import IMAGE_SET

    if (manifest / IMAGE_SET.about).is_file():
        if features is not None or predictions or decisions is not None:
            raise MeDatasetsError(
                "--features, --predictions and --decisions are for videos",
                where=str(manifest),
                fix="leave them out; me-datasets images review has options of its own",
            )
        return _images(manifest, root, read_only=read_only, host=host, port=port, browser=browser)
    from datasets_me.core.engine import Failure, run
    from datasets_me.formats import manifest as manifests
    from datasets_me.formats.decisions import beside
    from datasets_me.viewer import predictions as prediction_files
    from datasets_me.viewer.api import application
    from datasets_me.viewer.dataset import Dataset
    from datasets_me.viewer.session import Session

    annotated = manifests.read(manifest)
    predicted = prediction_files.read(annotated, predictions) if predictions else None
    session = Session(Dataset(annotated, root, features, predicted), decisions or beside(manifest), read_only=read_only)

    def look() -> list[Finding]:
        (_, outcome), *_ = run(_checker, [None], (manifest, root), workers=1)
        if isinstance(outcome, Failure):
            raise MeDatasetsError(outcome.why)
        return outcome

    session.state()  # worked out before somebody waits for it
    session.look_beside(look)
    serve(application(session), plural(len(session.dataset.entries), "video"), host=host, port=port, browser=browser)
    session.close()
    counts = session.state()["counts"]
    left = f"{plural(counts['open'], 'doubt')} left in {plural(counts['open_videos'], 'video')}"
    return Answer(["", left], data={"decisions": str(session.decided.folder), **counts})


def _images(images: Path, root: Path, *, read_only: bool, host: str, port: int, browser: bool) -> Answer:
    from datasets_me.formats import image_set
    from datasets_me.images.review.session import Review
    from datasets_me.viewer.images import application

    review = Review(image_set.read(images), root)
    what = plural(len(review.items), "image")
    serve(application(review, read_only=read_only), what, host=host, port=port, browser=browser)
    return reviewed(review)


def reviewed(review: Review) -> Answer:
    """What is said at the end of a review."""
    overview = review.overview()
    return Answer(["", f"{overview['decided']:,} of {overview['images']:,} decided"], data=overview)


def serve(app: ASGIApp, what: str, *, host: str = "127.0.0.1", port: int = 0, browser: bool = True) -> None:
    """Say where an application is, open it, and answer until Ctrl-C.

    Raises:
        MeDatasetsError: the host or port cannot be used.
    """
    from datasets_me.viewer.server import HERE, Server

    server = Server(app, host, port)
    if host not in (HERE, "localhost"):
        show.echo(REACHABLE, err=True)
    show.echo(f"{what} to look at; Ctrl-C ends", server.url, err=True)
    if browser:
        threading.Thread(target=webbrowser.open, args=(server.url,), daemon=True).start()
    with suppress(KeyboardInterrupt):
        server.serve()


def _checker(config: tuple[Path, Path]) -> Callable[[None, Report], list[Finding]]:
    """What checks the folders in a process of its own, so that the pages need not wait."""
    from datasets_me.folders.check import check
    from datasets_me.formats import manifest as manifests

    manifest, root = config
    return lambda _, report: check(manifests.read(manifest), root).findings
