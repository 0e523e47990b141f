"""The protocol: what the page may do, and that nobody else may do anything."""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest

from datasets_me.core.errors import MeDatasetsError
from datasets_me.formats import decisions
from datasets_me.viewer.api import application
from datasets_me.viewer.server import Server
from datasets_me.viewer.session import Session
from tests.viewer.conftest import World, ask

ACCEPT = {"decisions": [{"action": "accept", "finding": 0}]}


def test_the_page_and_its_parts(server: Server) -> None:
    for path, kind in (("", "text/html"), ("main.js", "text/javascript"), ("page.css", "text/css")):
        status, body, headers = ask(server, path)
        assert status == 200
        assert body
        assert headers["Content-Type"] == f"{kind}; charset=utf-8"
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == "no-store"
    state = json.loads(ask(server, "state")[1])
    assert (state["dataset"], state["counts"]["videos"]) == ("casme-sq", 16)


@pytest.mark.parametrize("token", ["", "x", "..", "%2e%2e"])
def test_no_token_no_answer(server: Server, world: World, token: str) -> None:
    assert ask(server, "", token=token)[0] == 404
    assert ask(server, "decide", token=token, method="POST", body=ACCEPT)[0] == 404
    assert not world.decisions.exists()


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1:1", "localhost:", "[::1", ""])
def test_names_that_were_made_to_point_here(server: Server, world: World, host: str) -> None:
    assert ask(server, "state", Host=host)[0] in (400, 403)
    assert ask(server, "decide", method="POST", body=ACCEPT, Host=host)[0] in (400, 403)
    assert not world.decisions.exists()


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://127.0.0.1", ""])
def test_other_pages_change_nothing(server: Server, world: World, origin: str) -> None:
    assert ask(server, "decide", method="POST", body=ACCEPT, Origin=origin)[0] == 403
    if origin:
        assert ask(server, "state", Origin=origin)[0] == 403
    assert not world.decisions.exists()


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        ("../../etc/passwd", 404, "nothing is here"),
        ("session.py", 404, "nothing is here"),
        ("index.html", 404, "nothing is here"),
        ("videos/0/frames/../../x", 404, "nothing is here"),
        ("videos/0/frames/-1", 400, "a whole number is wanted"),
        ("videos/0/frames/1e1", 400, "a whole number is wanted"),
        ("videos/0/frames/0?width=x", 400, "a whole number is wanted"),
        ("videos/0/frames/9999", 422, "there is no frame 9999"),
        ("videos/0/frames/0?factor=3", 400, "factor must be one of 2, 4, 8, 16"),
        ("videos/0/compare/sum?a=1&b=2", 404, "nothing is here"),
        ("videos/99", 422, "there is no video 99"),
        ("videos/0/overlay?last=99999", 400, "ask for 500 frames at most"),
        ("videos?type=x", 400, "type must be micro or macro"),
        ("videos/..%2f..", 404, "nothing is here"),
    ],
)
def test_nothing_else_is_served(server: Server, path: str, status: int, text: str) -> None:
    answer = ask(server, path)
    assert (answer[0], answer[1].decode()) == (status, text)


@pytest.mark.parametrize(
    ("body", "headers", "status", "text"),
    [
        (ACCEPT, {"Content_Type": "text/plain"}, 415, "send JSON"),
        (ACCEPT, {"Content_Type": "application/x-www-form-urlencoded"}, 415, "send JSON"),
        (b"{", {}, 400, "send JSON"),
        (b"[" * 100_000, {}, 400, "send JSON"),
        (b" " * (1 << 20) + b" {}", {}, 413, "too much at once"),
        ([1], {}, 400, "send a JSON object"),
        ({"decisions": []}, {}, 400, "decisions: List should have at least 1 item after validation, not 0"),
        ({"decisions": [{"action": "accept", "finding": "0"}]}, {}, 400, "Input should be a valid integer"),
        ({"decisions": [{"action": "delete", "finding": 0}]}, {}, 400, "decisions.0.action: Input should be"),
        ({"decisions": [{"action": "accept", "finding": 0, "path": "/"}]}, {}, 400, "Extra inputs are not permitted"),
        ({"decisions": [{"action": "accept"}]}, {}, 400, "about one finding, one annotation or one video"),
        (
            {"decisions": [{"action": "note", "video": 0, "note": "\ud800"}]},
            {},
            400,
            "unable to parse raw data",
        ),
        ({"decisions": [{"action": "accept", "finding": 999}]}, {}, 422, "there is no finding 999"),
        ({"decisions": [{"action": "note", "video": 0}]}, {}, 422, "'note' is not possible here"),
    ],
)
def test_bad_requests(server: Server, world: World, body: Any, headers: dict[str, str], status: int, text: str) -> None:
    answer = ask(server, "decide", method="POST", body=body, **headers)
    assert answer[0] == status
    assert text in answer[1].decode()
    assert not world.decisions.exists()


def test_a_decision_is_on_the_disk_when_it_is_acknowledged(server: Server, world: World) -> None:
    status, body, _ = ask(server, "decide", method="POST", body=ACCEPT)
    assert status == 200
    (saved,) = decisions.read(world.decisions).rows
    assert (saved.action, saved.id) == ("accept", json.loads(body)["decisions"][0]["id"])
    assert ask(server, "undo", method="POST", body={"ids": ["x"]})[:2] == (422, b"there is no decision 'x'")
    assert ask(server, "undo", method="POST", body={"ids": [saved.id]})[0] == 200
    assert decisions.standing(decisions.read(world.decisions).rows) == []


def test_what_cannot_be_saved_is_not_acknowledged(server: Server, world: World) -> None:
    world.decisions.write_text("in the way")
    try:
        status, text, _ = ask(server, "decide", method="POST", body=ACCEPT)
    finally:
        world.decisions.unlink()
    assert status == 500
    assert b"decisions" in text
    assert json.loads(ask(server, "state")[1])["counts"]["open"] == 5


def test_read_only(world: World) -> None:
    session = world.session(read_only=True)
    with Server(application(session)).running() as server:
        status, text, _ = ask(server, "decide", method="POST", body=ACCEPT)
        assert (status, text) == (403, b"this viewer was started with --read-only")
        assert json.loads(ask(server, "state")[1])["read_only"] is True
    session.close()
    assert not world.decisions.exists()


def test_what_is_no_http_ends_and_the_server_stays(server: Server) -> None:
    for text in (b"\x00\xff nonsense\r\n\r\n", f"GET http://[/ HTTP/1.1\r\nHost: x:{server.port}\r\n\r\n".encode()):
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as raw:
            raw.sendall(text)
            assert raw.recv(4096).split()[1] in (b"400", b"403", b"404")
    assert ask(server, "state")[0] == 200


def test_only_this_machine_unless_asked(server: Server, session: Session) -> None:
    assert server.host == "127.0.0.1"
    assert len(server.token) >= 32
    assert server.url == f"http://127.0.0.1:{server.port}/{server.token}/"
    with pytest.raises(MeDatasetsError, match=f"127.0.0.1:{server.port} cannot be used"):
        Server(application(session), port=server.port)
    with Server(application(session), "0.0.0.0").running() as everywhere:
        assert ask(everywhere, "revision", Host=f"192.0.2.7:{everywhere.port}")[0] == 200
        assert ask(everywhere, "revision", Host=f"evil.example:{everywhere.port}")[0] == 403
