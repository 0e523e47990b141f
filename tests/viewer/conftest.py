"""A dataset with planted doubts, with features and predictions, and one server for all tests of the pages."""

from __future__ import annotations

import http.client
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from datasets_me.convert.convert import convert
from datasets_me.core.artefact import header
from datasets_me.features.video import Quality
from datasets_me.findings.finding import Finding, finding
from datasets_me.folders.check import check, with_folders
from datasets_me.formats import features as feature_files
from datasets_me.formats import manifest as manifests
from datasets_me.formats.kinds import EXTRACTION
from datasets_me.formats.manifest import Manifest
from datasets_me.formats.records import Video, VideoFeatures
from datasets_me.schema import schema_files
from datasets_me.synthetic.write import make
from datasets_me.viewer import predictions
from datasets_me.viewer.api import application
from datasets_me.viewer.dataset import Dataset, Entry
from datasets_me.viewer.server import Server
from datasets_me.viewer.session import Session
from tests.conftest import CHROMIUM

HTML = "<b>casme</b>_\"'&0507"
"""The name of a video that looks like markup."""

LIMIT = 20_000
"""How long a page may take for what a test waits for, in ms: a busy machine is no fault."""

LOST = range(20, 24)
"""Frames of every video in which no face is seen."""


@dataclass(frozen=True)
class World:
    """A synthetic CAS(ME)²: 16 videos of two subjects; ME103, ME107, ME202 and ME301 are planted."""

    folder: Path
    manifest: Manifest

    @property
    def root(self) -> Path:
        return self.folder / "set" / "frames"

    @property
    def decisions(self) -> Path:
        return self.folder / "decisions"

    def session(self, **options: Any) -> Session:
        predicted = predictions.read(self.manifest, [self.folder / "spotted.csv", self.folder / "labels.csv"])
        dataset = Dataset(self.manifest, self.root, self.folder / "features", predicted)
        session = Session(dataset, self.decisions, **options)
        session.dataset.add(check(self.manifest, self.root, select=["ME202", "ME301"]).findings)
        return session


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("viewer")
    synthetic = make(
        schema_files.load("casme-sq"), folder / "set", seed=1, subjects=2, defects=("ME103", "ME107", "ME202", "ME301")
    )
    schema = schema_files.load_file(synthetic.schema)
    manifest = with_folders(convert(schema, synthetic.workbook).manifest(), synthetic.root)
    manifest = _renamed(manifest, "casme_016_0507", HTML)
    manifests.write(manifest, folder / "manifest")
    _extract(manifest, folder / "features")
    spotted = "video,type,onset,offset\ncasme_015_0101,macro,5,16\ncasme_015_0101,micro,1,3\n"
    spotted += "casme_016_0102,macro,1,9\ncasme_016_0102,macro,4,12\ncasme_016_0102,macro,10,20\n"
    (folder / "spotted.csv").write_text(spotted)
    (folder / "labels.csv").write_text("annotation,label\ncasme_015_0101:1,positive\n")
    return World(folder, manifest)


def _renamed(manifest: Manifest, old: str, new: str) -> Manifest:
    def rename(rows: list[Any]) -> list[Any]:
        return [row.model_copy(update={"video": new}) if row.video == old else row for row in rows]

    return replace(
        manifest,
        annotations=rename(manifest.annotations),
        videos=rename(manifest.videos),
        findings=rename(manifest.findings),
    )


def _extract(manifest: Manifest, folder: Path) -> None:
    """Write features by lk, with a peak of 1 px at frame 10 of each video but the last, and no face in ``LOST``."""
    rows, findings = list[VideoFeatures](), list[Finding]()
    for video in manifest.videos:
        if video.layout == "rawpic" and video.video != HTML:
            rows.append(_features(video, folder))
            doubt = finding("ME603", "no face in 4 frames", subject=video.subject, video=video.video, path=video.path)
            findings += [doubt] if len(rows) == 1 else []
    feature_files.write_tables(folder, rows, findings, [])
    about = {**header(EXTRACTION), "options": {"preset": "default"}}
    (folder / EXTRACTION.about).write_text(json.dumps(about))


