"""What all applications have in common: the files of a page, how errors are told, and what may be sent."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from functools import cache
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from datasets_me.core import resources
from datasets_me.core.errors import MeDatasetsError

_LOOK_AGAIN = 0.02  # seconds between looks whether an application is loaded
_MOST_BYTES = 1 << 20  # of a request's body
_TYPES = {"html": "text/html", "js": "text/javascript", "css": "text/css"}

Wanted = TypeVar("Wanted", bound=BaseModel)


class RefusedError(Exception):
    """What a page asks for is not there or cannot be done; the text says why."""


def get(path: str, answer: Callable[[Request], Response]) -> Route:
    """An address that is read."""

    async def endpoint(request: Request) -> Response:
        return await run_in_threadpool(_told, lambda: answer(request))

    return Route(path, endpoint, methods=["GET"])


def post(path: str, save: Callable[[dict[str, Any]], Any], *, read_only: bool = False) -> Route:
    """An address that saves what is sent to it as JSON; nothing where all is ``read_only``."""

    async def endpoint(request: Request) -> Response:
        body = await _body(request)
        if read_only:
            raise HTTPException(403, "this viewer was started with --read-only")
        return await run_in_threadpool(_told, lambda: as_json(save(body)))

    return Route(path, endpoint, methods=["POST"])


class Opening:
    """An application whose page is shown while what it asks for is still being loaded.

    Args:
        first: the page without a name, as in `application`.
        stopping: whether nobody need wait for the application any more.
    """

    def __init__(self, first: str, stopping: Callable[[], bool]) -> None:
        self._pages, self._stopping = application(first, []), stopping
        self.loaded: Future[ASGIApp] = Future()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request: for a file of the page at once, for all else when the application is there."""
        app: ASGIApp = self._pages
        if scope["path"].removeprefix("/") not in ("", *_page_files()):
            while not self.loaded.done() and not self._stopping():
                await asyncio.sleep(_LOOK_AGAIN)
            if self.loaded.done() and self.loaded.exception() is None:
                app = self.loaded.result()
            else:
                app = PlainTextResponse("nothing was loaded; see what the command printed", 503)
        await app(scope, receive, send)


@cache
def _page_files() -> Mapping[str, bytes]:
    folder = resources.package_file("viewer/page")
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.suffix[1:] in _TYPES}


def application(first: str, routes: Sequence[Route]) -> Starlette:
    """These addresses, and the files of the pages, of which ``first`` is the one without a name."""
    files = {**_page_files(), first: _framed(first)}

    async def page(request: Request) -> Response:
        name = request.path_params.get("name", first)
        if name not in files or ("name" in request.path_params and name.endswith(".html")):
            raise HTTPException(404, "nothing is here")
        return Response(files[name], media_type=_TYPES[name.rpartition(".")[2]])

    pages = [Route(path, page, methods=["GET"]) for path in ("/", "/{name}")]
    return Starlette(routes=[*routes, *pages], exception_handlers={HTTPException: _plain})


def _framed(name: str) -> bytes:
    """A page in the frame that all have: its head, its part of the bar at the top, and its content."""
    files = _page_files()
    page = files["frame.html"]
    place = b"<!-- head -->\n"
    for line in files[name].splitlines(keepends=True):
        if line in (b"<!-- top -->\n", b"<!-- content -->\n"):
            place = line
        else:
            page = page.replace(place, line + place)
    return page


async def _plain(_: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    return PlainTextResponse("nothing is here" if error.detail == "Not Found" else error.detail, error.status_code)


def _told(answer: Callable[[], Response]) -> Response:
    try:
        return answer()
    except RefusedError as error:
        return PlainTextResponse(str(error), 422)
    except MeDatasetsError as error:
        return PlainTextResponse(str(error), 500)


async def _body(request: Request) -> dict[str, Any]:
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise HTTPException(415, "send JSON")
    content = b""
    async for chunk in request.stream():
        content += chunk
        if len(content) > _MOST_BYTES:
            raise HTTPException(413, "too much at once")
    try:
        body = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise HTTPException(400, "send JSON") from error
    if not isinstance(body, dict):
        raise HTTPException(400, "send a JSON object")
    return body


def read(model: type[Wanted], body: dict[str, Any]) -> Wanted:
    """What was sent, as a model.

    Raises:
        HTTPException: it is something else.
    """
    try:
        return model.model_validate(body, strict=True)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(map(str, fault["loc"]))
        raise HTTPException(400, f"{place}: {fault['msg']}" if place else fault["msg"]) from error


def as_json(value: Any) -> Response:
    """An answer in JSON."""
    return Response(json.dumps(value, ensure_ascii=False).encode(), media_type="application/json")


def in_path(request: Request, name: str) -> int:
    """A whole number in an address.

    Raises:
        HTTPException: it is something else.
    """
    return _number(request.path_params[name])


def whole(request: Request, name: str, default: int) -> int:
    """A whole number in the query of an address.

    Raises:
        HTTPException: it is something else.
    """
    text = request.query_params.get(name)
    return default if text is None else _number(text)


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise HTTPException(400, "a whole number is wanted")
    return int(text)
