"""``me-datasets images review``: a page to look through doubtful images."""

from __future__ import annotations

import threading
import webbrowser
from pathlib import Path

import typer

from datasets_me.cli import show
from datasets_me.core.errors import plural


def review(
    images: Path = typer.Argument(help="A set of images, made by 'me-datasets images import'."),
    root: Path = typer.Option(None, "--root", help="The folder under which the files lie: the one that was imported."),
    decisions: Path = typer.Option(None, "--decisions", help="Where to save; by default decisions.parquet of the set."),
    every: bool = typer.Option(False, "--every", help="Show images without doubts, too."),
    new_classes: list[str] = typer.Option([], "--new-class", help="A class that the set does not have, such as dirty."),
    port: int = typer.Option(0, "--port", min=0, max=65535, help="The port; a free one by default."),
    browser: bool = typer.Option(True, "--browser/--no-browser", help="Open the page in the browser."),
) -> None:
    """Serve a page on this machine only: look at doubtful images; accept, relabel or exclude them by keyboard.

    Every decision is saved at once, to a table of decisions, never to the images; the next review goes on from there.
    Ends with Ctrl-C.
    """
    from datasets_me.formats import image_set
    from datasets_me.images.review.server import ReviewServer
    from datasets_me.images.review.session import Review

    made = Review(image_set.read(images), root, decisions=decisions, every=every, new_classes=new_classes)
    with ReviewServer(made, port) as server:
        show.echo(f"{plural(len(made.items), 'image')} to look at; Ctrl-C ends", server.url)
        if browser:
            threading.Thread(target=webbrowser.open, args=(server.url,), daemon=True).start()
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            said = made.overview()
            show.echo("", f"{said['decided']:,} of {said['images']:,} decided")
