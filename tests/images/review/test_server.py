"""The protocol: what the page may do, and that nobody else may do anything."""

from __future__ import annotations

import http.client
import json
import socket
from typing import Any

import pytest

from datasets_me.core.errors import MeDatasetsError
from datasets_me.formats.image_set import ImageSet
from datasets_me.images import decisions
from datasets_me.images.review.server import ReviewServer
from datasets_me.images.review.session import Review


def ask(
    server: ReviewServer, path: str, *, method: str = "GET", body: Any = None, token: str | None = None, **headers: str
) -> tuple[int, bytes, dict[str, str]]:
    """Status, body and headers of one request; header names with _ for -; an empty header is not sent."""
    port = server.server_address[1]
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    sent = {"Host": f"127.0.0.1:{port}"}
    if method == "POST":
        sent |= {"Origin": f"http://127.0.0.1:{port}", "Content-Type": "application/json"}
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
    return answer.status, read, dict(answer.getheaders())


ACCEPT = {"numbers": [0], "decision": "accept"}


def test_the_page_and_its_parts(server: ReviewServer) -> None:
    for path, kind in (("", "text/html"), ("page.js", "text/javascript"), ("page.css", "text/css")):
        status, body, headers = ask(server, path)
        assert status == 200
        assert body
        assert headers["Content-Type"] == f"{kind}; charset=utf-8"
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
    assert json.loads(ask(server, "overview")[1])["images"] == 4
    assert json.loads(ask(server, "items?code=ME710&state=all")[1])["total"] == 2
    status, body, headers = ask(server, "image/0")
    assert (status, body[:4], headers["Content-Type"]) == (200, b"\x89PNG", "image/png")


def test_a_decision(server: ReviewServer, images: ImageSet) -> None:
    status, body, _ = ask(server, "decide", method="POST", body={**ACCEPT, "decision": "relabel", "label": "fear"})
    assert status == 200
    assert json.loads(body)["items"][0]["new_label"] == "fear"
    assert decisions.read(images)["happy/1.png"].label == "fear"


@pytest.mark.parametrize("token", ["", "x", "..", "%2e%2e"])
def test_no_token_no_answer(server: ReviewServer, token: str) -> None:
    assert ask(server, "", token=token)[0] == 404
    assert ask(server, "decide", token=token, method="POST", body=ACCEPT)[0] == 404


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1:1", ""])
def test_names_that_were_made_to_point_here(server: ReviewServer, host: str) -> None:
    assert ask(server, "overview", Host=host)[0] == 403
    assert ask(server, "decide", method="POST", body=ACCEPT, Host=host)[0] == 403


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://127.0.0.1", ""])
def test_other_pages_change_nothing(server: ReviewServer, images: ImageSet, origin: str) -> None:
    assert ask(server, "decide", method="POST", body=ACCEPT, Origin=origin)[0] == 403
    if origin:
        assert ask(server, "overview", Origin=origin)[0] == 403
    assert decisions.read(images) == {}


@pytest.mark.parametrize(
    "path",
    [
        "../../etc/passwd",
        "image/../../x",
        "image/-1",
        "image/1e1",
        "image/",
        "page.html",
        "session.py",
        "image/..%2f..",
    ],
)
def test_nothing_else_is_served(server: ReviewServer, path: str) -> None:
    status, body, _ = ask(server, path)
    assert status in (400, 404)
    assert body in (b"nothing is here", b"a whole number is wanted")


@pytest.mark.parametrize(
    ("body", "headers", "status", "said"),
    [
        (ACCEPT, {"Content_Type": "text/plain"}, 415, "send JSON"),
        (ACCEPT, {"Content_Type": "application/x-www-form-urlencoded"}, 415, "send JSON"),
        (ACCEPT, {"Content_Length": "-5"}, 411, "send the length"),
        (b"", {"Content_Length": "99999999"}, 413, "too much at once"),
        (b"{", {}, 400, "send numbers and a decision"),
        (b"[" * 100_000, {}, 400, "send numbers and a decision"),
        ([1], {}, 400, "send numbers and a decision"),
        ({"numbers": ["0"], "decision": "accept"}, {}, 400, "numbers must be a list of whole numbers"),
        ({"numbers": [True], "decision": "accept"}, {}, 400, "numbers must be a list of whole numbers"),
        ({"numbers": [0], "decision": "delete"}, {}, 400, "the decision must be accept, relabel, exclude or null"),
        ({"numbers": [0], "decision": "relabel", "label": "x"}, {}, 422, "'x' is no label of the set"),
        ({"numbers": [1], "decision": "accept"}, {}, 422, "there is no image 1"),
    ],
)
def test_bad_requests(
    server: ReviewServer, images: ImageSet, body: Any, headers: dict[str, str], status: int, said: str
) -> None:
    answer = ask(server, "decide", method="POST", body=body, **headers)
    assert (answer[0], answer[1].decode()) == (status, said)
    assert decisions.read(images) == {}


def test_what_is_no_http_ends_and_the_server_stays(server: ReviewServer) -> None:
    with socket.create_connection(("127.0.0.1", server.server_address[1]), timeout=10) as raw:
        raw.sendall(b"\x00\xff nonsense\r\n\r\n")
        assert b"400" in raw.recv(4096)
    assert ask(server, "overview")[0] == 200


def test_only_this_machine(server: ReviewServer, review: Review) -> None:
    assert server.server_address[0] == "127.0.0.1"
    assert len(server.token) >= 32
    with pytest.raises(MeDatasetsError, match=f"port {server.server_address[1]} cannot be used"):
        ReviewServer(review, server.server_address[1])


def test_what_is_no_address_and_no_text(server: ReviewServer, images: ImageSet) -> None:
    port = server.server_address[1]
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(f"GET http://[/ HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
        assert connection.makefile("rb").readline() == b"HTTP/1.1 400 Bad Request\r\n"
    body = {**ACCEPT, "decision": "relabel", "label": "\ud800"}
    status, text, _ = ask(server, "decide", method="POST", body=body)
    assert (status, text) == (400, b"the label is no text")
    assert decisions.read(images) == {}
