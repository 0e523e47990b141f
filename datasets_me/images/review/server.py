"""A page on this machine only: what a browser may ask, and nothing else.

Other pages in the same browser must not get at it. So it listens on 127.0.0.1 alone; every address begins with a random
token; the Host must be this server's own, against names that are made to point here (DNS rebinding); and whatever
changes something must come from the page itself (Origin) as JSON, against forms on other pages. Images are asked for by
number, so that no request names a path.
"""

from __future__ import annotations

import json
import secrets
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from datasets_me.core import resources
from datasets_me.core.errors import MeDatasetsError
from datasets_me.core.text import is_utf8
from datasets_me.images.review.session import Review, ReviewError

ADDRESS = "127.0.0.1"
_MOST_BYTES = 1 << 20  # of a request's body
_PAGE = {"": "page.html", "page.js": "page.js", "page.css": "page.css"}
_TYPES = {"html": "text/html", "js": "text/javascript", "css": "text/css"}
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class ReviewServer(ThreadingHTTPServer):
    """Serves one review at `url` until it is shut down.

    Raises:
        MeDatasetsError: the port is taken.
    """

    daemon_threads = True

    def __init__(self, review: Review, port: int = 0) -> None:
        self.token = secrets.token_urlsafe(24)
        try:
            super().__init__((ADDRESS, port), partial(_Handler, review, self.token))
        except OSError as error:
            raise MeDatasetsError(
                f"port {port} cannot be used: {error.strerror}", fix="give another --port, or none"
            ) from error

    @property
    def url(self) -> str:
        """The address of the page, token included."""
        return f"http://{ADDRESS}:{self.server_address[1]}/{self.token}/"


class _RefusedError(Exception):
    """A request that is not answered; the status and a text for whoever sent it."""

    def __init__(self, status: HTTPStatus, text: str) -> None:
        super().__init__(text)
        self.status = status


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "me-datasets", ""
    timeout = 60

    def __init__(self, review: Review, token: str, *arguments: Any) -> None:
        self._review, self._token = review, token
        super().__init__(*arguments)

    def do_GET(self) -> None:
        self._answer(self._get)

    def do_POST(self) -> None:
        self._answer(self._post)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: addresses hold the token."""

    def _answer(self, handle: Any) -> None:
        try:
            name = self._checked()
            body, kind = handle(name)
            status = HTTPStatus.OK
        except _RefusedError as error:
            status, body, kind = error.status, str(error).encode(), "text/plain"
            self.close_connection = True  # what it may have sent besides is not read
        except ReviewError as error:
            status, body, kind = HTTPStatus.UNPROCESSABLE_ENTITY, str(error).encode(), "text/plain"
        except MeDatasetsError as error:
            status, body, kind = HTTPStatus.INTERNAL_SERVER_ERROR, str(error).encode(), "text/plain"
        try:
            self.send_response(status)
            for name, value in _HEADERS.items():
                self.send_header(name, value)
            self.send_header("Content-Type", kind if kind.startswith("image/") else f"{kind}; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            if self.close_connection:
                self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(body)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True  # the page was closed meanwhile

    def _checked(self) -> str:
        """The address behind the token, after all checks that need no body."""
        port = self.connection.getsockname()[1]
        hosts = {f"{ADDRESS}:{port}", f"localhost:{port}"}
        if self.headers.get_all("Host") is None or set(self.headers.get_all("Host") or ()) - hosts:
            raise _RefusedError(HTTPStatus.FORBIDDEN, "this server answers to its own address only")
        origin = self.headers.get("Origin")
        if (self.command == "POST" or origin is not None) and origin not in {f"http://{host}" for host in hosts}:
            raise _RefusedError(HTTPStatus.FORBIDDEN, "only the page itself may ask")
        try:
            parts = urlsplit(self.path).path.split("/", 2)
        except ValueError as error:
            raise _RefusedError(HTTPStatus.BAD_REQUEST, "that is no address") from error
        token = parts[1] if len(parts) == 3 and parts[0] == "" else ""
        if not secrets.compare_digest(token.encode("utf-8", "replace"), self._token.encode()):
            raise _RefusedError(HTTPStatus.NOT_FOUND, "nothing is here; take the address that the command printed")
        return parts[2]

    def _get(self, name: str) -> tuple[bytes, str]:
        if name in _PAGE:
            file = resources.package_file("images/review") / _PAGE[name]
            return file.read_bytes(), _TYPES[file.suffix[1:]]
        if name == "overview":
            return _json(self._review.overview())
        if name == "items":
            query = {key: values[-1] for key, values in parse_qs(urlsplit(self.path).query).items()}
            state = query.get("state", "open")
            if state not in ("open", "decided", "all"):
                raise _RefusedError(HTTPStatus.BAD_REQUEST, "state must be open, decided or all")
            page = self._review.page(
                code=query.get("code"),
                state=state,
                start=_whole(query.get("start", "0")),
                count=_whole(query.get("count", "60")),
                after=_whole(query["after"]) if "after" in query else None,
                before=_whole(query["before"]) if "before" in query else None,
            )
            return _json(page)
        if name.startswith("image/"):
            return self._review.picture(_whole(name.removeprefix("image/")))
        raise _RefusedError(HTTPStatus.NOT_FOUND, "nothing is here")

    def _post(self, name: str) -> tuple[bytes, str]:
        if name != "decide":
            raise _RefusedError(HTTPStatus.NOT_FOUND, "nothing is here")
        if self.headers.get_content_type() != "application/json":
            raise _RefusedError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "send JSON")
        length = self.headers.get("Content-Length", "")
        if not length.isascii() or not length.isdigit():
            raise _RefusedError(HTTPStatus.LENGTH_REQUIRED, "send the length")
        if len(length) > 12 or int(length) > _MOST_BYTES:
            raise _RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too much at once")
        try:
            request = json.loads(self.rfile.read(int(length)))
            numbers, verdict, label = request["numbers"], request["decision"], request.get("label")
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise _RefusedError(HTTPStatus.BAD_REQUEST, "send numbers and a decision") from error
        if not isinstance(numbers, list) or not all(type(number) is int for number in numbers):
            raise _RefusedError(HTTPStatus.BAD_REQUEST, "numbers must be a list of whole numbers")
        if verdict not in ("accept", "relabel", "exclude", None) or not isinstance(label, str | None):
            raise _RefusedError(HTTPStatus.BAD_REQUEST, "the decision must be accept, relabel, exclude or null")
        if label is not None and not is_utf8(label):
            raise _RefusedError(HTTPStatus.BAD_REQUEST, "the label is no text")
        return _json(self._review.decide(numbers, verdict, label))


def _json(value: Any) -> tuple[bytes, str]:
    return json.dumps(value, ensure_ascii=False).encode(), "application/json"


def _whole(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 12:
        raise _RefusedError(HTTPStatus.BAD_REQUEST, "a whole number is wanted")
    return int(text)
