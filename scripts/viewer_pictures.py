"""Take the pictures of the viewer for the documentation from a synthetic dataset: ``docs/pictures/viewer-*.png``.

    python scripts/viewer_pictures.py

Needs Chromium. The dataset has three subjects, planted defects, features, and predictions that hit half of the
expressions.
"""

from __future__ import annotations

import io
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import sync_playwright

import datasets_me as me
from datasets_me.core.engine import workers_for
from datasets_me.synthetic.film import Film
from datasets_me.viewer import predictions
from datasets_me.viewer.api import application
from datasets_me.viewer.dataset import Dataset
from datasets_me.viewer.server import Server
from datasets_me.viewer.session import Session

PICTURES = Path(__file__).resolve().parents[1] / "docs" / "pictures"
DEFECTS = ("ME103", "ME107", "ME301", "ME402")
SIZE = {"width": 1280, "height": 800}


def main() -> None:
    """Make a dataset and take the pictures."""
    with tempfile.TemporaryDirectory() as name:
        session = sitting(Path(name))
        with Server(application(session)).running() as server, sync_playwright() as run:
            arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
            browser = run.chromium.launch(executable_path=shutil.which("chromium"), args=arguments)
            take(browser, server.url, session)
            browser.close()
        session.close()


def sitting(folder: Path) -> Session:
    """A session with everything that a page can show."""
    made = me.make_synthetic(
        me.load_schema("casme-sq"), folder / "set", subjects=3, seed=7, defects=DEFECTS, film=Film(amplitude=2)
    )
    manifest = me.convert(me.load_schema(str(made.schema)), made.workbook).manifest()
    manifest = me.with_folders(manifest, made.root)
    me.extract(manifest, made.root, folder / "features", me.ExtractOptions(), workers=workers_for(0))
    lines = ["video,type,onset,offset"]
    for number, row in enumerate(manifest.annotations):
        if row.onset is not None and row.offset is not None and row.onset < row.offset:
            shift = 2 if number % 2 else 9
            lines.append(f"{row.video},{row.type},{row.onset + shift},{row.offset + shift}")
    (folder / "spotted.csv").write_text("\n".join(lines))
    predicted = predictions.read(manifest, [folder / "spotted.csv"])
    session = Session(Dataset(manifest, made.root, folder / "features", predicted), folder / "decisions")
    session.dataset.add(me.check(manifest, made.root, select=["ME2", "ME301", "ME4"]).findings)
    return session


def take(browser: Any, url: str, session: Session) -> None:
    """Take each picture."""
    doubtful = next(
        entry.number
        for entry in session.dataset.entries
        if any(session.dataset.findings[number].code == "ME107" for number in entry.findings)
    )
    page = browser.new_page(viewport=SIZE, color_scheme="light")
    page.goto(url)
    page.wait_for_selector("tbody tr")
    page.wait_for_function("() => [...document.images].slice(0, 8).every((image) => image.naturalWidth)")
    save(page, "viewer-videos")
    page.goto(f"{url}#/video/{doubtful}")
    page.wait_for_selector("canvas[data-ready=yes]")
    for key in "lr":
        page.keyboard.press(key)
    page.wait_for_timeout(800)
    page.keyboard.press("2")
    page.wait_for_timeout(500)
    save(page, "viewer-video")
    page.emulate_media(color_scheme="dark")
    page.keyboard.press("]")
    page.keyboard.press("2")
    page.keyboard.press("s")
    page.keyboard.press("s")
    page.wait_for_function("() => [...document.querySelectorAll('.faces img')].every((image) => image.naturalWidth)")
    page.wait_for_timeout(300)
    save(page, "viewer-compare")
    page.close()


def save(page: Any, name: str) -> None:
    """Write a picture in 256 colours."""
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB").quantize(256)
    PICTURES.mkdir(parents=True, exist_ok=True)
    picture.save(PICTURES / f"{name}.png", optimize=True)
    print(f"{name}.png: {(PICTURES / f'{name}.png').stat().st_size // 1024} KB")


if __name__ == "__main__":
    main()