def _features(video: Video, folder: Path) -> VideoFeatures:
    count = (video.frames or 0) + (video.missing or 0)
    feature = np.zeros((count - 1, 12, 2), np.float32)
    feature[10, :, 1] = 1
    quality = np.zeros(count, np.uint8)
    quality[LOST.start : LOST.stop] = Quality.NO_FACE
    points = np.random.default_rng(1).uniform(8, 30, (68, 2)).astype(np.float32)
    valid = np.ones((count - 1, 12), np.bool_)
    valid[LOST.start : LOST.stop] = False
    name = f"{video.subject}/{video.video}"
    for part in ("features", "landmarks"):
        (folder / part / str(video.subject)).mkdir(parents=True, exist_ok=True)
    np.save(folder / f"features/{name}.npy", feature)
    landmarks = np.broadcast_to(points, (count, 68, 2))
    np.savez(folder / f"landmarks/{name}.npz", landmarks=landmarks, quality=quality, valid=valid)
    return VideoFeatures(
        dataset=video.dataset,
        subject=str(video.subject),
        video=video.video,
        layout=video.layout,
        path=video.path,
        name=video.video,
        status="ok",
        features=f"features/{name}.npy",
        landmarks=f"landmarks/{name}.npz",
        frames=count,
        fps=video.fps,
        no_face=len(LOST),
        good=count - len(LOST),
        width=48,
        height=36,
        box=[4, 2, 40, 34],
    )


@pytest.fixture(scope="package")
def shared(world: World) -> Iterator[Session]:
    session = world.session()
    yield session
    session.close()


@pytest.fixture(scope="package")
def running(shared: Session) -> Iterator[Server]:
    with Server(application(shared)).running() as server:
        yield server


@pytest.fixture
def session(shared: Session, world: World) -> Session:
    """The shared session, with nothing decided."""
    shutil.rmtree(world.decisions, ignore_errors=True)
    return shared


@pytest.fixture
def server(running: Server, session: Session) -> Server:
    """The shared server, with nothing decided."""
    return running


@pytest.fixture(scope="package")
def browser() -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.skip("no chromium is installed")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as run:
        # a browser that runs as root has no sandbox to be in
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        chromium = run.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield chromium
        chromium.close()


def opened(browser: Any, faults: list[str], **options: Any) -> Any:
    page = browser.new_page(**{"viewport": {"width": 1280, "height": 800}, **options})
    page.set_default_timeout(LIMIT)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda line: faults.append(line.text) if line.type == "error" else None)
    return page


def expect(locator: Any) -> Any:
    """What playwright asks of a place on the page until it holds, or its time is up."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    playwright.expect.set_options(timeout=LIMIT)
    return playwright.expect(locator)


def serious(page: Any) -> list[tuple[str, str]]:
    """What axe-core calls serious or critical: the rule, and the first place."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    found = axe.Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [(each["id"], each["nodes"][0]["html"]) for each in found if each["impact"] in ("serious", "critical")]


def entry(session: Session, name: str) -> Entry:
    """A video by its name."""
    return next(each for each in session.dataset.entries if each.name == name)


def ask(
    server: Server, path: str, *, method: str = "GET", body: Any = None, token: str | None = None, **headers: str
) -> tuple[int, bytes, dict[str, str]]:
    """Status, body and headers of one request; header names with _ for -; an empty header is not sent."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    sent = {"Host": f"127.0.0.1:{server.port}"}
    if method == "POST":
        sent |= {"Origin": f"http://127.0.0.1:{server.port}", "Content-Type": "application/json"}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    if method == "POST":
        sent.setdefault("Content-Length", str(len(content)))
    connection.putrequest(method, f"/{server.token if token is None else token}/{path}", skip_host=True)
    for name, value in sent.items():
        if value:
            connection.putheader(name, value)
    connection.endheaders(content)
    answer = connection.getresponse()
    read = answer.read()
    connection.close()
    return answer.status, read, {name.title(): value for name, value in answer.getheaders()}
