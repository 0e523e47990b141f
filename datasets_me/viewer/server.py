"""The web server: what a browser may ask, and nothing else.

Other pages in the same browser must not get at it. So it listens on 127.0.0.1 unless another host is asked for; every
address begins with a random token; the Host must be this server's own, against names that are made to point here (DNS
rebinding); and whatever changes something must come from the page itself (Origin) as JSON, against forms on other
pages. Frames and images are asked for by number, so that no request names a path.
"""

from __future__ import annotations

import ipaddress
import secrets
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from datasets_me.core.errors import MeDatasetsError

if TYPE_CHECKING:
    import uvicorn
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

HERE = "127.0.0.1"
EVERYWHERE = ("0.0.0.0", "::")

_HEADERS = {
    b"content-security-policy": (
        b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
        b"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-resource-policy": b"same-origin",
    b"cross-origin-opener-policy": b"same-origin",
    b"cache-control": b"no-store",
}


class Guard:
    """Lets through the requests that carry the token and come from this server's own page.

    Args:
        app: what answers them; it sees the address behind the token.
        token: the first part of every address.
        host: the address that the server listens on.
        port: likewise.
    """

    def __init__(self, app: ASGIApp, token: str, host: str, port: int) -> None:
        self._app, self._token, self._host, self._port = app, token, host, port

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] != "http":
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = [(name, value) for name, value in message["headers"] if name not in _HEADERS]
                message["headers"] = [*own, *_HEADERS.items()]
            await send(message)

        status, text = self._fault(scope)
        if status:
            headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
            await send_with_headers({"type": "http.response.start", "status": status, "headers": headers})
            await send({"type": "http.response.body", "body": text.encode()})
            return
        path = scope["path"].split("/", 2)[2]
        await self._app({**scope, "path": f"/{path}", "raw_path": None, "root_path": ""}, receive, send_with_headers)

    def _fault(self, scope: Scope) -> tuple[int, str]:
        """The status and the text for a request that is refused; 0 for one that may pass."""
        sent: dict[bytes, list[str]] = {}
        for name, value in scope["headers"]:
            sent.setdefault(name, []).append(value.decode("latin-1"))
        hosts = sent.get(b"host", [])
        if not hosts or not all(map(self._is_own, hosts)):
            return 403, "this server answers to its own address only"
        origins = sent.get(b"origin", [])
        wanted = {f"http://{host}" for host in hosts}
        if (scope["method"] not in ("GET", "HEAD") or origins) and (not origins or set(origins) - wanted):
            return 403, "only the page itself may ask"
        parts = scope["path"].split("/", 2)
        given = parts[1] if len(parts) == 3 else ""
        if not secrets.compare_digest(given.encode("utf-8", "replace"), self._token.encode()):
            return 404, "nothing is here; take the address that the command printed"
        return 0, ""

    def _is_own(self, host: str) -> bool:
        try:
            parts = urlsplit(f"//{host}")
            name, port = parts.hostname or "", parts.port or 80
        except ValueError:
            return False
        if port != self._port or host.endswith(":"):
            return False
        if name in (self._host, HERE, "localhost"):
            return True
        return self._host in EVERYWHERE and _is_number(name)


def _is_number(name: str) -> bool:
    """Whether a host is an address in numbers: no name server has a say in where it points."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


class Server:
    """Serves an application at `url`.

    Raises:
        MeDatasetsError: the host or port cannot be used.
    """

    def __init__(self, app: ASGIApp, host: str = HERE, port: int = 0) -> None:
        self.token = secrets.token_urlsafe(24)
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        # asyncio sends small answers without delay only where the protocol is named
        self._socket = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._socket.bind((host, port))
            self._socket.listen(128)  # a browser that is opened now waits until the first request is answered
        except OSError as error:
            self._socket.close()
            raise MeDatasetsError(
                f"the address {host}:{port} cannot be used: {error.strerror or error}",
                fix="give another --port, or none" if port else "give another --host, or none",
            ) from error
        self.host, self.port = host, self._socket.getsockname()[1]
        self._server = _uvicorn(Guard(app, self.token, host, self.port))

    @property
    def url(self) -> str:
        """The address of the page, token included."""
        shown = HERE if self.host in EVERYWHERE else self.host
        return f"http://{f'[{shown}]' if ':' in shown else shown}:{self.port}/{self.token}/"

    def serve(self) -> None:
        """Answer until Ctrl-C, or until `running` ends."""
        try:
            self._server.run(sockets=[self._socket])
        finally:
            self._socket.close()

    @property
    def stopping(self) -> bool:
        """Whether `serve` is about to end."""
        return self._server.should_exit

    def stop(self) -> None:
        """Let `serve` end."""
        self._server.should_exit = True

    @contextmanager
    def running(self) -> Iterator[Server]:
        """Answer in a thread while the block runs."""
        thread = threading.Thread(target=self.serve)
        thread.start()
        try:
            yield self
        finally:
            self.stop()
            thread.join()


def _uvicorn(app: ASGIApp) -> uvicorn.Server:
    import uvicorn

    config = uvicorn.Config(
        app,
        loop="asyncio",
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,  # addresses hold the token
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=1,
    )
    return uvicorn.Server(config)
