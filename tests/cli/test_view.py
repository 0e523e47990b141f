"""``view`` as a user runs it: it says where it is, saves before it answers, and ends with Ctrl-C."""

from __future__ import annotations

import json
import signal
import subprocess
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from datasets_me.cli import app
from datasets_me.formats import decisions
from datasets_me.viewer import web
from datasets_me.viewer.server import Server
from datasets_me.viewer.web import Opening
from tests.conftest import Run, start
from tests.images.made import image_set
from tests.viewer.conftest import ask as server_ask


def serving(folder: Path, synthetic: Path, *options: str) -> tuple[subprocess.Popen[str], str, str]:
    """The program, the address it has printed, and what it printed before."""
    program = start(folder, "view", "manifest", "--root", synthetic / "frames", "--no-open", *options)
    assert program.stderr is not None
    before = ""
    while not (line := program.stderr.readline()).startswith("http"):
        assert line, before
        before += line
    return program, line.strip(), before


def ask(url: str, body: Any = None) -> Any:
    headers = {"Content-Type": "application/json", "Origin": "/".join(url.split("/")[:3])}
    content = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(url, content, headers)) as answer:
        return json.load(answer)


def test_what_is_acknowledged_outlives_the_server(converted: Path, synthetic: Path, tmp_path: Path) -> None:
    program, url, _ = serving(tmp_path, synthetic)
    try:
        before = ask(f"{url}state")
        wish = {"action": "accept", "finding": 0}
        saved = ask(f"{url}decide", {"decisions": [wish]})["decisions"][0]["id"]
    finally:
        program.kill()
        program.communicate()
    assert [row.id for row in decisions.read(tmp_path / "decisions").rows] == [saved]

    program, url, warning = serving(tmp_path, synthetic, "--host", "0.0.0.0", "--read-only", "--json")
    assert program.stdout is not None
    document = ""
    while not document.endswith("}\n"):
        line = program.stdout.readline()
        assert line, document
        document += line
    state = ask(f"{url}state")
    program.send_signal(signal.SIGINT)
    out, err = program.communicate(timeout=20)
    assert (program.returncode, out) == (0, ""), err
    answer = json.loads(document)
    assert (answer["address"], answer["videos"]) == (url, before["counts"]["videos"])
    assert state["looking"] == ""
    assert {name: answer[name] for name in state["counts"]} == state["counts"]  # with those of the folders
    assert "this server can be reached from other machines" in warning
    assert "Traceback" not in err


def test_a_set_of_images_as_a_document(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    damaged = tmp_path / "raw" / "happy" / "0.png"
    damaged.parent.mkdir(parents=True)
    damaged.write_bytes(b"no picture")
    image_set(tmp_path, ["happy/1.png"])
    monkeypatch.setattr(Server, "serve", lambda server: server._socket.close())
    done = CliRunner().invoke(
        app, ["view", str(tmp_path / "set"), "--root", str(tmp_path / "raw"), "--no-open", "--json"]
    )
    answer = json.loads(done.stdout)
    assert done.exit_code == 0
    assert answer["address"].startswith("http://127.0.0.1:")
    assert (answer["dataset"], answer["images"], answer["decided"]) == ("folder-per-class", 1, 0)


def test_what_cannot_be_viewed(me_datasets: Run, tmp_path: Path) -> None:
    done = me_datasets("view", "nothing", "--root", tmp_path, "--no-open")
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert "nothing" in done.stderr


def test_what_turns_out_while_it_is_loaded_ends_the_server(converted: Path, synthetic: Path, tmp_path: Path) -> None:
    program, *_ = serving(tmp_path, synthetic, "--features", "manifest")
    _, err = program.communicate(timeout=20)
    assert program.returncode == 2
    assert err.startswith("error: there is neither features.parquet nor any <subject>/<video>.npy\n")
    assert "Traceback" not in err


def test_a_page_is_there_before_its_data() -> None:
    opening = Opening("index.html", lambda: False)
    with Server(opening).running() as server, ThreadPoolExecutor(1) as pool:
        assert b"loading the videos" in server_ask(server, "")[1]
        waiting = pool.submit(server_ask, server, "state")
        assert server_ask(server, "main.js")[0] == 200
        assert not waiting.done()
        opening.loaded.set_result(web.application("index.html", [web.get("/state", lambda _: web.as_json(1))]))
        assert waiting.result()[:2] == (200, b"1")
