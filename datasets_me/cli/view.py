"""The verb that starts the web application."""

from __future__ import annotations

import gc
import threading
import webbrowser
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
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
    from datasets_me.viewer.server import Server
    from datasets_me.viewer.session import Session

REACHABLE = (
    "warning: this server can be reached from other machines. Whoever has the address below, with this machine's own "
    "in place of 127.0.0.1, can see the faces and, unless it is read-only, take decisions. The connection is not "
    "encrypted."
)


@verb("me-datasets view casme-sq-manifest --root CASME2SQ --features casme-sq-features")
def view(
    output: str,
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
    the doubtful ones are shown, as by 'me-datasets images review'. Ends with Ctrl-C. With --json, one document with
    the address and the counts is printed as soon as everything is loaded and the folders are checked.
    """
    from datasets_me.formats.kinds import IMAGE_SET

    if (manifest / IMAGE_SET.about).is_file():
        if features is not None or predictions or decisions is not None:
            raise MeDatasetsError(
                "--features, --predictions and --decisions are for videos",
                where=str(manifest),
                fix="leave them out; me-datasets images review has options of its own",
            )
        return _images(
            manifest, root, read_only=read_only, host=host, port=port, browser=browser, as_json=output == "json"
        )
    from datasets_me.core.artefact import read_about
    from datasets_me.core.files import check_root
    from datasets_me.formats.kinds import MANIFEST
    from datasets_me.viewer.web import Opening

    read_about(manifest, MANIFEST)  # what is plainly wrong is told before a page opens
    check_root(root)
    for path in [features, *predictions]:
        if path is not None and not path.exists():
            raise MeDatasetsError("there is no such file or folder", where=str(path), fix="check the path")
    opening = Opening("index.html", lambda: server.stopping)
    server = _start(opening, "Ctrl-C ends", host=host, port=port, browser=browser)
    sessions: Future[Session] = Future()

    def load() -> None:
        try:
            session, check = _session(manifest, root, features, predictions, decisions, read_only=read_only)
        except BaseException as error:
            sessions.set_exception(error)
            opening.loaded.set_exception(error)
            server.stop()
            return
        from datasets_me.viewer.api import application

        opening.loaded.set_result(application(session))
        sessions.set_result(session)
        show.echo(f"{plural(len(session.dataset.entries), 'video')} to look at", err=True)
        counts = _counted(session, check)
        if output == "json":
            document = {"address": server.url, "decisions": str(session.decided.folder), **counts}
            show.echo_document(show.to_json(document), is_json=True)

    threading.Thread(target=load, daemon=True).start()
    with suppress(KeyboardInterrupt):
        server.serve()
    if output == "json" and not (sessions.done() and sessions.exception()):
        raise typer.Exit
    if not sessions.done():
        return Answer(["", "ended before the videos were loaded"])
    session = sessions.result()
    session.close()
    counts = session.state()["counts"]
    return Answer(["", f"{plural(counts['open'], 'doubt')} left in {plural(counts['open_videos'], 'video')}"])


def _session(
    manifest: Path,
    root: Path,
    features: Path | None,
    predictions: Sequence[Path],
    decisions: Path | None,
    *,
    read_only: bool,
) -> tuple[Session, threading.Thread]:
    """All that the pages show, and the check of the folders, which goes on beside.

    Raises:
        MeDatasetsError: something cannot be read.
    """
    from datasets_me.core.engine import Failure, run
    from datasets_me.formats import decisions as decision_files
    from datasets_me.formats import manifest as manifests
    from datasets_me.viewer.dataset import Dataset
    from datasets_me.viewer.session import Session

    place = decisions or decision_files.beside(manifest)
    decision_files.check_place(place)
    gc.disable()  # all that is made here stays, and there is much of it
    try:
        annotated = manifests.read(manifest)
        predicted = None
        if predictions:
            from datasets_me.viewer import predictions as prediction_files

            predicted = prediction_files.read(annotated, predictions)
        dataset = Dataset(annotated, root, features, predicted)
        session = Session(dataset, place, read_only=read_only)
        session.state()  # worked out before somebody waits for it
    finally:
        gc.freeze()
        gc.enable()

    def look() -> list[Finding]:
        (_, outcome), *_ = run(_checker, [None], (manifest, root), workers=1)
        if isinstance(outcome, Failure):
            raise MeDatasetsError(outcome.why)
        return outcome

    return session, session.look_beside(look)


def _counted(session: Session, check: threading.Thread) -> dict[str, int]:
    """The counts once the folders are checked; that they could not be is said."""
    check.join()
    state = session.state()
    if state["looking"]:
        show.echo(f"warning: {state['looking']}", err=True)
    counts: dict[str, int] = state["counts"]
    return counts


def _images(images: Path, root: Path, *, read_only: bool, host: str, port: int, browser: bool, as_json: bool) -> Answer:
    from datasets_me.formats import image_set
    from datasets_me.images.review.session import Review
    from datasets_me.viewer.images import application

    review = Review(image_set.read(images), root)
    app, what = application(review, read_only=read_only), plural(len(review.items), "image")
    document = review.overview() if as_json else None
    serve(app, what, host=host, port=port, browser=browser, document=document)
    if as_json:
        raise typer.Exit
    return reviewed(review)


def reviewed(review: Review) -> Answer:
    """What is said at the end of a review."""
    overview = review.overview()
    return Answer(["", f"{overview['decided']:,} of {overview['images']:,} decided"], data=overview)


def serve(
    app: ASGIApp,
    what: str,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    browser: bool = True,
    document: Mapping[str, object] | None = None,
) -> None:
    """Print where an application is, open it, and answer until Ctrl-C.

    Args:
        app: the application.
        what: there is to look at.
        host: the address to listen on.
        port: of it; 0 for a free one.
        browser: open the page.
        document: printed as JSON with the address, where somebody asked for that.

    Raises:
        MeDatasetsError: the host or port cannot be used.
    """
    server = _start(app, f"{what} to look at; Ctrl-C ends", host=host, port=port, browser=browser)
    if document is not None:
        show.echo_document(show.to_json({"address": server.url, **document}), is_json=True)
    with suppress(KeyboardInterrupt):
        server.serve()


def _start(app: ASGIApp, line: str, *, host: str, port: int, browser: bool) -> Server:
    from datasets_me.viewer.server import HERE, Server

    server = Server(app, host, port)
    if host not in (HERE, "localhost"):
        show.echo(REACHABLE, err=True)
    show.echo(line, server.url, err=True)
    if browser:
        threading.Thread(target=webbrowser.open, args=(server.url,), daemon=True).start()
    return server


def _checker(config: tuple[Path, Path]) -> Callable[[None, Report], list[Finding]]:
    """What checks the folders in a process of its own, so that the pages need not wait."""
    from datasets_me.folders.check import check
    from datasets_me.formats import manifest as manifests

    manifest, root = config
    return lambda _, report: check(manifests.read(manifest), root).findings
